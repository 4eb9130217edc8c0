"""What can go wrong on the way from a service to a client: a table from a trouble's name to what it does to an answer.

Each takes the answer as the simulator gives it, as raw pieces of a body, and returns the bytes of a whole HTTP answer
with waits and ends between them, so that lengths, encodings and connections can be wrong, too.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

__all__ = ["ENDED", "LOST", "TROUBLES", "Answer", "End", "Pause", "Row", "Step"]


class Pause(NamedTuple):
    """Let seconds pass; infinity is until the client goes away."""

    seconds: float


class End(NamedTuple):
    """End the connection: in order, or by a reset, which may take back what was sent."""

    is_reset: bool = False


Step: TypeAlias = bytes | Pause | End


@dataclass(frozen=True)
class Answer:
    """An answer before anything happens to it.

    Attributes
    ----------
    status : int
    headers : dict of str to str
        Without a length.
    pieces : sequence of bytes
        The body; of a stream an event each.
    """

    status: int
    headers: dict[str, str]
    pieces: Sequence[bytes]

    @property
    def is_stream(self) -> bool:
        """Whether the body is an event stream."""
        return "event-stream" in self.headers.get("Content-Type", "")

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)


# How a call may end whose answer was whole, cut, or lost before it began.
ENDED = frozenset({"completed"})
LOST = frozenset({"truncated", "error"})


class Row(NamedTuple):
    """A trouble.

    Attributes
    ----------
    steps : callable
        From an answer and a source of chance to what is sent.
    ends : frozenset of str
        The statuses with which the attempt may be recorded.
    keeps_text : bool
        Whether the text of every event that was sent whole must be in the response.
    """

    steps: Callable[[Answer, random.Random], Iterator[Step]]
    ends: frozenset[str]
    keeps_text: bool = True


def _head(answer: Answer, *extra: str, status: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status or answer.status} Whatever"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, *extra, "", ""]).encode()


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


_CHUNKED = "Transfer-Encoding: chunked"
_LAST = b"0\r\n\r\n"


def _whole(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield _head(answer, _CHUNKED)
    for piece in answer.pieces:
        yield _chunk(piece)
    yield _LAST


def _with_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield _head(answer, f"Content-Length: {len(answer.body)}") + answer.body


def _until_close(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield _head(answer, "Connection: close") + answer.body
    yield End()


def _crumbs(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a few bytes at a time, so that lines and characters are split anywhere."""
    yield _head(answer, f"Content-Length: {len(answer.body)}")
    at = 0
    while at < len(answer.body):
        n_bytes = chance.choice((1, 2, 3, 7, 200, 1000))
        yield answer.body[at : at + n_bytes]
        at += n_bytes
        if chance.random() < 0.02:
            yield Pause(0.001)


def _carriage_returns(answer: Answer, chance: random.Random) -> Iterator[Step]:
    end = chance.choice((b"\r\n", b"\r"))
    start = b"\xef\xbb\xbf" if chance.random() < 0.5 else b""
    body = start + (answer.body.replace(b"\n", end) if answer.is_stream else answer.body)
    yield _head(answer, f"Content-Length: {len(body)}") + body


def _comments(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put comments, pings and events that nobody knows between the events, and [DONE] behind them."""
    extras = (
        b": keep-alive\n\n",
        b'data: {"type":"keepalive"}\n\n',
        b"event: ping\ndata: {}\n\n",
        b"retry: 10\n\n",
    )
    pieces: list[bytes] = []
    for piece in answer.pieces:
        pieces += [chance.choice(extras)] if answer.is_stream and chance.random() < 0.3 else []
        pieces.append(piece)
    if answer.is_stream:
        pieces.append(b"data: [DONE]\n\n")
    yield from _whole(Answer(answer.status, answer.headers, pieces), chance)


def _giant_event(answer: Answer, chance: random.Random) -> Iterator[Step]:
    filler = b'data: {"type":"response.unknown.delta","blob":"' + b"x" * 2_000_000 + b'"}\n\n'
    pieces = [filler, *answer.pieces] if answer.is_stream else answer.pieces
    yield from _whole(Answer(answer.status, answer.headers, pieces), chance)


def _bad_utf8(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put bytes that are no UTF-8 into an event of a kind that nobody knows, and into a comment."""
    bad = b': \xff\xfe\n\ndata: {"type":"response.unknown.delta","text":"\xc3\x28\xff"}\n\n'
    pieces = [answer.pieces[0], bad, *answer.pieces[1:]] if answer.is_stream else answer.pieces
    yield from _whole(Answer(answer.status, answer.headers, pieces), chance)


def _duplicates(answer: Answer, chance: random.Random) -> Iterator[Step]:
    pieces: list[bytes] = []
    for piece in answer.pieces:
        # Two deltas of one text are no mistake anyone could see; announcements and ends are told apart.
        pieces += [piece] * (2 if answer.is_stream and b"delta" not in piece and chance.random() < 0.5 else 1)
    yield from _whole(Answer(answer.status, answer.headers, pieces), chance)


def _reordered(answer: Answer, chance: random.Random) -> Iterator[Step]:
    pieces = list(answer.pieces)
    if answer.is_stream:
        for at in range(len(pieces) - 2):
            if chance.random() < 0.1:
                pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]
    yield from _whole(Answer(answer.status, answer.headers, pieces), chance)


def _gzipped(answer: Answer, chance: random.Random) -> Iterator[Step]:
    packed = gzip.compress(answer.body, mtime=0)
    yield _head(answer, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed


def _bad_gzip(answer: Answer, chance: random.Random) -> Iterator[Step]:
    packed = bytearray(gzip.compress(answer.body, mtime=0))
    at = chance.randrange(10, len(packed) - 8)
    packed[at] ^= 0xFF
    yield _head(answer, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + bytes(packed)


def _not_gzip(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield _head(answer, "Content-Encoding: gzip", f"Content-Length: {len(answer.body)}") + answer.body


def _cut(is_reset: bool, *, in_head: bool = False) -> Callable[[Answer, random.Random], Iterator[Step]]:
    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        head = _head(answer, _CHUNKED)
        raw = head + b"".join(map(_chunk, answer.pieces)) + _LAST
        yield raw[
            : chance.randrange(len(head)) if in_head else chance.randrange(len(head), len(raw) - len(_LAST))
        ]
        # What was sent has time to arrive; a reset throws away what the other side has not read yet.
        yield Pause(0.002)
        yield End(is_reset=is_reset)

    return steps


def _long_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield _head(answer, f"Content-Length: {len(answer.body) + chance.randrange(1, 500)}") + answer.body
    yield End()


def _short_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield (
        _head(answer, f"Content-Length: {chance.randrange(len(answer.body))}", "Connection: close")
        + answer.body
    )
    yield End()


def _bad_chunk(answer: Answer, chance: random.Random) -> Iterator[Step]:
    at = chance.randrange(len(answer.pieces))
    yield _head(answer, _CHUNKED) + b"".join(map(_chunk, answer.pieces[:at])) + b"zz\r\nwhat\r\n"
    yield Pause(0.002)
    yield End()


def _stalls(answer: Answer, chance: random.Random) -> Iterator[Step]:
    at = chance.randrange(len(answer.body))
    yield _head(answer, f"Content-Length: {len(answer.body)}") + answer.body[:at]
    yield Pause(float("inf"))


def _never_answers(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield Pause(float("inf"))


def _never_ends(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send all but the last event, then comments for ever: the connection is busy and nothing comes of it."""
    yield _head(answer, _CHUNKED)
    for piece in answer.pieces[:-1]:
        yield _chunk(piece)
    while True:
        yield _chunk(b": ping\n\n" if answer.is_stream else b" ")
        yield Pause(0.02)


def _page(status: int) -> Callable[[Answer, random.Random], Iterator[Step]]:
    body = b"<!DOCTYPE html><html><title>nginx</title><script>alert(1)</script>Bad gateway</html>"

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        yield (
            f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    return steps


def _refusal(status: int) -> Callable[[Answer, random.Random], Iterator[Step]]:
    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        body = chance.choice(
            (
                b'{"error":{"message":"not now","type":"x","code":""}}',
                b'{"detail":"not now"}',
                b"not now",
                b"",
                b"null",
            )
        )
        wait = chance.choice(("", "Retry-After: 0\r\n", "Retry-After: soon\r\n", "retry-after-ms: 1\r\n"))
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{wait}Content-Length: {len(body)}\r\n\r\n"
        yield head.encode() + body

    return steps


def _informed(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send an informational answer before the real one, as proxies do (RFC 9110, 15.2)."""
    yield b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    yield from _whole(answer, chance)


def _no_type(answer: Answer, chance: random.Random) -> Iterator[Step]:
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    yield from _with_length(Answer(answer.status, headers, answer.pieces), chance)


def _no_http(answer: Answer, chance: random.Random) -> Iterator[Step]:
    yield chance.choice(
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x50", b"HTTP/9.9 abc\r\n\r\n", b"\r\n")
    )
    yield End()


_CUT_OFF = frozenset({"truncated", "error", "completed"})

TROUBLES: dict[str, Row] = {
    "none": Row(_whole, ENDED),
    "length": Row(_with_length, ENDED),
    "until close": Row(_until_close, ENDED),
    "crumbs": Row(_crumbs, ENDED),
    "carriage returns": Row(_carriage_returns, ENDED),
    "comments": Row(_comments, ENDED),
    "giant event": Row(_giant_event, ENDED),
    "bad utf-8": Row(_bad_utf8, ENDED),
    "duplicates": Row(_duplicates, ENDED),
    "reordered": Row(_reordered, ENDED | LOST, keeps_text=False),
    "gzip": Row(_gzipped, ENDED),
    "early hints": Row(_informed, ENDED),
    "no content type": Row(_no_type, ENDED | LOST, keeps_text=False),
    "bad gzip": Row(_bad_gzip, _CUT_OFF, keeps_text=False),
    "not gzip": Row(_not_gzip, LOST, keeps_text=False),
    "cut": Row(_cut(is_reset=False), _CUT_OFF),
    "reset": Row(_cut(is_reset=True), _CUT_OFF, keeps_text=False),
    "cut in the head": Row(_cut(is_reset=False, in_head=True), LOST),
    "long length": Row(_long_length, _CUT_OFF),
    "short length": Row(_short_length, _CUT_OFF, keeps_text=False),
    "bad chunk": Row(_bad_chunk, _CUT_OFF),
    "stalls": Row(_stalls, _CUT_OFF),
    "never answers": Row(_never_answers, LOST),
    "never ends": Row(_never_ends, _CUT_OFF),
    "page 200": Row(_page(200), LOST),
    "page 403": Row(_page(403), LOST),
    "page 502": Row(_page(502), LOST),
    "400": Row(_refusal(400), LOST),
    "401": Row(_refusal(401), LOST),
    "429": Row(_refusal(429), LOST),
    "500": Row(_refusal(500), LOST),
    "503": Row(_refusal(503), LOST),
    "redirect": Row(_refusal(302), LOST),
    "no http": Row(_no_http, LOST),
}
