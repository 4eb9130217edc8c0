"""The simulator as an httpx transport, synchronous and not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from cometnb.client.simulator import Simulator
from tests.client.simulator.talk import EMPTY, asked, raw

_STREAM = {**EMPTY, "stream": True}


def _http(simulator: Simulator, **settings: Any) -> httpx.Client:
    return httpx.Client(transport=simulator, base_url="http://simulator/v1", **settings)


def _async_http(simulator: Simulator, **settings: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=simulator, base_url="http://simulator/v1", **settings)


async def _collected(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def test_it_names_itself_as_the_backend() -> None:
    """What it answers is never taken for the service's."""
    assert Simulator().backend == "simulator"


def test_both_kinds_of_client_get_the_same_bytes() -> None:
    """One engine, two shells."""

    async def streamed() -> bytes:
        async with (
            _async_http(Simulator(text="Hello there")) as http,
            http.stream("POST", "/responses", json=_STREAM) as answer,
        ):
            return await _collected(answer.aiter_raw())

    def settled(data: bytes) -> list[bytes]:
        return [line for line in data.split(b"\n") if b"created_at" not in line]

    assert settled(asyncio.run(streamed())) == settled(raw(Simulator(text="Hello there")))


def test_the_pace_is_asked_of_the_given_sleep() -> None:
    """First the delay, then a gap for each token of reasoning and text; nothing really waits."""
    slept: list[float] = []
    simulator = Simulator(tokens_per_s=0.01, first_token_s=30, text="one two three", sleep=slept.append)
    with _http(simulator, timeout=None) as http:
        http.post("/responses", json={**_STREAM, "model": "gpt-4.1"})
    assert slept == pytest.approx([30, 100, 100, 100], rel=0.01)


def test_a_body_takes_as_long_as_its_tokens() -> None:
    """One wait for all of it."""
    slept: list[float] = []
    simulator = Simulator(tokens_per_s=0.01, first_token_s=30, text="one two three", sleep=slept.append)
    with _http(simulator, timeout=None) as http:
        http.post("/responses", json={**EMPTY, "model": "gpt-4.1"})
    assert slept == pytest.approx([330], rel=0.01)


def test_the_asynchronous_pace_is_asked_of_its_own_sleep() -> None:
    """The same waits."""
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    async def work() -> None:
        simulator = Simulator(tokens_per_s=0.01, text="one two", async_sleep=note)
        async with _async_http(simulator, timeout=None) as http:
            await http.post("/responses", json={**_STREAM, "model": "gpt-4.1"})

    asyncio.run(work())
    assert slept == pytest.approx([100, 100], rel=0.01)


def test_closing_in_mid_stream_ends_the_work() -> None:
    """Nothing is left open."""
    simulator = Simulator(events_per_chunk=1)
    with _http(simulator) as http, http.stream("POST", "/responses", json=_STREAM) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        assert simulator.open_streams == 1
    assert simulator.open_streams == 0


@pytest.mark.parametrize("settings", [{"fault": "stall"}, {"first_token_s": 3600.0}])
def test_closing_from_another_thread_ends_a_wait(settings: dict[str, Any]) -> None:
    """A stop button does not wait for the next token."""
    simulator = Simulator(**settings)
    with _http(simulator, timeout=None) as http, http.stream("POST", "/responses", json=_STREAM) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        reader = threading.Thread(target=lambda: list(chunks), daemon=True)
        reader.start()
        answer.stream.close()  # type: ignore[union-attr]  # what another thread's stop comes to
        reader.join(30)
        assert not reader.is_alive()
    assert simulator.open_streams == 0


async def _cancelled(answer: httpx.Response, reader: asyncio.Task[bytes]) -> None:
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader


async def _closed(answer: httpx.Response, reader: asyncio.Task[bytes]) -> None:
    await answer.stream.aclose()  # type: ignore[union-attr]  # what another task's stop comes to
    await reader


@pytest.mark.parametrize("settings", [{"fault": "stall"}, {"first_token_s": 3600.0}])
@pytest.mark.parametrize("stop", [_cancelled, _closed])
def test_a_task_that_waits_can_be_stopped(
    settings: dict[str, Any], stop: Callable[[httpx.Response, asyncio.Task[bytes]], Any]
) -> None:
    """By cancelling it, or by closing the response from another task."""

    async def work() -> int:
        simulator = Simulator(**settings)
        async with (
            _async_http(simulator, timeout=None) as http,
            http.stream("POST", "/responses", json=_STREAM) as answer,
        ):
            reader = asyncio.create_task(_collected(answer.aiter_raw()))
            for _ in range(10):
                await asyncio.sleep(0)
            assert simulator.open_streams == 1
            await stop(answer, reader)
        return simulator.open_streams

    assert asyncio.run(work()) == 0


def test_a_stream_without_waits_leaves_turns_to_others() -> None:
    """A long one can be cancelled before it is through."""

    async def work() -> int:
        simulator = Simulator(text="word " * 50_000)
        async with _async_http(simulator) as http:
            reader = asyncio.create_task(http.post("/responses", json=_STREAM))
            for _ in range(10):
                await asyncio.sleep(0)
            assert simulator.open_streams == 1
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
        return simulator.open_streams

    assert asyncio.run(work()) == 0


def test_the_asynchronous_stall_ends_with_the_clients_own_limit() -> None:
    """As a real connection does."""

    async def at_once(_: float) -> None:
        return

    async def work() -> None:
        simulator = Simulator(fault="stall", async_sleep=at_once)
        async with _async_http(simulator, timeout=60) as http:
            with pytest.raises(httpx.ReadTimeout):
                await http.post("/responses", json=_STREAM)

    asyncio.run(work())


def test_a_gap_longer_than_the_clients_limit_is_a_timeout() -> None:
    """The limit is between chunks, not for the whole."""
    simulator = Simulator(tokens_per_s=0.01, sleep=lambda _: None, text="one two three")
    with _http(simulator, timeout=5) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/responses", json=_STREAM)
    with _http(simulator, timeout=200) as http:
        assert http.post("/responses", json={**_STREAM, "model": "gpt-4.1"}).status_code == 200


def test_many_threads_may_share_one() -> None:
    """Ids stay unique, and no stream stays open."""
    simulator = Simulator(text="word " * 200)
    ids: list[str] = []

    def work() -> None:
        ids.extend(asked(simulator)["id"] for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 160
    assert simulator.open_streams == 0
