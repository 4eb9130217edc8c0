"""How a stream ends: its last event is believed where it says more, and takes nothing away."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.errors import ProtocolError
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from tests.protocol.streams import (
    event,
    folded,
    item_added,
    item_done,
    message,
    opening,
    response_of,
    terminal,
    text_delta,
)

_AT_0: dict[str, Any] = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
_CALL = {"type": "function_call", "id": "fc_0", "call_id": "call_0", "name": "f0", "arguments": "{}"}


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        5,
        "x",
        [5, None],
        [message("Hel")],
        [message()],
        [message("Hello")],
        [message("Hello", id="z")],
    ],
)
def test_a_terminal_output_that_is_emptier_takes_nothing_away(output: Any) -> None:
    """What was streamed is kept, whatever the terminal event repeats of it."""
    response = response_of([opening(), text_delta("Hello", **_AT_0), terminal(output=output)])
    assert response.output_text == "Hello"


def test_a_terminal_output_that_is_fuller_wins() -> None:
    """Items and text that only the terminal event has are taken, in its order."""
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "why"}]}
    response = response_of([text_delta("Hel"), terminal(output=[reasoning, message("Hello"), _CALL])])
    assert response.output_text == "Hello"
    assert [item["type"] for item in response.output] == ["reasoning", "message", "function_call"]


def test_a_terminal_output_that_leaves_items_out_is_matched_by_text() -> None:
    """With other ids and fewer items, what is told again goes to the item with that text."""
    events = [item_done(message(text, id=text), output_index=n) for n, text in enumerate("AB")]
    response = response_of([*events, terminal(output=[message("B", id="other")])])
    assert response.output_text == "AB"


@pytest.mark.parametrize(
    ("kind", "said", "status"),
    [
        ("response.completed", "completed", "completed"),
        ("response.completed", "incomplete", "incomplete"),
        ("response.completed", "failed", "failed"),
        ("response.completed", "in_progress", "completed"),
        ("response.completed", None, "completed"),
        ("response.completed", 5, "completed"),
        ("response.failed", "completed", "failed"),
        ("response.incomplete", "completed", "incomplete"),
        ("response.cancelled", None, "cancelled"),
    ],
)
def test_the_worse_of_two_statuses_is_believed(kind: str, said: Any, status: str) -> None:
    """The response object's status counts unless it says less than the event's name."""
    fold = folded([event(kind, response={"status": said})])
    assert (fold.status, fold.raw()["status"], fold.is_over) == (status, status, True)


@pytest.mark.parametrize("response", [None, 5, "x", [], {}])
def test_a_terminal_event_without_its_response_still_ends(response: Any) -> None:
    """The text so far is the answer."""
    fold = folded([text_delta("A"), event("response.completed", response=response)])
    assert fold.status == "completed"
    assert Response(fold.raw()).output_text == "A"


def test_an_error_event_alone_fails_and_a_failed_response_says_more() -> None:
    """Reading goes on after an error event, as the failed response often follows."""
    fold = folded([text_delta("A"), event("error", error={"message": "overloaded", "code": "busy"})])
    assert (fold.status, fold.is_over) == ("failed", False)
    failed = terminal("failed", error={"message": "no capacity", "code": "server_error"})
    fold.apply(Event(failed["type"], failed))
    assert fold.is_over
    assert fold.error is not None
    assert fold.error["message"] == "no capacity"


def test_text_after_an_error_event_is_kept() -> None:
    """A server that goes on after an error loses nothing, and is still failed."""
    fold = folded([event("error", message="hiccup"), text_delta("A"), text_delta("B"), terminal()])
    assert Response(fold.raw()).output_text == "AB"
    assert fold.status == "failed"


def test_the_message_of_a_failed_event_may_stand_beside_its_response() -> None:
    """An error outside the response object is shown, too."""
    fold = folded([event("response.failed", error={"message": "no quota", "code": "quota"})])
    assert fold.error is not None
    assert (fold.error["message"], fold.error["code"]) == ("no quota", "quota")


def test_what_comes_after_the_terminal_event_changes_nothing() -> None:
    """Late deltas and a second end are counted as odd; keepalives are not."""
    fold = folded([text_delta("A"), terminal()])
    before = fold.raw()
    for each in (text_delta("B"), terminal("failed"), event("keepalive")):
        fold.apply(Event(each["type"], each))
    assert (fold.raw(), fold.status, fold.n_events) == (before, "completed", 5)
    assert sum(fold.oddities.values()) == 2


def test_null_and_sparse_response_objects_erase_nothing() -> None:
    """What an early response object said stays known; what a later one says replaces it."""
    first = opening(model="m", usage=None, instructions="be kind")
    fold = folded([first, terminal(model=None, usage={"input_tokens": 1}, instructions=None)])
    raw = fold.raw()
    assert (raw["model"], raw["instructions"], raw["usage"]) == ("m", "be kind", {"input_tokens": 1})


def test_output_in_an_opening_event_counts_until_there_is_other() -> None:
    """A resumed stream may tell in its first event what came before."""
    event_ = event("response.in_progress", response={"output": [message("before")]})
    assert response_of([event_]).output_text == "before"
    assert response_of([event_, text_delta("after")]).output_text == "after"


def test_unknown_events_are_counted_and_the_first_are_kept() -> None:
    """A new event type is no reason to stop, and can be looked at."""
    fold = folded([event("response.new", x=n) for n in range(1200)])
    assert fold.unknown == {"response.new": 1200}
    assert len(fold.unknown_events) == 1000
    assert fold.unknown_events[0].x == 0


@pytest.mark.parametrize(
    "events",
    [
        [event("response.new", sequence_number=0)],
        [text_delta("a")],
        [text_delta(5, sequence_number=0)],
        [text_delta("a", sequence_number=0), text_delta("b", sequence_number=2)],
        [event("response.created", sequence_number=0)],
        [terminal() | {"sequence_number": 0}, text_delta("a", sequence_number=1)],
        [item_added(message()) | {"item": 5, "sequence_number": 0}],
    ],
)
def test_strict_mode_refuses_what_is_otherwise_settled(events: list[dict[str, Any]]) -> None:
    """For people who build gateways the first oddity is an error; otherwise it is none."""
    folded(events)
    with pytest.raises(ProtocolError, match="Event"):
        folded(events, strict=True)
