"""What a worker of a cluster does with a request, without a cluster; and that the key is in nothing that is shown."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from cometnb.client.on_workers import Came, Errand, WorkerTransport, drop, run_errand
from cometnb.client.simulator import Simulator
from cometnb.errors import ConfigError, MissingExtraError

_KEY = b"sk-canary-1234567890abcdef"


def _errand(body: bytes = b'{"model": "gpt-5.4", "input": "Hi"}', **simulator: Any) -> Errand:
    headers = [(b"authorization", b"Bearer " + _KEY), (b"content-type", b"application/json")]
    return Errand("id", "POST", "http://somewhere/v1/responses", headers, body, {"read": 5.0}, simulator)


def test_a_request_is_sent_and_comes_back_whole() -> None:
    """By the simulator of the worker, made from its settings."""
    came = asyncio.run(run_errand(_errand(text="Hello.")))
    assert (came.status, came.fault) == (200, "")
    assert b"Hello." in came.body


def test_the_key_is_in_no_repr() -> None:
    """Dask logs what tasks are given; but it does travel."""
    errand = _errand()
    assert "canary" not in repr(errand) + str(errand) + f"{[errand]}"
    assert pickle.loads(pickle.dumps(errand)) == errand  # noqa: S301


def test_a_body_that_breaks_brings_what_had_come() -> None:
    """And the name of the fault, for the process that asked."""
    came = asyncio.run(
        run_errand(_errand(b'{"model": "gpt-5.4", "input": "Hi", "stream": true}', fault="cut"))
    )
    assert came.status == 200
    assert came.body
    assert came.fault == "RemoteProtocolError"


def test_nothing_is_raised_in_a_worker() -> None:
    """Dask would log it with what it was given."""
    errand = replace(
        _errand(), simulator=None, url="http://127.0.0.1:9/v1/responses", timeout={"connect": 0.5}
    )
    came = asyncio.run(run_errand(errand))
    assert (came.status, came.fault) == (0, "ConnectError")
    assert asyncio.run(run_errand(replace(errand, url="no url at all"))).fault == "UnsupportedProtocol"


def test_a_request_that_nobody_waits_for_is_ended() -> None:
    """So that it does not go on costing."""

    async def asked() -> Came:
        running = asyncio.ensure_future(run_errand(_errand(first_token_s=60.0)))
        await asyncio.sleep(0.05)
        await drop("id")
        await drop("never heard of")
        return await running

    assert asyncio.run(asked()).words == "the request was dropped"


@pytest.mark.parametrize("executor", [None, 5, "tcp://127.0.0.1:8786"])
def test_an_executor_is_a_client_of_dask(executor: Any) -> None:
    """Anything else says so before anything is sent."""
    pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match="no client of Dask"):
        WorkerTransport(executor, None, 5.0)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"cometnb\[dask\]"):
        WorkerTransport(None, None, 5.0)


class _Cluster:
    """A scheduler in a few lines: runs what it is told at once, by the rules it is given for each worker."""

    def __init__(self, workers: dict[str, Callable[[Errand], Awaitable[Any]]]) -> None:
        self.workers = workers

    async def nthreads(self) -> dict[str, int]:
        """The workers there are."""
        return dict.fromkeys(self.workers, 1)

    async def run(self, function: Any, given: Any, *, workers: list[str], on_error: str) -> dict[str, Any]:
        """Run a function on one worker."""
        return {worker: await self.workers[worker](given) for worker in workers}

    async def close(self) -> None:
        """Disconnect."""


def _transport(cluster: _Cluster) -> WorkerTransport:
    """A transport over it, as if it had been opened."""
    distributed = pytest.importorskip("distributed")
    transport = WorkerTransport(object.__new__(distributed.Client), None, 5.0)
    transport._client = cluster
    return transport


async def _lost(errand: Errand) -> Any:
    return OSError("gone")


async def _found(errand: Errand) -> Any:
    return Came(200, [(b"content-type", b"application/json"), (b"content-length", b"9")], b"{}")


def test_a_lost_worker_is_not_answered_again() -> None:
    """Its request fails as a broken connection does; the next goes elsewhere."""

    async def asked() -> tuple[type[Exception], int]:
        async with httpx.AsyncClient(transport=_transport(_Cluster({"a": _lost, "b": _found}))) as http:
            with pytest.raises(httpx.ReadError, match="the worker a was lost") as caught:
                await http.post("http://x/v1/responses", content=b"{}")
            return type(caught.value), (await http.post("http://x/v1/responses", content=b"{}")).status_code

    assert asyncio.run(asked()) == (httpx.ReadError, 200)


def test_a_cluster_without_workers_is_no_connection() -> None:
    """Which a call tries again, as one does that is still starting."""

    async def asked() -> None:
        async with httpx.AsyncClient(transport=_transport(_Cluster({}))) as http:
            with pytest.raises(httpx.ConnectError, match="no workers"):
                await http.post("http://x/v1/responses")

    asyncio.run(asked())


def test_a_transport_of_this_process_cannot_go_along() -> None:
    """A recording, or one's own."""
    distributed = pytest.importorskip("distributed")
    executor = object.__new__(distributed.Client)
    WorkerTransport(executor, Simulator(), 5.0)
    with pytest.raises(ConfigError, match="MockTransport"):
        WorkerTransport(executor, httpx.MockTransport(lambda request: httpx.Response(200)), 5.0)
