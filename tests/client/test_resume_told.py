"""What observers and gates are told of a stream that was left, lost, or taken up again."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.client.gate import Planned
from cometnb.protocol.response import Response
from tests.client.asking import Kind, both_kinds, responded
from tests.client.resuming import DELTAS, WHOLE, answer_of, numbered_events, resumed
from tests.client.transports import KEY, Script


@pytest.fixture
def response_id() -> str:
    """An id no other test has: the usage of a response is told once in a process."""
    return f"resp_{uuid.uuid4().hex}"


@both_kinds
def test_it_is_an_attempt_of_its_own(kind: Kind, response_id: str) -> None:
    """A GET, with the end, the usage and what the response says of its request."""
    events = numbered_events(response_id, reasoning={"effort": "high"})
    attempt = resumed(kind, Script(answer_of(events[4:])), response_id, 3, labels={"tag": "t"}).attempt
    assert (attempt.method, attempt.status, attempt.http_status) == ("GET", "completed", 200)
    assert attempt.response.usage.total_tokens == 12
    assert (attempt.params, attempt.labels) == ({"reasoning": {"effort": "high"}}, {"tag": "t"})
    assert attempt.n_events == 4
    assert not attempt.is_free


@both_kinds
def test_a_usage_is_told_once(kind: Kind, response_id: str) -> None:
    """However often a stream is read to its end; the user's response has it each time."""
    events = numbered_events(response_id)
    first = resumed(kind, Script(answer_of(events)), response_id)
    again = resumed(kind, Script(answer_of(events[2:])), response_id, 1)
    assert first.attempt.response.usage.total_tokens == 12
    assert not again.attempt.response.usage
    assert again.attempt.is_free
    assert again.response.usage.total_tokens == 12
    assert again.attempt.attempt_id != first.attempt.attempt_id


@both_kinds
@pytest.mark.parametrize("is_background", [True, False])
def test_a_usage_that_came_with_the_request_is_not_told_again(
    kind: Kind, response_id: str, is_background: bool
) -> None:
    """The first stream was read to its end."""
    events = numbered_events(response_id, background=is_background)
    asked = responded(kind, Script(answer_of(events)), stream=True, background=is_background)
    assert asked.attempt.response.usage.total_tokens == 12
    assert not resumed(kind, Script(answer_of(events)), response_id).attempt.response.usage


@both_kinds
def test_a_stream_that_was_lost_has_no_estimate(kind: Kind, response_id: str) -> None:
    """The service works on and says later what it used; a guess besides would count it twice."""
    events = numbered_events(response_id)
    script = Script(answer_of(events[:4]))
    lost = responded(kind, script, stream=True, background=True)
    assert (lost.attempt.status, lost.attempt.response.estimated_usage.raw) == ("truncated", {})
    again = resumed(kind, Script(answer_of(events[4:5])), lost.response)
    assert (again.attempt.status, again.attempt.response.estimated_usage.raw) == ("truncated", {})
    assert again.attempt.is_free
    assert responded(kind, script, stream=True).attempt.response.estimated_usage.output_tokens


@both_kinds
def test_no_gate_is_asked(kind: Kind, response_id: str) -> None:
    """Nothing is generated that was not admitted before."""
    asked_for: list[Planned] = []

    class Gate:
        def admit(self, planned: Planned) -> None:
            asked_for.append(planned)

    resumed(kind, Script(answer_of(numbered_events(response_id))), response_id, setup={"gates": (Gate(),)})
    assert asked_for == []


def test_an_interrupted_stream_can_be_taken_up(response_id: str) -> None:
    """Closing it leaves the service at work."""
    events = numbered_events(response_id)
    attempts: list[Attempt] = []
    script = Script(answer_of(events), answer_of(events[3:]))
    with Client(KEY, transport=script, observers=[attempts.append]) as client:
        with client.stream("Hi", background=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    break
        with client.resume(stream.response) as again:
            assert "".join(again.text_deltas()) == "".join(DELTAS[1:])
    assert [(attempt.method, attempt.status) for attempt in attempts] == [
        ("POST", "interrupted"),
        ("GET", "completed"),
    ]
    assert attempts[0].is_free is False


@both_kinds
def test_a_stream_can_be_left_to_the_service(kind: Kind, response_id: str) -> None:
    """Its status stays the service's: nothing was interrupted; the row says the same, without an estimate."""
    answer = answer_of(numbered_events(response_id))
    attempts: list[Attempt] = []

    def sync() -> Response:
        with Client(KEY, transport=Script(answer), observers=[attempts.append]) as client:
            with client.stream("Hi", background=True) as stream:
                next(stream)
                stream.leave()
                assert list(stream) == []
            return stream.response

    async def run() -> Response:
        async with AsyncClient(KEY, transport=Script(answer), observers=[attempts.append]) as client:
            async with client.stream("Hi", background=True) as stream:
                await anext(stream)
                await stream.leave()
                assert [event async for event in stream] == []
            return stream.response

    response = sync() if kind == "sync" else asyncio.run(run())
    (attempt,) = attempts
    assert response.status == attempt.status == "in_progress"
    assert (attempt.error_code, attempt.response.estimated_usage.raw) == (None, {})
    assert answer.n_closed == 1


def test_what_has_ended_cannot_be_left(response_id: str) -> None:
    """An answer that is whole stays whole."""
    with Client(KEY, transport=Script(answer_of(numbered_events(response_id)))) as client:
        with client.stream("Hi", background=True) as stream:
            for event in stream:
                if event.type == "response.completed":
                    stream.leave()
        assert (stream.response.status, stream.response.output_text) == ("completed", WHOLE)
