"""Bytes into the pieces a cassette keeps, and pieces into bytes again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from cometnb.client.cassette.exact_json import loads
from cometnb.client.cassette.tape import Piece
from cometnb.client.simulator.reply import encoded
from cometnb.protocol.sse import Decoder

__all__ = ["Splitter", "bytes_of"]

_FIELDS = (b"data", b"event", b"id", b"retry", b":")
_BEFORE = b"\xef\xbb\xbf \r\n"
_LONGEST_FIELD = max(map(len, _FIELDS))
_LINE_END = re.compile(r"\r\n|\r|\n")
# Random padding, different in every run; it says nothing.
_PADDING = "obfuscation"


class Splitter:
    """Turns the bytes of one answer into pieces.

    Parameters
    ----------
    content_type : str
        What the answer says it is; bytes that are no events are a body all the same.
    """

    def __init__(self, content_type: str) -> None:
        self._is_stream = content_type.split(";", maxsplit=1)[0].strip().lower() == "text/event-stream"
        self._is_settled = not self._is_stream
        self._decoder = Decoder()
        self._unread: list[bytes] = []

    def feed(self, chunk: bytes, gap_s: float) -> Iterator[Piece]:
        """Yield the pieces that a chunk completes."""
        if not self._is_settled:
            self._unread.append(chunk)
            start = b"".join(self._unread).lstrip(_BEFORE)
            if len(start) < _LONGEST_FIELD:
                return
            self._is_settled = True
            self._is_stream = start.startswith(_FIELDS)
            chunk, self._unread = b"".join(self._unread), []
        if not self._is_stream:
            self._unread.append(chunk)
            return
        for name, data in self._decoder.feed(chunk):
            yield _event(name, data, gap_s)
            gap_s = 0.0

    def close(self, gap_s: float) -> Iterator[Piece]:
        """Yield what the end of the bytes completes."""
        rest = b"".join(self._unread)
        if not self._is_settled:
            self._is_stream = rest.lstrip(_BEFORE).startswith(_FIELDS)
        if self._is_stream:
            for name, data in self._decoder.feed(rest) + self._decoder.close():
                yield _event(name, data, gap_s)
                gap_s = 0.0
        elif rest:
            # A stream under another content type is one all the same, and a key may come in pieces there, too.
            events = [_event(name, data, gap_s) for name, data in _decoded(rest)]
            is_stream = events and all(event.kind == "event" for event in events)
            yield from events if is_stream else [_body(rest, gap_s)]


def bytes_of(piece: Piece) -> bytes:
    """Return what a piece was on the wire."""
    if piece.kind == "base64":
        raw: bytes = piece.value
        return raw
    if piece.kind == "text":
        return piece.value.encode("utf-8", "backslashreplace")  # type: ignore[no-any-return]
    if piece.kind == "body":
        return encoded(piece.value)
    if piece.kind == "event":
        kind = piece.value.get("type")
        name = piece.name if piece.name is not None else kind if _is_name(kind) else ""
        lines = [encoded(piece.value)]
    else:
        name = piece.name or ""
        lines = [line.encode("utf-8", "replace") for line in _LINE_END.split(piece.value)]
    head = b"event: %b\n" % name.encode("utf-8", "replace") if name else b""
    return head + b"".join(b"data: %b\n" % line for line in lines) + b"\n"


def _decoded(body: bytes) -> list[tuple[str, str]]:
    decoder = Decoder()
    is_stream = body.lstrip(_BEFORE).startswith(_FIELDS[:2])
    return decoder.feed(body) + decoder.close() if is_stream else []


def _event(name: str, data: str, gap_s: float) -> Piece:
    value = _json(data)
    if not isinstance(value, dict):
        return Piece(gap_s, "data", data, name or None)
    if isinstance(value.get(_PADDING), str):
        del value[_PADDING]
    kind = value.get("type")
    return Piece(gap_s, "event", value, None if name and name == kind else name)


def _body(data: bytes, gap_s: float) -> Piece:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Piece(gap_s, "base64", data)
    value = _json(text)
    return Piece(gap_s, "text", text) if value is _NONE else Piece(gap_s, "body", value)


_NONE = object()


def _json(text: str) -> object:
    try:
        value = loads(text)
        json.dumps(value)
    except (ValueError, RecursionError):
        return _NONE
    return value


def _is_name(kind: object) -> bool:
    return isinstance(kind, str) and bool(kind) and kind.isprintable()
