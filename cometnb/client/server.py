"""The simulator behind a real HTTP server on loopback, for other programs, demos and tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tornado import httpserver, iostream, netutil, web

from cometnb.client.loopback import Ready, address, check_place, in_thread, until_interrupted, unusable
from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.pace import Schedule
from cometnb.client.simulator.reply import Action, Break, Request
from cometnb.client.simulator.waiter import Waiter

__all__ = ["LocalServer", "running_server", "serve"]

_MOST_BODY_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that runs in a thread.

    Attributes
    ----------
    base_url : str
        ``http://127.0.0.1:PORT/v1``.
    engine : Engine
        What answers; its settings may be changed while the server runs.
    """

    base_url: str
    engine: Engine

    @property
    def open_streams(self) -> int:
        """Replies that are being sent at this moment."""
        return self.engine.open_streams

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Bodies of the last 200 requests for a response, newest last."""
        return self.engine.requests


def serve(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    ready: Ready | None = None,
    **settings: Any,
) -> None:
    """Serve the simulator until interrupted.

    Parameters
    ----------
    port : int
        0 takes a free one.
    host : str
        A loopback address; anything else is refused.
    ready : callable, optional
        Called once with the base URL when the server accepts connections.
    **settings
        Of the engine: seed, tokens_per_s, first_token_s, models, fault, text, events_per_chunk, without.

    Raises
    ------
    ConfigError
        If the host is not loopback, the port cannot be used or a setting is not possible.
    """
    check_place(port, host)
    engine = Engine(**settings)
    until_interrupted(partial(_serving, engine, port, host), ready)


@contextmanager
def running_server(port: int = 0, *, host: str = "127.0.0.1", **settings: Any) -> Iterator[LocalServer]:
    """Run the server in a thread of its own for the length of a ``with`` block.

    Parameters
    ----------
    port, host, **settings
        As for `serve`.

    Yields
    ------
    LocalServer

    Raises
    ------
    ConfigError
        As `serve`.

    Examples
    --------
    >>> with running_server(seed=1) as server:
    ...     server.base_url.startswith("http://127.0.0.1:")
    True
    """
    check_place(port, host)
    engine = Engine(**settings)
    with in_thread(partial(_serving, engine, port, host)) as base_url:
        yield LocalServer(base_url, engine)


async def _serving(
    engine: Engine, port: int, host: str, ready: Ready, stopped: Callable[[], Awaitable[object]]
) -> None:
    try:
        sockets = netutil.bind_sockets(port, host)
    except OSError as error:
        raise unusable(port, host, error) from error
    routes = [(r".*", _Handler, {"engine": engine})]
    application = web.Application(routes, log_function=_ignore)
    server = httpserver.HTTPServer(application, max_buffer_size=_MOST_BODY_BYTES)
    server.add_sockets(sockets)
    try:
        ready(address(host, sockets[0]))
        await stopped()
    finally:
        server.stop()
        await server.close_all_connections()


class _Handler(web.RequestHandler):
    """Carries out a reply's actions on a connection."""

    def initialize(self, engine: Engine) -> None:
        self._engine = engine
        self._waiter = Waiter()

    async def answer(self) -> None:
        query = {
            name: values[-1].decode("utf-8", "replace")
            for name, values in self.request.query_arguments.items()
        }
        once = self.request.headers.get("Idempotency-Key", "")
        request = Request(self.request.method or "", self.request.path, query, self.request.body, once)
        reply = self._engine.handle(request)
        self.set_status(reply.status)
        for name in ("Server", "Content-Type"):
            self.clear_header(name)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        schedule = Schedule()
        with closing(reply.actions) as actions:
            for action in actions:
                await self._carry_out(action, schedule)
                if self._waiter.ended:
                    return

    async def _carry_out(self, action: Action, schedule: Schedule) -> None:
        if isinstance(action, bytes):
            self.write(action)
            try:
                await self.flush()
            except iostream.StreamClosedError:
                self._waiter.end()
            # A fast reader never makes flush wait; other connections want their turn all the same.
            await asyncio.sleep(0)
        elif isinstance(action, Break):
            # A connection over HTTP/1 has its stream.
            self.request.connection.stream.close()  # type: ignore[union-attr]
            self._waiter.end()
        else:
            wait_s = None if action.seconds is None else schedule.wait_s(action.seconds)
            if wait_s != 0:
                await self._waiter.wait(wait_s)
                schedule.waited()

    get = post = put = patch = delete = head = options = answer

    def on_connection_close(self) -> None:
        self._waiter.end()


def _ignore(_: object) -> None:
    """The access log has nobody to tell."""
