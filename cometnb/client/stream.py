"""A response while it streams: iterate its events or its text, look at it at any moment, stop it."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from cometnb.client.call import Call
from cometnb.client.setup import Setup
from cometnb.client.wire import AsyncWire, Wire
from cometnb.errors import CometWarning
from cometnb.protocol.answer import Fault
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response

__all__ = ["AsyncResponseStream", "ResponseStream"]

_TEXT_DELTA = "response.output_text.delta"

# Each note is given once per process, however many calls it is true of.
_noted: set[str] = set()


class _Streamed:
    """What both streams share: the call, and views of it."""

    def __init__(self, setup: Setup, params: Mapping[str, Any], labels: Mapping[str, str] | None) -> None:
        self._call = Call(setup, params, labels)
        self._text_length = 0
        for note in self._call.notes:
            if note not in _noted:
                _noted.add(note)
                warnings.warn(note, CometWarning, stacklevel=4)

    @property
    def response(self) -> Response:
        """The response so far; a snapshot."""
        return self._call.response

    @property
    def waiting(self) -> str | None:
        """Why nothing comes just now, if the client waits before a retry."""
        return self._call.waiting

    @property
    def body(self) -> dict[str, Any]:
        """The request's body, as it is sent."""
        return self._call.body

    def _delta_of(self, event: Event) -> str:
        delta = event.raw.get("delta") if event.type == _TEXT_DELTA else None
        if not isinstance(delta, str):
            return ""
        self._text_length += len(delta)
        return delta

    def _undelivered(self) -> str:
        """Return text that came without deltas: in done events, the terminal event, or a JSON body."""
        return self._call.response.output_text[self._text_length :]


class ResponseStream(_Streamed):
    """A streamed response, sync.

    Use it in a ``with`` block, or iterate it to its end. The request is sent at the first of these.

    Parameters
    ----------
    http : httpx.Client
    setup : Setup
    params : Mapping
        The API's parameters.
    labels : Mapping of str to str, optional

    Raises
    ------
    ParamError
        On making it; nothing is sent.
    CometError
        While iterating: what the service or the wire says. `response` on the error holds what came.
    """

    def __init__(
        self, http: httpx.Client, setup: Setup, params: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(setup, params, labels)
        self._wire = Wire(http, setup)
        self._events = self._run()
        self._is_started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        self._is_started = True
        return next(self._events)

    def text_deltas(self) -> Iterator[str]:
        """Yield the pieces of the text as they come; joined they are the text."""
        for event in self:
            delta = self._delta_of(event)
            if delta:
                yield delta
        rest = self._undelivered()
        if rest:
            yield rest

    def close(self) -> None:
        """Stop and close the connection. What came stays in `response`, with status ``interrupted``."""
        if self._is_started:
            self._events.close()

    def _run(self) -> Iterator[Event]:
        call = self._call
        try:
            yield from self._wire.drive(call.opening())
            if not call.is_over and call.error is None:
                for chunk in self._wire.chunks():
                    yield from call.end(chunk) if isinstance(chunk, Fault) else call.receive(chunk)
                    if call.is_over:
                        break
                yield from call.end()
        finally:
            call.interrupt()
            self._wire.close()
        if call.error is not None:
            raise call.error


class AsyncResponseStream(_Streamed):
    """A streamed response, async. As `ResponseStream`, with ``async with``, ``async for`` and ``await close()``."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        setup: Setup,
        params: Mapping[str, Any],
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(setup, params, labels)
        self._wire = AsyncWire(http, setup)
        self._events = self._run()
        self._is_started = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        self._is_started = True
        return await anext(self._events)

    async def text_deltas(self) -> AsyncIterator[str]:
        """Yield the pieces of the text as they come; joined they are the text."""
        async for event in self:
            delta = self._delta_of(event)
            if delta:
                yield delta
        rest = self._undelivered()
        if rest:
            yield rest

    async def close(self) -> None:
        """Stop and close the connection. What came stays in `response`, with status ``interrupted``."""
        if self._is_started:
            await self._events.aclose()

    async def _run(self) -> Any:
        call = self._call
        try:
            for event in await self._wire.drive(call.opening()):
                yield event
            if not call.is_over and call.error is None:
                async for chunk in self._wire.chunks():
                    for event in call.end(chunk) if isinstance(chunk, Fault) else call.receive(chunk):
                        yield event
                    if call.is_over:
                        break
                for event in call.end():
                    yield event
                await self._wire.linger()
        finally:
            call.interrupt()
            await self._wire.close()
        if call.error is not None:
            raise call.error
