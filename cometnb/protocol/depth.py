"""How deep JSON is nested: what is too deep is refused in words, before anything walks through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_LEVELS", "is_too_deep"]

MOST_LEVELS = 100
"""Objects and lists inside each other; no request needs as many, and Python walks through several times as many."""


def is_too_deep(value: Any) -> bool:
    """Tell whether JSON has more than `MOST_LEVELS` objects and lists inside each other, or holds itself."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        # What stands in several places is looked at once.
        held = {id(one): one for one in level if isinstance(one, Mapping | list | tuple)}
        if not held:
            return False
        level = [
            inner for one in held.values() for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
    return True
