"""JSON as the standard has it, and nothing else: what is read can be written again, and says the same."""

from __future__ import annotations

from typing import Any

from cometnb.protocol.json_text import finite

__all__ = ["loads"]


def loads(text: str | bytes) -> Any:
    """Parse JSON as the standard has it: no NaN, no name twice in an object, nothing that cannot be written again.

    Raises
    ------
    ValueError
        It is not that.
    """
    try:
        return finite(text, _no_repeats)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object names a field twice")
    return found
