"""Many connections at once: they lie in several pools, are used again as far as they are kept, and keep deadlines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from cometnb.client.client import AsyncClient
from cometnb.client.faults.server import running_fault_server
from cometnb.client.pools import MOST_IN_ONE
from cometnb.errors import ResponseTimeoutError

_BODY = b'{"id": "resp_1", "object": "response", "status": "completed", "output": []}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Server:
    """Answers when so many requests have come that nobody else is to come; a proxy's requests, too."""

    def __init__(self, n_at_once: int) -> None:
        self.n_made = 0
        self.together = asyncio.Barrier(n_at_once)
        self.serving: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_made += 1
        self.serving.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = _LENGTH.search(head)
                await reader.readexactly(int(length[1]) if length else 0)
                await self.together.wait()
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, asyncio.BrokenBarrierError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def _serving(n_at_once: int) -> AsyncIterator[tuple[_Server, str]]:
    answering = _Server(n_at_once)
    server = await asyncio.start_server(answering.serve, "127.0.0.1", 0, backlog=500)
    async with server:
        yield answering, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await answering.together.abort()
        await asyncio.gather(*filter(None, answering.serving))


async def _ask(client: AsyncClient, n_calls: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(n_calls):
            group.create_task(client.respond("Hi", stream=False))


def _pool(client: AsyncClient) -> Any:
    return client._http._transport._pool  # type: ignore[attr-defined]  # httpx has no public way to ask


def test_calls_at_once_find_the_connections_of_those_before() -> None:
    """As many as there are at once are opened, and not one for every call."""
    n_at_once = 30

    async def run() -> int:
        async with _serving(n_at_once) as (server, url), AsyncClient("any-key", url) as client:
            for _ in range(3):
                await _ask(client, n_at_once)
            return server.n_made

    assert asyncio.run(run()) == n_at_once


def test_no_pool_gets_many() -> None:
    """Beyond that there is another one; what is kept when all have ended is as much as one pool holds."""
    n_at_once = 2 * MOST_IN_ONE + 20
    seen: list[list[int]] = []

    async def run() -> None:
        async with _serving(n_at_once + 1) as (server, url), AsyncClient("any-key", url) as client:
            asking = asyncio.create_task(_ask(client, n_at_once))
            while server.together.n_waiting < n_at_once:
                await asyncio.sleep(0)
            seen.append([len(pool.connections) for pool in _pool(client)._pools])
            await _ask(client, 1)
            await asking
            seen.append([len(pool.connections) for pool in _pool(client)._pools])

    asyncio.run(run())
    assert seen == [[MOST_IN_ONE, MOST_IN_ONE, 20], [MOST_IN_ONE, 0, 0]]


def test_a_full_pool_gives_what_is_idle() -> None:
    """Where the first has all its connections, and they are idle, a later call opens none."""

    async def run() -> list[int]:
        async with _serving(MOST_IN_ONE) as (server, url), AsyncClient("any-key", url) as client:
            for _ in range(2):
                await _ask(client, MOST_IN_ONE)
            return [server.n_made, len(_pool(client)._pools)]

    assert asyncio.run(run()) == [MOST_IN_ONE, 1]


@pytest.mark.filterwarnings("ignore:.*is not https")
def test_many_go_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is asked by every pool."""
    n_at_once = MOST_IN_ONE + 10
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def run() -> int:
        async with _serving(n_at_once) as (server, url):
            monkeypatch.setenv("HTTP_PROXY", url)
            async with AsyncClient("any-key", "http://service.invalid/v1") as client:
                await _ask(client, n_at_once)
            return server.n_made

    assert asyncio.run(run()) == n_at_once


def test_every_pool_keeps_the_limit_of_a_call() -> None:
    """Headers that come for ever are left by calls of all pools."""

    async def run(url: str) -> set[type]:
        limits: dict[str, Any] = {"timeout_s": 0.5, "idle_timeout_s": 30.0, "max_retries": 0}
        async with AsyncClient("any-key", url, **limits) as client:
            calls = (client.respond("Hi") for _ in range(MOST_IN_ONE + 10))
            return {type(ended) for ended in await asyncio.gather(*calls, return_exceptions=True)}

    with running_fault_server(1, ["slow-head"]) as server:
        assert asyncio.run(run(server.base_url)) == {ResponseTimeoutError}


def test_closing_closes_every_pool() -> None:
    """A client that is closed in the middle leaves no connection."""
    n_at_once = MOST_IN_ONE + 10

    async def run() -> int:
        async with _serving(n_at_once + 1) as (server, url):
            client = AsyncClient("any-key", url, max_retries=0)
            asking = asyncio.gather(*(client.respond("Hi") for _ in range(n_at_once)), return_exceptions=True)
            while server.together.n_waiting < n_at_once:
                await asyncio.sleep(0)
            await client.close()
            await asking
            return len(_pool(client).connections)

    assert asyncio.run(run()) == 0


def test_a_transport_of_ones_own_keeps_its_pool() -> None:
    """Its limits may be fewer connections than one pool of several has."""
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=2))
    own = transport._pool
    client = AsyncClient("any-key", "https://service.invalid/v1", transport=transport)
    assert _pool(client) is own
