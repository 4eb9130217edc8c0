"""Who says whether a function may run: a person who is asked, or nobody."""

from __future__ import annotations

import asyncio

from cometnb.protocol.response import FunctionCall

__all__ = ["REFUSED", "Questions", "refuse_all"]

REFUSED = "The user did not allow this call. Do not try it again; go on without it, or ask what to do."
"""What the model is told of a call that was not allowed."""


def refuse_all(call: FunctionCall) -> asyncio.Future[bool]:
    """Refuse every call: where nobody can be asked, nothing is allowed."""
    refused: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    refused.set_result(False)
    return refused


class Questions:
    """Asks a person, and waits without holding the session's thread; the answer may come from any thread.

    An answer counts for the one question that is open. A second press of a button is no answer to a later question,
    even where a service gives the calls of every round the same ids.
    """

    def __init__(self) -> None:
        self._open: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[bool]]] = {}

    def __call__(self, call: FunctionCall) -> asyncio.Future[bool]:
        """Open the question about a call, at once, and return the answer to be awaited."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._open[call.call_id] = (loop, future)
        return future

    def answer(self, call_id: str, is_allowed: bool) -> None:
        """Answer the open question about a call; without one, nothing happens."""
        found = self._open.pop(call_id, None)
        if found is not None:
            loop, future = found
            loop.call_soon_threadsafe(_settle, future, is_allowed)


def _settle(future: asyncio.Future[bool], is_allowed: bool) -> None:
    if not future.done():
        future.set_result(is_allowed)
