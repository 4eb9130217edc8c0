"""Streams in the background for tests: their numbered events, one that is lost, one that is taken up again."""

from __future__ import annotations

import asyncio
from typing import Any

from cometnb import errors
from cometnb.client.client import AsyncClient, Client
from cometnb.protocol.response import Response
from tests.client.asking import Asked, Kind, responded
from tests.client.transports import KEY, SSE, Answer, Script, at_once, sse, text_events

__all__ = ["DELTAS", "WHOLE", "answer_of", "cut", "numbered_events", "resumed"]

DELTAS = ("Hello", " there", ", reader", ".")
WHOLE = "".join(DELTAS)


def numbered_events(response_id: str, *deltas: str, **fields: Any) -> list[dict[str, Any]]:
    """Return the events of a stream in the background, numbered from 0."""
    fields = {"background": True, "created_at": 1_770_000_000} | fields
    events = text_events(*(deltas or DELTAS), **fields)
    for number, event in enumerate(events):
        event["sequence_number"] = number
        if "response" in event:
            event["response"] |= {"id": response_id, "background": fields["background"]}
    return events


def answer_of(events: list[dict[str, Any]]) -> Answer:
    """Return an answer that streams events."""
    return Answer(200, SSE, [sse(event) for event in events])


def resumed(
    kind: Kind, transport: Any, *args: Any, as_text: bool = False, setup: Any = None, **named: Any
) -> Asked:
    """Take a stream up and read it to its end, as events or as text; an error is kept."""
    asked = Asked(Response({}))
    changes = {"observers": (asked.attempts.append,)} | (setup or {})
    found: list[Any] = asked.texts if as_text else asked.events

    def sync() -> None:
        with Client(KEY, transport=transport) as client:
            at_once(client, **changes)
            with client.resume(*args, **named) as stream:
                try:
                    found.extend(stream.text_deltas() if as_text else stream)
                finally:
                    asked.response = stream.response

    async def run() -> None:
        async with AsyncClient(KEY, transport=transport) as client:
            at_once(client, **changes)
            async with client.resume(*args, **named) as stream:
                try:
                    async for piece in stream.text_deltas() if as_text else stream:
                        found.append(piece)  # noqa: PERF401  # what came before an error is kept
                finally:
                    asked.response = stream.response

    try:
        sync() if kind == "sync" else asyncio.run(run())
    except errors.CometError as error:
        asked.error = error
    return asked


def cut(kind: Kind, events: list[dict[str, Any]], n_events: int) -> Response:
    """Return what came of a stream that was lost after so many events."""
    asked = responded(kind, Script(answer_of(events[:n_events])), stream=True, background=True)
    assert asked.response.status == "truncated"
    return asked.response
