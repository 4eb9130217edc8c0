"""The body of an answer that is made in this process, as httpx reads it: bytes, waits, and a connection that breaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import closing, suppress

import httpx

from cometnb.client.simulator.pace import Schedule
from cometnb.client.simulator.reply import Action, Break, Wait
from cometnb.client.simulator.waiter import Waiter

__all__ = ["PacedBody"]

# Without waits a stream would never leave the loop to others, who may want to cancel it.
_TURN_BYTES = 16_384


class PacedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Carries out the actions of an answer for either kind of client.

    Parameters
    ----------
    actions : generator of Action
        Closing it ends the work.
    read_timeout_s : float or None
        The client's limit between two pieces.
    sleep, async_sleep : callable, optional
        Called with seconds instead of waiting.
    """

    def __init__(
        self,
        actions: Generator[Action, None, None],
        read_timeout_s: float | None,
        sleep: Callable[[float], object] | None,
        async_sleep: Callable[[float], Awaitable[object]] | None,
    ) -> None:
        self._actions = actions
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
                    raise httpx.RemoteProtocolError(action.words)
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
