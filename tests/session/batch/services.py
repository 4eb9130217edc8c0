"""Services in a few lines, as transports: one that takes only so many requests at once, and one that keeps nothing."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx

__all__ = ["Crowded", "Plain"]

_TOO_MANY = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}


class Plain(httpx.AsyncBaseTransport):
    """Answers every prompt with itself in capitals, and remembers how often it was asked, not what.

    Parameters
    ----------
    takes_s : float
        Before it answers.
    """

    backend = "simulator"

    def __init__(self, takes_s: float = 0.0) -> None:
        self.n_requests = 0
        self.takes_s = takes_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.n_requests += 1
        await asyncio.sleep(self.takes_s)
        return _answer(json.loads(request.content))


class Crowded(httpx.AsyncBaseTransport):
    """Takes only so many requests at once, and refuses the others.

    Parameters
    ----------
    room : int
    headers : dict of str to str, optional
        Of a refusal, such as ``retry-after-ms``.

    Attributes
    ----------
    came_s : list of float
        When requests came.
    refused_s : list of float
        When it has refused one.
    """

    backend = "simulator"

    def __init__(self, room: int, headers: dict[str, str] | None = None) -> None:
        self.room = room
        self.came_s: list[float] = []
        self.refused_s: list[float] = []
        self._headers = headers or {}
        self._n_inside = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or refuse it."""
        self.came_s.append(time.monotonic())
        if self._n_inside >= self.room:
            self.refused_s.append(time.monotonic())
            return httpx.Response(429, json=_TOO_MANY, headers=self._headers)
        self._n_inside += 1
        try:
            await asyncio.sleep(0.01)
        finally:
            self._n_inside -= 1
        return _answer(json.loads(request.content))


def _answer(body: dict[str, Any]) -> httpx.Response:
    part = {"type": "output_text", "text": str(body["input"]).upper(), "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 3, "output_tokens": 3, "total_tokens": 6}
    raw = {"id": "resp_1", "object": "response", "status": "completed", "model": body["model"]}
    return httpx.Response(200, json=raw | {"output": [item], "usage": usage})
