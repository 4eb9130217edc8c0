"""A wait on an event loop that somebody else can end."""

from __future__ import annotations

import asyncio

__all__ = ["Waiter"]


class Waiter:
    """Waits for one sender, on a bare future: a task or a timeout context a token costs more than the token.

    Attributes
    ----------
    ended : bool
        True once `end` was called; from then on nothing is waited for.
    """

    def __init__(self) -> None:
        self.ended = False
        self._future: asyncio.Future[None] | None = None

    async def wait(self, seconds: float | None) -> None:
        """Wait for so many seconds, or for `end`; None is until `end`."""
        if self.ended:
            return
        loop = asyncio.get_running_loop()
        self._future = future = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _settle, future)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()

    def end(self) -> None:
        """End this wait and every later one. To be called on the loop that waits."""
        self.ended = True
        if self._future is not None:
            _settle(self._future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
