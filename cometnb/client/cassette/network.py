"""The network as a transport that works for both kinds of client, with the proxies that the environment names."""

from __future__ import annotations

from typing import Any

import httpx

from cometnb.client.deadline import bound
from cometnb.client.pools import LIMITS

__all__ = ["Network"]

_OPTIONS: dict[str, Any] = {"follow_redirects": False, "limits": LIMITS}


class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends requests as they are; a client inside knows the proxies. After `close` it can be used again."""

    def __init__(self) -> None:
        self._sync: httpx.Client | None = None
        self._async: httpx.AsyncClient | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        if self._sync is None:
            self._sync = httpx.Client(**_OPTIONS)
            bound(self._sync)
        return self._sync.send(request, stream=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        if self._async is None:
            self._async = httpx.AsyncClient(**_OPTIONS)
            bound(self._async)
        return await self._async.send(request, stream=True)

    def close(self) -> None:
        """Close the connections of synchronous calls."""
        if self._sync is not None:
            self._sync.close()
            self._sync = None

    async def aclose(self) -> None:
        """Close the connections of asynchronous calls."""
        if self._async is not None:
            client, self._async = self._async, None
            await client.aclose()
