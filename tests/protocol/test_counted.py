"""Numbers of things in words."""

from __future__ import annotations

import pytest

from cometnb.protocol.counted import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_000, "12,000 rows")]
)
def test_one_is_singular(number: int, words: str) -> None:
    """Everything else is not, and long numbers have commas."""
    assert counted(number, "row") == words


def test_a_plural_of_its_own_is_used() -> None:
    """Where an s does not make it."""
    assert counted(2, "ended call of unknown cost", "ended calls of unknown cost").startswith("2 ended calls")
