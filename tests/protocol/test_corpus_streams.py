"""Recorded streams fold to what they must, whole, in pieces, and with parts of them missing."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from cometnb import errors
from cometnb.protocol.events import Event, parse
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response
from tests.corpus import Recording, folder, parameters, servers, streams
from tests.protocol.mutations import MUTATIONS
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


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mutated_streams_fold_to_the_same(mutation: str) -> None:
    """Leaving out, renaming, moving or repeating events changes neither text nor calls."""
    for recording, sent in _moderate():
        events = copy.deepcopy(sent)
        for mutate in MUTATIONS[mutation]:
            events = mutate(events)
        fold = Fold()
        for raw in events:
            fold.apply(Event(raw["type"], raw))
        response = Response(fold.raw(), status=fold.status or "truncated", error=fold.error)
        _assert_as_expected(recording, response)
