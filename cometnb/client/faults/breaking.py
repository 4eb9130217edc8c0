"""Troubles that break an answer or keep it from ending: cuts, resets, wrong lengths and encodings, stalls."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from itertools import chain, repeat

from cometnb.client.faults.steps import CHUNKED, LAST_CHUNK, Answer, End, Pause, Step, Trouble, chunk, head

__all__ = [
    "bad_chunk",
    "bad_gzip",
    "bad_header",
    "both_lengths",
    "coded",
    "cut",
    "cut_gzip",
    "dribbles",
    "flood",
    "gzip_bomb",
    "gzipped",
    "gzipped_events",
    "hints_for_ever",
    "long_length",
    "never_answers",
    "never_ends",
    "no_http",
    "short_length",
    "slow_head",
    "stalls",
]

_MANY = 2**20
_A_MOMENT_S = 0.002
_BETWEEN_S = 0.02
_GZIP = "Content-Encoding: gzip"


def cut(*, is_reset: bool = False, in_head: bool = False) -> Trouble:
    """Return the trouble that ends the connection at any byte: of the head, a chunk's size, its bytes or its end."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        first = head(answer, CHUNKED)
        raw = first + b"".join(map(chunk, answer.pieces)) + LAST_CHUNK
        yield raw[: chance.randrange(len(first) if in_head else len(raw) - len(LAST_CHUNK))]
        # What was sent has time to arrive; a reset throws away what the other side has not read yet.
        yield Pause(_A_MOMENT_S)
        yield End(is_reset=is_reset)

    return steps


def long_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Promise more bytes than there are."""
    yield head(answer, f"Content-Length: {len(answer.body) + chance.randrange(1, 500)}") + answer.body
    yield End()


def short_length(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Promise fewer bytes than are sent."""
    length = f"Content-Length: {chance.randrange(len(answer.body))}"
    yield head(answer, length, "Connection: close") + answer.body
    yield End()


def both_lengths(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Say a wrong length and chunks as well, or two lengths (RFC 9112, 6.3)."""
    size = len(answer.body)
    if chance.random() < 0.5:
        yield head(answer, CHUNKED, f"Content-Length: {size // 2}", "Connection: close")
        yield b"".join(map(chunk, answer.pieces)) + LAST_CHUNK
    else:
        wrong = chance.choice((f"{size}, {size + 1}", "-1", "1e3", "9" * 30))
        yield head(answer, f"Content-Length: {wrong}", "Connection: close") + answer.body
    yield End()


def bad_chunk(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a chunk whose size is none."""
    at = chance.randrange(len(answer.pieces))
    size = chance.choice((b"zz", b"-5", b"", b"f" * 40))
    yield head(answer, CHUNKED) + b"".join(map(chunk, answer.pieces[:at])) + size + b"\r\nwhat\r\n"
    yield Pause(_A_MOMENT_S)
    yield End()


def bad_header(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a header that is none."""
    line = chance.choice((b"no colon here", b": no name", b"X-Nul: a\x00b", b"X Y: space", b"X-Cr: a\rb"))
    yield head(answer, f"Content-Length: {len(answer.body)}")[:-2] + line + b"\r\n\r\n" + answer.body
    yield End()


def gzipped(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Compress the whole body."""
    yield _packed(answer, _compressed(answer))


def gzipped_events(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Compress a stream event by event, as gateways do."""
    packer = zlib.compressobj(wbits=31)
    yield head(answer, _GZIP, CHUNKED)
    for piece in answer.pieces:
        yield chunk(packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH))
    yield chunk(packer.flush()) + LAST_CHUNK


def bad_gzip(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Spoil a byte of the compressed body."""
    packed = bytearray(_compressed(answer))
    packed[chance.randrange(10, len(packed) - 8)] ^= 0xFF
    yield _packed(answer, bytes(packed))


def cut_gzip(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """End the compressed body early, its length agreeing."""
    packed = _compressed(answer)
    yield _packed(answer, packed[: chance.randrange(len(packed) - 8)])


def coded(*names: str) -> Trouble:
    """Return the trouble that claims an encoding for a body that is in none."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        encoding = f"Content-Encoding: {chance.choice(names)}"
        yield head(answer, encoding, f"Content-Length: {len(answer.body)}") + answer.body

    return steps


def stalls(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send a part and nothing more; the connection stays open."""
    at = chance.randrange(len(answer.body))
    yield head(answer, f"Content-Length: {len(answer.body)}") + answer.body[:at]
    yield Pause(float("inf"))


def never_answers(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Take the request, and that is all."""
    yield Pause(float("inf"))


def never_ends(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send all but the last event, then comments for ever: the connection is busy and nothing comes of it."""
    yield head(answer, CHUNKED)
    for piece in answer.pieces[:-1]:
        yield chunk(piece)
    yield from _for_ever(chunk(b": ping\n\n" if answer.is_stream else b" "))


def flood(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send all but the last event, then comments for ever, as fast as they are taken."""
    yield head(answer, CHUNKED)
    for piece in answer.pieces[:-1]:
        yield chunk(piece)
    yield from repeat(chunk(_filling(answer)))


def gzip_bomb(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """As `flood`, compressed: a thousandth of it is sent."""
    packer = zlib.compressobj(wbits=31)
    yield head(answer, _GZIP, CHUNKED)
    start = packer.compress(b"".join(answer.pieces[:-1]))
    yield chunk(start + packer.flush(zlib.Z_FULL_FLUSH))
    # Behind a full flush nothing refers to what stood before, so that the same bytes can follow again and again.
    filling = packer.compress(_filling(answer)) + packer.flush(zlib.Z_FULL_FLUSH)
    yield from repeat(chunk(filling))


def dribbles(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send the body a byte at a time, too slowly to come to its end in any bearable time."""
    yield head(answer, f"Content-Length: {len(answer.body)}")
    for at in range(len(answer.body) - 1):
        yield answer.body[at : at + 1]
        yield Pause(0.25)
    yield Pause(float("inf"))


def slow_head(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send headers for ever, a few bytes at a time; no answer ever begins."""
    yield head(answer)[:-2] + b"X-Slow: "
    yield from _for_ever(b"x")


def hints_for_ever(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send informational answers for ever, and never the real one."""
    yield from _for_ever(b"HTTP/1.1 102 Processing\r\n\r\n")


def no_http(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Speak something else."""
    yield chance.choice(
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x50", b"HTTP/9.9 abc\r\n\r\n", b"\r\n")
    )
    yield End()


def _filling(answer: Answer) -> bytes:
    """Return a megabyte that means nothing."""
    return b": " + b"x" * _MANY + b"\n\n" if answer.is_stream else b" " * _MANY


def _for_ever(piece: bytes) -> Iterator[Step]:
    return chain.from_iterable(repeat((piece, Pause(_BETWEEN_S))))


def _compressed(answer: Answer) -> bytes:
    return gzip.compress(answer.body, mtime=0)


def _packed(answer: Answer, packed: bytes) -> bytes:
    return head(answer, _GZIP, f"Content-Length: {len(packed)}") + packed
