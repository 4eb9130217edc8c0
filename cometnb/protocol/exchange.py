"""One attempt of a call, without I/O: a body to send, bytes in, events out, and at the end a status and an error.

The phases and what moves between them stand in one table. A shell (sync, async, a test) only carries bytes.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from typing import Any

from cometnb.errors import APIError, CometError, ProtocolError, StreamInterruptedError
from cometnb.protocol.answer import MOST_BYTES, Fault, Head, is_retriable, judged, too_large
from cometnb.protocol.events import Event, parse
from cometnb.protocol.failure import error_details, failed_error, unexpected_content
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.sse import Decoder

__all__ = ["Exchange", "Phase", "encoded"]

_NO_REASON = "no reason given"

# How a line of an event stream may begin.
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


class Phase(enum.Enum):
    """Where an attempt is."""

    READY = "ready"
    STREAM = "stream"
    BODY = "body"
    OVER = "over"


_MOVES: dict[tuple[Phase, str], Phase] = {
    (Phase.READY, "stream head"): Phase.STREAM,
    (Phase.READY, "body head"): Phase.BODY,
    (Phase.READY, "end"): Phase.OVER,
    (Phase.STREAM, "end"): Phase.OVER,
    (Phase.BODY, "end"): Phase.OVER,
}


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON in UTF-8; half a surrogate pair is escaped, as UTF-8 cannot hold it."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


class Exchange:
    """One request and what comes of it.

    Parameters
    ----------
    body : Mapping
        As `prepare` returned it.
    strict : bool
        End with a ProtocolError on what is otherwise settled.
    most_bytes : int
        Of a stream, decoded; the text is kept up to there.

    Attributes
    ----------
    phase : Phase
    is_over : bool
        True once there is nothing more to read.
    head : Head or None
        Of the answer, once it has begun.
    error : CometError or None
        Why it ended badly, once it is over. Its ``response`` holds what arrived.
    error_code : str or None
        The service's code, or ``http_429``, ``idle_timeout`` and the like.
    is_retriable : bool
        True if sending the same again may help and nothing of an answer has been read.
    """

    def __init__(
        self, body: Mapping[str, Any], *, strict: bool = False, most_bytes: int = MOST_BYTES
    ) -> None:
        self.phase = Phase.READY
        self.is_over = False
        self.head: Head | None = None
        self.error: CometError | None = None
        self.error_code: str | None = None
        self.is_retriable = False
        self._model = body.get("model") if isinstance(body.get("model"), str) else None
        self._decoder = Decoder()
        self._n_bytes_left = self._most_bytes = most_bytes
        self._fold = Fold(strict=strict)
        self._unread = bytearray()
        self._body: dict[str, Any] | None = None
        self._status: str | None = None

    def begin(self, head: Head) -> Phase:
        """Take status and headers; the phase says whether to pass chunks to `receive` or the whole to `receive_body`.

        The content type decides, not what was asked for: servers stream unasked, or answer JSON to a stream.
        """
        self.head = head
        is_stream = head.status < 300 and head.content_type == "text/event-stream"
        self._move("stream head" if is_stream else "body head")
        return self.phase

    def receive(self, chunk: bytes) -> list[Event]:
        """Take a chunk of an event stream and return the events it completes, already folded."""
        if self.phase is Phase.OVER:
            return []
        self._n_bytes_left -= len(chunk)
        if self._n_bytes_left < 0:
            return self.end(too_large(self._most_bytes - self._n_bytes_left, self._most_bytes))
        events = self._folded(self._decoder.feed(chunk))
        if not self._fold.n_events:
            # The body may turn out to be no event stream at all.
            self._unread += chunk
        elif self._unread:
            self._unread = bytearray()
        return events

    def receive_body(self, data: bytes) -> list[Event]:
        """Take a whole body and return one event that stands for it; an error gives none."""
        head = self._answered()
        if _is_event_stream(data) and head.status < 300:
            # The stream came under another content type.
            events = self._folded(self._decoder.feed(data) + self._decoder.close())
            self._close_stream()
            return events
        raw = judged(head, data, self._model)
        if not isinstance(raw, APIError) and not _is_response(raw):
            shown = data.decode("utf-8", "replace")
            raw = unexpected_content(head.status, head.content_type, shown)
        if isinstance(raw, APIError):
            self._fail(raw, raw.code or f"http_{head.status}", retriable=is_retriable(head, raw))
            return []
        self._body = raw
        self._move("end")
        status = Response(raw).status
        if status == "failed":
            self._fail_by_service(error_details(raw.get("error") or _NO_REASON))
        return [Event(f"response.{status}", {"type": f"response.{status}", "response": raw})]

    def end(self, fault: Fault | None = None) -> list[Event]:
        """Take the end of the bytes, clean or by a fault; return the events that only the end completed."""
        if self.phase is Phase.OVER:
            return []
        events = []
        if self.phase is Phase.STREAM:
            events = self._folded(self._decoder.close())
            start = bytes(self._unread)
            if not self._fold.n_events and fault is None and _is_something_else(start):
                return self.receive_body(start)
            if self._fold.status is not None or fault is None:
                # Once the service has said how it ended, a fault on the wire changes nothing.
                self._close_stream()
                return events
        self._fail_by_fault(fault or Fault("broken", "the body ended early"))
        return events

    def interrupt(self) -> None:
        """Take the user's wish to stop; an answer that is already whole stays as it is."""
        if self.phase is Phase.OVER:
            return
        if self._fold.status is not None:
            self._close_stream()
            return
        self._status = "interrupted"
        self._move("end")

    def leave(self) -> None:
        """Take the wish to hear no more of what the service goes on with; the status stays the service's."""
        if self.phase is Phase.OVER:
            return
        if self._fold.status is not None:
            self._close_stream()
            return
        self._move("end")

    def refuse(self, error: CometError) -> None:
        """Take the word of a gate that this is not to be sent."""
        self._fail(error, "budget", retriable=False)
        self._status = "refused_by_budget"

    def stop(self, error: CometError) -> None:
        """Take the word of a gate that a stream is to end now; an answer that is already whole stays as it is."""
        if self.phase is Phase.OVER:
            return
        if self._fold.status is not None:
            self._close_stream()
            return
        self._fail(error, "budget", retriable=False)
        self._status = "interrupted"

    @property
    def has_output(self) -> bool:
        """True once any delta has come, or a whole body."""
        return self._fold.has_output or self._body is not None

    @property
    def n_events(self) -> int:
        """Server-sent events received."""
        return self._fold.n_events

    @property
    def oddities(self) -> dict[str, int]:
        """What was settled tolerantly, in words, with how often."""
        return dict(self._fold.oddities)

    def response(self, timing: Timing | None = None) -> Response:
        """Return the response so far; a snapshot, later events do not change it."""
        return Response(
            self._body if self._body is not None else self._fold.raw(),
            status=self._status or self._fold.status,
            request_id=self.head.request_id if self.head else None,
            timing=timing,
            error=self._error_details(),
            unknown=self._fold.unknown,
        )

    def _folded(self, received: list[tuple[str, str]]) -> list[Event]:
        events = []
        try:
            for name, data in received:
                event = parse(name, data)
                if event is not None:
                    events.append(event)
                    self._fold.apply(event)
        except ProtocolError as error:
            self._fail(error, "protocol", retriable=False)
        self.is_over = self.is_over or self._fold.is_over
        return events

    def _close_stream(self) -> None:
        """Settle how a stream that was read to its end came out."""
        if self.phase is Phase.OVER:
            return
        self._move("end")
        if self._fold.status is None:
            self._status = "truncated"
            self.error_code = "truncated"
            self.error = StreamInterruptedError(
                f"The stream ended after {self.n_events} events without its last one; the answer may be cut off.",
                "The text so far is in the error's .response. Ask again for the whole answer.",
            )
        elif self._fold.status == "failed":
            self._fail_by_service(self._fold.error or error_details(_NO_REASON))

    def _fail_by_service(self, details: Mapping[str, Any]) -> None:
        self.error = failed_error(details, request_id=self._answered().request_id)
        self.error_code = details.get("code") or "failed"

    def _fail(self, error: CometError, code: str, *, retriable: bool) -> None:
        self._status = "error"
        self.error, self.error_code, self.is_retriable = error, code, retriable
        self._move("end")

    def _fail_by_fault(self, fault: Fault) -> None:
        had_events = self.n_events > 0
        self._fail(fault.error(had_events=had_events), fault.kind, retriable=fault.is_before_sending)
        if had_events:
            self._status = "truncated"

    def _error_details(self) -> Mapping[str, Any] | None:
        if self._fold.error is not None:
            return self._fold.error
        if isinstance(self.error, APIError):
            return {"message": self.error.fact, "code": self.error_code}
        return None

    def _answered(self) -> Head:
        if self.head is None:
            raise RuntimeError("a body came before its head")
        return self.head

    def _move(self, what: str) -> None:
        self.phase = _MOVES[self.phase, what]
        self.is_over = self.phase is Phase.OVER


def _is_event_stream(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \r\n").startswith(_FIELDS)


def _is_something_else(data: bytes) -> bool:
    """Tell whether bytes without any event are no event stream either, nor the beginning of one."""
    start = data.lstrip(b"\xef\xbb\xbf \r\n")
    return bool(start) and not any(field[: len(start)] == start[: len(field)] for field in _FIELDS)


def _is_response(raw: Mapping[str, Any]) -> bool:
    return (
        raw.get("object") == "response" or isinstance(raw.get("output"), list) or {"id", "status"} <= set(raw)
    )
