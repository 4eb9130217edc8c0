"""What a faulty answer is made of: bytes, waits and ends, and the right answer that goes in."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

__all__ = ["CHUNKED", "LAST_CHUNK", "Answer", "End", "Pause", "Step", "Trouble", "chunk", "head", "whole"]


class Pause(NamedTuple):
    """Let seconds pass; infinity is until the client goes away."""

    seconds: float


class End(NamedTuple):
    """End the connection: in order, or by a reset, which may take back what was sent."""

    is_reset: bool = False


Step: TypeAlias = bytes | Pause | End


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before anything happens to it.

    Attributes
    ----------
    status : int
    headers : dict of str to str
        Without a length.
    pieces : sequence of bytes
        The body; of a stream an event each.
    path : str
        What was asked for, to send the client there again.
    """

    status: int
    headers: dict[str, str]
    pieces: Sequence[bytes]
    path: str = "/"

    @property
    def is_stream(self) -> bool:
        """Whether the body is an event stream."""
        return "event-stream" in self.headers.get("Content-Type", "")

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)

    def holding(self, pieces: Sequence[bytes]) -> Answer:
        """Return the answer with another body."""
        return replace(self, pieces=pieces)


Trouble: TypeAlias = Callable[[Answer, random.Random], Iterator[Step]]
"""Takes an answer and a source of chance, and yields the bytes of a whole HTTP answer with waits and ends between."""

CHUNKED = "Transfer-Encoding: chunked"
LAST_CHUNK = b"0\r\n\r\n"


def head(answer: Answer, *extra: str, version: str = "1.1") -> bytes:
    """Return the status line and headers, and lines besides."""
    lines = [f"HTTP/{version} {answer.status} Whatever"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, *extra, "", ""]).encode()


def chunk(piece: bytes) -> bytes:
    """Frame a piece of a chunked body; an empty one would end it."""
    return b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""


def whole(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send the answer as it should be, in chunks."""
    yield head(answer, CHUNKED)
    for piece in answer.pieces:
        yield chunk(piece)
    yield LAST_CHUNK
