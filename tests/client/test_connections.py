"""Both clients over real sockets: nothing is left open, whenever a stream is left."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import threading
import time
import warnings
from collections.abc import Iterator

import httpx
import pytest

from cometnb import errors
from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.client.server import LocalServer, running_server
from tests.client.transports import KEY

_N_STREAMS = 200


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """One server that streams at a pace at which it can be left in the middle."""
    with running_server(tokens_per_s=20_000) as running:
        yield running


def _until_idle(server: LocalServer) -> bool:
    """Wait until the server has noticed that its clients are gone; this ends as soon as that is so."""
    ends_at = time.monotonic() + 30
    while server.open_streams and time.monotonic() < ends_at:
        time.sleep(0.005)
    return server.open_streams == 0


def test_streams_closed_at_random_moments_leave_nothing(server: LocalServer) -> None:
    """After 200 streams left anywhere: no open stream, no further thread, no unclosed socket, one row each."""
    attempts: list[Attempt] = []
    chance = random.Random(1)
    threads = set(threading.enumerate())
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Client(KEY, server.base_url, observers=[attempts.append]) as client:
            for _ in range(_N_STREAMS):
                n_left = chance.randrange(1, 60)
                with client.stream("What is a monad?") as stream:
                    for n_events, _event in enumerate(stream, 1):
                        if n_events == n_left:
                            break
        gc.collect()
    assert _until_idle(server)
    assert set(threading.enumerate()) <= threads
    assert [warning.category for warning in caught] == []
    assert len(attempts) == _N_STREAMS
    assert {attempt.status for attempt in attempts} <= {"interrupted", "completed"}


def test_async_streams_cancelled_at_random_moments_leave_nothing(server: LocalServer) -> None:
    """The same with tasks that are cancelled, many at a time."""
    attempts: list[Attempt] = []
    chance = random.Random(2)

    async def left(client: AsyncClient) -> None:
        n_left = chance.randrange(1, 60)
        async with client.stream("What is a monad?") as stream:
            n_events = 0
            async for _ in stream:
                n_events += 1
                if n_events == n_left:
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()

    async def run() -> None:
        async with AsyncClient(KEY, server.base_url, observers=[attempts.append]) as client:
            for _ in range(_N_STREAMS // 20):
                await asyncio.gather(*(left(client) for _ in range(20)), return_exceptions=True)

    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(run())
        gc.collect()
    assert _until_idle(server)
    assert [warning.category for warning in caught] == []
    assert len(attempts) == _N_STREAMS
    assert {attempt.status for attempt in attempts} <= {"interrupted", "completed"}


def test_async_calls_share_a_connection(server: LocalServer) -> None:
    """A stream that was read to its end leaves its connection for the next call."""
    made: list[object] = []

    async def run() -> None:
        async with AsyncClient(KEY, server.base_url) as client:
            for _ in range(3):
                async with client.stream("Hi") as stream:
                    async for _event in stream:
                        pass
                pool = client._http._transport._pool  # type: ignore[attr-defined]  # httpx has no public way to ask
                made.extend(connection for connection in pool.connections if connection not in made)

    asyncio.run(run())
    assert len(made) == 1


@pytest.mark.parametrize("place", ["stream", "body"])
def test_silence_is_an_idle_timeout(place: str) -> None:
    """A server that stops sending is given up after the idle limit; what came is kept."""
    with (
        running_server(fault="stall") as server,
        Client(KEY, server.base_url, idle_timeout_s=0.2, max_retries=0) as client,
        pytest.raises(errors.ResponseTimeoutError, match="Nothing came from") as caught,
    ):
        client.respond("Hi", stream=place == "stream")
    assert caught.value.response is not None
    assert bool(caught.value.response.output_text) == (place == "stream")


def test_a_cut_keeps_the_text() -> None:
    """A connection dropped in the middle of an event is an interrupted stream with its text."""
    with (
        running_server(fault="cut") as server,
        Client(KEY, server.base_url) as client,
        pytest.raises(errors.StreamInterruptedError) as caught,
    ):
        client.respond("What is a monad?", stream=True)
    assert caught.value.response is not None
    assert caught.value.response.output_text
    assert caught.value.response.status == "truncated"


def test_nobody_at_the_port_is_a_connection_error() -> None:
    """The error names the URL; it is tried again, and each try is a row."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    attempts: list[Attempt] = []
    with (
        Client(KEY, url, max_retries=1, observers=[attempts.append]) as client,
        pytest.raises(errors.ConnectionFailedError, match="No connection to"),
    ):
        client.respond("Hi")
    assert [(attempt.error_code, attempt.n_retries) for attempt in attempts] == [
        ("connect", 0),
        ("connect", 1),
    ]


def test_a_sentence_of_the_wire_has_one_full_stop() -> None:
    """What httpx says ends in one of its own, and stands at the end of the error's first line."""

    def hung_up(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("Server disconnected.", request=request)

    with (
        Client(KEY, transport=httpx.MockTransport(hung_up), max_retries=0) as client,
        pytest.raises(errors.ConnectionFailedError) as raised,
    ):
        client.respond("Hi")
    assert raised.value.fact.endswith("broke: Server disconnected.")
    assert not raised.value.fact.endswith("..")


def test_a_retry_over_the_wire_waits_and_succeeds() -> None:
    """After one refusal the second attempt is the answer."""
    attempts: list[Attempt] = []
    with (
        running_server(fault="503:times=1") as server,
        Client(KEY, server.base_url, observers=[attempts.append]) as client,
    ):
        assert client.respond("Hi").status == "completed"
    assert [attempt.http_status for attempt in attempts] == [503, 200]
