"""What is nested too deep is told before anything walks through it."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.depth import MOST_LEVELS, is_too_deep


def _nested(levels: int) -> Any:
    value: Any = 1
    for n in range(levels):
        value = [value] if n % 2 else {"a": value}
    return value


@pytest.mark.parametrize(("levels", "is_deep"), [(0, False), (MOST_LEVELS, False), (MOST_LEVELS + 1, True)])
def test_levels_are_counted_to_their_bound(levels: int, is_deep: bool) -> None:
    """However many there are."""
    assert is_too_deep(_nested(levels)) is is_deep


def test_what_holds_itself_is_too_deep() -> None:
    """It has no end."""
    value: list[Any] = []
    value.append(value)
    assert is_too_deep(value)


def test_what_stands_in_two_places_is_looked_at_once() -> None:
    """Else forty pairs of pairs would take years."""
    value: Any = [1]
    for _ in range(40):
        value = [value, value]
    assert not is_too_deep(value)
