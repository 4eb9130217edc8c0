"""A gateway whose every answer a test may change, and the doctor's findings about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from cometnb.session.doctor import Finding, examine
from cometnb.session.session import Session
from tests.client.transports import (
    KEY,
    SSE,
    Answer,
    Clock,
    Piece,
    Script,
    body_of,
    json_answer,
    sse,
    text_events,
)

__all__ = [
    "BASE_URL",
    "IDS",
    "JSON",
    "NOT_FOUND",
    "WORDS",
    "Gateway",
    "Paced",
    "Reply",
    "as_one",
    "found_at",
    "not_ok",
    "pieces_of_stream",
    "usage_of",
    "with_id",
]

BASE_URL = "https://gateway.example/v1"
IDS = {"x-request-id": "req_1"}
JSON = {"content-type": "application/json"}
NOT_FOUND = {"error": {"message": "no such path", "type": "invalid_request_error", "code": None}}
WORDS = [f"word{number} " for number in range(20)]

Reply = Answer | BaseException | Callable[[Mapping[str, Any]], Answer]


def usage_of(input_tokens: int) -> dict[str, Any]:
    """Return a usage with all its details."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + 7,
    }


def with_id(value: Any) -> Answer:
    """Return an answer that is JSON and has a request id."""
    return replace(json_answer(value), headers=JSON | IDS)


class Paced(list[Piece]):
    """The pieces of a stream, the clock going on by so many seconds before each."""

    def __init__(self, pieces: list[Piece], clock: Clock, gap_s: float) -> None:
        super().__init__(pieces)
        self._clock, self._gap_s = clock, gap_s

    def __iter__(self) -> Iterator[Piece]:
        for piece in super().__iter__():
            self._clock.now_s += self._gap_s
            yield piece


def pieces_of_stream(**fields: Any) -> list[Piece]:
    """Return a faultless stream of twenty deltas, an event a piece."""
    events = text_events(*WORDS, id="resp_2", usage=usage_of(12), **fields)
    return [sse(event | {"sequence_number": number}) for number, event in enumerate(events)]


def as_one(pieces: list[Piece]) -> Piece:
    """Return pieces of bytes as one."""
    return Answer(pieces=pieces).body


class Gateway(Script):
    """A service that can do everything, but for what a test lays over it, by method and path or by kind of call."""

    def __init__(self, changes: Mapping[str, Reply] | None = None, clock: Clock | None = None) -> None:
        super().__init__()
        self._replies: dict[str, Reply] = {
            "models": json_answer({"object": "list", "data": [{"id": "gpt-5.4"}, {"id": "gpt-5.5"}]}),
            "body": with_id(body_of("OK", usage=usage_of(20))),
            "stream": Answer(200, SSE | IDS, Paced(pieces_of_stream(), clock or Clock(), 0.1)),
            "second": with_id(body_of("OK", id="resp_3", usage=usage_of(31))),
            "GET": json_answer(body_of("OK")),
            "GET items": json_answer({"object": "list", "data": [{"type": "message"}]}),
            "DELETE": json_answer({"id": "resp_1", "object": "response", "deleted": True}),
        } | dict(changes or {})

    def kinds(self) -> list[str]:
        """Return what was asked for, in order."""
        return [self._kind(request) for request in self.requests]

    def _next(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self._replies[self._kind(request)]
        if isinstance(reply, BaseException):
            raise reply
        answer = reply(json.loads(request.content)) if callable(reply) else reply
        return Script(answer).handle_request(request)

    @staticmethod
    def _kind(request: httpx.Request) -> str:
        if request.url.path.endswith("/models"):
            return "models"
        if request.method != "POST":
            return f"{request.method}{' items' if request.url.path.endswith('/input_items') else ''}"
        asked = json.loads(request.content)
        if "previous_response_id" in asked:
            return "second"
        return "stream" if asked.get("stream") else "body"


def found_at(
    transport: Any, *, spend: bool = True, clock: Clock | None = None, **settings: Any
) -> dict[str, Finding]:
    """Let the doctor examine what is behind a transport."""
    defaults: dict[str, Any] = {"api_key": KEY, "base_url": BASE_URL, "max_retries": 0}
    session = Session(transport=transport, **defaults | settings)
    try:
        findings = examine(session, spend=spend, clock=clock or Clock())
    finally:
        session.close()
    return {finding.subject: finding for finding in findings}


def not_ok(found: Mapping[str, Finding]) -> dict[str, str]:
    """Return the states that are not ok."""
    return {subject: finding.state for subject, finding in found.items() if finding.state != "ok"}
