"""How one job is asked: as a body or a stream, whichever suits it, or in the background where its parameters say so."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from cometnb.client.client import AsyncClient
from cometnb.client.fetched import bring_home
from cometnb.client.stream import AsyncResponseStream
from cometnb.errors import CometError, CometWarning, NotFoundError, RateLimitError, ServerError
from cometnb.protocol.events import Event
from cometnb.protocol.failure import error_details, failed_error
from cometnb.protocol.response import TERMINAL_STATUSES, Response
from cometnb.session.batch.job import Job
from cometnb.session.looking import Pace

__all__ = ["Asking", "OnEvents", "Runner", "ask", "opened", "takes_long"]

OnEvents: TypeAlias = Callable[[Job, Sequence[Event]], object]
"""Handed the events of a job's stream as they come, on the loop's thread."""

_THOROUGH = frozenset({"medium", "high", "xhigh", "max"})
_LONG_TOKENS = 4_000
_MOST_FAILED_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Asking:
    """One job about to be asked.

    Attributes
    ----------
    client : AsyncClient
        Behind the batch's limits.
    job : Job
        As it was given.
    labels : Mapping of str to str
        The job's, with a ``call_id`` for all requests of this asking.
    begun_id : str or None
        The response that an earlier run has begun in the background.
    begun : callable
        Awaited with the id of a response that the service now works on, so that the next run can take it up.
    on_events : callable or None
    note : callable
        Called with what was settled before sending, for the user.
    """

    client: AsyncClient
    job: Job
    labels: Mapping[str, str]
    begun_id: str | None
    begun: Callable[[str], Awaitable[None]]
    on_events: OnEvents | None
    note: Callable[[str], object]

    def with_params(self, params: Mapping[str, Any]) -> Asking:
        """Return the same asking with other parameters."""
        return replace(self, job=replace(self.job, params=params))


Runner: TypeAlias = Callable[[Asking], Awaitable[Response]]
"""Asks one job and returns its response, or raises a CometError."""


async def ask(asking: Asking) -> Response:
    """Ask a job with one request; the runner of a batch that is given none.

    Raises
    ------
    CometError
        What the service or the wire says.
    """
    params = dict(asking.job.params)
    if params.get("background"):
        return await _in_background(asking, params)
    if asking.on_events is not None or ("stream" not in params and takes_long(params)):
        params["stream"] = True
    return await _read(asking, params)


def takes_long(params: Mapping[str, Any]) -> bool:
    """Tell whether an answer may take so long that it had better be streamed.

    A body that comes whole costs less to read. But nothing moves until it comes, and gateways end a connection on
    which nothing has moved for a minute or two, at the price of the answer.
    """
    reasoning = params.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    most = params.get("max_output_tokens")
    return bool(effort in _THOROUGH or params.get("tools") or (isinstance(most, int) and most > _LONG_TOKENS))


def opened(asking: Asking, params: Mapping[str, Any]) -> AsyncResponseStream:
    """Return the stream of one request of a job, not begun; what was settled for it is noted and not warned of."""
    # None is "not set"; the client would ask for a stream.
    wanted = {**params, "stream": params.get("stream")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CometWarning)
        return asking.client.stream(labels=asking.labels, **wanted)


async def _read(asking: Asking, params: Mapping[str, Any]) -> Response:
    stream = opened(asking, params)
    try:
        async with stream:
            if asking.on_events is None:
                return await stream.read()
            async for event in stream:
                asking.on_events(asking.job, (event,))
    finally:
        for note in stream.notes:
            asking.note(note)
    return stream.response


async def _in_background(asking: Asking, params: Mapping[str, Any]) -> Response:
    """Submit it and look at it until it has ended; one that an earlier run has submitted is looked at only."""
    # A stream would have to be taken up again after every break; looking need not be.
    params = {**params, "stream": None}
    response_id = asking.begun_id
    while True:
        is_ours = response_id is None
        if response_id is None:
            response = await _read(asking, params)
            if response.status in TERMINAL_STATUSES or not response.id:
                return response
            response_id = response.id
            await asking.begun(response_id)
        try:
            return await _ended(asking, response_id, params)
        except NotFoundError:
            # The service does not keep it any more; what it was asked then is asked anew, once.
            if is_ours:
                raise
            response_id = None


async def _ended(asking: Asking, response_id: str, params: Mapping[str, Any]) -> Response:
    pace, n_looks, n_failed = Pace(), 0, 0
    while True:
        retry_after_s = None
        try:
            response, retry_after_s = await asking.client.poll(response_id)
            n_failed = 0
        except (RateLimitError, ServerError, ConnectionError, TimeoutError) as error:
            n_failed += 1
            if not isinstance(error, CometError) or n_failed >= _MOST_FAILED_LOOKS:
                raise
            response = None
        if response is not None and response.status in TERMINAL_STATUSES:
            break
        await asyncio.sleep(pace.wait_s(n_looks, retry_after_s))
        n_looks += 1
    response.model_requested = params.get("model") or asking.client.setup.model
    labels = {name: value for name, value in asking.labels.items() if name != "idempotency_key"}
    bring_home(asking.client.setup, response, params=params, labels=labels)
    if response.status == "failed":
        raise failed_error(error_details(response.error or "no reason given"), request_id=response.request_id)
    return response
