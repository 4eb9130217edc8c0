"""The background thread and its event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from cometnb.session.loop import BackgroundLoop


@pytest.fixture
def background() -> Iterator[BackgroundLoop]:
    """A loop that is closed after the test."""
    loop = BackgroundLoop("test-loop")
    yield loop
    loop.close()


def test_work_runs_on_a_thread_of_its_own(background: BackgroundLoop) -> None:
    """Always the same one, a daemon, started at first use."""

    async def where() -> threading.Thread:
        return threading.current_thread()

    first, second = background.run(where()), background.run(where())
    assert first is second
    assert first is not threading.current_thread()
    assert (first.name, first.daemon) == ("test-loop", True)


def test_errors_come_back(background: BackgroundLoop) -> None:
    """What the work raises is raised where it is waited for."""

    async def fail() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        background.run(fail())


def _main_thread_waits() -> bool:
    """Tell whether the thread that asked is in its wait; an interrupt before that is another matter."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if frame.f_code is concurrent.futures.wait.__code__:
            return True
        frame = frame.f_back
    return False


def test_an_interrupt_ends_the_wait_and_the_work(background: BackgroundLoop) -> None:
    """Ctrl-C while the main thread waits raises KeyboardInterrupt there, and cancels the work."""
    ended = threading.Event()

    async def work() -> None:
        try:
            while not _main_thread_waits():
                await asyncio.sleep(0.001)
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        background.run(work())
    assert ended.wait(30)


def test_closing_cancels_what_runs() -> None:
    """Work is told to end and may clean up, and the thread is gone afterwards."""
    background = BackgroundLoop("closing")
    ended: list[str] = []
    begun = threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    future = background.start(work())
    assert begun.wait(30)
    background.close()
    assert ended == ["cleaned up"]
    assert future.cancelled()
    assert [thread for thread in threading.enumerate() if thread.name == "closing"] == []


def test_a_closed_loop_can_be_used_again(background: BackgroundLoop) -> None:
    """The next work starts a new thread."""

    async def answer() -> int:
        return 42

    assert background.run(answer()) == 42
    background.close()
    background.close()
    assert background.run(answer()) == 42
