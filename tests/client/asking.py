"""The same questions put to the sync and to the async client, so that one suite holds for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.errors import CometError
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from tests.client.transports import KEY, at_once

__all__ = ["Asked", "Kind", "both_kinds", "called", "responded", "streamed"]

Kind = Literal["sync", "async"]

both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])


@dataclass
class Asked:
    """What came of a question."""

    response: Response
    events: list[Event] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    error: CometError | None = None

    @property
    def attempt(self) -> Attempt:
        """The only attempt."""
        assert len(self.attempts) == 1, self.attempts
        return self.attempts[0]


def called(
    kind: Kind, method: str, *args: Any, transport: Any, setup: dict[str, Any] | None = None, **params: Any
) -> Any:
    """Call a method of a client that lives for this call and retries without waiting."""
    if kind == "sync":
        with Client(KEY, transport=transport) as client:
            at_once(client, **setup or {})
            return getattr(client, method)(*args, **params)

    async def run() -> Any:
        async with AsyncClient(KEY, transport=transport) as client:
            at_once(client, **setup or {})
            return await getattr(client, method)(*args, **params)

    return asyncio.run(run())


def responded(kind: Kind, transport: Any, prompt: str = "Hi", *, setup: Any = None, **params: Any) -> Asked:
    """Ask with `respond`; an error is kept, with the response it carries."""
    attempts: list[Attempt] = []
    setup = {"observers": (attempts.append,)} | (setup or {})
    try:
        response = called(kind, "respond", prompt, transport=transport, setup=setup, **params)
    except CometError as error:
        return Asked(error.response or Response({}), attempts=attempts, error=error)
    return Asked(response, attempts=attempts)


def streamed(
    kind: Kind,
    transport: Any,
    *,
    stop_after: int | None = None,
    as_text: bool = False,
    at_each: Callable[[Response], None] | None = None,
    setup: Any = None,
    **params: Any,
) -> Asked:
    """Ask with `stream`, as events or as text, and close it after so many of them."""
    asked = Asked(Response({}))
    found: list[Any] = asked.texts if as_text else asked.events
    changes = {"observers": (asked.attempts.append,)} | (setup or {})

    def wants_more(piece: Any, response: Response) -> bool:
        found.append(piece)
        if at_each is not None:
            at_each(response)
        return len(found) != stop_after

    def sync() -> None:
        with Client(KEY, transport=transport) as client:
            at_once(client, **changes)
            with client.stream("Hi", **params) as stream:
                try:
                    for piece in stream.text_deltas() if as_text else stream:
                        if not wants_more(piece, stream.response):
                            break
                    stream.close()
                finally:
                    asked.response = stream.response

    async def run() -> None:
        async with AsyncClient(KEY, transport=transport) as client:
            at_once(client, **changes)
            async with client.stream("Hi", **params) as stream:
                try:
                    async for piece in stream.text_deltas() if as_text else stream:
                        if not wants_more(piece, stream.response):
                            break
                    await stream.close()
                finally:
                    asked.response = stream.response

    try:
        sync() if kind == "sync" else asyncio.run(run())
    except CometError as error:
        asked.error = error
    return asked
