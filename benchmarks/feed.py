"""The server the contenders read from: a process of its own, so that only the client's work is measured.

``POST /<n>/responses`` is answered with an answer in n deltas, made beforehand, one write and one HTTP chunk an event.
``POST /<n>/in-turn/responses`` lets every other stream have its next event first, as many streams at once come.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from benchmarks.answer import events
from benchmarks.child import ROOT, environment

__all__ = ["running_feed"]

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"x-request-id: req_bench\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_END = b"0\r\n\r\n"
_BACKLOG = 2_000
_PATH = re.compile(rb"POST /(\d+)(/in-turn)?/responses ")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def running_feed() -> Iterator[str]:
    """Start the server and stop it at the end; yields its URL, to which a number of deltas is added."""
    command = [sys.executable, "-m", "benchmarks.feed"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


@cache
def _chunks(n_deltas: int) -> tuple[bytes, ...]:
    return tuple(b"%x\r\n%b\r\n" % (len(event), event) for event in events(n_deltas))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until the client leaves it."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path, length = _PATH.match(head), _LENGTH.search(head)
            assert path is not None
            assert length is not None
            await reader.readexactly(int(length[1]))
            chunks = _chunks(int(path[1]))
            writer.write(_HEAD)
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                if path[2]:
                    await asyncio.sleep(0)
            writer.write(_END)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=_BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
