"""The limiter: never more than was asked for, fewer when the service says so, and everybody waits when it asks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.session.batch.limits import Limiter, Limits, Ticket

_MINUTE_S = 60.0


def _greedy(limiter: Limiter, n_requests: int, tokens: list[float]) -> list[float]:
    """Send as early as the limiter lets through, each one back at once; return when each was sent."""
    now_s, sent_s = 0.0, []
    for number in range(n_requests):
        cost = tokens[number % len(tokens)]
        while wait_s := limiter.wait_s(now_s, cost):
            now_s += wait_s
        ticket = limiter.enter(now_s, cost)
        limiter.leave(ticket, now_s, http_status=200, is_answered=True, tokens=cost)
        sent_s.append(now_s)
    return sent_s


def _refuse(limiter: Limiter, ticket: Ticket, now_s: float, retry_after_s: float | None = None) -> None:
    limiter.leave(ticket, now_s, http_status=429, retry_after_s=retry_after_s)


@given(st.integers(1, 3_000), st.integers(1, 400))
def test_no_minute_has_more_requests_than_asked_for(per_minute: int, n_requests: int) -> None:
    """Wherever the minute begins."""
    limiter = Limiter(Limits(requests_per_minute=per_minute))
    sent_s = _greedy(limiter, n_requests, [0.0])
    for behind, first_s in enumerate(sent_s):
        in_minute = [one for one in sent_s[behind:] if one < first_s + _MINUTE_S - 1e-6]
        assert len(in_minute) <= per_minute


def test_most_of_what_is_allowed_is_used() -> None:
    """Ten minutes at 120 a minute take ten minutes, and not twelve."""
    sent_s = _greedy(Limiter(Limits(requests_per_minute=120)), 1_200, [0.0])
    assert sent_s[-1] < 10.2 * _MINUTE_S


@given(st.lists(st.floats(1, 100), min_size=1, max_size=20), st.floats(6_000, 60_000))
def test_no_minute_has_more_tokens_than_asked_for(tokens: list[float], per_minute: float) -> None:
    """As long as no single request is larger than what may go at once."""
    limiter = Limiter(Limits(tokens_per_minute=per_minute))
    sent_s = _greedy(limiter, 300, tokens)
    costs = [tokens[number % len(tokens)] for number in range(300)]
    for behind, first_s in enumerate(sent_s):
        in_minute = [
            cost
            for one, cost in zip(sent_s[behind:], costs[behind:], strict=True)
            if one < first_s + _MINUTE_S - 1e-6
        ]
        assert sum(in_minute) <= per_minute * (1 + 1e-6)


def test_a_request_larger_than_the_limit_goes_all_the_same() -> None:
    """It would never go otherwise; what comes behind it waits until its tokens have flowed in."""
    limiter = Limiter(Limits(tokens_per_minute=600))
    sent_s = _greedy(limiter, 3, [1_200.0])
    assert sent_s[0] == 0.0
    assert all(later - earlier > 1.9 * _MINUTE_S for earlier, later in pairwise(sent_s))


def test_real_usage_corrects_the_estimate() -> None:
    """What was taken too much is there for the next; what was too little is missing."""
    limits = Limits(tokens_per_minute=6_000)
    dear, cheap = Limiter(limits), Limiter(limits)
    for limiter, used in ((dear, 500), (cheap, 10)):
        ticket = limiter.enter(0.0, 100)
        limiter.leave(ticket, 0.0, http_status=200, is_answered=True, tokens=used)
    waits_s = [limiter.wait_s(0.0, 90) for limiter in (dear, cheap)]
    assert waits_s[0] is not None
    assert waits_s[0] > 4
    assert waits_s[1] == 0


def test_there_are_never_more_on_the_way_than_asked_for() -> None:
    """None is "when another one has come back"."""
    limiter = Limiter(Limits(max_concurrency=2))
    limiter.enter(0.0)
    ticket = limiter.enter(0.0)
    assert limiter.wait_s(0.0) is None
    limiter.leave(ticket, 1.0, http_status=200, is_answered=True)
    assert limiter.wait_s(1.0) == 0


def test_too_many_requests_halve_what_is_sent_at_once() -> None:
    """Once for all that were on their way, however many of them are refused."""
    limiter = Limiter(Limits(max_concurrency=16))
    tickets = [limiter.enter(0.0) for _ in range(16)]
    for ticket in tickets:
        _refuse(limiter, ticket, 1.0)
    assert limiter.window == 8
    again = limiter.enter(3.0)
    _refuse(limiter, again, 4.0)
    assert limiter.window == 4


def test_there_is_always_room_for_one() -> None:
    """A batch that nothing is let through for would never find out that the service is back."""
    limiter = Limiter(Limits(max_concurrency=3))
    for second in range(1, 20):
        _refuse(limiter, limiter.enter(second - 0.5), float(second))
    assert limiter.window == 1


def test_answers_widen_it_again_by_one_for_each_round() -> None:
    """Up to what was asked for, and no further."""
    limiter = Limiter(Limits(max_concurrency=4))
    _refuse(limiter, limiter.enter(0.5), 1.0)
    assert limiter.window == 2
    for _ in range(3):
        limiter.leave(limiter.enter(2.0), 2.0, http_status=200, is_answered=True)
    assert limiter.window == 3
    for _ in range(40):
        limiter.leave(limiter.enter(2.0), 2.0, http_status=200, is_answered=True)
    assert limiter.window == 4


def test_what_the_service_asks_to_wait_holds_for_everybody() -> None:
    """The longest of several counts."""
    limiter = Limiter(Limits(max_concurrency=8))
    tickets = [limiter.enter(0.0) for _ in range(4)]
    for ticket, retry_after_s in zip(tickets, (5.0, 20.0, 3.0, None), strict=True):
        _refuse(limiter, ticket, 1.0, retry_after_s)
    assert limiter.wait_s(1.0) == pytest.approx(20)
    assert limiter.wait_s(21.0) == 0


def test_a_service_that_names_no_wait_is_given_more_and_more() -> None:
    """1 s, 2 s, 4 s, and 60 s at most; the first answer begins anew."""
    limiter = Limiter(Limits())
    now_s, waits_s = 0.0, []
    for _ in range(9):
        _refuse(limiter, limiter.enter(now_s + 0.5), now_s + 1)
        wait_s = limiter.wait_s(now_s + 1)
        assert wait_s is not None
        waits_s.append(wait_s)
        now_s += 1 + wait_s
    assert waits_s == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])
    limiter.leave(limiter.enter(now_s), now_s, http_status=200, is_answered=True)
    _refuse(limiter, limiter.enter(now_s + 0.5), now_s + 1)
    assert limiter.wait_s(now_s + 1) == pytest.approx(1)


def test_a_wait_that_was_too_short_is_not_believed_again() -> None:
    """A service that always says 0 would be asked without a pause."""
    limiter = Limiter(Limits())
    _refuse(limiter, limiter.enter(0.5), 1.0, retry_after_s=0.0)
    assert limiter.wait_s(1.0) == 0
    _refuse(limiter, limiter.enter(1.5), 2.0, retry_after_s=0.0)
    assert limiter.wait_s(2.0) == pytest.approx(2)


def test_other_errors_change_nothing() -> None:
    """A request that is at fault says nothing of how many there may be."""
    limiter = Limiter(Limits(max_concurrency=4))
    for http_status in (400, 500, None):
        limiter.leave(limiter.enter(0.5), 1.0, http_status=http_status)
    assert (limiter.window, limiter.wait_s(1.0)) == (4, 0)


def test_a_ticket_that_was_not_used_is_as_if_it_had_not_been() -> None:
    """Whoever was stopped before sending has used nothing up."""
    limiter = Limiter(Limits(max_concurrency=1, requests_per_minute=1, tokens_per_minute=60))
    limiter.give_back(limiter.enter(0.0, 50), 0.0)
    assert limiter.wait_s(0.0, 50) == 0


def test_parts_together_keep_the_limits() -> None:
    """For processes that cannot ask each other."""
    part = Limits(16, 600, 90_000).share(4)
    assert (part.max_concurrency, part.requests_per_minute, part.tokens_per_minute) == (4, 150, 22_500)
    assert Limits(2).share(5) == Limits(1)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_concurrency": 0},
        {"max_concurrency": 2.5},
        {"max_concurrency": True},
        {"requests_per_minute": 0},
        {"tokens_per_minute": float("inf")},
        {"tokens_per_minute": "many"},
    ],
)
def test_a_limit_that_is_none_is_refused(limits: dict[str, Any]) -> None:
    """Before anything is asked."""
    with pytest.raises(ParamError, match=next(iter(limits))):
        Limits(**limits)
