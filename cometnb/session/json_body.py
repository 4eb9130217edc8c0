"""The JSON of a request as text, read into what can be sent again: finite numbers, and levels within their bound."""

from __future__ import annotations

from typing import Any

from cometnb.protocol.depth import MOST_LEVELS, is_too_deep
from cometnb.protocol.json_text import finite

__all__ = ["json_body"]


def json_body(text: str) -> Any:
    """Return the value that JSON text stands for.

    Raises
    ------
    ValueError
        It is no JSON, has a number that is not finite, or more than `MOST_LEVELS` levels; in words for the user.
    """
    try:
        value = finite(text)
    except RecursionError:
        raise _too_deep() from None
    if is_too_deep(value):
        raise _too_deep()
    return value


def _too_deep() -> ValueError:
    return ValueError(f"it has more than {MOST_LEVELS} levels")
