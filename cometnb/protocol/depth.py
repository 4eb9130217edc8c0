"""How deep JSON is nested: what is too deep is refused in words, before anything walks through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_LEVELS", "has_too_many_brackets", "is_too_deep"]

MOST_LEVELS = 100
"""Objects and lists inside each other; no request and no event needs as many, and Python walks through several times as many."""

# Asking these whether they are a Mapping would take most of the time.
_FLAT = frozenset({str, int, float, bool, type(None)})

# One without an end goes to the end of all, so that no byte is looked at twice.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def is_too_deep(value: Any) -> bool:
    """Tell whether JSON has more than `MOST_LEVELS` objects and lists inside each other, or holds itself."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        # What stands in several places is looked at once.
        held = {
            id(one): one
            for one in level
            if type(one) not in _FLAT and isinstance(one, dict | list | tuple | Mapping)
        }
        if not held:
            return False
        level = [
            inner for one in held.values() for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
    return True


def has_too_many_brackets(text: str) -> bool:
    """Tell whether text that is JSON, or would be, opens more than `MOST_LEVELS` objects and lists inside each other."""
    level = 0
    for sign in _STRING.sub("", text):
        level += (sign in "[{") - (sign in "]}")
        if level > MOST_LEVELS:
            return True
    return False
