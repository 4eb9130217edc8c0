"""The same answer by another gateway: harmless changes keep text, calls, usage and status; clients agree on all of it."""

from __future__ import annotations

import asyncio
import json
import random
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from cometnb.client.client import AsyncClient, Client
from cometnb.errors import CometError
from cometnb.protocol.events import parse
from cometnb.protocol.response import Response
from tests import corpus
from tests.client.transports import Answer, Script, at_once
from tests.fuzz.looking import check_error, check_response, check_row
from tests.fuzz.reframing import mutilated, reframed, rewritten
from tests.fuzz.streams import TOKENS, plain_streams, streams
from tests.fuzz.target import Target
from tests.fuzz.targets.event_stream import recorded_streams
from tests.protocol.streams import chunks, decoded, exchanged, wire

__all__ = ["TARGETS", "client", "gateway"]

_LARGEST = 60_000
_KINDS = ("text/event-stream", "text/event-stream; charset=utf-8", "application/json", "text/html", "")
_STATUSES = (200,) * 6 + (201, 302, 400, 401, 404, 429, 500, 503)


def gateway(data: bytes) -> None:
    """Take one known stream, change it as gateways do, and find the same answer in it."""
    rng = random.Random(data)
    known = _known()
    name, events, expected = known[rng.randrange(len(known))]
    change = rng.choice((rewritten, rewritten, mutilated))
    sent = reframed(change(events, rng), rng)
    exchange, _ = exchanged(sent, size=rng.choice((1 << 30, 1 << 30, rng.randint(1, 200))))
    found = _found(exchange.response())
    assert found == expected, (name, _differences(found, expected))
    check_response(exchange.response())


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}


@cache
def _known() -> list[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
    """Return streams whose answer is known: our own, and those of the recorded ones whose sources agree."""
    made = [(name, wire(events), None) for name, events in plain_streams().items()]
    recorded = [
        (one.name, one.data, one.expected)
        for one in corpus.streams()
        if one.expected is not None and len(one.data) <= _LARGEST
    ]
    return [_parsed(name, data, expected) for name, data, expected in [*made, *recorded]]


def _parsed(name: str, data: bytes, expected: Any) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    parsed = [parse(told, text) for told, text in decoded([data])]
    events = [event.raw | {"type": event.type} for event in parsed if event is not None]
    found = _found(exchanged(data)[0].response())
    wanted = {field: (expected or found).get(field, value) for field, value in found.items()}
    return name, events, wanted


def _found(response: Response) -> dict[str, Any]:
    return {
        "output_text": response.output_text,
        "function_calls": [
            {"name": call.name, "call_id": call.call_id, "arguments": call.arguments}
            for call in response.function_calls
        ],
        "reasoning_summary": response.reasoning_summary,
        "reasoning_text": response.reasoning_text,
        "refusal": response.refusal or "",
        "usage": response.raw.get("usage"),
        "status": None if response.status == "truncated" else response.status,
    }


def client(data: bytes) -> None:
    """Hand bytes to a client as the answer to a call: sync and async come to the same, and only to errors of our own."""
    rng = random.Random(data)
    pieces = list(chunks(data, rng.choice((1 << 30, 1 << 30, 1000, 64)))) or [b""]
    kind, status = rng.choice(_KINDS), rng.choice(_STATUSES)
    answer = Answer(status, {"content-type": kind, "retry-after": "0"}, pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = _asked(answer)
        other = asyncio.run(_asked_async(answer))
    assert one == other


def _asked(answer: Answer) -> Any:
    attempts: list[Any] = []
    with Client("k" * 20, transport=Script(answer), observers=[attempts.append], max_retries=1) as made:
        at_once(made)
        text = ""
        try:
            with made.stream("Hi", model="m") as stream:
                for piece in stream.text_deltas():
                    text += piece
            end = _ended(stream.response, None, text)
        except CometError as error:
            end = _ended(stream.response, error, text)
    return end, _told(attempts)


async def _asked_async(answer: Answer) -> Any:
    attempts: list[Any] = []
    async with AsyncClient(
        "k" * 20, transport=Script(answer), observers=[attempts.append], max_retries=1
    ) as made:
        at_once(made)
        text = ""
        try:
            async with made.stream("Hi", model="m") as stream:
                async for piece in stream.text_deltas():
                    text += piece
            end = _ended(stream.response, None, text)
        except CometError as error:
            end = _ended(stream.response, error, text)
    return end, _told(attempts)


def _ended(response: Response, error: CometError | None, text: str) -> Any:
    check_response(response)
    text.encode()
    if error is not None:
        check_error(error)
        assert error.response is not None
    elif response.status != "truncated":
        assert response.status not in ("failed", "error"), response.status
    return json.dumps(response.raw), response.status, type(error).__name__, text


def _told(attempts: list[Any]) -> Any:
    assert 1 <= len(attempts) <= 2
    for attempt in attempts:
        check_row(attempt)
    return [(one.status, one.error_code, one.http_status, one.n_events, one.n_retries) for one in attempts]


def _numbers() -> Iterator[bytes]:
    yield from (b"%d" % number for number in range(40))


TARGETS = (
    Target("gateway", gateway, _numbers, n_tested=400),
    Target("client", client, streams, recorded_streams, TOKENS, n_tested=100),
)
