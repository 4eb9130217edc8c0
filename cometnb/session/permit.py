"""Who says whether a function may run: a person who is asked, or nobody."""

from __future__ import annotations

import asyncio

from cometnb.protocol.response import FunctionCall

__all__ = ["Questions", "refuse_all"]


async def refuse_all(call: FunctionCall) -> bool:
    """Refuse every call: where nobody can be asked, nothing is allowed."""
    return False


class Questions:
    """Asks a person, and waits without holding the session's thread; the answer may come from any thread."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[bool]]] = {}
        # An answer may come before the question has begun to wait for it.
        self._early: dict[str, bool] = {}

    async def __call__(self, call: FunctionCall) -> bool:
        """Wait for the answer about a call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._open[call.call_id] = (loop, future)
        try:
            if call.call_id in self._early:
                return self._early.pop(call.call_id)
            return await future
        finally:
            self._open.pop(call.call_id, None)

    def answer(self, call_id: str, is_allowed: bool) -> None:
        """Answer the question about a call."""
        found = self._open.get(call_id)
        if found is None:
            self._early[call_id] = is_allowed
        else:
            loop, future = found
            loop.call_soon_threadsafe(_settle, future, is_allowed)


def _settle(future: asyncio.Future[bool], is_allowed: bool) -> None:
    if not future.done():
        future.set_result(is_allowed)
