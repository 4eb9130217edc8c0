"""The bytes of an answer's body, decoded, a bounded number at a time and altogether."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from cometnb.protocol.answer import MOST_BYTES, Fault, too_large

__all__ = ["ACCEPTED", "Kept", "async_body", "async_pieces", "body", "pieces"]

ACCEPTED = "gzip, deflate"
"""The encodings asked for and undone: a piece from the network stands for at most a thousand times as many bytes.

Others, and several on top of each other, unpack a few bytes into more than any memory holds, in one step.
"""

_UNDONE = frozenset({"gzip", "deflate"})


class Kept:
    """A body as it comes, up to `MOST_BYTES`."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def take(self, piece: bytes) -> Fault | None:
        """Keep a piece; a Fault instead if it is too much."""
        n_bytes = len(self._kept) + len(piece)
        if n_bytes > MOST_BYTES:
            return too_large(n_bytes)
        self._kept += piece
        return None

    def whole(self) -> bytes:
        """Return what was kept."""
        return bytes(self._kept)


def pieces(answer: httpx.Response) -> Iterator[bytes]:
    """Iterate a body as directly as its encoding allows: httpx's decoding costs a third of reading a small chunk."""
    stream = answer.stream
    if "content-encoding" not in answer.headers and isinstance(stream, httpx.SyncByteStream):
        return iter(stream)
    return body(answer)


def async_pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Iterate a body as `pieces` does."""
    stream: Any = answer.stream
    if "content-encoding" not in answer.headers and isinstance(stream, httpx.AsyncByteStream):
        return aiter(stream)
    return async_body(answer)


def body(answer: httpx.Response) -> Iterator[bytes]:
    """Iterate a body that is read to its end; httpx then closes the answer itself."""
    return answer.iter_bytes() if _is_undone(answer) else answer.iter_raw()


def async_body(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Iterate a body as `body` does."""
    return answer.aiter_bytes() if _is_undone(answer) else answer.aiter_raw()


def _is_undone(answer: httpx.Response) -> bool:
    if answer.is_stream_consumed:
        # A transport gave it in one piece; httpx has decoded that already.
        return True
    if "content-encoding" not in answer.headers:
        return True
    named = answer.headers["content-encoding"].lower().split(",")
    codings = [name for name in map(str.strip, named) if name and name != "identity"]
    return len(codings) == 1 and codings[0] in _UNDONE
