"""One background thread with one event loop, where all HTTP work of a session runs.

A cell that waits holds the kernel's main thread; work on a thread of its own goes on streaming, can be stopped by an
interrupt at once, and does not stand still while another cell computes.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from cometnb.session.short_waits import SHORT_WAIT_S

__all__ = ["BackgroundLoop"]

_T = TypeVar("_T")


# Longer than closing a connection takes; what has not ended by then is left.
_CLEAN_UP_S = 1.0


class BackgroundLoop:
    """An event loop on a daemon thread, started at its first use."""

    def __init__(self, name: str = "cometnb") -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def start(self, work: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        """Start a coroutine on the loop; the future can be cancelled from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop and wait for it; an interrupt ends the wait and cancels it."""
        future = self.start(work)
        try:
            while True:
                done, _ = concurrent.futures.wait([future], timeout=SHORT_WAIT_S)
                if done:
                    return future.result()
        except BaseException:
            future.cancel()
            raise

    def cancel(self) -> None:
        """Cancel all work, and wait until it has cleaned up."""
        with self._lock:
            loop = self._loop
        if loop is not None:
            future = asyncio.run_coroutine_threadsafe(_cancel_others(), loop)
            concurrent.futures.wait([future], timeout=2 * _CLEAN_UP_S)

    def close(self) -> None:
        """Cancel all work, and stop the loop and its thread."""
        self.cancel()
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout=2)
        if not loop.is_running():
            loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_CLEAN_UP_S)
    await asyncio.get_running_loop().shutdown_asyncgens()
