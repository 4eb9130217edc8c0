"""The simulator as an httpx transport: no socket, no key, the same client code."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import ClassVar

import httpx

from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.pace import Schedule
from cometnb.client.simulator.reply import Break, Reply, Request, Wait
from cometnb.client.simulator.waiter import Waiter

__all__ = ["Simulator"]

_BASE_PATH = re.compile(r"^.*?(?=/(?:responses|models)(?:/|$))")

# Without waits a stream would never leave the loop to others, who may want to cancel it.
_TURN_BYTES = 16_384

# In httpx's own words, so that what is shown is what a broken connection shows.
_BROKEN = "peer closed connection without sending complete message body (incomplete chunked read)"


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
        reply = self.handle(Request(request.method, path, query, request.content))
        read_timeout_s = request.extensions.get("timeout", {}).get("read")
        body = _Body(reply, read_timeout_s, self.sleep, self.async_sleep)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=body)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Carries out a reply's actions for either kind of client."""

    def __init__(
        self,
        reply: Reply,
        read_timeout_s: float | None,
        sleep: Callable[[float], object] | None,
        async_sleep: Callable[[float], Awaitable[object]] | None,
    ) -> None:
        self._actions = reply.actions
        self._read_timeout_s = read_timeout_s
        self._sleep = sleep
        self._async_sleep = async_sleep
        self._closed = threading.Event()
        self._waiter = Waiter()

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps():
            if isinstance(step, bytes):
                yield step
            elif step.seconds is None or self._sleep is None:
                self._closed.wait(step.seconds)
            else:
                self._sleep(step.seconds)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        n_bytes = 0
        with closing(self._steps()) as steps:
            for step in steps:
                if isinstance(step, bytes):
                    yield step
                    n_bytes += len(step)
                    if n_bytes >= _TURN_BYTES:
                        n_bytes = 0
                        await asyncio.sleep(0)
                elif step.seconds is None or self._async_sleep is None:
                    await self._waiter.wait(step.seconds)
                else:
                    await self._async_sleep(step.seconds)

    def close(self) -> None:
        """End the work, also while another thread waits for the next chunk."""
        self._closed.set()
        # A generator that runs at this moment sees the mark and ends by itself.
        with suppress(ValueError):
            self._actions.close()

    async def aclose(self) -> None:
        """End the work, also while another task waits for the next chunk."""
        self.close()
        self._waiter.end()

    def _steps(self) -> Generator[bytes | Wait, None, None]:
        """Yield what to send and how long to wait, within the client's own limit."""
        schedule, limit_s = Schedule(), self._read_timeout_s
        with closing(self._actions) as actions:
            for action in actions:
                if isinstance(action, bytes):
                    yield action
                elif isinstance(action, Break):
                    raise httpx.RemoteProtocolError(_BROKEN)
                else:
                    wait_s = None if action.seconds is None else schedule.wait_s(action.seconds)
                    if limit_s is not None and (wait_s is None or wait_s > limit_s):
                        yield Wait(limit_s)
                        raise httpx.ReadTimeout("The read operation timed out")
                    if wait_s != 0:
                        yield Wait(wait_s)
                        schedule.waited()
                if self._closed.is_set():
                    return
