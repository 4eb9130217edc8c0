"""Requests that are sent from the workers of a Dask cluster: a transport whose sockets are on other machines.

Everything else of a call stays in the process that makes it: limits, budgets, retries and the ledger's rows. So they
are one for all workers, and nothing has to be brought together afterwards; a worker that dies takes with it only the
requests that were on their way through it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from cometnb._extras import extra
from cometnb.client.decoded import Kept, async_body
from cometnb.client.logged import hide_in_logs
from cometnb.client.pools import LIMITS
from cometnb.client.simulator import Simulator
from cometnb.errors import ConfigError

__all__ = ["LOSSES", "Came", "Errand", "WorkerTransport", "drop", "run_errand"]

LOSSES: ContextVar[list[str] | None] = ContextVar("cometnb_losses", default=None)
"""Where the transport notes workers that were lost with a request of the current task."""

# How often it is looked which workers there are.
_LOOK_EVERY_S = 0.5
_FAULTS: dict[str, type[httpx.HTTPError]] = {
    kind.__name__: kind
    for kind in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        httpx.DecodingError,
        httpx.RemoteProtocolError,
    )
}


@dataclass(frozen=True, slots=True)
class Errand:
    """One request for a worker to send. Its headers hold the key: they are in no repr, and so in no log of Dask.

    Attributes
    ----------
    errand_id : str
    method, url : str
    headers : list of (bytes, bytes)
    content : bytes
    timeout : dict
        httpx's limits in seconds.
    simulator : dict or None
        Settings of the simulator that answers in the worker; None is the network.
    """

    errand_id: str
    method: str
    url: str
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    content: bytes = field(repr=False)
    timeout: Mapping[str, float | None]
    simulator: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """What came of an errand.

    Attributes
    ----------
    status : int
        0 if no answer began.
    headers : list of (bytes, bytes)
    body : bytes
        All of it, or what came before the fault; decoded.
    fault, words : str
        The name of httpx's exception and what it says; empty if the answer is whole.
    """

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = field(default=b"", repr=False)
    fault: str = ""
    words: str = ""


class WorkerTransport(httpx.AsyncBaseTransport):
    """Sends each request from the worker that has the fewest on their way.

    Parameters
    ----------
    executor : distributed.Client
        Of the cluster; a connection of its own is made to the same scheduler.
    local : httpx transport or None
        What answers without a cluster: None is the network, which the workers then use; a Simulator is made anew in
        each worker.
    timeout_s : float
        After this nobody waits for a worker any more.

    Raises
    ------
    ConfigError
        `executor` is no Dask client, or `local` exists in this process only.
    MissingExtraError
        The package distributed is not installed.
    """

    def __init__(self, executor: Any, local: Any, timeout_s: float) -> None:
        with extra("dask", "A batch on many machines"):
            import distributed
        if not isinstance(executor, distributed.Client):
            raise ConfigError(
                f"executor is a {type(executor).__module__}.{type(executor).__qualname__}, and no client of Dask.",
                "Give executor=distributed.Client(...).",
            )
        if local is not None and not isinstance(local, Simulator):
            raise ConfigError(
                f"The workers cannot use a {type(local).__name__}, which is in this process only.",
                "Leave executor out, or use the API or the simulator.",
            )
        self._timeout_s = timeout_s
        self._executor: Any = executor
        self._simulator = None if local is None else _settings(local)
        self._client: Any = None
        self._workers: list[str] = []
        self._gone: dict[str, asyncio.Future[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._on_the_way: Counter[str] = Counter()
        self._lost: set[str] = set()
        self._dropping: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Connect to the scheduler, on the loop that will send the requests."""
        import distributed

        client: Any = distributed.Client
        self._client = await client(
            self._executor.scheduler.address,
            security=self._executor.security,
            asynchronous=True,
            set_as_default=False,
            name="cometnb",
        )
        self._watching = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Disconnect; the cluster goes on."""
        client, self._client = self._client, None
        if self._watching is not None:
            self._watching.cancel()
        if self._dropping:
            await asyncio.wait(self._dropping, timeout=1.0)
        if client is not None:
            await client.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Have a worker send a request, and return what came when it is whole."""
        errand = Errand(
            uuid.uuid4().hex,
            request.method,
            str(request.url),
            list(request.headers.raw),
            await request.aread(),
            dict(request.extensions.get("timeout") or {}),
            self._simulator,
        )
        worker = await self._chosen()
        self._on_the_way[worker] += 1
        try:
            came = await self._run(worker, errand)
        finally:
            self._on_the_way[worker] -= 1
        if came.fault and not came.status:
            raise _FAULTS.get(came.fault, httpx.ReadError)(came.words)
        # It is decoded already; its length was that of the bytes on the wire.
        headers = [
            (n, v) for n, v in came.headers if n.lower() not in (b"content-encoding", b"content-length")
        ]
        return httpx.Response(came.status, headers=headers, stream=_Body(came))

    async def _run(self, worker: str, errand: Errand) -> Came:
        asked = asyncio.ensure_future(
            self._client.run(run_errand, errand, workers=[worker], on_error="return")
        )
        gone = self._gone.setdefault(worker, asyncio.get_running_loop().create_future())
        try:
            # Dask itself would try for half a minute to reach a worker that died at this moment.
            await asyncio.wait({asked, gone}, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
            came = asked.result().get(worker) if asked.done() else None
        except asyncio.CancelledError:
            self._drop(worker, errand)
            raise
        except Exception as error:  # whatever Dask raises where its scheduler is gone
            raise httpx.ReadError(f"the Dask cluster does not answer: {error}") from error
        finally:
            asked.cancel()
        if isinstance(came, Came):
            return came
        if came is None and not gone.done():
            self._drop(worker, errand)
            raise httpx.ReadTimeout(f"nothing came from the worker {worker}")
        self._lost.add(worker)
        losses = LOSSES.get()
        if losses is not None:
            losses.append(worker)
        raise httpx.ReadError(f"the worker {worker} was lost with the request")

    def _drop(self, worker: str, errand: Errand) -> None:
        """Have a worker end a request that nobody waits for, so that it does not go on costing."""
        if self._client is None:
            return
        dropping = asyncio.ensure_future(
            self._client.run(drop, errand.errand_id, workers=[worker], on_error="ignore")
        )
        self._dropping.add(dropping)
        dropping.add_done_callback(self._dropping.discard)

    async def _chosen(self) -> str:
        if self._client is None:
            raise httpx.ConnectError("there is no connection to the Dask cluster")
        living = [worker for worker in self._workers if worker not in self._lost]
        if not living:
            await self._look()
            living = [worker for worker in self._workers if worker not in self._lost]
        if not living:
            raise httpx.ConnectError("the Dask cluster has no workers")
        return min(living, key=lambda worker: self._on_the_way[worker])

    async def _watch(self) -> None:
        """See workers come and go; whoever waits for one that is gone is told."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            # A scheduler that does not answer is noticed by the requests.
            with suppress(httpx.HTTPError):
                await self._look()
            for worker, gone in list(self._gone.items()):
                if worker not in self._workers and not gone.done():
                    gone.set_result(None)

    async def _look(self) -> None:
        try:
            self._workers = list(await self._client.nthreads())
        except Exception as error:
            raise httpx.ConnectError(f"the Dask cluster does not answer: {error}") from error


class _Body(httpx.AsyncByteStream):
    """A body that has come, and the fault at its end, if there was one."""

    def __init__(self, came: Came) -> None:
        self._came = came

    async def __aiter__(self) -> Any:
        if self._came.body:
            yield self._came.body
        if self._came.fault:
            raise _FAULTS.get(self._came.fault, httpx.ReadError)(self._came.words)


def _settings(simulator: Simulator) -> dict[str, Any]:
    """Return a simulator's settings, which a worker makes its own of; waits are the worker's own."""
    own = {"sleep", "async_sleep"}
    return {one.name: getattr(simulator, one.name) for one in fields(simulator) if one.name not in own}


# What follows runs in a worker, on its event loop.

_Clients = dict[str, httpx.AsyncClient]
_CLIENTS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()
_RUNNING: dict[str, asyncio.Task[Any]] = {}


async def run_errand(errand: Errand) -> Came:
    """Send a request, and return what came of it; it raises nothing, so that Dask has nothing to log."""
    task = asyncio.current_task()
    if task is not None:
        _RUNNING[errand.errand_id] = task
    try:
        return await _sent(errand)
    except asyncio.CancelledError:
        return Came(fault="ReadError", words="the request was dropped")
    except Exception as error:  # noqa: BLE001  # told by its name, in the process that asked
        return Came(fault=type(error).__name__, words=str(error) or type(error).__name__)
    finally:
        _RUNNING.pop(errand.errand_id, None)


async def drop(errand_id: str) -> None:
    """End a request that nobody waits for."""
    task = _RUNNING.get(errand_id)
    if task is not None:
        task.cancel()


async def _sent(errand: Errand) -> Came:
    http = _client(errand.simulator)
    for name, value in errand.headers:
        if name.lower() == b"authorization":
            hide_in_logs(value.decode("latin-1").removeprefix("Bearer "))
    request = http.build_request(
        errand.method, errand.url, headers=errand.headers, content=errand.content, timeout=_timeout(errand)
    )
    response = await http.send(request, stream=True)
    kept = Kept()
    fault = words = ""
    try:
        async for piece in async_body(response):
            if (too_much := kept.take(piece)) is not None:
                fault, words = "ReadError", too_much.message
                break
    except httpx.HTTPError as error:
        fault, words = type(error).__name__, str(error) or type(error).__name__
    finally:
        await response.aclose()
    return Came(response.status_code, list(response.headers.raw), kept.whole(), fault, words)


def _timeout(errand: Errand) -> httpx.Timeout:
    known = {name: errand.timeout.get(name) for name in ("connect", "read", "write", "pool")}
    return httpx.Timeout(**known)


def _client(simulator: Mapping[str, Any] | None) -> httpx.AsyncClient:
    """Return the worker's client, which keeps its connections from one request to the next."""
    clients = _CLIENTS.setdefault(asyncio.get_running_loop(), {})
    name = repr(simulator)
    if name not in clients:
        clients[name] = httpx.AsyncClient(
            transport=None if simulator is None else Simulator(**simulator),
            limits=LIMITS,
            follow_redirects=False,
        )
    return clients[name]
