"""Room for many connections at once: httpcore's pool looks at every one it has whenever a request comes or ends.

A thousand streams at once are then two million looks. So an async client has several pools, none of which gets many.
"""

from __future__ import annotations

import copy
from typing import Any

import httpcore
import httpx

__all__ = ["LIMITS", "MOST_IN_ONE", "spread"]

MOST_IN_ONE = 50
"""Connections of one pool of several, and those that a client keeps for later calls.

httpcore closes a connection that falls idle where its pool has more than it may keep, busy ones included: with fewer
to keep than are open at once, every call would open one of its own.
"""

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=MOST_IN_ONE)
"""Of every httpx client here: how many connections are open is the caller's affair."""


def spread(http: httpx.AsyncClient) -> None:
    """Let the transports that httpx has made for a client, proxies' among them, have several pools each."""
    for transport in (http._transport, *http._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            transport._pool = _Pools(transport._pool)  # type: ignore[assignment]  # it has all that is used of one


class _Pools:
    """Pools with the same settings; only the first keeps connections that are idle."""

    def __init__(self, first: httpcore.AsyncConnectionPool) -> None:
        self._pools = [first]

    @property
    def connections(self) -> list[Any]:
        """All connections there are."""
        return [connection for pool in self._pools for connection in pool.connections]

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        return await self._with_room().handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()

    def _with_room(self) -> httpcore.AsyncConnectionPool:
        """Return the first pool that has a connection for another request, or may open one."""
        first = self._pools[0]
        if any(connection.is_idle() for connection in first.connections):
            return first
        for pool in self._pools:
            if len(pool.connections) < MOST_IN_ONE:
                return pool
        further = copy.copy(first)
        further._connections, further._requests = [], []
        further._max_keepalive_connections = 0
        self._pools.append(further)
        return further
