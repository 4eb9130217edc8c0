"""What the engine answers with: a status, headers, and a body as actions a shell carries out."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = [
    "Action",
    "Break",
    "Refusal",
    "Reply",
    "Request",
    "Wait",
    "coalesced",
    "encoded",
    "json_reply",
    "sent_once",
]

_CHUNK_BYTES = 16_384


class Request(NamedTuple):
    """A request as it came: method, path, query, the bytes of the body, and its key if it must have one effect."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    idempotency_key: str = ""


class Wait(NamedTuple):
    """Let `seconds` pass; None is until the receiver goes away."""

    seconds: float | None


class Break(NamedTuple):
    """Drop the connection with the body unfinished; `words` say so as httpx does."""

    words: str = "peer closed connection without sending complete message body (incomplete chunked read)"


Action = bytes | Wait | Break
"""Bytes are sent; the others say what happens between them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one request.

    Attributes
    ----------
    status : int
        HTTP status.
    headers : Mapping of str to str
    actions : generator of Action
        The body. Closing it ends the work.
    """

    status: int
    headers: Mapping[str, str]
    actions: Generator[Action, None, None]


class Refusal(Exception):  # noqa: N818  # an answer on its way out, not an error of this program
    """The request is answered with an error.

    Parameters
    ----------
    status : int
    message : str
    code, param : str
        Empty where the service names none.
    headers : Mapping, optional
        Sent besides the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        param: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def reply(self, request_id: str, headers: Mapping[str, str]) -> Reply:
        """Return the error in CometAPI's shape."""
        error = {
            "message": f"{self.message} (request id: {request_id})",
            "type": "comet_api_error",
            "param": self.param,
            "code": self.code,
        }
        return json_reply(self.status, {"error": error}, {**headers, **self.headers})


def encoded(value: Any) -> bytes:
    """Return `value` as JSON in UTF-8; half of a surrogate pair stays an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def json_reply(status: int, value: Any, headers: Mapping[str, str]) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, {"Content-Type": "application/json", **headers}, sent_once(encoded(value)))


def sent_once(body: bytes) -> Generator[Action, None, None]:
    """Return the actions of a body that is sent in one piece."""
    yield body


def coalesced(actions: Iterable[Action], events_per_chunk: int | None) -> Generator[Action, None, None]:
    """Join neighbouring bytes into chunks.

    Parameters
    ----------
    actions : iterable of Action
        One event each.
    events_per_chunk : int or None
        Events in a chunk at most; None is as many as make about 16 KB.
    """
    chunk: list[bytes] = []
    size = 0
    most = events_per_chunk or _CHUNK_BYTES
    for action in actions:
        if isinstance(action, bytes):
            chunk.append(action)
            size += len(action)
            if size < _CHUNK_BYTES and len(chunk) < most:
                continue
        if chunk:
            yield b"".join(chunk)
            chunk, size = [], 0
        if not isinstance(action, bytes):
            yield action
    if chunk:
        yield b"".join(chunk)
