"""Tool loops through the real HTTP server: rounds, calls side by side, functions that fail, a stop in the middle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.server import running_server
from cometnb.client.simulator.engine import Engine
from cometnb.session.conversation import Conversation
from cometnb.session.session import Session
from cometnb.session.tools import Toolbox
from cometnb.session.turn_stream import CALLED, RETURNED
from tests.client.transports import KEY

_Served: TypeAlias = tuple[Session, Engine, list[Attempt]]
_EFFORT: dict[str, Any] = {"reasoning": {"effort": "none"}}


def population(city: str) -> int:
    """People living in a city."""
    return len(city)


async def area(city: str) -> float:
    """The area of a city."""
    return len(city) / 2


def depth(city: str) -> None:
    """The depth of the harbour of a city."""
    raise LookupError(f"no harbour in {city}")


@pytest.fixture
def served() -> Iterator[_Served]:
    """A session whose service is a real server on loopback."""
    seen = list[Attempt]()
    with running_server() as server:
        session = Session(api_key=KEY, base_url=server.base_url, observers=[seen.append])
        yield session, server.engine, seen
        session.close()


def _names(simulator: Engine) -> list[list[str]]:
    """The types of what each request brought."""
    return [[item.get("type", "message") for item in body["input"]] for body in simulator.requests]


def test_five_rounds(served: _Served) -> None:
    """Each is a request that goes on from the last and brings one result; all are rows under one id."""
    session, simulator, seen = served
    running = session.start_turn(
        Conversation("c"),
        "Find the population of Rome in five rounds.",
        toolbox=Toolbox([population]),
        metadata={"simulate": "rounds=5"},
        **_EFFORT,
    )
    response = running.wait()
    assert len(response.tool_results) == 5
    assert len(simulator.requests) == len(seen) == 6
    assert _names(simulator)[1:] == [["function_call_output"]] * 5
    ids = [body.get("previous_response_id") for body in simulator.requests]
    assert ids == [None, *(one.response.id for one in seen[:-1])]
    assert len({one.call_id for one in seen}) == 1
    assert response.usage.total_tokens == sum(one.response.usage.total_tokens or 0 for one in seen)


def test_calls_side_by_side_sync_and_async(served: _Served) -> None:
    """Both run before either has returned, and both results go back at once."""
    session, simulator, _ = served
    both = threading.Barrier(2, timeout=20)

    def people(city: str) -> int:
        """People living in a city."""
        both.wait()
        return len(city)

    def size(city: str) -> int:
        """The size of a city."""
        both.wait()
        return len(city) * 2

    running = session.start_turn(
        Conversation(), "Call both people and size for Rome.", toolbox=Toolbox([people, size]), **_EFFORT
    )
    kinds = [event.type for batch in running.batches(0.0) for event in batch]
    response = running.result()
    assert sorted(str(one.output) for one in response.tool_results) == ["4", "8"]
    assert kinds.index(RETURNED) > max(place for place, kind in enumerate(kinds) if kind == CALLED)
    assert _names(simulator)[1] == ["function_call_output"] * 2
    answer = session.start_turn(
        Conversation(), "The area of Oslo?", toolbox=Toolbox([area]), **_EFFORT
    ).wait()
    assert [one.output for one in answer.tool_results] == ["2.0"]


def test_a_failing_and_an_unknown_function(served: _Served) -> None:
    """Both come back to the model as errors, and it answers."""
    session, _, _ = served
    failed = session.start_turn(
        Conversation(), "The depth of the harbour of Rome?", toolbox=Toolbox([depth]), **_EFFORT
    ).wait()
    assert [one.output for one in failed.tool_results] == ["Error: LookupError: no harbour in Rome"]
    ghost = {
        "type": "function",
        "name": "ghost",
        "description": "A function nobody has.",
        "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        "strict": True,
    }
    unknown = session.start_turn(
        Conversation(), "Call ghost.", toolbox=Toolbox([population, ghost]), **_EFFORT
    ).wait()
    assert unknown.tool_results[0].is_error
    assert "no tool 'ghost'" in str(unknown.tool_results[0].output)
    assert unknown.status == "completed"


@contextmanager
def _released(event: threading.Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()


def test_a_stop_while_a_function_runs(served: _Served) -> None:
    """The service takes the next turn: the open call is answered as cancelled."""
    session, simulator, _ = served
    began, release = threading.Event(), threading.Event()

    def slow(city: str) -> int:
        """People living in a city, counted slowly."""
        began.set()
        release.wait(20)
        return len(city)

    chat = Conversation("c")
    with _released(release):
        running = session.start_turn(
            chat, "Use slow: people living in Rome?", toolbox=Toolbox([slow]), **_EFFORT
        )
        assert began.wait(20)
        assert running.stop().status == "interrupted"
    answer = session.start_turn(chat, "Never mind, what is one and one?", **_EFFORT).wait()
    assert answer.status == "completed"
    assert _names(simulator)[-1] == ["function_call_output", "message"]
    assert "cancelled" in simulator.requests[-1]["input"][0]["output"]


def _offered(function: Callable[..., Any]) -> dict[str, Any]:
    return Toolbox([function]).params()[0]


def test_a_tool_that_must_be_called_is_called_once(served: _Served) -> None:
    """After its result the model is free to answer."""
    session, simulator, _ = served
    response = session.start_turn(
        Conversation(), "Anything.", toolbox=Toolbox([population]), tool_choice="required", **_EFFORT
    ).wait()
    assert len(response.tool_results) == 1
    assert [body.get("tool_choice") for body in simulator.requests] == ["required", "auto"]
    assert simulator.requests[0]["tools"] == [_offered(population)]
