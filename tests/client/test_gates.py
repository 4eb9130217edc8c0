"""Gates: asked before every attempt, they refuse it, cap it, or stop its stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.client.gate import Admitted, Planned
from cometnb.client.simulator import Simulator
from cometnb.errors import BudgetExceededError, CometError
from cometnb.protocol.events import Event
from tests.client.transports import KEY, Script, json_answer, stream_answer


class _Gate:
    """Answers with the terms it was given, or refuses; remembers what it was asked."""

    def __init__(self, terms: Admitted | None = None, *, refuses_from: int | None = None) -> None:
        self.planned: list[Planned] = []
        self._terms = terms
        self._refuses_from = refuses_from

    def admit(self, planned: Planned) -> Admitted | None:
        self.planned.append(planned)
        if self._refuses_from is not None and len(self.planned) >= self._refuses_from:
            raise BudgetExceededError("It would cost too much.", "Ask for less.")
        return self._terms


def test_a_refused_call_is_not_sent_and_recorded() -> None:
    """The transport sees nothing; one attempt has the status, the error is the gate's."""
    seen: list[Attempt] = []
    script = Script(stream_answer("Hello"))
    with (
        Client(KEY, transport=script, observers=[seen.append], gates=[_Gate(refuses_from=1)]) as client,
        pytest.raises(BudgetExceededError, match="too much") as raised,
    ):
        client.respond("Hi")
    assert script.requests == []
    assert [(one.status, one.error_code, one.is_unsent) for one in seen] == [
        ("refused_by_budget", "budget", True)
    ]
    assert raised.value.response is not None
    assert raised.value.response.status == "refused_by_budget"


def test_a_refused_call_is_not_sent_by_the_async_client() -> None:
    """The same in the other shell."""
    seen: list[Attempt] = []
    script = Script(stream_answer("Hello"))

    async def ask() -> None:
        async with AsyncClient(
            KEY, transport=script, observers=[seen.append], gates=[_Gate(refuses_from=1)]
        ) as client:
            await client.respond("Hi")

    with pytest.raises(BudgetExceededError):
        asyncio.run(ask())
    assert script.requests == []
    assert [one.status for one in seen] == ["refused_by_budget"]


def test_a_gate_is_asked_before_every_attempt() -> None:
    """Also before one that tries again; it learns the ids that the observers are handed."""
    seen: list[Attempt] = []
    gate = _Gate(refuses_from=2)
    script = Script(json_answer({"error": {"message": "busy"}}, 503, retry_after="0"), stream_answer("Hello"))
    with (
        Client(KEY, transport=script, observers=[seen.append], gates=[gate]) as client,
        pytest.raises(BudgetExceededError),
    ):
        client.respond("Hi", labels={"tag": "t"})
    assert len(script.requests) == 1
    assert [one.status for one in seen] == ["error", "refused_by_budget"]
    assert [one.attempt_id for one in gate.planned] == [one.attempt_id for one in seen]
    assert len({one.call_id for one in gate.planned}) == 1
    assert gate.planned[0].labels == {"tag": "t"}
    assert gate.planned[0].params["input"] == "Hi"


def test_a_cap_is_sent_and_noted() -> None:
    """Only where the caller set none."""
    script = Script(stream_answer("Hello"), stream_answer("Hello"))
    terms = Admitted(max_output_tokens=99, note="capped")
    with Client(KEY, transport=script, gates=[_Gate(terms)]) as client:
        with client.stream("Hi") as capped:
            list(capped)
        with client.stream("Hi", max_output_tokens=500) as chosen:
            list(chosen)
    assert [json.loads(request.content)["max_output_tokens"] for request in script.requests] == [99, 500]
    assert capped.notes[-1] == "capped"


class _After:
    """A watch that stops the stream at the n-th delta."""

    def __init__(self, n_deltas: int) -> None:
        self._left = n_deltas

    def __call__(self, events: Sequence[Event]) -> CometError | None:
        self._left -= sum(event.type.endswith("output_text.delta") for event in events)
        return BudgetExceededError("It costs too much.", "Stop here.") if self._left <= 0 else None


def _simulated(**settings: Any) -> Simulator:
    return Simulator(text="word " * 400, events_per_chunk=1, **settings)


def test_a_watch_ends_the_stream_and_the_text_stays() -> None:
    """The row says interrupted by the budget, the error holds what had come."""
    seen: list[Attempt] = []
    gate = _Gate(Admitted(watch=_After(5)))
    with (
        Client(transport=_simulated(), observers=[seen.append], gates=[gate]) as client,
        pytest.raises(BudgetExceededError) as raised,
        client.stream("Hi", reasoning={"effort": "none"}) as stream,
    ):
        list(stream)
    assert raised.value.response is not None
    assert 0 < len(raised.value.response.output_text) < 400
    assert [(one.status, one.error_code) for one in seen] == [("interrupted", "budget")]
    assert seen[0].response.estimated_usage.output_tokens


def test_a_watch_cannot_undo_an_answer_that_is_whole() -> None:
    """Stopping after the last event changes nothing."""
    seen: list[Attempt] = []
    gate = _Gate(Admitted(watch=_After(10_000)))
    with Client(transport=_simulated(), observers=[seen.append], gates=[gate]) as client:
        assert client.stream("Hi").response.status == "in_progress"
        assert client.respond("Hi", stream=True, reasoning={"effort": "none"}).status == "completed"
    assert [one.status for one in seen][-1] == "completed"


def test_what_an_attempt_says_of_itself_reaches_the_response() -> None:
    """Where it went, what was asked for, when it was sent, and the course of its stream."""
    with Client(transport=_simulated()) as client:
        response = client.respond("Hi", model="gpt-5.4", stream=True)
    assert (response.model_requested, response.base_url) == ("gpt-5.4", client.base_url)
    assert response.timing.sent_at is not None
    assert response.timing.sent_at.tzinfo is not None
    log = response.event_log
    assert log.types[0] == "response.created"
    assert log.types[-1] == "response.completed"
    assert sum(log.n_characters) >= len(response.output_text)
    assert log.at_s == sorted(log.at_s)
