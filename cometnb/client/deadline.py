"""The limit for a whole call, kept where bytes are read: httpx itself knows limits between two of them only.

A server that sends a header, an informational answer or a compressed nothing every few seconds never gives httpx a
reason to return. So every read of a connection also waits no longer than until the deadline of the request on it.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

import httpcore
import httpx

__all__ = ["bound", "cut_to", "due_in"]

_DUE_S: ContextVar[float] = ContextVar("cometnb_due_s", default=math.inf)


@contextmanager
def due_in(seconds: float) -> Iterator[None]:
    """Give the request that is sent in this block so long, its whole answer included."""
    token = _DUE_S.set(monotonic() + seconds)
    try:
        yield
    finally:
        _DUE_S.reset(token)


def bound(http: httpx.Client | httpx.AsyncClient) -> None:
    """Let the connections of a client keep `due_in`; those of a transport that is not httpx's own stay as they are."""
    for transport in (http._transport, *http._mounts.values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if isinstance(backend, httpcore.NetworkBackend):
            pool._network_backend = _Backend(backend)  # type: ignore[union-attr]  # it has one
        elif isinstance(backend, httpcore.AsyncNetworkBackend):
            pool._network_backend = _AsyncBackend(backend)  # type: ignore[union-attr]


def cut_to(answer: httpx.Response, seconds: float) -> bool:
    """Give the rest of an answer at most so long; False if its connection keeps no deadlines."""
    stream = answer.extensions.get("network_stream")
    if not isinstance(stream, _Due):
        return False
    stream.cut_to(seconds)
    return True


def _within(timeout_s: float | None, due_s: float) -> float | None:
    """Return how long to wait at most.

    Raises
    ------
    httpcore.ReadTimeout
        No time is left.
    """
    if due_s == math.inf:
        return timeout_s
    left_s = due_s - monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the time for the whole answer is over")
    return left_s if timeout_s is None else min(timeout_s, left_s)


class _Due:
    """Until when a stream may be read."""

    _due_s: float

    def cut_to(self, seconds: float) -> None:
        """Give what is read from now on at most so long."""
        self._due_s = min(self._due_s, monotonic() + seconds)


class _Stream(_Due, httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._due_s = math.inf

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, self._due_s))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Every request begins with a write, in the context that sends it; its answer may be read in another one.
        self._due_s = _DUE_S.get()
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(self._backend.connect_tcp(*args, **options))

    def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(self._backend.connect_unix_socket(*args, **options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _AsyncStream(_Due, httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._due_s = math.inf

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's own
        return await self._stream.read(max_bytes, _within(timeout, self._due_s))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._due_s = _DUE_S.get()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._backend.connect_tcp(*args, **options))

    async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._backend.connect_unix_socket(*args, **options))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
