"""Fakes as transports: scripted answers in any chunking, faults at any byte, recorded requests, clocks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from cometnb.client.client import AsyncClient, Client
from cometnb.client.retry import Backoff
from cometnb.client.setup import Setup

__all__ = [
    "KEY",
    "NOW",
    "SSE",
    "Answer",
    "Clock",
    "Script",
    "at_once",
    "body_of",
    "json_answer",
    "setup_for",
    "sse",
    "stream_answer",
    "text_events",
    "text_pieces",
]

KEY = "sk-canary-0123456789abcdef"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SSE = {"content-type": "text/event-stream; charset=utf-8"}
_JSON = {"content-type": "application/json"}

Piece = bytes | BaseException


@dataclass
class Answer:
    """What one request is answered with; an exception among the pieces is raised in its place."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[Piece] = ()
    n_closed: int = 0

    @property
    def body(self) -> bytes:
        """All bytes of the answer."""
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self._answer.n_closed += 1

    async def aclose(self) -> None:
        self.close()


class Script(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests in order from a list, the last entry again and again; an exception is raised.

    Attributes
    ----------
    requests : list of httpx.Request
        As they came, read to their end.
    """

    def __init__(self, *answers: Answer | BaseException) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        return self._next(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        return self._next(request)

    def _next(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, BaseException):
            raise answer
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=_Body(answer))


class Clock:
    """A clock that goes on by one step every time it is read."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s = 1000.0
        self.step_s = step_s

    def __call__(self) -> float:
        """Return the time in seconds."""
        self.now_s += self.step_s
        return self.now_s


def at_once(client: Client | AsyncClient, **changes: Any) -> None:
    """Let a client wait no time between attempts, and change other parts of its setup."""
    still = Backoff(client.setup.backoff.max_retries, draw=lambda low, high: 0.0)
    changes = {"backoff": still, "now": lambda: NOW, **changes}
    client.setup = replace(client.setup, **changes)


def setup_for(**changes: Any) -> Setup:
    """Return the setup of a client with a key; the wait before a retry is always the longest possible."""
    later: dict[str, Any] = {name: changes.pop(name) for name in ("clock", "now") if name in changes}
    setup = Client(KEY, **changes).setup
    longest = Backoff(setup.backoff.max_retries, draw=lambda low, high: high)
    later = {"backoff": longest, "now": lambda: NOW, **later}
    return replace(setup, **later)


def sse(event: Mapping[str, Any]) -> bytes:
    """Return an event as it stands on the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def body_of(text: str = "Hello.", **fields: Any) -> dict[str, Any]:
    """Return a response object with one message."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-5.4-2026-03-05",
        "output": [message],
        "usage": usage,
    } | fields


def text_events(*deltas: str, ending: str = "completed", **fields: Any) -> list[dict[str, Any]]:
    """Return the events of a streamed text; `fields` are laid over the last response object."""
    text = "".join(deltas)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    opened = body_of(status="in_progress", output=[], usage=None)
    return [
        {"type": "response.created", "response": opened},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        *({"type": "response.output_text.delta", "delta": delta, **place} for delta in deltas),
        {"type": "response.output_text.done", "text": text, **place},
        {"type": f"response.{ending}", "response": body_of(text, status=ending, **fields)},
    ]


def text_pieces(*deltas: str, **fields: Any) -> list[Piece]:
    """Return a streamed text, an event a piece."""
    return [sse(event) for event in text_events(*deltas, **fields)]


def stream_answer(*deltas: str, **fields: Any) -> Answer:
    """Return an answer that streams a text."""
    return Answer(200, SSE, text_pieces(*deltas, **fields))


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer that is JSON; ``retry_after="1"`` becomes the header ``retry-after``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, _JSON | named, [json.dumps(value).encode()])
