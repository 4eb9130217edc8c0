"""What a service keeps under an id, as flows: fetched, cancelled, listed."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from cometnb.client.setup import Setup, hide_key, mark
from cometnb.client.steps import Flow, ReadBody, Send, Wait
from cometnb.errors import CometError, ParamError
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.lookup import Lookup
from cometnb.protocol.offered import unoffered
from cometnb.protocol.response import TERMINAL_STATUSES, Response, Timing

__all__ = ["Polled", "cancel", "input_items", "lookup", "path_of", "poll", "response_id_of"]

_PAGE_ITEMS = 100
# Unix time; the year 33658.
_LAST_MOMENT_S = 1e12


class Polled(NamedTuple):
    """A stored response as it stands.

    Attributes
    ----------
    response : Response
    retry_after_s : float or None
        Seconds the service asks to wait before the next look; None if it does not say.
    """

    response: Response
    retry_after_s: float | None


def lookup(setup: Setup, send: Send) -> Flow:
    """Yield the steps of a request whose answer is plain JSON; the flow's value is that JSON.

    Raises
    ------
    CometError
        As the service or the wire says.
    """
    answer = yield from _looked_up(setup, send)
    return answer.result


def poll(setup: Setup, response_id: str) -> Flow:
    """Yield the steps that fetch a response; the flow's value is a `Polled`.

    Raises
    ------
    CometError
        As the service or the wire says; a service that does not offer it is named.
    """
    return _about(setup, Send("GET", path_of(response_id)), "retrieval of responses", response_id)


def cancel(setup: Setup, response_id: str) -> Flow:
    """Yield the steps that cancel a response in the background; value and errors as for `poll`."""
    send = Send("POST", f"{path_of(response_id)}/cancel")
    return _about(setup, send, "cancelling of responses", response_id)


def input_items(setup: Setup, response_id: str) -> Flow:
    """Yield the steps that fetch every page of a response's input items; the flow's value is the list."""
    items: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": _PAGE_ITEMS}
    while True:
        page = yield from lookup(setup, Send("GET", f"{path_of(response_id)}/input_items", query=query))
        data = page.get("data")
        items += data if isinstance(data, list) else []
        after = page.get("last_id") or (
            items[-1].get("id") if items and isinstance(items[-1], dict) else None
        )
        if not page.get("has_more") or not after or after == query.get("after"):
            return items
        query = {"limit": _PAGE_ITEMS, "after": after}


def response_id_of(response_id: Any) -> str:
    """Return an id without white space around it.

    Raises
    ------
    ParamError
        If it can be none.
    """
    # A part of dots alone would lead to another path.
    if not isinstance(response_id, str) or not response_id.strip().strip("."):
        raise ParamError(
            f"response_id={response_id!r} is no id.",
            "Pass response.id, such as 'resp_…'.",
            param="response_id",
        )
    return response_id.strip()


def path_of(response_id: Any) -> str:
    """Return the path of a stored response; whatever the id holds, it is one part of it."""
    return f"/responses/{urllib.parse.quote(response_id_of(response_id), safe='')}"


def _about(setup: Setup, send: Send, offer: str, response_id: str) -> Flow:
    sent_at = setup.now()
    try:
        answer = yield from _looked_up(setup, send)
    except CometError as error:
        raise unoffered(error, offer, response_id.strip()) from None
    head = answer.head
    response = Response(
        answer.result,
        request_id=head.request_id if head else None,
        timing=Timing(duration_s=_duration_s(answer.result), sent_at=sent_at),
    )
    mark(response, setup, head)
    return Polled(response, head.retry_after_s if head else None)


def _duration_s(raw: Mapping[str, Any]) -> float | None:
    """Return how long the service says it has worked on a response, in its whole seconds; None if it does not say."""
    begun, ended = (_moment(raw.get(name)) for name in ("created_at", "completed_at"))
    if begun is None or ended is None or str(raw.get("status")) not in TERMINAL_STATUSES:
        return None
    return max(0.0, ended - begun)


def _moment(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _LAST_MOMENT_S else None


def _looked_up(setup: Setup, send: Send) -> Flow:
    n_retries = 0
    deadline_s = setup.clock() + setup.timeout_s
    while True:
        answer = Lookup()
        reply = yield replace(send, deadline_s=deadline_s)
        if isinstance(reply, Head):
            head = reply
            reply = yield ReadBody(deadline_s)
            if isinstance(reply, bytes):
                answer.receive(head, reply)
        if isinstance(reply, Fault):
            answer.fail(reply)
        if answer.error is None:
            return answer
        asked_s = answer.head.retry_after_s if answer.head else None
        delay_s = setup.backoff.wait_s(n_retries, asked_s) if answer.is_retriable else None
        if delay_s is None or delay_s >= deadline_s - setup.clock():
            hide_key(answer.error, setup)
            raise answer.error
        n_retries += 1
        yield Wait(delay_s)
