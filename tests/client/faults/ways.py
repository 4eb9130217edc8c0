"""The ways calls are made in: by the two clients, by a session, and in the background."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from cometnb.client.attempt import Observer
from cometnb.client.client import AsyncClient, Client
from cometnb.protocol.response import Response
from cometnb.session.background import submit
from cometnb.session.conversation import Conversation
from cometnb.session.session import Session
from tests.client.faults.judging import KEY, PROMPT, Limits, Outcome, params_of

__all__ = ["WAYS", "Way"]

Way = Callable[[str, Sequence[str], Sequence[Observer], Limits], list[Outcome]]
"""Takes a base URL, calls, observers and limits; returns what came of each call, and of what is left besides."""

_N_THREADS = 40
_SIDE_BY_SIDE = 80


def _through_client(
    base_url: str, calls: Sequence[str], observers: Sequence[Observer], limits: Limits
) -> list[Outcome]:
    """Make half of the calls from threads with one client, the others side by side with another one."""
    half = len(calls) // 2
    with Client(KEY, base_url, observers=observers, **limits) as client:

        def call_sync(call: str) -> Response:
            with client.stream(PROMPT, labels={"tag": call}, **_params(call)) as stream:
                for _ in stream:
                    pass
            return stream.response

        outcomes = _in_threads(call_sync, calls[:half])
        outcomes += _busy(client)
    return outcomes + asyncio.run(_side_by_side(base_url, calls[half:], observers, limits))


async def _side_by_side(
    base_url: str, calls: Sequence[str], observers: Sequence[Observer], limits: Limits
) -> list[Outcome]:
    room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def called(client: AsyncClient, call: str) -> Outcome:
        async with room:
            outcome, started_s = Outcome(call), time.monotonic()
            try:
                async with client.stream(PROMPT, labels={"tag": call}, **_params(call)) as stream:
                    async for _ in stream:
                        pass
                outcome.response = stream.response
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is judged
                outcome.error, outcome.response = error, getattr(error, "response", None)
            outcome.duration_s = time.monotonic() - started_s
            return outcome

    async with AsyncClient(KEY, base_url, observers=observers, **limits) as client:
        outcomes = await asyncio.gather(*(called(client, call) for call in calls))
        outcomes += _busy(client)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return outcomes + [Outcome("", error=RuntimeError(f"tasks are left: {others}"))] * bool(others)


def _through_session(
    base_url: str, calls: Sequence[str], observers: Sequence[Observer], limits: Limits
) -> list[Outcome]:
    """Ask on a session's thread, every third call as a turn of a conversation."""
    with closing(Session(api_key=KEY, base_url=base_url, observers=observers, **limits)) as session:

        def ask(call: str) -> Response:
            params = {"labels": {"tag": call}, **_params(call)}
            if int(call) % 3:
                running = session.start(PROMPT, **params)
            else:
                running = session.start_turn(Conversation(), PROMPT, **params)
            running.wait()
            return running.result()

        outcomes = _in_threads(ask, calls)
        outcomes += _busy(session._async_client)
        until_s = time.monotonic() + 10
        # What the loop itself has begun to close may take another step of it.
        while (tasks := asyncio.all_tasks(session._background.loop)) and time.monotonic() < until_s:
            time.sleep(0.01)
        return outcomes + [Outcome("", error=RuntimeError(f"tasks are left: {tasks}"))] * bool(tasks)


def _through_background(
    base_url: str, calls: Sequence[str], observers: Sequence[Observer], limits: Limits
) -> list[Outcome]:
    """Submit, and wait with looks or along the stream; both meet troubles of their own."""
    with Client(KEY, base_url, observers=observers, **limits) as client:

        def wait_for(call: str) -> Response:
            params = params_of(call)
            work = submit(client, PROMPT, labels={"tag": call}, **params)
            return work.wait(timeout_s=limits["timeout_s"])

        return _in_threads(wait_for, calls) + _busy(client)


def _in_threads(ask: Callable[[str], Response], calls: Sequence[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []

    def work(own: Sequence[str]) -> None:
        for call in own:
            outcome, started_s = Outcome(call), time.monotonic()
            try:
                outcome.response = ask(call)
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is judged
                outcome.error, outcome.response = error, getattr(error, "response", None)
            outcome.duration_s = time.monotonic() - started_s
            outcomes.append(outcome)

    threads = [threading.Thread(target=work, args=(calls[start::_N_THREADS],)) for start in range(_N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _busy(client: Client | AsyncClient) -> list[Outcome]:
    """Return an outcome that says so, if the client's pool has connections that somebody still uses."""
    pool: Any = client._http._transport
    busy = [str(one) for one in pool._pool.connections if not (one.is_idle() or one.is_closed())]
    return [Outcome("", error=RuntimeError(f"connections are still in use: {busy}"))] if busy else []


def _params(call: str) -> dict[str, Any]:
    return {"stream": int(call) % 2 == 0, **params_of(call)}


WAYS: dict[str, Way] = {
    "client": _through_client,
    "session": _through_session,
    "background": _through_background,
}
