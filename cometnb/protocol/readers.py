"""What a response can say of itself only with the help of a higher layer: its cost, its events as a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["Reader", "read", "register"]

Reader: TypeAlias = Callable[[Any], Any]

# This layer knows no prices and no pandas; those who do register themselves by the name of the attribute.
_READERS: dict[str, Reader] = {}


def register(name: str, reader: Reader) -> None:
    """Let `reader(response)` answer for an attribute of every response.

    Parameters
    ----------
    name : str
        ``cost`` or ``events_frame``.
    reader : callable
        Takes the Response and returns the attribute's value.
    """
    _READERS[name] = reader


def read(name: str, response: Any) -> Any:
    """Return what the reader of this name says of `response`.

    Raises
    ------
    LookupError
        If nobody has registered it; `import cometnb` registers all of them.
    """
    try:
        reader = _READERS[name]
    except KeyError:
        raise LookupError(f"nothing is registered that reads a response's {name}") from None
    return reader(response)
