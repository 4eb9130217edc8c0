"""What is sent again, after how long, and what never is; the flows are driven by hand, without a wire or a wait."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.attempt import Attempt
from cometnb.client.call import Call
from cometnb.client.retry import Backoff
from cometnb.client.steps import ReadBody, Reply, Send, Step, Wait
from cometnb.client.stored import lookup
from cometnb.errors import CometError
from cometnb.protocol.answer import Fault, Head
from tests.client.asking import Kind, both_kinds, responded, streamed
from tests.client.transports import (
    NOW,
    SSE,
    Answer,
    Clock,
    Script,
    body_of,
    json_answer,
    setup_for,
    stream_answer,
    text_pieces,
)

_ASK = {"input": "Hi"}
_GOOD = json_answer(body_of())
_LONGEST_S = 60.0


def _refused(status: int, code: str | None = None, **headers: str) -> Answer:
    return json_answer({"error": {"message": "no", "code": code}}, status, **headers)


def _driven(flow: Any, *answers: Answer | Fault, clock: Clock | None = None) -> tuple[list[Step], Any]:
    """Answer a flow's steps, the last answer again and again; return its steps and its value."""
    steps: list[Step] = []
    reply: Reply = None
    n_sent = 0
    while True:
        try:
            step = flow.send(reply)
        except StopIteration as end:
            return steps, end.value
        steps.append(step)
        answer = answers[min(n_sent - isinstance(step, ReadBody), len(answers) - 1)]
        if isinstance(step, Wait):
            reply = None
            if clock is not None:
                clock.now_s += step.delay_s
        elif isinstance(answer, Fault):
            reply = answer
        else:
            reply = answer.body if isinstance(step, ReadBody) else Head(answer.status, answer.headers, NOW)
        n_sent += isinstance(step, Send)


def _waits(steps: list[Step]) -> list[float]:
    return [step.delay_s for step in steps if isinstance(step, Wait)]


@pytest.mark.parametrize(
    "bad",
    [
        *(_refused(status) for status in (408, 409, 429, 500, 502, 503, 504, 524)),
        Answer(502, {"content-type": "text/html"}, [b"<html>Bad gateway</html>"]),
        Answer(503, {}, []),
        Fault("connect", "refused"),
        Fault("connect_timeout", "no connection"),
    ],
    ids=lambda bad: str(bad.status if isinstance(bad, Answer) else bad.kind),
)
def test_what_may_pass_is_sent_again(bad: Answer | Fault) -> None:
    """Two retries by default, each after a wait; the answer to the third attempt counts."""
    call = Call(setup_for(), _ASK)
    steps, events = _driven(call.opening(), bad, bad, _GOOD)
    assert [type(step).__name__ for step in steps if not isinstance(step, ReadBody)] == [
        "Send", "Wait", "Send", "Wait", "Send",
    ]  # fmt: skip
    assert [event.type for event in events] == ["response.completed"]
    assert call.response.status == "completed"


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (_refused(400), "BadRequestError"),
        (_refused(401), "AuthenticationError"),
        (_refused(403), "PermissionDeniedError"),
        (_refused(404), "NotFoundError"),
        (_refused(422), "BadRequestError"),
        (_refused(500, "invalid_request"), "BadRequestError"),
        (_refused(503, "model_not_found"), "ModelNotFoundError"),
        (_refused(429, "insufficient_quota"), "RateLimitError"),
        (Answer(302, {"location": "https://elsewhere/"}, []), "UnexpectedContentError"),
        (Answer(200, {"content-type": "text/html"}, [b"<html></html>"]), "UnexpectedContentError"),
        (Fault("idle_timeout", "nothing came"), "ResponseTimeoutError"),
        (Fault("broken", "reset"), "ConnectionFailedError"),
    ],
)
def test_what_cannot_pass_is_sent_once(bad: Answer | Fault, name: str) -> None:
    """A request the service calls invalid, or may have begun to answer, is not sent again."""
    call = Call(setup_for(), _ASK)
    steps, _ = _driven(call.opening(), bad, _GOOD)
    assert sum(isinstance(step, Send) for step in steps) == 1
    assert type(call.error).__name__ == name


def test_the_last_error_is_raised_when_retries_are_used_up() -> None:
    """After the last attempt there is no wait."""
    attempts: list[Attempt] = []
    call = Call(setup_for(observers=[attempts.append], max_retries=3), _ASK)
    steps, _ = _driven(call.opening(), _refused(503))
    assert len(_waits(steps)) == 3
    assert isinstance(steps[-1], ReadBody)
    assert [attempt.n_retries for attempt in attempts] == [0, 1, 2, 3]
    assert "503" in str(call.error)


def test_no_retries_may_be_asked_for() -> None:
    """With max_retries=0 every failure is final."""
    steps, _ = _driven(Call(setup_for(max_retries=0), _ASK).opening(), _refused(503))
    assert [type(step) for step in steps] == [Send, ReadBody]


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after": " 3 "}, 3.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9.0),
        ({"retry_after": format_datetime(NOW - timedelta(hours=9), usegmt=True)}, 0.0),
        ({"retry_after": "86400"}, _LONGEST_S),
        ({"retry_after": "1e300"}, _LONGEST_S),
    ],
)
def test_what_the_service_asks_for_is_honoured(headers: dict[str, str], wait_s: float) -> None:
    """Seconds, milliseconds and dates; a date in the past is now, and nobody waits longer than a minute."""
    steps, _ = _driven(Call(setup_for(), _ASK).opening(), _refused(429, **headers), _GOOD)
    assert _waits(steps) == [wait_s]


@pytest.mark.parametrize("text", ["soon", "", "-1", "nan", "inf", "Wed, 99 Foo", "1 Jan 2026", "\x00", "²"])
def test_a_wish_that_cannot_be_read_counts_as_none(text: str) -> None:
    """Then the wait is drawn as without it."""
    steps, _ = _driven(Call(setup_for(), _ASK).opening(), _refused(429, retry_after=text), _GOOD)
    assert _waits(steps) in ([0.5], [0.0])


@given(st.integers(0, 40), st.floats(0, 1))
def test_jitter_is_drawn_between_zero_and_a_growing_bound(n_retries: int, share: float) -> None:
    """Full jitter: from 0 to half a second doubled each time, and never more than eight."""
    backoff = Backoff(max_retries=100, draw=lambda low, high: low + share * (high - low))
    wait_s = backoff.wait_s(n_retries, None)
    assert wait_s is not None
    assert wait_s == pytest.approx(share * min(8.0, 0.5 * 2**n_retries))


@given(st.integers(0, 10), st.floats(0, 1e9))
def test_a_wish_is_honoured_up_to_its_bound(n_retries: int, asked_s: float) -> None:
    """Whatever the service asks for, the wait is the same up to a minute."""
    assert Backoff(max_retries=11).wait_s(n_retries, asked_s) == min(asked_s, _LONGEST_S)


def test_a_wait_past_the_limit_of_the_call_is_not_begun() -> None:
    """With 5 s for the whole call, a wish for 7 s ends it at once, with the service's error."""
    call = Call(setup_for(timeout_s=5), _ASK)
    steps, _ = _driven(call.opening(), _refused(429, retry_after="7"), _GOOD)
    assert _waits(steps) == []
    assert "HTTP 429" in str(call.error)


def test_waits_together_stay_within_the_limit_of_the_call() -> None:
    """Time that earlier waits took counts."""
    clock = Clock()
    call = Call(setup_for(timeout_s=10, clock=clock, max_retries=9), _ASK)
    steps, _ = _driven(call.opening(), _refused(429, retry_after="4"), clock=clock)
    assert _waits(steps) == [4.0, 4.0]


def test_a_lookup_stays_within_the_limit_of_its_call() -> None:
    """The same for retrieve and its like."""
    clock = Clock()
    flow = lookup(setup_for(timeout_s=10, clock=clock, max_retries=9), Send("GET", "/models"))
    with pytest.raises(CometError, match="HTTP 503"):
        _driven(flow, _refused(503, retry_after="4"), clock=clock)
    assert clock.now_s == 1008.0


def test_a_wait_says_why() -> None:
    """While it waits, a call can say what for."""
    call = Call(setup_for(), _ASK)
    flow = call.opening()
    flow.send(None)
    flow.send(Head(429, {"retry-after": "7"}, NOW))
    assert isinstance(flow.send(b'{"error": {"message": "slow down", "code": "rate_limited"}}'), Wait)
    assert call.waiting == "rate_limited: trying again in 7.0 s"
    flow.send(None)
    assert call.waiting is None


@pytest.mark.parametrize("bad", [_refused(503), _refused(429), Fault("connect", "refused")])
def test_a_lookup_is_sent_again_in_the_same_cases(bad: Answer | Fault) -> None:
    """Retrieve and its like retry as a call does."""
    steps, value = _driven(lookup(setup_for(), Send("GET", "/models")), bad, json_answer({"data": []}))
    assert value == {"data": []}
    assert len(_waits(steps)) == 1


@both_kinds
def test_after_the_first_event_nothing_is_sent_again(kind: Kind) -> None:
    """A stream that breaks is not asked for twice; the user would pay twice and read two answers."""
    script = Script(
        Answer(200, SSE, [*text_pieces("Hello")[:3], ConnectionResetError()]), stream_answer("Again")
    )
    with pytest.raises(ConnectionResetError):
        streamed(kind, script)
    cut = Script(Answer(200, SSE, text_pieces("Hello")[:3]), stream_answer("Again"))
    asked = streamed(kind, cut)
    assert (len(script.requests), len(cut.requests)) == (1, 1)
    assert asked.response.output_text == "Hello"


@both_kinds
def test_a_retried_call_is_one_answer(kind: Kind) -> None:
    """The caller sees nothing of the attempts that failed; the observers see each."""
    script = Script(_refused(503), _refused(429), stream_answer("Hello"))
    asked = responded(kind, script)
    assert asked.response.output_text == "Hello"
    assert [attempt.status for attempt in asked.attempts] == ["error", "error", "completed"]
    assert [attempt.n_retries for attempt in asked.attempts] == [0, 1, 2]
    assert len({attempt.call_id for attempt in asked.attempts}) == 1
    assert len({attempt.attempt_id for attempt in asked.attempts}) == 3
    assert len({request.content for request in script.requests}) == 1
