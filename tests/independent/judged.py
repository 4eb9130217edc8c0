"""Transports that carry the SDK's requests over a real socket, and keep what came back to be judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx2

from tests.independent.types_of import misfits

__all__ = ["AsyncJudged", "Judged", "Reply"]


@dataclass
class Reply:
    """One reply: what it answered, and the bytes that were read of it."""

    method: str
    path: str
    status: int
    content_type: str
    body: bytearray = field(default_factory=bytearray)

    def misfits(self) -> list[str]:
        """Return what is wrong with it by the SDK's types."""
        return misfits(self.method, self.path, self.status, self.content_type, bytes(self.body))


class _Noted(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, stream: object, reply: Reply) -> None:
        self._stream, self._reply = stream, reply

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx2.SyncByteStream)
        for chunk in self._stream:
            self._reply.body += chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx2.AsyncByteStream)
        async for chunk in self._stream:
            self._reply.body += chunk
            yield chunk

    def close(self) -> None:
        assert isinstance(self._stream, httpx2.SyncByteStream)
        self._stream.close()

    async def aclose(self) -> None:
        assert isinstance(self._stream, httpx2.AsyncByteStream)
        await self._stream.aclose()


def _noted(request: httpx2.Request, response: httpx2.Response, replies: list[Reply]) -> httpx2.Response:
    kind = response.headers.get("content-type", "")
    replies.append(Reply(request.method, request.url.path, response.status_code, kind))
    response.stream = _Noted(response.stream, replies[-1])
    return response


class Judged(httpx2.HTTPTransport):
    """The network, sync, with every reply kept in `replies`."""

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__()
        self._replies = replies

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, and note what comes back."""
        return _noted(request, super().handle_request(request), self._replies)


class AsyncJudged(httpx2.AsyncHTTPTransport):
    """The network, async, with every reply kept in `replies`."""

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__()
        self._replies = replies

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, and note what comes back."""
        return _noted(request, await super().handle_async_request(request), self._replies)
