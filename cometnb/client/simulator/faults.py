"""Errors on demand: one table from a fault's name to what then happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cometnb.client.simulator.reply import Refusal, Reply, sent_once

__all__ = ["FAULTS", "Fault", "parsed_fault", "refused"]

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
    at : int or None
        A stream goes wrong behind that many events; None is in the middle of its text.
    """

    name: str
    times: int | None = None
    retry_after: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """What a fault does: refuse with a status, or let the answer begin and end it in some way."""

    status: int = 200
    message: str = ""
    code: str = ""
    retry_after: str = ""
    is_midway: bool = False


class _WebPage(Refusal):
    """A web page with status 200, as a wrong base URL or a login wall sends it."""

    def reply(self, request_id: str, headers: Mapping[str, str]) -> Reply:
        return Reply(200, {"Content-Type": "text/html; charset=utf-8", **headers}, sent_once(_PAGE))


def parsed_fault(text: str) -> Fault | None:
    """Read a fault such as ``429``, ``429:retry_after=2``, ``500:invalid_request`` or ``cut:times=1,at=9``.

    Returns
    -------
    Fault or None
        None if the fault or an option is not known.
    """
    name, options = "", {}
    for word in text.replace(",", ":").split(":"):
        key, equals, value = word.strip().partition("=")
        if equals:
            options[key] = value
        else:
            name = f"{name}:{key}" if name else key
    retry_after = options.pop("retry_after", "")
    numbers = {key: options.pop(key) for key in ("times", "at") if key in options}
    if name not in FAULTS or options or not all(value.isdecimal() for value in numbers.values()):
        return None
    return Fault(name, retry_after=retry_after, **{key: int(value) for key, value in numbers.items()})


def refused(fault: Fault, model: str) -> Refusal | None:
    """Return what a fault answers instead; None if it lets the answer begin."""
    row = FAULTS[fault.name]
    if row.is_midway:
        return None
    if row.status == 200:
        return _WebPage(200, row.message)
    after = fault.retry_after or row.retry_after
    headers = {"Retry-After": after} if after else {}
    return Refusal(row.status, f"Simulated: {row.message.format(model=model)}", row.code, headers=headers)


FAULTS: dict[str, _Row] = {
    "400": _Row(400, "the request is not valid", "invalid_request"),
    "400:context_length_exceeded": _Row(
        400, "the input exceeds the context window of this model", "context_length_exceeded"
    ),
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
    "failed": _Row(message="a response that failed, behind half of its text", is_midway=True),
    "error_event": _Row(message="an error event behind half of the text", is_midway=True),
    "cut": _Row(message="the connection breaks inside an event", is_midway=True),
    "eof": _Row(message="the stream ends early and cleanly", is_midway=True),
    "stall": _Row(message="nothing more comes, and the connection stays open", is_midway=True),
}
