"""A service that does wrong in every way there is, over real sockets."""

from __future__ import annotations

from tests.client.faults.run import run
from tests.client.faults.troubles import TROUBLES


def test_every_call_is_accounted_for() -> None:
    """Sync and async, streamed or not: ends in time, with a known error or none, one row an attempt, its text kept.

    ``python -m tests.client.faults.run --calls 2000 --seed N`` is the long form of this.
    """
    report = run(len(TROUBLES) * 10, seed=1)
    assert report.faults == []
    assert report.n_requests == report.n_attempts >= report.n_calls
    assert {trouble for trouble, _ in report.ends} == set(TROUBLES)
