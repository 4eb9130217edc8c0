"""A service whose answer comes piece by piece, as a test lets it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx

from tests.client.transports import SSE, sse, text_events

__all__ = ["Gate"]


class Gate(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """Streams a text, and waits before every piece until the test lets it go on.

    Attributes
    ----------
    is_closed : bool
        Whether its connection has been closed.
    n_turns_to_close : int
        Turns of the loop that takes.
    """

    def __init__(self, *deltas: str) -> None:
        self._pieces = [sse(event) for event in text_events(*deltas)]
        self._allowed = threading.Semaphore(0)
        self.is_closed = False
        self.n_turns_to_close = 0

    def let_pass(self, n_pieces: int) -> None:
        """Let so many further pieces come."""
        self._allowed.release(n_pieces)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        return httpx.Response(200, headers=SSE, stream=self)

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            while not self._allowed.acquire(blocking=False):  # the test is on another thread
                await asyncio.sleep(0.001)
            yield piece

    async def aclose(self) -> None:
        """Note that the connection was closed, which takes some turns of the loop."""
        for _ in range(self.n_turns_to_close):
            await asyncio.sleep(0)
        self.is_closed = True
