"""The recordings of several answers as one."""

from __future__ import annotations

from cometnb.protocol.recorded import Recorded, together

_ONE = Recorded("2026-03-01T12:00:00Z", "api", 0.5, 2.0, 0.25, "a table")


def test_times_and_costs_add_up() -> None:
    """The first delta is that of the first."""
    whole = together([_ONE, Recorded("2026-03-01T12:00:09Z", "api", 0.1, 1.0, 0.5)])
    assert whole == Recorded("2026-03-01T12:00:00Z", "api", 0.5, 3.0, 0.75, "a table")


def test_what_one_does_not_know_the_whole_does_not() -> None:
    """Missing is not zero."""
    whole = together([_ONE, Recorded()])
    assert whole is not None
    assert (whole.duration_s, whole.cost_usd) == (None, None)


def test_a_turn_that_was_not_all_recorded_is_none() -> None:
    """A part of it was asked just now."""
    assert together([_ONE, None]) is None
    assert together([]) is None
