"""How often a response in the background is looked at, and what of a look that fails."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb import errors
from cometnb.client.client import Client
from cometnb.session.looking import Looking, Pace
from tests.client.transports import KEY, Answer, Script, at_once, body_of, json_answer

_AT_ONCE = Pace(shortest_s=0.0, longest_s=0.0, longest_asked_s=0.0)
_BUSY = json_answer({"error": {"message": "slow down"}}, 429, retry_after="0")
_DOWN = httpx.ConnectError("refused")
_DONE = json_answer(body_of())


def _looks(*answers: Any) -> tuple[list[str], Looking]:
    """Look until it is completed; return the statuses seen."""
    seen: list[str] = []
    with Client(KEY, transport=Script(*answers), max_retries=0) as client:
        at_once(client)
        looking = Looking(client, "resp_1", _AT_ONCE)
        for response in looking.looks(lambda: seen[-1:] == ["completed"], until_s=float("inf"), idle_s=None):
            assert response is not None
            seen.append(response.status)
    return seen, looking


@given(st.integers(0, 10_000), st.floats(0.8, 1.2))
def test_waits_stay_within_their_bounds(n_looks: int, factor: float) -> None:
    """From half a second to ten, whatever is drawn."""
    assert 0.5 <= Pace(draw=lambda low, high: factor).wait_s(n_looks) <= 10.0


def test_waits_grow() -> None:
    """By half each time, up to ten seconds."""
    pace = Pace(draw=lambda low, high: 1.0)
    assert [pace.wait_s(n_looks) for n_looks in (0, 1, 2)] == [0.5, 0.75, 1.125]
    assert pace.wait_s(20) == 10.0


def test_two_kernels_do_not_look_together() -> None:
    """A wait is drawn anew each time."""
    assert len({Pace().wait_s(5) for _ in range(10)}) > 1


@pytest.mark.parametrize(
    ("asked_s", "wait_s"), [(None, 0.5), (0.1, 0.5), (7.0, 7.0), (30.0, 30.0), (1e9, 60.0)]
)
def test_the_service_may_ask_for_a_longer_wait(asked_s: float | None, wait_s: float) -> None:
    """It is honoured up to a minute, and never undercut."""
    assert Pace(draw=lambda low, high: 1.0).wait_s(0, asked_s) == wait_s


@pytest.mark.parametrize("bad", [_BUSY, _DOWN, json_answer({}, 503), httpx.ReadTimeout("slow")])
def test_a_look_may_fail(bad: Any) -> None:
    """A network that comes and goes does not end the wait; five times in a row are too many only at the sixth."""
    seen, looking = _looks(*[bad] * 5, json_answer(body_of(status="in_progress")), *[bad] * 5, _DONE)
    assert seen == ["in_progress", "completed"]
    assert looking.trouble is None


def test_a_service_that_stays_away_ends_the_wait() -> None:
    """With its own error."""
    with pytest.raises(errors.ConnectionFailedError):
        _looks(*[_DOWN] * 6, _DONE)


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"error": {"message": "bad key"}}, 401),
        Answer(405, {"content-type": "text/plain"}, [b"Method Not Allowed"]),
        Answer(200, {"content-type": "text/html"}, [b"<html>"]),
    ],
)
def test_what_another_look_cannot_mend_ends_the_wait_at_once(answer: Answer) -> None:
    """A key that is refused, a service without retrieval."""
    with pytest.raises(errors.APIError):
        _looks(answer, _DONE)
