"""Troubles of HTTP itself whose answer is all there: lengths, chunks, headers and versions, odd but readable."""

from __future__ import annotations

import random
from collections.abc import Iterator

from cometnb.client.faults.steps import CHUNKED, LAST_CHUNK, Answer, End, Pause, Step, chunk, head, whole

__all__ = [
    "chunk_extras",
    "crumbs",
    "early_hints",
    "garbage_behind",
    "giant_header",
    "http_1_0",
    "many_headers",
    "slow_bytes",
    "until_close",
    "with_length",
]

# What clients take is not settled anywhere; h11, which many in Python read with, takes 100 KB.
_SMALL_ENOUGH, _TOO_LARGE = 60_000, 300_000
_MOST_PAUSES = 80


def with_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send it in one piece."""
    yield head(answer, f"Content-Length: {len(answer.body)}") + answer.body


def until_close(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Say no length; the end of the connection is the end of the body."""
    yield head(answer, "Connection: close") + answer.body
    yield End()


def http_1_0(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Answer in the old version, which has no chunks."""
    length = [f"Content-Length: {len(answer.body)}"] if chance.random() < 0.5 else []
    yield head(answer, *length, version="1.0") + answer.body
    yield End()


def crumbs(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a few bytes at a time, so that lines and characters are split anywhere."""
    yield head(answer, f"Content-Length: {len(answer.body)}")
    at = 0
    while at < len(answer.body):
        n_bytes = chance.choice((1, 2, 3, 7, 200, 1000))
        yield answer.body[at : at + n_bytes]
        at += n_bytes
        if chance.random() < 0.02:
            yield Pause(0.001)


def slow_bytes(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send all of it, head included, byte by byte at first and then in small pieces with waits between."""
    raw = b"".join(step for step in whole(answer, chance) if isinstance(step, bytes))
    at, n_bytes = 0, 1
    while at < len(raw):
        yield raw[at : at + n_bytes]
        yield Pause(chance.choice((0.001, 0.005, 0.02)))
        at += n_bytes
        # Half of the waits are for the first bytes; the rest is shared out, however long it is.
        if at == _MOST_PAUSES // 2:
            n_bytes = len(raw) // (_MOST_PAUSES // 2) + 1


def chunk_extras(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send chunks of any size with extensions, upper-case sizes with zeros before them, and a trailer at the end."""
    yield head(answer, CHUNKED, "Trailer: X-Sum")
    at, body = 0, answer.body
    while at < len(body):
        piece = body[at : at + chance.choice((1, 2, 10, 171, 4096))]
        at += len(piece)
        extension = chance.choice((b"", b";name=value", b';name="a b"'))
        yield b"%04X%s\r\n%s\r\n" % (len(piece), extension, piece)
    yield b"0\r\nX-Sum: 1\r\n\r\n"


def early_hints(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send informational answers before the real one, as proxies do (RFC 9110, 15.2)."""
    for _ in range(chance.randint(1, 5)):
        yield chance.choice(
            (
                b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
                b"HTTP/1.1 100 Continue\r\n\r\n",
                b"HTTP/1.1 102 Processing\r\n\r\n",
            )
        )
    yield from whole(answer, chance)


def giant_header(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a header of 60 or 300 KB; many clients refuse the latter."""
    filler = "x" * chance.choice((_SMALL_ENOUGH, _TOO_LARGE))
    yield from whole(_with_headers(answer, {"X-Giant": filler}), chance)


def many_headers(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send hundreds of headers, some of them twice, one in Latin-1, one empty."""
    yield (
        head(answer, CHUNKED, *(f"X-Many-{number % 300}: {number}" for number in range(400)))[:-2]
        + "Set-Cookie: näme=wert\r\nX-Empty:\r\n\r\n".encode("latin-1")
    )
    yield from map(chunk, answer.pieces)
    yield LAST_CHUNK


def garbage_behind(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send bytes behind the end of the answer and keep the connection: what is asked on it next may be lost."""
    yield head(answer, f"Content-Length: {len(answer.body)}") + answer.body[:-1]
    # Together with the last byte, so that no client is done with the answer before they come.
    yield answer.body[-1:] + chance.choice((b"\r\n\r\ngarbage\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 "))


def _with_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    return Answer(answer.status, {**answer.headers, **headers}, answer.pieces, answer.path)
