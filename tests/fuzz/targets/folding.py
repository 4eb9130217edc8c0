"""Folding: events of any kind into a response that loses nothing, in one piece or in many."""

from __future__ import annotations

import json
import random

from cometnb.errors import CometError, ProtocolError
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event, parse
from cometnb.protocol.exchange import Exchange
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response
from tests.fuzz.looking import check_error, check_response, kept_length
from tests.fuzz.streams import TOKENS, streams
from tests.fuzz.target import Target
from tests.fuzz.targets.event_stream import recorded_streams
from tests.protocol.streams import decoded, head

__all__ = ["TARGETS", "exchange", "fold"]

_SNAPSHOTS = 12


def fold(data: bytes) -> None:
    """Fold event by event: no text shrinks, what was shown before is not changed, and strict mode only refuses."""
    events = _events(data)
    tolerant, n_kept, log = Fold(), 0, EventLog()
    every = max(1, len(events) // _SNAPSHOTS)
    for number, event in enumerate(events, 1):
        tolerant.apply(event)
        log.add(float(number), [event])
        if number % every and number != len(events):
            continue
        raw = tolerant.raw()
        before = json.dumps(raw)
        is_streamed = bool(tolerant._slots.all)
        length = kept_length(raw["output"]) if is_streamed else 0
        assert length >= n_kept, (length, n_kept, event)
        n_kept = length
        assert json.dumps(tolerant.raw()) == before
    assert tolerant.n_events == len(events) == len(log)
    if b"usage" not in data and b"\\u" not in data:
        assert "usage" not in tolerant.raw()
    response = Response(
        tolerant.raw(), status=tolerant.status, error=tolerant.error, unknown=tolerant.unknown
    )
    check_response(response)
    _again(tolerant, events)
    _strictly(events)


def _again(first: Fold, events: list[Event]) -> None:
    """The same events give the same, and nothing in them was changed by folding."""
    second = Fold()
    for event in events:
        second.apply(event)
    assert json.dumps(second.raw()) == json.dumps(first.raw())
    assert (second.status, second.error, second.oddities) == (first.status, first.error, first.oddities)
    resumed, told = Response(Fold(so_far=first.raw()).raw()), Response(first.raw())
    assert resumed.output == told.output


def _strictly(events: list[Event]) -> None:
    strict = Fold(strict=True)
    try:
        for event in events:
            strict.apply(event)
    except ProtocolError as error:
        check_error(error)
    json.dumps(strict.raw())


def exchange(data: bytes) -> None:
    """Receive in random pieces, under any status and content type, to any end."""
    rng = random.Random(data)
    whole = _exchanged([data])
    pieces = _pieces(data, rng)
    in_pieces = _exchanged(pieces)
    assert json.dumps(in_pieces.response().raw) == json.dumps(whole.response().raw)
    assert in_pieces.response().status == whole.response().status
    assert in_pieces.error_code == whole.error_code
    _assert_ended(whole)
    cut = _exchanged([data[: rng.randint(0, len(data))]])
    _assert_ended(cut)
    stopped = Exchange({"model": "m"})
    stopped.begin(head())
    for piece in pieces[: len(pieces) // 2]:
        stopped.receive(piece)
        stopped.response()
    stopped.interrupt()
    _assert_ended(stopped)
    other = Exchange({"model": "m"})
    status = rng.choice((200, 201, 302, 400, 401, 404, 429, 500, 502))
    other.begin(head(status, rng.choice(("application/json", "text/html", "", "text/plain"))))
    other.receive_body(data)
    _assert_ended(other)


def _assert_ended(ended: Exchange) -> None:
    assert ended.is_over
    if ended.error is not None:
        assert isinstance(ended.error, CometError)
        check_error(ended.error)
        assert ended.error_code
    check_response(ended.response())


def _exchanged(pieces: list[bytes]) -> Exchange:
    made = Exchange({"model": "m"})
    made.begin(head())
    for piece in pieces:
        made.receive(piece)
        if made.is_over:
            break
    made.end()
    return made


def _pieces(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(0, 8)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _events(data: bytes) -> list[Event]:
    parsed = [parse(name, told) for name, told in decoded([data])]
    return [event for event in parsed if event is not None]


TARGETS = (
    Target("fold", fold, streams, recorded_streams, TOKENS),
    Target("exchange", exchange, streams, recorded_streams, TOKENS),
)
