"""Errors on demand: one table from a fault's name to what then happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.body import ended
from cometnb.client.simulator.reply import Action, Break, Refusal, Reply, Wait, encoded, sent_once
from cometnb.client.simulator.stream import EventStream

__all__ = ["FAULTS", "Fault", "broken_body", "broken_stream", "parsed_fault", "refused"]

_SERVER_ERROR = {
    "code": "server_error",
    "message": "Simulated: the server had an error while it was answering.",
}
_PAGE = b"""<!DOCTYPE html>
<html><head><title>Welcome</title></head>
<body><h1>Welcome</h1><p>Simulated: a web page where an API was expected.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it was asked for.

    Attributes
    ----------
    name : str
        A key of `FAULTS`.
    times : int or None
        The same request fails so often and then works; None is always.
    retry_after : str
        Value of the ``Retry-After`` header; empty for none.
    """

    name: str
    times: int | None = None
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """What a fault does: refuse with a status, or let the answer begin and end it in some way."""

    status: int = 200
    message: str = ""
    code: str = ""
    retry_after: str = ""
    end: Callable[[EventStream], Iterator[Action]] | None = None


class _WebPage(Refusal):
    """A web page with status 200, as a wrong base URL or a login wall sends it."""

    def reply(self, request_id: str, headers: Mapping[str, str]) -> Reply:
        return Reply(200, {"Content-Type": "text/html; charset=utf-8", **headers}, sent_once(_PAGE))


def parsed_fault(text: str) -> Fault:
    """Read a fault such as ``429``, ``429:retry_after=2``, ``500:invalid_request`` or ``cut:times=1``.

    Raises
    ------
    Refusal
        400, listing the known names, if the fault or an option is not known.
    """
    name, options = "", {}
    for word in text.replace(",", ":").split(":"):
        key, equals, value = word.strip().partition("=")
        if equals:
            options[key] = value
        else:
            name = f"{name}:{key}" if name else key
    times = options.pop("times", None)
    retry_after = options.pop("retry_after", "")
    if name not in FAULTS or options or not (times is None or times.isdecimal()):
        known = ", ".join(FAULTS)
        raise Refusal(
            400,
            f"The simulator knows no fault {text!r}. Known: {known}; options: :times=N, :retry_after=SECONDS",
            "invalid_request",
            "metadata.simulate",
        )
    return Fault(name, None if times is None else int(times), retry_after)


def refused(fault: Fault, model: str) -> Refusal | None:
    """Return what a fault answers instead; None if it lets the answer begin."""
    row = FAULTS[fault.name]
    if row.end is not None:
        return None
    if row.status == 200:
        return _WebPage(200, row.message)
    after = fault.retry_after or row.retry_after
    headers = {"Retry-After": after} if after else {}
    return Refusal(row.status, f"Simulated: {row.message.format(model=model)}", row.code, headers=headers)


def broken_stream(fault: Fault, stream: EventStream) -> Iterator[Action]:
    """Yield a stream up to about half of its text, then what the fault does."""
    yield from stream.beginning()
    yield from stream.text(len(stream.generation.tokens) // 2)
    end = FAULTS[fault.name].end
    if end is not None:
        yield from end(stream)


def broken_body(fault: Fault, final: Mapping[str, Any], opened: Mapping[str, Any]) -> Iterator[Action]:
    """Yield the JSON body of a request that is not streamed, as the fault leaves it.

    Raises
    ------
    Refusal
        500 for ``error_event``: without a stream the error is the answer.
    """
    if fault.name == "error_event":
        raise Refusal(500, _SERVER_ERROR["message"], _SERVER_ERROR["code"])
    if fault.name == "failed":
        return iter((encoded(ended(opened, "failed", _SERVER_ERROR)),))
    whole = encoded(final)
    return iter((whole[: len(whole) // 2], *_BODY_ENDS[fault.name]))


def _failed(stream: EventStream) -> Iterator[Action]:
    yield stream.event("response.failed", response=ended(stream.opened, "failed", _SERVER_ERROR))


def _error_event(stream: EventStream) -> Iterator[Action]:
    yield stream.event("error", **_SERVER_ERROR, param=None)


def _cut(stream: EventStream) -> Iterator[Action]:
    n_tokens = len(stream.generation.tokens)
    event = (
        stream.delta(n_tokens // 2)
        if n_tokens
        else stream.event("response.in_progress", response=stream.opened)
    )
    yield event[: len(event) // 2]
    yield Break()


def _eof(stream: EventStream) -> Iterator[Action]:
    return iter(())


def _stall(stream: EventStream) -> Iterator[Action]:
    yield Wait(None)


_BODY_ENDS: dict[str, tuple[Action, ...]] = {"cut": (Break(),), "eof": (), "stall": (Wait(None),)}

FAULTS: dict[str, _Row] = {
    "400": _Row(400, "the request is not valid", "invalid_request"),
    "401": _Row(401, "the API key is not valid", "invalid_api_key"),
    "403": _Row(403, "this request is blocked", "forbidden"),
    "404": _Row(404, "the model {model} does not exist", "model_not_found"),
    "408": _Row(408, "the request took too long to arrive", "request_timeout"),
    "429": _Row(429, "too many requests, slow down", "rate_limit_exceeded", retry_after="1"),
    "500": _Row(500, "the server had an error", "server_error"),
    "500:invalid_request": _Row(500, "a field of the request is missing or malformed", "invalid_request"),
    "502": _Row(502, "the upstream service sent no valid answer", "bad_gateway"),
    "503": _Row(503, "the service is overloaded", "service_unavailable"),
    "503:model_not_found": _Row(
        503, "no available channel for group default and model {model} (distributor)", "model_not_found"
    ),
    "504": _Row(504, "the upstream service did not answer in time", "gateway_timeout"),
    "html": _Row(200, "a web page"),
    "failed": _Row(end=_failed),
    "error_event": _Row(end=_error_event),
    "cut": _Row(end=_cut),
    "eof": _Row(end=_eof),
    "stall": _Row(end=_stall),
}
