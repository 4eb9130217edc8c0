"""References inside a JSON Schema, and the JSON types its keywords speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

__all__ = ["KINDS", "is_json_number", "referred"]


def referred(target: str, root: Any) -> Any:
    """Return what a reference such as ``#/$defs/Person`` points to, or None if nothing is there.

    Parameters
    ----------
    target : str
        A JSON pointer as a URL's fragment (RFC 6901): ``~1`` is a slash, ``~0`` a tilde, and % begins an escape.
    root : object
        The whole schema.
    """
    found = root
    for name in target.removeprefix("#").strip("/").split("/"):
        if not name:
            continue
        plain = unquote(name).replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(plain)
        elif isinstance(found, list) and plain.isdecimal() and len(plain) < 10 and int(plain) < len(found):
            found = found[int(plain)]
        else:
            return None
    return found


def is_json_number(value: Any) -> bool:
    """Tell whether a value is a number in JSON; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    # In a schema 1.0 is an integer, too (draft 6 and later).
    return is_json_number(value) and (isinstance(value, int) or bool(value.is_integer()))


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": is_json_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
}
