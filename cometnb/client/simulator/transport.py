"""The simulator as an httpx transport: no socket, no key, the same client code."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

import httpx

from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.paced_body import PacedBody
from cometnb.client.simulator.reply import Request

__all__ = ["Simulator"]

_BASE_PATH = re.compile(r"^.*?(?=/(?:responses|models)(?:/|$))")


@dataclass(kw_only=True, eq=False)
class Simulator(Engine, httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests in process; give it to a client as its transport.

    Parameters
    ----------
    seed, tokens_per_s, first_token_s, models, fault, text, events_per_chunk, without
        As for `Engine`; all may be changed later as attributes.
    sleep : callable, optional
        Called with seconds instead of waiting; None waits, and closing the response ends the wait.
    async_sleep : callable, optional
        The same for asynchronous clients; it returns an awaitable.

    Examples
    --------
    >>> import httpx
    >>> from cometnb import Simulator
    >>> with httpx.Client(transport=Simulator(seed=1), base_url="http://simulator/v1") as http:
    ...     http.post("/responses", json={"model": "gpt-5.4", "input": "Hello"}).json()["status"]
    'completed'
    """

    backend: ClassVar[str] = "simulator"

    sleep: Callable[[float], object] | None = None
    async_sleep: Callable[[float], Awaitable[object]] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of a synchronous client."""
        request.read()
        return self._response(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of an asynchronous client."""
        await request.aread()
        return self._response(request)

    def _response(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        # In process any base URL leads here, whatever its path.
        path = _BASE_PATH.sub("/v1", request.url.path)
        once = request.headers.get("idempotency-key", "")
        reply = self.handle(Request(request.method, path, query, request.content, once))
        read_timeout_s = request.extensions.get("timeout", {}).get("read")
        body = PacedBody(reply.actions, read_timeout_s, self.sleep, self.async_sleep)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=body)
