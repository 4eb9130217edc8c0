"""The simulator behind a server that does wrong: each request meets one trouble of the table, in an order by seed."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cometnb.client.faults.plan import Due, Plan, checked_names
from cometnb.client.faults.requests import read_request
from cometnb.client.faults.steps import Answer, End, Pause, Step
from cometnb.client.faults.troubles import TROUBLES
from cometnb.client.loopback import Ready, address, check_place, in_thread, until_interrupted, unusable
from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.reply import Request

__all__ = ["FaultServer", "Met", "running_fault_server", "serve_faults"]

# A reset instead of an orderly end: nothing lingers (socket(7), SO_LINGER).
_AT_ONCE = struct.pack("ii", 1, 0)
_LINE = "fault_line"
_HEADER = "X-Cometnb-Fault"
_MOST_HEAD_BYTES = 2**22
# Of what is larger nobody wants to know again.
_MOST_KEPT_BYTES = 2**20


@dataclass
class Met:
    """What one request met.

    Attributes
    ----------
    number : int
        Of the request, from 1.
    method, path : str
    line : str
        The line it named for itself; empty for the common one.
    trouble : str
    is_behind_garbage : bool
        Whether its connection holds bytes that belong to no answer.
    sent : bytearray
        What was handed to the socket, head and framing included; pieces above 1 MB are left out.
    """

    number: int
    method: str
    path: str
    line: str
    trouble: str
    is_behind_garbage: bool = False
    sent: bytearray = field(default_factory=bytearray)


class FaultServer:
    """A server that does wrong.

    Parameters
    ----------
    engine : Engine
        What answers rightly.
    seed : int
    names : sequence of str
        Of the troubles to choose from.
    on_request : callable, optional
        Called with the `Met` of every request as it comes, on the server's thread.

    Attributes
    ----------
    base_url : str
        Empty until it runs.
    n_open : int
        Connections that are open now.
    n_requests : int
        Requests so far.
    is_well : bool
        Set it, and from then on nothing goes wrong any more.
    """

    def __init__(
        self,
        engine: Engine,
        seed: int,
        names: Sequence[str] = (),
        on_request: Callable[[Met], object] | None = None,
    ) -> None:
        self.base_url = ""
        self.n_open = 0
        self.n_requests = 0
        self.is_well = False
        self.engine = engine
        self._seed = seed
        self._names = checked_names(names)
        self._on_request = on_request
        self._plans: dict[str, Plan] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def serving(
        self, port: int, host: str, ready: Ready, stopped: Callable[[], Awaitable[object]]
    ) -> None:
        """Listen until it is to stop."""
        try:
            listening = await asyncio.start_server(self._connected, host, port, limit=_MOST_HEAD_BYTES)
        except OSError as error:
            raise unusable(port, host, error) from error
        try:
            self.base_url = address(host, listening.sockets[0])
            ready(self.base_url)
            await stopped()
        finally:
            listening.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        self.n_open += 1
        try:
            is_behind_garbage = False
            while (met := await self._answered(reader, writer, is_behind_garbage)) is not None:
                is_behind_garbage = is_behind_garbage or _leaves_garbage(met)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # The client went away, speaks something else, or the server is stopped: all end the connection.
            pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.n_open -= 1

    async def _answered(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_behind_garbage: bool
    ) -> Met | None:
        """Answer one request; None if the connection is to end."""
        came = await read_request(reader, writer)
        sent = _json_object(came.request.body)
        line = _line_of(sent)
        due = Plan("", ["none"]).next() if self.is_well else self._plan(line).next()
        self.n_requests += 1
        met = Met(self.n_requests, came.request.method, came.request.path, line, due.name, is_behind_garbage)
        if self._on_request is not None:
            self._on_request(met)
        for step in self._steps(came.request, sent, due):
            if not await _carried_out(step, met, reader, writer):
                return None
        return met if came.keeps_connection else None

    def _plan(self, line: str) -> Plan:
        return self._plans.setdefault(line, Plan(f"{self._seed}/{line}", self._names))

    def _steps(self, request: Request, sent: dict[str, Any], due: Due) -> Iterator[Step]:
        row = TROUBLES[due.name]
        if row.is_other_kind and request.method == "POST" and sent:
            request = request._replace(body=json.dumps({**sent, "stream": not sent.get("stream")}).encode())
        reply = self.engine.handle(request)
        # Bytes alone: how fast they go is the trouble's business.
        pieces = [action for action in reply.actions if isinstance(action, bytes)] or [b" "]
        headers = {**reply.headers, _HEADER: due.name}
        return row.steps(Answer(reply.status, headers, pieces, request.path), due.chance)


async def _carried_out(
    step: Step, met: Met, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Do what a step says; False if the connection is to end."""
    if isinstance(step, Pause):
        return await _paused(step.seconds, reader, writer)
    if isinstance(step, End):
        if step.is_reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()
        return False
    if len(step) <= _MOST_KEPT_BYTES:
        met.sent += step
    writer.write(step)
    await writer.drain()
    return True


async def _paused(seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Let time pass; False if the client has gone meanwhile. Nothing is read: that is the next request's."""
    until_s = time.monotonic() + seconds
    while not (reader.at_eof() or reader.exception() or writer.transport.is_closing()):
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return True
        await asyncio.sleep(min(left_s, 0.02))
    return False


def _leaves_garbage(met: Met) -> bool:
    """Tell whether bytes behind an answer belong to none; a 304 has no body, whatever follows it."""
    start, _, body = bytes(met.sent).partition(b"\r\n\r\n")
    return met.trouble == "garbage-behind" or (b" 304 " in start[:20] and bool(body))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return sent if isinstance(sent, dict) else {}


def _line_of(sent: Mapping[str, Any]) -> str:
    metadata = sent.get("metadata")
    return str(metadata.get(_LINE, "")) if isinstance(metadata, dict) else ""


def serve_faults(
    seed: int,
    names: Sequence[str] = (),
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    ready: Ready | None = None,
    on_request: Callable[[Met], object] | None = None,
    **settings: Any,
) -> None:
    """Serve the simulator with faults until interrupted.

    Parameters
    ----------
    seed : int
        The first request meets the first fault of the seed's order, the second the second, and so on. A request with
        ``metadata={"fault_line": NAME}`` meets the next of an order of that line's own, so that calls side by side
        meet the same faults however they overtake each other.
    names : sequence of str
        Of `TROUBLES`, to choose from; none is all of them.
    port : int
        0 takes a free one.
    host : str
        A loopback address; anything else is refused.
    ready : callable, optional
        Called once with the base URL when the server accepts connections.
    on_request : callable, optional
        Called with the `Met` of every request as it comes. An answer also names its fault in the header
        ``X-Cometnb-Fault``, where the fault lets headers through.
    **settings
        Of the engine, such as models and text. Its pace counts for nothing here.

    Raises
    ------
    ConfigError
        If the host is not loopback, the port cannot be used, or a name or setting is not possible.
    """
    check_place(port, host)
    server = FaultServer(_engine(seed, settings), seed, names, on_request)
    until_interrupted(partial(server.serving, port, host), ready)


@contextmanager
def running_fault_server(
    seed: int,
    names: Sequence[str] = (),
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    on_request: Callable[[Met], object] | None = None,
    **settings: Any,
) -> Iterator[FaultServer]:
    """Run the server in a thread of its own for the length of a ``with`` block.

    Parameters
    ----------
    seed, names, port, host, on_request, **settings
        As for `serve_faults`.

    Yields
    ------
    FaultServer

    Raises
    ------
    ConfigError
        As `serve_faults`.

    Examples
    --------
    >>> from cometnb import Client
    >>> with running_fault_server(7, ["page"]) as server, Client("any-key", server.base_url) as client:
    ...     client.respond("Hello.")
    Traceback (most recent call last):
    cometnb.errors.UnexpectedContentError: ...
    """
    check_place(port, host)
    server = FaultServer(_engine(seed, settings), seed, names, on_request)
    with in_thread(partial(server.serving, port, host)):
        yield server


def _engine(seed: int, settings: Mapping[str, Any]) -> Engine:
    return Engine(**{"seed": seed, "events_per_chunk": 1, **settings})
