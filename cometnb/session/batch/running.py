"""A batch that runs on the session's thread while another thread waits for it, or goes through its outcomes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from cometnb.errors import CometError, CometWarning
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Outcome
from cometnb.session.loop import BackgroundLoop
from cometnb.session.short_waits import wait_for

__all__ = ["Delivery", "RunningBatch"]

_STOP_WITHIN_S = 2.0


class Delivery:
    """Hands outcomes from the loop's thread to the one that takes them, a bounded number ahead.

    Parameters
    ----------
    most_ahead : int
        Outcomes that may wait to be taken, from 1; who has more to hand out waits.
    """

    def __init__(self, most_ahead: int = 64) -> None:
        self.changed = threading.Event()
        self._most_ahead = most_ahead
        self._ready: deque[Outcome] = deque()
        self._room: asyncio.Event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_open_ended = False

    async def give(self, outcome: Outcome) -> None:
        """Hand one over, as soon as there is room."""
        self._loop = asyncio.get_running_loop()
        while len(self._ready) >= self._most_ahead and not self._is_open_ended:
            self._room.clear()
            await self._room.wait()
        self._ready.append(outcome)
        self.changed.set()

    def taken(self) -> Iterator[Outcome]:
        """Yield what has come, on the other thread.

        Each is taken off when the next is asked for: an interrupt in between gives it once more and loses none.
        """
        self.changed.clear()
        while self._ready:
            outcome = self._ready[0]
            yield outcome
            if self._ready and self._ready[0] is outcome:
                self._ready.popleft()
                self._make_room()

    def open(self) -> None:
        """Let everything come that is on its way, however much it is: the end is near."""
        self._is_open_ended = True
        self._make_room()

    def _make_room(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._room.set)


class RunningBatch:
    """A batch in progress.

    Parameters
    ----------
    run : BatchRun
        Not started; its outcomes go to `delivery`.
    background : BackgroundLoop
    delivery : Delivery

    Attributes
    ----------
    run : BatchRun
        For its counts, notes, window and pause.
    """

    def __init__(self, run: BatchRun, background: BackgroundLoop, delivery: Delivery) -> None:
        self.run = run
        self._delivery = delivery
        self._is_done = threading.Event()
        self._has_warned = False
        self._failure: BaseException | None = None
        self._future: concurrent.futures.Future[None] = background.start(run.run())
        self._future.add_done_callback(self._finish)

    @property
    def is_done(self) -> bool:
        """True once it has ended, whatever its end, and every answer that arrived is kept."""
        return self._is_done.is_set()

    @property
    def error(self) -> CometError | None:
        """Why it ended early; None if it did not, or was asked to."""
        return self.run.error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_done:
            self.stop()

    def outcomes(self, idle_s: float | None = None) -> Iterator[Outcome | None]:
        """Yield each job's outcome as it comes, on this thread; the batch waits for a slow reader.

        Parameters
        ----------
        idle_s : float, optional
            Yield None when nothing has come for so many seconds, to move a clock.

        Raises
        ------
        KeyboardInterrupt
            When the batch has been stopped, which takes a moment; call `rest` for what had arrived.
        Exception
            What the jobs' iterator raised.

        Notes
        -----
        A reader that leaves the loop early has stopped the batch. An exception in the body of the loop does not
        reach this generator: use the batch as a context manager, which stops it then. The outcome at which the loop
        was left, or interrupted, comes once more in `rest`.
        """
        try:
            is_done = False
            while not is_done:
                is_done = self.is_done
                yield from self._delivery.taken()
                if not self.is_done and not wait_for(self._delivery.changed, idle_s):
                    yield None
                self._warn()
        finally:
            if not self.is_done:
                self.stop()
        self._check()

    def rest(self) -> Iterator[Outcome]:
        """Yield the outcomes that nobody has taken yet, such as those that came while it was being stopped."""
        return self._delivery.taken()

    def wait(self, on_outcome: Callable[[Outcome], object] | None = None) -> None:
        """Wait for the end, handing each outcome to `on_outcome` on this thread.

        Raises
        ------
        KeyboardInterrupt
            When the batch has been stopped and the answers that had arrived have been handed over, the one at which
            the interrupt came perhaps twice.
        Exception
            What the jobs' iterator or `on_outcome` raised. An error that ended the batch is in `error`.
        """
        take = on_outcome or _drop
        try:
            for outcome in self.outcomes():
                if outcome is not None:
                    take(outcome)
        except BaseException as error:
            self.stop()
            if isinstance(error, KeyboardInterrupt):
                for outcome in self.rest():
                    take(outcome)
            raise

    def ask_to_stop(self) -> None:
        """End it soon, from any thread, without waiting for it."""
        self._delivery.open()
        self.run.ask_to_stop()

    def stop(self) -> None:
        """End it now: what is on its way is cut off, what has arrived is kept and handed out."""
        self.ask_to_stop()
        wait_for(self._is_done, _STOP_WITHIN_S)

    def _finish(self, future: concurrent.futures.Future[None]) -> None:
        if not future.cancelled():
            self._failure = future.exception()
        self._is_done.set()
        self._delivery.changed.set()

    def _check(self) -> None:
        self._warn()
        if self._failure is not None:
            raise self._failure

    def _warn(self) -> None:
        """Say once that answers do not reach the file, on the thread that somebody watches."""
        trouble = self.run.trouble
        if trouble is None or self._has_warned:
            return
        self._has_warned = True
        caller = sys._getframe()
        while caller.f_back is not None and str(caller.f_globals.get("__name__")).startswith("cometnb."):
            caller = caller.f_back
        # With a registry of its own it is said in every run, and not once in a kernel.
        warnings.warn_explicit(
            f"The checkpoint cannot be written: {trouble}. The answers are kept in memory, and written when there"
            " is room again; until then they are lost with the kernel.",
            CometWarning,
            caller.f_code.co_filename,
            caller.f_lineno,
            registry={},
        )


def _drop(_: Outcome) -> None:
    """Without a receiver outcomes are in the checkpoint only."""
