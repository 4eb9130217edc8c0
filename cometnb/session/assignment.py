"""``PATH=JSON`` after ``--set``: read, and written so that it reads back as the same field and value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cometnb.errors import CellError

__all__ = ["assigned", "assignment", "one_line_json"]

# One name of a path; in quotes, as JSON, it may hold dots and equals signs.
_NAME = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^".=][^.=]*)([.=])')
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def assigned(text: str) -> tuple[list[str], Any]:
    """Return the names of a field's path, and its value.

    Parameters
    ----------
    text : str
        ``reasoning.effort=low`` or ``"a.b"=[1]``; a value that is no JSON is text.

    Raises
    ------
    CellError
        It is no assignment.
    """
    names: list[str] = []
    at = 0
    for name, end in _names(text):
        names.append(name)
        at = end
    if not names or text[at - 1] != "=":
        raise CellError(f"--set {text!r} is not PATH=JSON.", "Write --set reasoning.effort=low, for example.")
    try:
        return names, json.loads(text[at:])
    except (ValueError, RecursionError):
        return names, text[at:]


def assignment(names: Sequence[str], value: Any) -> str:
    """Return the text on one line that `assigned` reads as this path and value."""
    path = ".".join(name if _PLAIN.fullmatch(name) else one_line_json(name) for name in names)
    if isinstance(value, str) and value.isprintable() and value and not _is_json(value):
        return f"{path}={value}"
    return f"{path}={one_line_json(value)}"


def one_line_json(value: Any) -> str:
    """Return JSON without a character that ends a line, or that cannot be seen; other letters stay as they are."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _names(text: str) -> Iterator[tuple[str, int]]:
    """Yield each name of the path and where what follows it begins; nothing more where it is no path."""
    at = 0
    while found := _NAME.match(text, at):
        written = found[1]
        name = json.loads(written) if _is_json(written) and written.startswith('"') else written.strip()
        if not name and written != '""':
            return
        at = found.end()
        yield name, at
        if found[2] == "=":
            return


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
