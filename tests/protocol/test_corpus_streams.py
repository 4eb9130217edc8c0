"""Recorded streams fold to what they must, whole, in pieces, and with parts of them missing."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from cometnb import errors
from cometnb.protocol.events import Event, parse
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response
from tests.corpus import Recording, folder, parameters, servers, streams
from tests.protocol.streams import chunks, decoded, exchanged

# One byte at a time is tried where it does not take long.
_SMALL_BYTES = 20_000

_Json = dict[str, Any]


def _sizes(recording: Recording) -> Iterator[int]:
    yield 1 << 30
    yield 7
    yield random.Random(recording.name).randint(2, 4096)
    if len(recording.data) <= _SMALL_BYTES:
        yield 1


def _found(response: Response) -> _Json:
    calls = [
        {"name": call.name, "call_id": call.call_id, "arguments": call.arguments}
        for call in response.function_calls
    ]
    return {
        "output_text": response.output_text,
        "function_calls": calls,
        "reasoning_summary": response.reasoning_summary,
        "reasoning_text": response.reasoning_text,
        "refusal": response.refusal or "",
        "usage": response.raw.get("usage"),
        # A recording that is a piece of a stream has no status; for a reader it is one that was cut.
        "status": None if response.status == "truncated" else response.status,
    }


def _assert_as_expected(recording: Recording, response: Response) -> None:
    expected = recording.expected
    if expected is None:
        assert response.status
        return
    found = _found(response)
    assert found == {name: expected.get(name, value) for name, value in found.items()}, recording.name


@pytest.mark.parametrize("recording", parameters(streams))
def test_a_recorded_stream_folds_to_its_consensus(recording: Recording) -> None:
    """Text, calls, reasoning, refusal, usage and status are right in any chunking, by both ways of reading."""
    for size in _sizes(recording):
        exchange, events = exchanged(recording.data, size=size)
        response = exchange.response()
        _assert_as_expected(recording, response)
        fold = Fold()
        for name, data in decoded(chunks(recording.data, size)):
            event = parse(name, data)
            if event is not None:
                fold.apply(event)
        assert fold.raw() == response.raw
        assert fold.n_events == len(events) == exchange.n_events


def _assert_holds_deltas(response: Response, events: list[Event]) -> None:
    """Find every delta of text, in order; some recordings leave out deltas that their ends repeat."""
    text, place = response.output_text, 0
    for event in events:
        if event.type == "response.output_text.delta":
            found = text.find(event.delta, place)
            assert found >= 0
            place = found + len(event.delta)


@pytest.mark.parametrize("recording", parameters(streams))
def test_a_recorded_stream_cut_in_the_middle_keeps_its_text(recording: Recording) -> None:
    """At a few places, also in the middle of an event, the text so far holds the deltas so far.

    Where the sources of a recording disagree, its deltas contradict its ends.
    """
    for eighth in range(1, 8):
        exchange, events = exchanged(recording.data[: len(recording.data) * eighth // 8])
        if recording.expected is not None:
            _assert_holds_deltas(exchange.response(), events)
        assert exchange.error is None or isinstance(exchange.error, errors.CometError)


@pytest.mark.parametrize("recording", parameters(servers))
def test_a_server_s_transcript_is_survived(recording: Recording) -> None:
    """What servers others wrote send, as a stream or not, raises nothing but errors of our own and keeps text."""
    exchange, events = exchanged(recording.data, size=7)
    assert exchange.error is None or isinstance(exchange.error, errors.CometError)
    _assert_holds_deltas(exchange.response(), events)
    json.dumps(exchange.response().raw)


def _without(*kinds: str) -> Callable[[list[_Json]], list[_Json]]:
    return lambda events: [event for event in events if event["type"] not in kinds]


def _each(change: Callable[[_Json, int], object]) -> Callable[[list[_Json]], list[_Json]]:
    def changed(events: list[_Json]) -> list[_Json]:
        for number, event in enumerate(events):
            change(event, number)
        return events

    return changed


def _renamed(event: _Json, number: int) -> None:
    """Give every id of an event a value of its own."""
    response, item = event.get("response"), event.get("item")
    if "item_id" in event:
        event["item_id"] = f"item_{number}"
    for owner in (response, item):
        if isinstance(owner, dict):
            owner["id"] = f"id_{number}"
    for place, told in enumerate((response or {}).get("output") or []):
        told["id"] = f"told_{number}_{place}"


def _moved(form: Callable[[Any], Any]) -> Callable[[_Json, int], None]:
    def move(event: _Json, number: int) -> None:
        for name in ("output_index", "content_index", "summary_index"):
            if isinstance(event.get(name), int):
                event[name] = form(event[name])

    return move


def _sparse(event: _Json, number: int) -> None:
    if isinstance(event.get("response"), dict):
        kept = ("id", "status", "model", "usage", "error")
        event["response"] = {name: event["response"][name] for name in kept if name in event["response"]}


def _unplaced(event: _Json, number: int) -> None:
    for name in ("output_index", "content_index", "summary_index", "sequence_number"):
        event.pop(name, None)


def _doubled(*kinds: str) -> Callable[[list[_Json]], list[_Json]]:
    return lambda events: [
        copy.deepcopy(event) for event in events for _ in range(2 if event["type"] in kinds else 1)
    ]


_ADDED, _DONE = "response.output_item.added", "response.output_item.done"
_PARTS_ADDED = ("response.content_part.added", "response.reasoning_summary_part.added")
_PARTS_DONE = ("response.content_part.done", "response.reasoning_summary_part.done")
_TEXTS_DONE = (
    "response.output_text.done",
    "response.function_call_arguments.done",
    "response.reasoning_summary_text.done",
)

# What gateways do to a stream, each alone or together, without taking away what the answer is known by.
_MUTATIONS: dict[str, Sequence[Callable[[list[_Json]], list[_Json]]]] = {
    "no indices": [_each(_unplaced)],
    "no indices, other ids": [_each(_unplaced), _each(_renamed)],
    "no indices, nothing announced": [_each(_unplaced), _without(_ADDED, *_PARTS_ADDED)],
    "no indices, told twice": [
        _each(_unplaced),
        _doubled(_ADDED, _DONE, *_PARTS_ADDED, *_PARTS_DONE, *_TEXTS_DONE),
    ],
    "other ids": [_each(_renamed)],
    "every index 0": [_each(_moved(lambda index: 0))],
    "every index 0, other ids": [_each(_moved(lambda index: 0)), _each(_renamed)],
    "every index 0, nothing announced": [_each(_moved(lambda index: 0)), _without(_ADDED, *_PARTS_ADDED)],
    "indices from 1": [_each(_moved(lambda index: index + 1))],
    "indices as floats": [_each(_moved(float))],
    "indices as texts": [_each(_moved(str))],
    "nothing announced": [_without(_ADDED, *_PARTS_ADDED)],
    "nothing closed": [_without(_DONE, *_PARTS_DONE)],
    "no texts at the end": [_without(*_TEXTS_DONE)],
    "no deltas": [lambda events: [event for event in events if not event["type"].endswith(".delta")]],
    "no opening": [_without("response.created", "response.in_progress", "response.queued")],
    "sparse responses": [_each(_sparse)],
    "sparse responses, no indices, other ids": [_each(_sparse), _each(_unplaced), _each(_renamed)],
    "told twice": [_doubled(_ADDED, _DONE, *_PARTS_ADDED, *_PARTS_DONE, *_TEXTS_DONE)],
}


def _moderate() -> list[tuple[Recording, list[_Json]]]:
    """Return the whole streams of moderate size whose result is known, with their events."""
    folder()
    found = []
    for recording in streams():
        if recording.expected is not None and len(recording.data) <= 4 * _SMALL_BYTES:
            received = [parse(name, data) for name, data in decoded([recording.data])]
            events = [event.raw | {"type": event.type} for event in received if event is not None]
            found.append((recording, events))
    return found


@pytest.mark.parametrize("mutation", _MUTATIONS)
def test_mutated_streams_fold_to_the_same(mutation: str) -> None:
    """Leaving out, renaming, moving or repeating events changes neither text nor calls."""
    for recording, sent in _moderate():
        events = copy.deepcopy(sent)
        for mutate in _MUTATIONS[mutation]:
            events = mutate(events)
        fold = Fold()
        for raw in events:
            fold.apply(Event(raw["type"], raw))
        response = Response(fold.raw(), status=fold.status or "truncated", error=fold.error)
        _assert_as_expected(recording, response)
