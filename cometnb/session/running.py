"""A call that runs on the session's thread while another thread watches it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from cometnb.client.stream import AsyncResponseStream
from cometnb.errors import CometError
from cometnb.protocol.events import APPENDED, Event
from cometnb.protocol.response import Response
from cometnb.session.loop import BackgroundLoop
from cometnb.session.short_waits import wait_for
from cometnb.session.turn_stream import TurnStream

__all__ = ["Running"]

_STOP_WITHIN_S = 1.0
# Between the few events that announce an answer.
_ANNOUNCED_S = 0.01


class Running:
    """A call in progress.

    Parameters
    ----------
    stream : AsyncResponseStream or TurnStream
        Made, not started.
    background : BackgroundLoop

    Attributes
    ----------
    error : CometError or None
        Why it ended badly, once it is done.
    """

    def __init__(self, stream: AsyncResponseStream | TurnStream, background: BackgroundLoop) -> None:
        self.error: CometError | None = None
        self._stream = stream
        self._background = background
        self._events: deque[Event] = deque()
        self._changed = threading.Event()
        self._is_done = threading.Event()
        self._is_stopped = False
        self._response: Response | None = None
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._future: concurrent.futures.Future[None] = background.start(self._run())
        # A task cancelled before its first step never runs; then nobody else would wake those who wait.
        self._future.add_done_callback(lambda _: self._finish())

    @property
    def is_done(self) -> bool:
        """True once the call has ended, whatever its end, and its row is written."""
        return self._is_done.is_set()

    @property
    def waiting(self) -> str | None:
        """Why nothing comes just now, during a wait before a retry."""
        return self._stream.waiting

    @property
    def body(self) -> dict[str, Any]:
        """The request as it is sent; of several, the first."""
        return self._stream.body

    @property
    def notes(self) -> tuple[str, ...]:
        """What was settled, let through or capped before sending."""
        return self._stream.notes

    @property
    def response(self) -> Response:
        """The response so far; a snapshot taken on the thread that folds it."""
        if self._response is not None:
            return self._response
        return self._background.run(self._snapshot())

    def batches(self, period_s: float, idle_s: float | None = None) -> Iterator[list[Event]]:
        """Yield what has come since the last batch, at once when something comes but at most once a period.

        The first text is not kept waiting because its announcement was a batch of its own: periods begin with it.

        Parameters
        ----------
        period_s : float
            Seconds between two batches.
        idle_s : float, optional
            Yield an empty batch when nothing has come for this long.

        Raises
        ------
        KeyboardInterrupt
            As soon as the kernel is interrupted; the call goes on until `stop`.
        """
        has_begun = False
        while True:
            if not self.is_done:
                wait_for(self._changed, idle_s)
            self._changed.clear()
            is_done = self.is_done
            batch = [self._events.popleft() for _ in range(len(self._events))]
            yield batch
            if is_done and not self._events:
                return
            has_begun = has_begun or any(event.type in APPENDED for event in batch)
            if not self.is_done:
                wait_for(self._is_done, period_s if has_begun else min(period_s, _ANNOUNCED_S))

    def wait(self) -> Response:
        """Wait for the end and return the response.

        Raises
        ------
        CometError
            What the service or the wire says.
        """
        wait_for(self._is_done, None)
        return self.result()

    def result(self) -> Response:
        """Return the finished response, or raise why there is none."""
        if self._failure is not None:
            raise self._failure
        if self.error is not None:
            raise self.error
        return self.response

    def ask_to_stop(self) -> None:
        """End the call soon, from any thread, without waiting for it."""
        if not self.is_done:
            self._background.loop.call_soon_threadsafe(self._cancel)

    def stop(self) -> Response:
        """End the call now: the connection is closed, what came is kept, the row is written."""
        self.ask_to_stop()
        wait_for(self._is_done, _STOP_WITHIN_S)
        return self.response

    def _cancel(self) -> None:
        # A second time would break off what the first has begun: the closing of the connection.
        if self._is_stopped:
            return
        self._is_stopped = True
        # Cancelling the future instead would call it done before the task has closed its connection.
        if self._task is not None:
            self._task.cancel()
        else:
            self._future.cancel()

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        try:
            async with self._stream:
                async for event in self._stream:
                    self._events.append(event)
                    if not self._changed.is_set():
                        self._changed.set()
        except CometError as error:
            self.error = error
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # it is raised again on the thread that waits
            self._failure = error
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._response is None:
            self._response = self._stream.response
        self._is_done.set()
        self._changed.set()

    async def _snapshot(self) -> Response:
        return self._stream.response
