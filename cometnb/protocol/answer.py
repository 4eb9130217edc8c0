"""The head and body of an HTTP answer, judged: JSON to go on with, or the error it stands for."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cometnb.errors import (
    APIError,
    CometError,
    ConnectionFailedError,
    ResponseTimeoutError,
    StreamInterruptedError,
)
from cometnb.protocol.events import parse
from cometnb.protocol.failure import api_error, says_invalid, unexpected_content
from cometnb.protocol.json_text import loaded
from cometnb.protocol.recorded import Recorded
from cometnb.protocol.response import TERMINAL_STATUSES
from cometnb.protocol.sse import Decoder

__all__ = [
    "FINAL_CODES",
    "MOST_BYTES",
    "RETRIED_STATUSES",
    "Fault",
    "Head",
    "is_retriable",
    "judged",
    "too_large",
]

# Worth another try if nothing of the answer has been read; 5xx are, too.
RETRIED_STATUSES = frozenset({408, 409, 429})

# The service itself says that another try cannot help, whatever the status.
FINAL_CODES = frozenset({"insufficient_quota", "invalid_request", "model_not_found"})

MOST_BYTES = 256 * 2**20
"""Of one answer, decoded; several pictures with their drafts need less, and what is larger has no end."""

# A body with one of these is a response, even if it also holds an error.
_STATUSES = TERMINAL_STATUSES | {"queued", "in_progress"}


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer.

    Attributes
    ----------
    status : int
    headers : Mapping of str to str
        Names in lower case.
    now : datetime
        The client's clock when it came, aware; needed to read a Retry-After date.
    backend : str
        Who answered, where the answer itself says so; else empty.
    recorded : Recorded or None
        How it came when it was recorded, of an answer that is replayed.
    """

    status: int
    headers: Mapping[str, str]
    now: datetime
    backend: str = ""
    recorded: Recorded | None = None

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty if none was sent."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def request_id(self) -> str | None:
        """The provider's id of this request."""
        return self.headers.get("x-cometapi-request-id") or self.headers.get("x-request-id") or None

    @property
    def retry_after_s(self) -> float | None:
        """Seconds the service asks to wait, from ``retry-after-ms`` or ``retry-after``; None if it does not say."""
        milliseconds = _number(self.headers.get("retry-after-ms"))
        if milliseconds is not None:
            return milliseconds / 1000
        text = self.headers.get("retry-after")
        seconds = _number(text)
        return seconds if seconds is not None else self._seconds_until(text)

    def _seconds_until(self, date: str | None) -> float | None:
        try:
            then = email.utils.parsedate_to_datetime(date) if date else None
        except (ValueError, OverflowError):
            return None
        if then is None:
            return None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - self.now).total_seconds())


_STEPS = {
    "too_large": "What came is in the error's .response. Ask for less with max_output_tokens, or check COMETAPI_BASE_URL."
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong on the wire.

    Attributes
    ----------
    kind : str
        ``connect``, ``connect_timeout``, ``idle_timeout``, ``total_timeout``, ``broken``, ``too_large`` or
        ``cassette``.
    message : str
        In words, for the user.
    told : CometError or None
        The error, where the transport itself has said what it is.
    """

    kind: str
    message: str
    told: CometError | None = None

    @property
    def is_before_sending(self) -> bool:
        """True if the service cannot have seen the request."""
        return self.kind in ("connect", "connect_timeout")

    def error(self, *, had_events: bool = False) -> CometError:
        """Return the error this fault is, given whether part of an answer had come."""
        if self.told is not None:
            return self.told
        kind: type[CometError]
        if self.kind.endswith("timeout"):
            kind = ResponseTimeoutError
        elif self.kind == "too_large":
            kind = StreamInterruptedError
        else:
            kind = StreamInterruptedError if had_events else ConnectionFailedError
        step = _STEPS.get(self.kind, "Check the network and COMETAPI_BASE_URL, or try again.")
        if had_events and self.kind not in _STEPS:
            step = "The text so far is in the error's .response. Ask again for the whole answer."
        return kind(f"{self.message[:1].upper()}{self.message[1:]}.", step)


def too_large(n_bytes: int, most_bytes: int = MOST_BYTES) -> Fault:
    """Return the fault that passing the bound for an answer's size is."""
    return Fault(
        "too_large", f"the answer has {n_bytes:,} bytes and does not end; at most {most_bytes:,} are read"
    )


def judged(head: Head, data: bytes, model: str | None = None) -> dict[str, Any] | APIError:
    """Return an answer's JSON object, or the error that the answer is.

    Parameters
    ----------
    head : Head
    data : bytes
        The whole body.
    model : str, optional
        The model that was asked for, to name it in an error.
    """
    text = data.decode("utf-8-sig", "replace")
    raw = _json_in(text)
    if head.status >= 400 or _says_error(raw):
        if raw is None and ("html" in head.content_type or text.lstrip()[:1] == "<"):
            return unexpected_content(head.status, head.content_type, text)
        return api_error(
            head.status,
            text if raw is None else raw,
            request_id=head.request_id,
            retry_after_s=head.retry_after_s,
            model=model,
        )
    if head.status >= 300 or not isinstance(raw, dict):
        return unexpected_content(head.status, head.content_type, text)
    return raw


def is_retriable(head: Head, error: APIError) -> bool:
    """Tell whether the same request may succeed if it is sent again."""
    if error.code in FINAL_CODES or (head.status >= 500 and says_invalid(error.code, error.error_type)):
        return False
    return head.status in RETRIED_STATUSES or head.status >= 500


def _says_error(raw: Any) -> bool:
    """Tell whether a body is an error although its HTTP status does not say so."""
    if not isinstance(raw, dict):
        return False
    is_answer = bool(raw.get("output")) or raw.get("object") == "response" or _status_in(raw) in _STATUSES
    return (bool(raw.get("error")) and not is_answer) or set(raw) == {"detail"}


def _status_in(raw: dict[str, Any]) -> str:
    status = raw.get("status")
    return status if isinstance(status, str) else ""


def _json_in(text: str) -> Any:
    """Return the JSON a body holds; for an event stream, that of its first error event."""
    try:
        return loaded(text)
    except (ValueError, RecursionError):
        pass
    decoder = Decoder()
    for name, data in decoder.feed(text.encode("utf-8", "replace")) + decoder.close():
        event = parse(name, data)
        if event is not None and event.type == "error":
            return event.raw
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None
