"""A client behind a turnstile: every attempt waits there, and comes back once, whatever its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient
from cometnb.client.simulator import Simulator
from cometnb.client.turnstile import Pass
from cometnb.errors import CometError, RateLimitError


class _Counter:
    """Lets everybody through after a moment, and notes who came and how it ended."""

    max_returns = 3

    def __init__(self, wait_s: float = 0.0) -> None:
        self.entered: list[str] = []
        self.left: list[tuple[str, str, float | None]] = []
        self._wait_s = wait_s

    async def enter(self, call_id: str, body: Mapping[str, Any]) -> Pass:
        """Wait a moment."""
        await asyncio.sleep(self._wait_s)
        self.entered.append(str(body["input"]))
        return Pass(call_id, len(self.entered))

    def leave(self, given: Pass, attempt: Attempt, retry_after_s: float | None) -> None:
        """Note it."""
        assert given.call_id == attempt.call_id
        self.left.append((attempt.status, attempt.error_code or "", retry_after_s))


def _ask(turnstile: _Counter, simulator: Simulator, **settings: Any) -> None:
    async def asked() -> None:
        async with AsyncClient(transport=simulator, **settings) as client:
            await client.behind(turnstile).respond("Hi")

    asyncio.run(asked())


def test_every_attempt_enters_and_leaves_once() -> None:
    """Those of a retry, too."""
    turnstile = _Counter()
    _ask(turnstile, Simulator(fault="429:times=2 "), max_retries=0)
    assert turnstile.entered == ["Hi"] * 3
    assert turnstile.left == [("error", "rate_limit_exceeded", 1.0)] * 2 + [("completed", "", None)]


def test_it_may_come_back_only_so_often() -> None:
    """The turnstile says how often, and not the client's number of retries."""
    turnstile = _Counter()
    with pytest.raises(RateLimitError):
        _ask(turnstile, Simulator(fault="429"), max_retries=9)
    assert len(turnstile.left) == 1 + turnstile.max_returns


def test_waiting_there_is_not_the_services_time() -> None:
    """A call that had to wait has its whole time left."""
    _ask(_Counter(wait_s=0.5), Simulator(first_token_s=0.05), timeout_s=0.4)


def test_one_that_is_stopped_leaves_too() -> None:
    """Otherwise its place would be taken for ever."""
    turnstile = _Counter()

    async def stopped() -> None:
        client = AsyncClient(transport=Simulator(tokens_per_s=5))
        async with client, client.behind(turnstile).stream("Hi") as stream:
            async for _ in stream:
                break

    asyncio.run(stopped())
    assert [status for status, _, _ in turnstile.left] == ["interrupted"]


def test_one_that_is_stopped_while_it_waits_has_not_come() -> None:
    """Nothing is sent, and nothing leaves."""
    turnstile = _Counter(wait_s=60)

    async def stopped() -> None:
        async with AsyncClient(transport=Simulator()) as client:
            asking = asyncio.create_task(client.behind(turnstile).respond("Hi"))
            await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(stopped())
    assert (turnstile.entered, turnstile.left) == ([], [])


def test_reading_a_stream_whole_gives_what_its_events_give() -> None:
    """And raises what they raise."""

    async def both(simulator: Simulator) -> tuple[str, str]:
        async with AsyncClient(transport=simulator) as client:
            read = await client.stream("Hi").read()
            stream = client.stream("Hi")
            async for _ in stream:
                pass
            return read.output_text, stream.response.output_text

    one, other = asyncio.run(both(Simulator(text="Hello.")))
    assert one == other == "Hello."
    with pytest.raises(CometError):
        asyncio.run(both(Simulator(fault="cut")))
