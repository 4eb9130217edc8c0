"""The simulator behind a server that does wrong on purpose, by seed: each request meets one trouble of the table."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.reply import Request
from tests.client.faults.troubles import TROUBLES, Answer, End, Pause

__all__ = ["FaultServer", "Met", "running_fault_server"]

# A reset instead of an orderly end: nothing lingers (socket(7), SO_LINGER).
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class Met:
    """What one request met.

    Attributes
    ----------
    call : str
        The call's own mark, from the request's metadata.
    trouble : str
    sent : bytes
        The bytes of the body that were handed to the socket, framing included.
    """

    call: str
    trouble: str
    sent: bytearray = field(default_factory=bytearray)


class FaultServer:
    """A running server.

    Attributes
    ----------
    base_url : str
    met : list of Met
        What every request met, in the order of their coming.
    n_open : int
        Connections that are open now.
    """

    def __init__(self, choose: Callable[[Mapping[str, str]], str], seed: int) -> None:
        self.base_url = ""
        self.met: list[Met] = []
        self.n_open = 0
        self._choose = choose
        self._chance = random.Random(seed)
        self._engine = Engine(seed=seed, events_per_chunk=1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side ends it."""
        self.n_open += 1
        try:
            while await self._answered(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()
            self.n_open -= 1

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        metadata = json.loads(request.body or b"{}").get("metadata") or {}
        met = Met(str(metadata.get("call", "")), self._choose(metadata))
        self.met.append(met)
        reply = self._engine.handle(request)
        pieces = [action for action in reply.actions if isinstance(action, bytes)]
        steps = TROUBLES[met.trouble].steps(Answer(reply.status, dict(reply.headers), pieces), self._chance)
        for step in steps:
            if isinstance(step, Pause):
                if not await _paused(step.seconds, reader):
                    return False
            elif isinstance(step, End):
                if step.is_reset:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                    writer.transport.abort()
                return False
            else:
                met.sent += step
                writer.write(step)
                await writer.drain()
        return True


async def _paused(seconds: float, reader: asyncio.StreamReader) -> bool:
    """Let time pass; False if the client has gone meanwhile. Nothing is read: that is the next request's."""
    until_s = time.monotonic() + seconds
    while not reader.at_eof():
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            return True
        await asyncio.sleep(min(left_s, 0.02))
    return False


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    return Request(method, target.partition("?")[0], {}, body)


@contextmanager
def running_fault_server(choose: Callable[[Mapping[str, str]], str], seed: int = 0) -> Iterator[FaultServer]:
    """Run the server in a thread of its own.

    Parameters
    ----------
    choose : callable
        Takes a request's metadata and names the trouble it meets.
    seed : int
        Of where in an answer a trouble strikes, and of the answers' words.
    """
    server = FaultServer(choose, seed)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def work() -> asyncio.Server:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**22)
        port = listening.sockets[0].getsockname()[1]
        server.base_url = f"http://127.0.0.1:{port}/v1"
        ready.set()
        return listening

    def run() -> None:
        asyncio.set_event_loop(loop)
        listening = loop.run_until_complete(work())
        loop.run_forever()
        listening.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="fault-server", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
