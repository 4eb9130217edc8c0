"""Events fold into the response so far, whatever of it the server leaves out, repeats or gets wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cometnb.protocol.events import Event
from cometnb.protocol.fold import Fold
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


def _arguments(delta: str, **fields: Any) -> dict[str, Any]:
    return event("response.function_call_arguments.delta", delta=delta, **fields)


def _call(number: int, arguments: str = "") -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": f"f{number}",
        "arguments": arguments,
    }


def test_a_complete_stream_folds_to_its_terminal_response() -> None:
    """With every event in place, what was streamed and what the terminal event says are one."""
    done = message("Hello world", id="msg_1", status="completed")
    response = response_of(
        [
            opening(),
            item_added(
                {"type": "message", "id": "msg_1", "content": [], "role": "assistant"}, output_index=0
            ),
            event("response.content_part.added", part={"type": "output_text", "text": ""}, **_AT_0),
            text_delta("Hello ", **_AT_0),
            text_delta("world", **_AT_0),
            event("response.output_text.done", text="Hello world", **_AT_0),
            event("response.content_part.done", part=done["content"][0], **_AT_0),
            item_done(done, output_index=0),
            terminal(output=[done], usage={"input_tokens": 3, "output_tokens": 2}),
        ]
    )
    assert (response.status, response.output_text) == ("completed", "Hello world")
    assert response.output == [done]
    assert response.usage.output_tokens == 2


def test_the_first_deltas_can_be_read_at_once() -> None:
    """The response so far has the text so far, and says that it is in progress."""
    fold = folded([opening(), text_delta("Hel", **_AT_0)])
    assert Response(fold.raw(), status=fold.status).status == "in_progress"
    assert Response(fold.raw()).output_text == "Hel"
    assert fold.has_output


def test_a_snapshot_is_not_changed_by_later_events() -> None:
    """What `raw` returned stays as it was."""
    annotation = event("response.output_text.annotation.added", annotation={"type": "url_citation"}, **_AT_0)
    fold = folded([opening(metadata={"a": "b"}), text_delta("a", **_AT_0), annotation])
    first = fold.raw()
    before = copy.deepcopy(first)
    for each in (text_delta("b", **_AT_0), annotation, terminal(metadata={"c": "d"})):
        fold.apply(Event(each["type"], each))
    assert first == before
    assert fold.raw() != before


def test_folding_does_not_change_the_events() -> None:
    """A user may keep the events; they stay as sent."""
    part = {"type": "output_text", "text": "", "annotations": []}
    given = [
        opening(),
        item_added(message(), output_index=0),
        event("response.content_part.added", part=part, **_AT_0),
        event("response.output_text.annotation.added", annotation={"type": "url_citation"}, **_AT_0),
        text_delta("a", **_AT_0),
        terminal(output=[message("a")]),
    ]
    before = copy.deepcopy(given)
    fold = Fold()
    for each in given:
        fold.apply(Event(each["type"], each))
    assert given == before


@pytest.mark.parametrize("indices", [{}, {"output_index": 0}, {"output_index": 1, "content_index": 1}])
def test_items_and_parts_nobody_announced_are_made(indices: dict[str, Any]) -> None:
    """Deltas alone are enough, with and without indices, counted from 0 or 1."""
    response = response_of([text_delta("Hel", **indices), text_delta("lo", **indices), terminal()])
    assert (response.output_text, response.status) == ("Hello", "completed")


@pytest.mark.parametrize("form", [float, str], ids=["floats", "digits in quotes"])
def test_indices_as_floats_or_texts_count(form: type) -> None:
    """Two calls side by side are kept apart although their indices are no integers."""
    events = [
        item_added(_call(0), output_index=form(0)),
        item_added(_call(1), output_index=form(1)),
        _arguments("[0", output_index=form(0)),
        _arguments("[1", output_index=form(1)),
        _arguments("]", output_index=form(0)),
        _arguments("]", output_index=form(1)),
    ]
    assert [call.arguments for call in response_of(events).function_calls] == ["[0]", "[1]"]


@pytest.mark.parametrize("index", [-1, 10**30, True, 0.5, "x", "", None, [], {}, "9" * 5000])
def test_a_hostile_index_loses_no_text(index: Any) -> None:
    """An index that can be none counts as absent; a huge one makes no gaps."""
    places = {"output_index": index, "content_index": index, "summary_index": index, "command_index": index}
    response = response_of(
        [
            item_added(message(), **places),
            text_delta("a", **places),
            text_delta("b", **places),
            event("response.reasoning_summary_text.delta", delta="why", **places),
            event("response.shell_call_command.delta", delta="ls", **places),
            terminal(),
        ]
    )
    assert response.output_text == "ab"
    assert response.reasoning_summary == ["why"]
    assert len(json.dumps(response.raw)) < 2000


def test_ids_that_change_with_every_event_do_not_matter() -> None:
    """The index decides where text belongs."""
    events = [item_added(message(id="a"), output_index=0)]
    events += [text_delta(str(n), output_index=0, content_index=0, item_id=f"x{n}") for n in range(5)]
    events += [
        item_done(message("01234", id="b"), output_index=0),
        terminal(output=[message("01234", id="c")]),
    ]
    response = response_of(events)
    assert response.output_text == "01234"
    assert len(response.output) == 1


def test_without_indices_order_decides() -> None:
    """Two messages and a call, one after the other, stay three items with their own text."""
    events = [
        item_added(message()),
        text_delta("A"),
        item_done(message("A")),
        item_added(_call(0)),
        _arguments("{}"),
        item_done(_call(0, "{}")),
        item_added(message()),
        text_delta("B"),
        item_done(message("B")),
    ]
    response = response_of([*events, terminal()])
    assert [item["type"] for item in response.output] == ["message", "function_call", "message"]
    assert response.output_text == "AB"
    assert response.function_calls[0].arguments == "{}"


def test_without_indices_and_announcements_an_end_begins_the_next_item() -> None:
    """After an item was done, deltas belong to another one, and the terminal event repeats none of them."""
    events = [
        text_delta("A"),
        item_done(message("A")),
        text_delta("B"),
        event("response.output_text.done", text="B"),
        text_delta("C"),
        terminal(output=[message("A"), message("B"), message("C")]),
    ]
    response = response_of(events)
    assert response.output_text == "ABC"
    assert len(response.output) == 3


def test_without_indices_announced_parts_stay_apart() -> None:
    """A part announced after another was done is the next part of the same item."""
    events = [item_added(message())]
    for text in ("A", "B"):
        part = {"type": "output_text", "text": text}
        events += [
            event("response.content_part.added", part=part | {"text": ""}),
            text_delta(text),
            event("response.output_text.done", text=text),
            event("response.content_part.done", part=part),
        ]
    response = response_of([*events, item_done(message("A", "B")), terminal(output=[message("A", "B")])])
    assert response.output_text == "AB"
    assert len(response.output) == 1


def test_without_indices_summaries_stay_apart() -> None:
    """The parts of a reasoning summary are told apart by their ends, and none is doubled at the end."""
    events = []
    for text in ("one", "two"):
        events += [
            event("response.reasoning_summary_text.delta", delta=text),
            event("response.reasoning_summary_text.done", text=text),
            event("response.reasoning_summary_text.done", text=text),
        ]
    summary = [{"type": "summary_text", "text": text} for text in ("one", "two")]
    response = response_of([*events, terminal(output=[{"type": "reasoning", "summary": summary}])])
    assert response.reasoning_summary == ["one", "two"]


def test_parallel_calls_without_indices_are_told_apart_by_id() -> None:
    """Where there is no index, an id that was announced is better than a guess."""
    events = [item_added(_call(0)), item_added(_call(1))]
    for delta in "[]":
        events += [_arguments(delta, item_id="fc_0"), _arguments(delta, item_id="fc_1")]
    assert [call.arguments for call in response_of(events).function_calls] == ["[]", "[]"]


def test_two_items_may_share_an_index() -> None:
    """A server whose every index is 0 still gets its items apart, also items of two kinds."""
    events: list[dict[str, Any]] = [
        item_added({"type": "reasoning", "id": "r", "summary": []}, output_index=0),
        item_added(message(id="a"), output_index=0),
        text_delta("A", output_index=0, content_index=0),
        event("response.reasoning_summary_text.delta", delta="why", output_index=0, summary_index=0),
        item_done(message("A", id="x"), output_index=0),
        item_added(message(id="b"), output_index=0),
        text_delta("B", output_index=0, content_index=0),
        item_done(message("B", id="y"), output_index=0),
        terminal(),
    ]
    response = response_of(events)
    assert (response.output_text, response.reasoning_summary) == ("AB", ["why"])


@pytest.mark.parametrize("indices", [{}, {"output_index": 0}])
def test_an_item_told_twice_is_one_item(indices: dict[str, Any]) -> None:
    """Announcements and ends may be repeated."""
    added, done = item_added(_call(0), **indices), item_done(_call(0, "{}"), **indices)
    events = [added, added, _arguments("{}", **indices), done, done, terminal()]
    assert [call.arguments for call in response_of(events).function_calls] == ["{}"]


def test_arguments_may_come_only_at_the_end() -> None:
    """A call without deltas gets its arguments from the done event."""
    done = event("response.function_call_arguments.done", arguments='{"a": 1}', output_index=0)
    response = response_of([item_added(_call(0), output_index=0), done, terminal()])
    assert response.function_calls[0].arguments == '{"a": 1}'


def test_text_at_the_index_of_another_kind_of_item_is_still_text() -> None:
    """A server that gives every delta the index 0 of its reasoning item hides no text in it."""
    reasoning = {"type": "reasoning", "summary": [], "content": []}
    response = response_of([item_added(reasoning, output_index=0), text_delta("A", **_AT_0), terminal()])
    assert response.output_text == "A"


@pytest.mark.parametrize("item", [message("Hello", id="msg_1"), _call(1, "{}")])
def test_an_item_told_twice_under_another_id_is_one(item: dict[str, Any]) -> None:
    """Its place and its content say so; a function would be called twice."""
    ends = [item_done(item | {"id": f"other_{number}"}, output_index=0) for number in range(2)]
    response = response_of([opening(), item_added(item, output_index=0), *ends, terminal()])
    assert len(response.output) == 1
