"""Server-sent events: any split of the same bytes gives the same events."""

from __future__ import annotations

import random
from collections.abc import Iterator

from cometnb.protocol.sse import Decoder
from tests import corpus
from tests.fuzz.target import Target
from tests.protocol.streams import by_the_standard

__all__ = ["TARGETS", "recorded_streams", "sse"]

_TOKENS = (
    b"data:",
    b"data: ",
    b"data",
    b"event: ",
    b"event:",
    b":",
    b"\n\n",
    b"\r\r",
    b"\r\n\r\n",
    b"\xef\xbb\xbf",
)


def sse(data: bytes) -> None:
    """Decode in one piece, in random pieces and byte by byte; by the standard's own words, too."""
    whole = _decoded([data])
    rng = random.Random(data)
    assert _decoded(_pieces(data, rng)) == whole
    if len(data) < 5000:
        assert _decoded([data[place : place + 1] for place in range(len(data))]) == whole
    assert whole == by_the_standard(data)


def recorded_streams() -> Iterator[bytes]:
    """Yield every recorded stream and transcript."""
    yield from (recording.data for recording in [*corpus.streams(), *corpus.servers()])


def _decoded(pieces: list[bytes]) -> list[tuple[str, str]]:
    decoder = Decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    assert decoder.close() == []
    assert [decoder._line, decoder._data] == [[], []], "bytes are kept for ever"
    return events


def _pieces(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(0, 12)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def _seeds() -> list[bytes]:
    return [
        b"data: a\n\n",
        b"event: x\ndata: a\ndata:b\r\n\r\n: note\rdata: c\r\r",
        b'\xef\xbb\xbfevent: response.created\ndata: {"type":"response.created"}\n\ndata: [DONE]\n\n',
        b"id: 1\nretry: 5\ndata\n\ndata: last without its blank line",
        b"data: \xff\xfe\n\ndata:  two spaces\n\n",
    ]


TARGETS = (Target("sse", sse, _seeds, recorded_streams, _TOKENS),)
