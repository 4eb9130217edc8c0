"""Small streams written as Python values, and the ways a test reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from cometnb.protocol.answer import Head
from cometnb.protocol.events import Event, parse
from cometnb.protocol.exchange import Exchange
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response
from cometnb.protocol.sse import Decoder

__all__ = [
    "JSON",
    "JSON_OBJECTS",
    "NOW",
    "by_the_standard",
    "chunks",
    "decoded",
    "event",
    "exchanged",
    "folded",
    "head",
    "item_added",
    "item_done",
    "message",
    "opening",
    "response_of",
    "terminal",
    "text_delta",
    "wire",
]

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# Any JSON there is, small; texts may hold lone halves of surrogate pairs, as `\ud83d` in JSON does.
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8)
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
JSON_OBJECTS = st.dictionaries(st.text(max_size=6), JSON, max_size=4)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event's JSON."""
    return {"type": kind, **fields}


def opening(**fields: Any) -> dict[str, Any]:
    """Return a ``response.created``."""
    response = {"id": "resp_1", "object": "response", "status": "in_progress", "model": "m", "output": []}
    return event("response.created", response=response | fields)


def terminal(status: str = "completed", **fields: Any) -> dict[str, Any]:
    """Return the terminal event of that status; its response object is sparse unless `fields` fill it."""
    return event(f"response.{status}", response={"id": "resp_1", "status": status} | fields)


def text_delta(delta: Any, **fields: Any) -> dict[str, Any]:
    """Return a delta of text, without indices unless given."""
    return event("response.output_text.delta", delta=delta, **fields)


def item_added(item: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the announcement of an output item."""
    return event("response.output_item.added", item=dict(item), **fields)


def item_done(item: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the end of an output item."""
    return event("response.output_item.done", item=dict(item), **fields)


def message(*texts: str, **fields: Any) -> dict[str, Any]:
    """Return a message item with a part for each text."""
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "role": "assistant", "content": parts} | fields


def wire(events: Iterable[Mapping[str, Any] | str], *, named: bool = True) -> bytes:
    """Return events as server-sent events; a text stands for itself as data."""
    lines = []
    for each in events:
        if isinstance(each, str):
            lines.append(f"data: {each}\n\n")
        else:
            name = f"event: {each['type']}\n" if named and "type" in each else ""
            lines.append(f"{name}data: {json.dumps(each)}\n\n")
    return "".join(lines).encode()


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into chunks of one size."""
    return (data[start : start + size] for start in range(0, len(data), size))


def decoded(pieces: Iterable[bytes | bytearray | memoryview]) -> list[tuple[str, str]]:
    """Return the (name, data) pairs of a whole stream."""
    decoder = Decoder()
    return [pair for piece in pieces for pair in decoder.feed(piece)] + decoder.close()


def by_the_standard(data: bytes) -> list[tuple[str, str]]:
    """Read a whole stream line by line, as the standard words it; an unfinished event at the end is kept."""
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[tuple[str, str]] = []
    name = b""
    pieces: list[bytes] = []
    for line in [*text.split(b"\n"), b""]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if pieces:
                events.append(
                    (name.decode("utf-8", "replace"), b"\n".join(pieces).decode("utf-8", "replace"))
                )
            name, pieces = b"", []
        elif field == b"data":
            pieces.append(value)
        elif field == b"event":
            name = value
    return events


def folded(events: Iterable[Mapping[str, Any]], *, strict: bool = False) -> Fold:
    """Return what events fold to; each goes through JSON text first, as on the wire."""
    fold = Fold(strict=strict)
    for each in events:
        received = parse("", json.dumps(each))
        if received is not None:
            fold.apply(received)
    return fold


def response_of(events: Iterable[Mapping[str, Any]]) -> Response:
    """Return the response that events fold to."""
    fold = folded(events)
    return Response(fold.raw(), status=fold.status, error=fold.error, unknown=fold.unknown)


def head(status: int = 200, content_type: str = "text/event-stream", **headers: str) -> Head:
    """Return an answer's head; underscores in names of headers become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Head(status, {"content-type": content_type} | named, NOW)


def exchanged(data: bytes, *, size: int = 1 << 30, strict: bool = False) -> tuple[Exchange, list[Event]]:
    """Return an exchange that read a stream to its end, and the events it gave."""
    exchange = Exchange({"model": "m"}, strict=strict)
    exchange.begin(head())
    events = [each for chunk in chunks(data, size) for each in exchange.receive(chunk)]
    return exchange, events + exchange.end()
