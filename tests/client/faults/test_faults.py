"""A service that does wrong in every way there is, over real sockets, and what every layer makes of it."""

from __future__ import annotations

import pytest

from cometnb.client.faults.troubles import TROUBLES
from tests.client.faults.run import run

# These last as long as a call's own limits, and are tried apart.
_LONG = frozenset({"dribbles", "never-answers", "never-ends", "slow-head", "hints-for-ever", "stalls"})
# A quarter of a gigabyte each, and tried apart, too.
_LARGE = frozenset({"flood", "gzip-bomb"})
# Nothing of the long ones comes to an end that a busy machine could be too slow for.
_IMPATIENT = {"timeout_s": 2.0, "idle_timeout_s": 1.0, "max_retries": 1}
# The storms ask for long waits, which a table keeps: all its rows would meet the same.
_NO_STORMS = sorted(set(TROUBLES) - _LONG - _LARGE - {"429-storm"})
_SHORT = sorted(set(TROUBLES) - _LONG - _LARGE)


def test_every_call_is_accounted_for() -> None:
    """Sync and async, streamed or not: ends in time, with a known error or none, one row an attempt, its text kept.

    ``python -m tests.client.faults.run --calls 2000 --seed N`` is the long form of this.
    """
    report = run(120, seed=1, names=_SHORT)
    assert report.wrong == []
    assert report.n_requests == report.n_attempts >= report.n_calls


def test_what_never_ends_is_left_in_time() -> None:
    """By the idle limit or that for the whole call, whatever keeps the connection busy; the text so far is kept."""
    report = run(40, seed=1, names=sorted(_LONG), limits=_IMPATIENT)
    assert report.wrong == []
    assert {trouble for trouble, _ in report.ends} == _LONG


def test_what_has_no_end_is_left_at_its_bound() -> None:
    """However fast it comes, and however little is sent for it; the text so far is kept."""
    report = run(4, seed=2, names=sorted(_LARGE))
    assert report.wrong == []
    assert {trouble for trouble, _ in report.ends} == _LARGE


@pytest.mark.parametrize("through", ["session", "background", "frame"])
def test_every_layer_accounts_for_every_call(through: str) -> None:
    """A session with its turns, responses in the background, and a table that a checkpoint finishes."""
    report = run(40, seed=1, through=through, names=_NO_STORMS)
    assert report.wrong == []
    assert report.n_attempts >= report.n_calls
