"""The two shells that carry bytes over httpx: they perform the steps of a flow and know nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from math import inf
from typing import Any

import httpx

from cometnb.client.deadline import cut_to, due_in
from cometnb.client.decoded import Kept, async_body, async_pieces, body, pieces
from cometnb.client.setup import Setup, fault_of, overdue
from cometnb.client.steps import Enter, Flow, ReadBody, Reply, Send, Step
from cometnb.errors import CometError
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.recorded import BACKEND, CAPPED, RECORDED

__all__ = ["AsyncWire", "Wire"]

# How long to wait for the end of a body whose last event has come. A connection whose body was read to its end
# can be used again, which saves the next call a TLS handshake.
_LINGER_S = 0.25
# By how much a wait up to the deadline may end before it.
_EARLY_S = 0.02


class _Limited:
    """Tells what an exception of httpx means for a call with a deadline."""

    _setup: Setup
    _deadline_s: float

    def fault(self, error: httpx.HTTPError) -> Fault:
        """Return what an exception of httpx means for this call."""
        is_late = isinstance(error, httpx.ReadTimeout) and self._setup.clock() >= self._deadline_s - _EARLY_S
        return overdue(self._setup) if is_late else fault_of(error, self._setup)


class Wire(_Limited):
    """Carries the bytes of one call with an `httpx.Client`."""

    def __init__(self, http: httpx.Client, setup: Setup) -> None:
        self._http = http
        self._setup = setup
        self._deadline_s = inf
        self._answer: httpx.Response | None = None
        self._rest: Iterator[bytes] | None = None

    def drive(self, flow: Flow) -> Any:
        """Perform a flow's steps until it ends, and return its value."""
        reply: Reply = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as end:
                return end.value
            reply = self._perform(step)

    def chunks(self) -> Iterator[bytes]:
        """Return the body's bytes as they come; whatever of httpx iterating them raises, `fault` explains."""
        # No generator around it: that would cost a step of it for every chunk, and an async one's is dear.
        self._rest = pieces(_opened(self._answer))
        return self._rest

    def linger(self) -> None:
        """Read what is left of a body after its last event, for a moment, so that the connection can be kept."""
        if self._rest is None or self._answer is None:
            return
        if not cut_to(self._answer, _LINGER_S):
            return
        with contextlib.suppress(httpx.HTTPError):
            for _ in self._rest:
                pass

    def close(self) -> None:
        """Close the answer; the connection is freed or dropped."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def _perform(self, step: Step) -> Reply:
        try:
            if isinstance(step, Send):
                self._deadline_s = step.deadline_s
                with due_in(step.deadline_s - self._setup.clock()):
                    self._answer = self._http.send(_request(self._http, self._setup, step), stream=True)
                return _head(self._answer, self._setup)
            if isinstance(step, ReadBody):
                return self._read_body(step.deadline_s)
        except httpx.HTTPError as error:
            self.close()
            return self.fault(error)
        except CometError as error:
            return Fault("cassette", error.fact, error)
        if isinstance(step, Enter):
            raise RuntimeError("a turnstile is for the async client")  # noqa: TRY004  # no wrong argument
        time.sleep(step.delay_s)
        return None

    def _read_body(self, deadline_s: float) -> bytes | Fault:
        kept = Kept()
        for chunk in body(_opened(self._answer)):
            fault = kept.take(chunk)
            if fault is None and self._setup.clock() > deadline_s:
                fault = overdue(self._setup)
            if fault is not None:
                self.close()
                return fault
        self.close()
        return kept.whole()


class AsyncWire(_Limited):
    """Carries the bytes of one call with an `httpx.AsyncClient`."""

    def __init__(self, http: httpx.AsyncClient, setup: Setup) -> None:
        self._http = http
        self._setup = setup
        self._deadline_s = inf
        self._answer: httpx.Response | None = None
        self._rest: AsyncIterator[bytes] | None = None

    async def drive(self, flow: Flow) -> Any:
        """Perform a flow's steps until it ends, and return its value."""
        reply: Reply = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as end:
                return end.value
            reply = await self._perform(step)

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the body's bytes as they come; whatever of httpx iterating them raises, `fault` explains."""
        self._rest = async_pieces(_opened(self._answer))
        return self._rest

    async def linger(self) -> None:
        """Read what is left of a body after its last event, for a moment, so that the connection can be kept."""
        if self._rest is None or self._answer is None or self._answer.is_closed:
            return
        # Where the connection keeps the limit nothing is cancelled: httpcore, cancelled while it closes a connection,
        # leaves it open.
        limit_s = None if cut_to(self._answer, _LINGER_S) else _LINGER_S
        try:
            async with asyncio.timeout(limit_s):
                async for _ in self._rest:
                    pass
        except (TimeoutError, httpx.HTTPError, httpx.StreamError):
            pass

    async def close(self) -> None:
        """Close the answer; the connection is freed or dropped."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            await answer.aclose()

    async def _perform(self, step: Step) -> Reply:
        try:
            if isinstance(step, Send):
                self._deadline_s = step.deadline_s
                with due_in(step.deadline_s - self._setup.clock()):
                    self._answer = await self._http.send(_request(self._http, self._setup, step), stream=True)
                return _head(self._answer, self._setup)
            if isinstance(step, ReadBody):
                return await self._read_body(step.deadline_s)
        except httpx.HTTPError as error:
            await self.close()
            return self.fault(error)
        except CometError as error:
            return Fault("cassette", error.fact, error)
        if isinstance(step, Enter):
            return await step.turnstile.enter(step.call_id, step.body)
        await asyncio.sleep(step.delay_s)
        return None

    async def _read_body(self, deadline_s: float) -> bytes | Fault:
        kept = Kept()
        async for chunk in async_body(_opened(self._answer)):
            fault = kept.take(chunk)
            if fault is None and self._setup.clock() > deadline_s:
                fault = overdue(self._setup)
            if fault is not None:
                await self.close()
                return fault
        await self.close()
        return kept.whole()


def _request(http: httpx.Client | httpx.AsyncClient, setup: Setup, step: Send) -> httpx.Request:
    headers = {"content-type": "application/json", **step.headers} if step.content is not None else None
    return http.build_request(
        step.method,
        f"{setup.base_url}{step.path}",
        content=step.content,
        params=dict(step.query) or None,
        headers=headers,
        extensions={CAPPED: True} if step.is_capped else None,
    )


def _head(answer: httpx.Response, setup: Setup) -> Head:
    return Head(
        answer.status_code,
        {name.lower(): value for name, value in answer.headers.items()},
        setup.now(),
        answer.extensions.get(BACKEND, ""),
        answer.extensions.get(RECORDED),
    )


def _opened(answer: httpx.Response | None) -> httpx.Response:
    if answer is None:
        raise RuntimeError("there is no answer to read")
    return answer
