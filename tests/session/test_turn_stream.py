"""A turn as one stream: rounds, results between them, permission, and every way to be stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.simulator import Simulator
from cometnb.errors import BadRequestError, CometError, ParamError
from cometnb.protocol.events import Event
from cometnb.session.conversation import Conversation
from cometnb.session.permit import Questions, refuse_all
from cometnb.session.running import Running
from cometnb.session.session import Session
from cometnb.session.tools import Toolbox
from cometnb.session.turn_stream import ASKED, CALLED, RETURNED
from tests.client.transports import KEY, SSE, Answer, Script, body_of, json_answer, sse, stream_answer
from tests.session.services import call_item


def _calls(*calls: tuple[str, str, str], response_id: str = "resp_c") -> Answer:
    """An answer that streams calls of functions: name, id, arguments."""
    items = [call_item(name, call_id, arguments) for name, call_id, arguments in calls]
    whole = body_of(output=items) | {"id": response_id}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "output": [], "status": "in_progress"}}
    ]
    for place, item in enumerate(items):
        events.append(
            {"type": "response.output_item.added", "output_index": place, "item": {**item, "arguments": ""}}
        )
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    events.append({"type": "response.completed", "response": whole})
    return Answer(200, SSE, [sse(event) for event in events])


@contextmanager
def _turn(
    script: Script, *tools: Callable[..., Any], chat: Conversation | None = None, **settings: Any
) -> Iterator[tuple[Running, list[Attempt], Session]]:
    seen: list[Attempt] = []
    session = Session(api_key=KEY, transport=script, observers=[seen.append], max_retries=0)
    running = session.start_turn(chat or Conversation(), "go", toolbox=Toolbox(tools), **settings)
    try:
        yield running, seen, session
    finally:
        session.close()


def _inputs(script: Script) -> list[Any]:
    return [json.loads(request.content)["input"] for request in script.requests]


def _events(running: Running) -> list[Event]:
    return [event for batch in running.batches(0.0) for event in batch]


def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def test_rounds_read_like_one_stream() -> None:
    """Events of each round, results between them, places counted over all rounds; one response with everything."""
    script = Script(
        _calls(("double", "a", '{"n": 1}'), ("double", "b", '{"n": 2}')), stream_answer("It is ", "six.")
    )
    with _turn(script, double) as (running, seen, _):
        events = _events(running)
        response = running.result()
    kinds = [event.type for event in events]
    assert kinds.count(CALLED) == kinds.count(RETURNED) == 2
    assert kinds.index(RETURNED) > kinds.index(CALLED)
    assert {event.output_index for event in events if event.type == "response.output_text.delta"} == {2}
    assert [item["type"] for item in response.output] == [
        *["function_call"] * 2,
        *["function_call_output"] * 2,
        "message",
    ]
    assert response.output_text == "It is six."
    assert response.usage.total_tokens == 24
    assert [result.output for result in response.tool_results] == ["2", "4"]
    assert len(response.rounds) == 2
    assert len({one.call_id for one in seen}) == 1
    assert [one.n_retries for one in seen] == [0, 0]
    assert _inputs(script)[1] == [
        {"type": "function_call_output", "call_id": "a", "output": "2"},
        {"type": "function_call_output", "call_id": "b", "output": "4"},
    ]


def test_a_single_round_is_the_response_itself() -> None:
    """Nothing is put together where there is one answer."""
    with _turn(Script(stream_answer("Hello"))) as (running, _, _):
        response = running.wait()
    assert response.output_text == "Hello"
    assert response.rounds == ()


def test_a_failing_and_an_unknown_tool_go_back_as_errors() -> None:
    """The model is told, and the loop goes on."""

    def fails() -> None:
        raise ZeroDivisionError("no")

    script = Script(_calls(("fails", "a", "{}"), ("unknown", "b", "{}")), stream_answer("Sorry."))
    with _turn(script, fails) as (running, _, _):
        assert running.wait().output_text == "Sorry."
    first, second = _inputs(script)[1]
    assert first["output"] == "Error: ZeroDivisionError: no"
    assert "no tool 'unknown'" in second["output"]


def test_five_rounds_and_no_more_than_allowed() -> None:
    """Each round's result is sent; at the limit the answer stands and the user is told."""
    answers = [_calls(("double", f"c{n}", f'{{"n": {n}}}'), response_id=f"r{n}") for n in range(9)]
    script, chat = Script(*answers), Conversation("c")
    with _turn(script, double, chat=chat, max_rounds=5) as (running, seen, _):
        response = running.wait()
        notes = running.notes
    assert len(script.requests) == len(seen) == 5
    assert [result.output for result in response.tool_results] == ["0", "2", "4", "6"]
    assert "Stopped after 5 rounds; the model wanted double next." in notes
    assert {one.labels["conversation"] for one in seen} == {"c"}


def test_nobody_to_ask_is_a_refusal_the_model_is_told() -> None:
    """The function does not run."""
    ran: list[int] = []

    def act(n: int) -> None:
        ran.append(n)

    script = Script(_calls(("act", "a", '{"n": 1}')), stream_answer("All right."))
    with _turn(script, act, permit=refuse_all) as (running, _, _):
        response = running.wait()
    assert ran == []
    assert "did not allow" in _inputs(script)[1][0]["output"]
    assert response.tool_results[0].is_error


def test_a_person_is_asked_before_a_function_runs() -> None:
    """The answer may come from any thread, as soon as the question is told."""
    questions = Questions()
    script = Script(_calls(("double", "a", '{"n": 4}'), ("double", "b", '{"n": 5}')), stream_answer("Done."))
    with _turn(script, double, permit=questions) as (running, _, _):
        for batch in running.batches(0.0):
            for event in batch:
                if event.type == ASKED:
                    questions.answer(event.call_id, event.call_id == "a")
        response = running.result()
    assert response.tool_results[0].output == "8"
    assert response.tool_results[1].is_error


def test_an_interrupt_while_functions_run_leaves_a_conversation_that_goes_on() -> None:
    """What had returned is kept; the rest is answered as cancelled."""
    started, release = threading.Event(), threading.Event()

    def waits(n: int) -> int:
        if n:
            started.set()
            release.wait(20)
        return n

    script = Script(
        _calls(("waits", "a", '{"n": 0}'), ("waits", "b", '{"n": 1}')), stream_answer("On we go.")
    )
    chat = Conversation("c")
    try:
        with _turn(script, waits, chat=chat) as (running, seen, session):
            returned = 0
            for batch in running.batches(0.0):
                returned += sum(event.type == RETURNED for event in batch)
                if returned:
                    break
            assert started.wait(20)
            stopped = running.stop()
            assert [result.output for result in stopped.tool_results] == ["0"]
            # The round itself had ended well; the turn has not.
            assert (stopped.status, stopped.rounds[-1].status) == ("interrupted", "completed")
            assert len(chat.path) == 1
            session.start_turn(chat, "go on").wait()
    finally:
        release.set()
    outputs = [item.get("output") or item.get("content") for item in _inputs(script)[1]]
    assert outputs[0] == "0"
    assert "cancelled" in outputs[1]
    assert outputs[2] == "go on"
    assert [one.status for one in seen] == ["completed", "completed"]


def test_an_interrupt_in_mid_stream_keeps_the_text_in_the_turn() -> None:
    """The next turn brings it along, since the service has no whole response to go on from."""
    simulator, chat = Simulator(text="word " * 300, tokens_per_s=200), Conversation("c")
    seen: list[Attempt] = []
    session = Session(transport=simulator, observers=[seen.append])
    running = session.start_turn(chat, "go", reasoning={"effort": "none"})
    for batch in running.batches(0.0):
        if any(event.type == "response.output_text.delta" for event in batch):
            break
    response = running.stop()
    assert response.status == "interrupted"
    assert chat.path[0].text == response.output_text
    simulator.tokens_per_s = None
    session.start_turn(chat, "go on", reasoning={"effort": "none"}).wait()
    session.close()
    assert [one.status for one in seen] == ["interrupted", "completed"]
    said = [item["content"] for item in simulator.requests[-1]["input"]]
    assert (said[0], said[-1], len(said)) == ("go", "go on", 3)


def test_a_service_without_state_is_asked_again_with_the_history() -> None:
    """One error row, then the same turn whole; the answer says so."""
    refusal = {"error": {"message": "Previous response not found", "code": "previous_response_not_found"}}
    script = Script(stream_answer("One."), json_answer(refusal, 400), stream_answer("Two."))
    chat = Conversation("c")
    with _turn(script, chat=chat) as (running, seen, session):
        running.wait()
        second = session.start_turn(chat, "next")
        response = second.wait()
        notes = second.notes
    assert response.output_text == "Two."
    assert response.rounds == ()
    assert [one.status for one in seen] == ["completed", "error", "completed"]
    assert any("keeps no conversation" in note for note in notes)


def test_an_error_ends_the_turn_with_what_came() -> None:
    """The rounds before it are in the response, and in the conversation."""
    script = Script(_calls(("double", "a", '{"n": 1}')), json_answer({"error": {"message": "bad"}}, 400))
    chat = Conversation("c")
    with _turn(script, double, chat=chat) as (running, _, _), pytest.raises(BadRequestError, match="bad"):
        try:
            running.wait()
        finally:
            assert [one["type"] for one in running.response.output] == [
                "function_call",
                "function_call_output",
            ]
    assert len(chat.path) == 1


def test_what_cannot_be_sent_is_refused_before_anything_runs() -> None:
    """As with a single call."""
    script = Script(stream_answer("x"))
    session = Session(api_key=KEY, transport=script)
    with pytest.raises(ParamError, match="temperature"):
        session.start_turn(Conversation("c"), "go", temperature=9)
    with pytest.raises(CometError):
        session.start_turn(Conversation("c"), "go", toolbox=Toolbox([double]), max_output_tokens=-1)
    session.close()
    assert script.requests == []
