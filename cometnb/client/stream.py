"""A response while it streams: iterate its events or its text, look at it at any moment, stop it."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from cometnb.client.call import Call
from cometnb.client.wire import AsyncWire, Wire
from cometnb.errors import CometWarning
from cometnb.protocol.events import Event
from cometnb.protocol.halves import Halves
from cometnb.protocol.response import Response, whole_text

__all__ = ["AsyncResponseStream", "ResponseStream"]

_TEXT_DELTA, _TEXT_DONE = "response.output_text.delta", "response.output_text.done"

# Each note is given once per process, however many calls it is true of.
_noted: set[str] = set()


class _Pieces:
    """Turns events into the pieces of the text that have not been given out yet.

    Parameters
    ----------
    before : sequence of (place, text), or None
        The text of an earlier stream that this one takes up; None if there was some that nobody here knows.
    """

    def __init__(self, before: Sequence[tuple[str, str]] | None) -> None:
        self._knows_start = before is not None
        self._given = [text for _, text in before or ()]
        self._given_at = {place: [text] for place, text in before or ()}
        self._halves = Halves()

    def of(self, event: Event) -> str:
        """Return what an event adds; a part's last word adds what had no deltas."""
        raw = event.raw
        place = f"{raw.get('output_index')}/{raw.get('content_index')}"
        if event.type == _TEXT_DELTA:
            piece = self._joined(raw.get("delta"))
        elif event.type == _TEXT_DONE:
            self._halves = Halves()
            piece = self._beyond(raw.get("text"), self._given_at.get(place, ()))
        else:
            return ""
        self._given.append(piece)
        self._given_at.setdefault(place, []).append(piece)
        return piece

    def rest(self, text: str) -> str:
        """Return what of the whole text came in no event of its own: in the last event, or in a JSON body."""
        return self._beyond(text, self._given)

    def _beyond(self, text: Any, given: Iterable[str]) -> str:
        """Return what `text` says beyond what was given out; nothing if it says something else."""
        before = "".join(given)
        is_more = self._knows_start and isinstance(text, str) and text.startswith(before)
        return whole_text(text[len(before) :]) if is_more else ""

    def _joined(self, delta: Any) -> str:
        return self._halves.joined(delta if isinstance(delta, str) else "")


class _Streamed:
    """What both streams share: the call, and views of it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces = _Pieces(call.text_before)
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
    def notes(self) -> tuple[str, ...]:
        """What was settled or let through before sending."""
        return self._call.notes

    @property
    def body(self) -> dict[str, Any]:
        """The request's body, as it is sent."""
        return self._call.body


class ResponseStream(_Streamed):
    """A streamed response, sync.

    Use it in a ``with`` block, or iterate it to its end. The request is sent at the first of these.

    Parameters
    ----------
    http : httpx.Client
    call : Call

    Raises
    ------
    CometError
        While iterating: what the service or the wire says. `response` on the error holds what came.
    """

    def __init__(
        self,
        http: httpx.Client,
        call: Call,
    ) -> None:
        super().__init__(call)
        self._wire = Wire(http, call.setup)
        self._events = _events(self._call, self._wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def text_deltas(self) -> Iterator[str]:
        """Yield the pieces of the text as they come; joined they are the text."""
        for event in self:
            piece = self._pieces.of(event)
            if piece:
                yield piece
        rest = self._pieces.rest(self.response.output_text)
        if rest:
            yield rest

    def leave(self) -> None:
        """Close the connection and leave a response in the background to the service; its status stays as it is."""
        self._call.leave()
        self._events.close()

    def close(self) -> None:
        """Stop and close the connection. What came stays in `response`, with status ``interrupted``."""
        self._events.close()


class AsyncResponseStream(_Streamed):
    """A streamed response, async. As `ResponseStream`, with ``async with``, ``async for`` and ``await close()``."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        call: Call,
    ) -> None:
        super().__init__(call)
        self._wire = AsyncWire(http, call.setup)
        self._batches = _async_batches(self._call, self._wire)
        self._events: deque[Event] = deque()
        self._reader: asyncio.Task[Any] | None = None
        self._stopped: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._events:
            return self._events.popleft()
        self._reader = reader = asyncio.current_task()
        try:
            while not self._events:
                self._events.extend(await anext(self._batches))
        except asyncio.CancelledError:
            if not self._is_told_to_stop(reader):
                raise
            raise StopAsyncIteration from None
        finally:
            self._release()
        return self._events.popleft()

    async def read(self) -> Response:
        """Read it to its end and return the whole response; cheaper than going through its events.

        Raises
        ------
        CometError
            What the service or the wire says.
        """
        self._events.clear()
        self._reader = reader = asyncio.current_task()
        try:
            async for _ in self._batches:
                pass
        except asyncio.CancelledError:
            if not self._is_told_to_stop(reader):
                raise
        finally:
            self._release()
        return self.response

    def _is_told_to_stop(self, reader: asyncio.Task[Any] | None) -> bool:
        """Tell whether the reader was cancelled by `close`, and by nobody else: then this is the end of its loop."""
        return self._stopped is not None and reader is not None and not reader.uncancel()

    def _release(self) -> None:
        self._reader = None
        if self._stopped is not None:
            self._stopped.set()

    async def text_deltas(self) -> AsyncIterator[str]:
        """Yield the pieces of the text as they come; joined they are the text."""
        async for event in self:
            piece = self._pieces.of(event)
            if piece:
                yield piece
        rest = self._pieces.rest(self.response.output_text)
        if rest:
            yield rest

    async def leave(self) -> None:
        """Close the connection and leave a response in the background to the service; its status stays as it is."""
        self._call.leave()
        await self.close()

    async def close(self) -> None:
        """Stop and close the connection; any task may do so. What came stays in `response`, ``interrupted``."""
        if self._reader is not None:
            # The task that waits for the next event is told to stop, and comes out of its loop as at the end.
            self._stopped = self._stopped or asyncio.Event()
            self._reader.cancel()
            await self._stopped.wait()
        else:
            await self._batches.aclose()
        self._events.clear()


# These two know nothing of the stream objects: a stream that nobody holds any more is closed at once, without a
# cycle that waits for the garbage collector.


def _events(call: Call, wire: Wire) -> Generator[Event, None, None]:
    try:
        yield from wire.drive(call.opening())
        if call.is_streaming:
            try:
                for chunk in wire.chunks():
                    yield from call.receive(chunk)
                    if call.is_over:
                        break
            except httpx.HTTPError as error:
                yield from call.end(wire.fault(error))
            yield from call.end()
            if not call.is_stopped:
                wire.linger()
    finally:
        call.interrupt()
        wire.close()
    call.check()


async def _async_batches(call: Call, wire: AsyncWire) -> AsyncGenerator[list[Event], None]:
    """Yield the events of each piece together: a step of an async generator costs as much as decoding an event."""
    try:
        yield await wire.drive(call.opening())
        if call.is_streaming:
            try:
                async for chunk in wire.chunks():
                    yield call.receive(chunk)
                    if call.is_over:
                        break
            except httpx.HTTPError as error:
                yield call.end(wire.fault(error))
            yield call.end()
            if not call.is_stopped:
                await wire.linger()
    finally:
        call.interrupt()
        await wire.close()
    call.check()
