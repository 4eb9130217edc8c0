"""Servers on this machine only: where they may listen, and how they run in a thread or until interrupted."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from socket import socket
from typing import TypeAlias

from cometnb.errors import ConfigError

__all__ = ["Ready", "Serving", "address", "check_place", "in_thread", "until_interrupted", "unusable"]

_LAST_PORT = 65_535

Ready: TypeAlias = Callable[[str], None]
"""Is called once with the base URL when connections are accepted."""

Serving: TypeAlias = Callable[[Ready, Callable[[], Awaitable[object]]], Awaitable[None]]
"""Serves, tells who waits for it that it is ready, and ends when what the second callable returns has come."""


def check_place(port: int, host: str) -> None:
    """Refuse a place that others can reach, or that there is not.

    Raises
    ------
    ConfigError
        The host is not loopback, or the port not from 0 to 65,535.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"host={host!r} is not a loopback address; the simulator answers anyone who can reach it.",
            'Use host="127.0.0.1".',
        )
    # Name resolution takes a port modulo 65,536 and would listen on another one without a word.
    if not 0 <= port <= _LAST_PORT:
        raise ConfigError(
            f"Port {port} is not from 0 to {_LAST_PORT}.", "Give another port, or 0 for a free one."
        )


def unusable(port: int, host: str, error: OSError) -> ConfigError:
    """Return the error for a port that cannot be listened on."""
    return ConfigError(
        f"Port {port} on {host} cannot be used: {error}.", "Give another port, or 0 for a free one."
    )


def address(host: str, listening: socket) -> str:
    """Return the base URL of a socket that listens."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/v1"


def until_interrupted(serving: Serving, ready: Ready | None) -> None:
    """Serve on this thread until Ctrl-C."""

    async def work() -> None:
        await serving(ready or _ignore, asyncio.Event().wait)

    with suppress(KeyboardInterrupt):
        asyncio.run(work())


@contextmanager
def in_thread(serving: Serving) -> Iterator[str]:
    """Serve in a thread of its own for the length of a ``with`` block, and yield the base URL."""
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def work() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def ready(base_url: str) -> None:
            started.set_result((base_url, partial(loop.call_soon_threadsafe, stop.set)))

        try:
            await serving(ready, stop.wait)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=asyncio.run, args=(work(),), name="cometnb-server", daemon=True)
    thread.start()
    base_url, stop = started.result()
    try:
        yield base_url
    finally:
        # A server that broke has closed its loop already.
        with suppress(RuntimeError):
            stop()
        thread.join()


def _ignore(_: object) -> None:
    """The ready call has nobody to tell."""
