"""The bytes of an answer's body, decoded, a bounded number at a time and altogether."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from cometnb.protocol.answer import MOST_BYTES, Fault, too_large

__all__ = ["ACCEPTED", "Kept", "async_body", "async_pieces", "body", "pieces", "unpacked"]

ACCEPTED = "gzip, deflate"
"""The encodings asked for and undone: a piece from the network stands for at most a thousand times as many bytes.

Others, and several on top of each other, unpack a few bytes into more than any memory holds, in one step.
"""

_UNDONE = frozenset({"gzip", "deflate"})

# So much of a body that lies here is undone in one step. In another coding a few bytes may stand for 16 MB.
_STEP_BYTES, _SHORT_STEP_BYTES = 16_384, 16


class Kept:
    """A body as it comes, up to a bound.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept = bytearray()
        self._most_bytes = most_bytes

    def take(self, piece: bytes) -> Fault | None:
        """Keep a piece; a Fault instead if it is too much."""
        n_bytes = len(self._kept) + len(piece)
        if n_bytes > self._most_bytes:
            return too_large(n_bytes, self._most_bytes)
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
    codings = _codings(answer.headers["content-encoding"])
    return len(codings) == 1 and codings[0] in _UNDONE


def unpacked(data: bytes, named: str, most_bytes: int) -> bytes | Fault:
    """Undo the coding of a body that lies here, as a recording of another program may hold it.

    Parameters
    ----------
    data : bytes
    named : str
        Its ``content-encoding``. Several on top of each other are not undone.
    most_bytes : int

    Returns
    -------
    bytes or Fault
        `data` itself if it is not in that coding: decoded when it was recorded, with the header left as it was. A
        Fault if it has more than `most_bytes`, unpacked.
    """
    codings = _codings(named)
    if len(codings) != 1:
        return data
    n_bytes = _STEP_BYTES if codings[0] in _UNDONE else _SHORT_STEP_BYTES
    steps = (data[at : at + n_bytes] for at in range(0, len(data), n_bytes))
    kept = Kept(most_bytes)
    try:
        for piece in httpx.Response(
            200, headers={"content-encoding": codings[0]}, content=steps
        ).iter_bytes():
            fault = kept.take(piece)
            if fault is not None:
                return fault
    except httpx.DecodingError:
        return data
    return kept.whole()


def _codings(named: str) -> list[str]:
    """Return what a ``content-encoding`` names, in small letters."""
    return [name for name in map(str.strip, named.lower().split(",")) if name and name != "identity"]
