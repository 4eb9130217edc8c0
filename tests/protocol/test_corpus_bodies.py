"""Recorded bodies read as the response or the error they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cometnb import errors
from cometnb.protocol.exchange import Exchange
from tests.corpus import Recording, bodies, parameters, servers
from tests.protocol.streams import head

_BY_STATUS = {400: errors.BadRequestError, 401: errors.AuthenticationError}


def _read(data: bytes, status: int) -> Exchange:
    exchange = Exchange({"model": "m"})
    exchange.begin(head(status, "application/json"))
    exchange.receive_body(data)
    return exchange


def _message(raw: Any) -> str:
    """Return the service's words in the shapes the recordings have."""
    error = raw["error"]
    return str(error if isinstance(error, str) else error["message"])


@pytest.mark.parametrize("recording", parameters(bodies))
def test_a_recorded_body_is_read(recording: Recording) -> None:
    """A response has its text, calls, usage and status; an error its class, code and words."""
    raw = json.loads(recording.data)
    if recording.row["kind"] == "error":
        status = recording.http_status or 400
        error = _read(recording.data, status).error
        assert isinstance(error, errors.ModelNotFoundError | _BY_STATUS[status])
        assert errors.masked(" ".join(_message(raw).split())) in error.fact
        code = raw.get("code") or (raw["error"].get("code") if isinstance(raw["error"], dict) else None)
        assert error.code == code
        return
    exchange = _read(recording.data, 200)
    if "output" not in raw:
        assert isinstance(exchange.error, errors.UnexpectedContentError)
        return
    expected = recording.expected
    assert expected is not None
    _assert_same(exchange, expected, raw)


def _assert_same(exchange: Exchange, expected: Any, raw: Any) -> None:
    response = exchange.response()
    assert response.raw == raw
    calls = [
        {"name": call.name, "call_id": call.call_id, "arguments": call.arguments}
        for call in response.function_calls
    ]
    found = {
        "output_text": response.output_text,
        "function_calls": calls,
        "reasoning_summary": response.reasoning_summary,
        "reasoning_text": response.reasoning_text,
        "refusal": response.refusal or "",
        "usage": response.raw.get("usage"),
        "id": response.id,
        "model": response.model,
        "incomplete_reason": response.incomplete_reason,
        "status": response.status,
    }
    wanted = {name: expected.get(name, value) for name, value in found.items()}
    # A body without a status that holds output counts as completed.
    wanted["status"] = wanted["status"] or "completed"
    assert found == wanted
    assert (exchange.error is None) == (response.status != "failed")


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
@pytest.mark.parametrize("recording", parameters(servers))
def test_a_server_s_body_is_survived(recording: Recording, status: int) -> None:
    """Whatever status it comes with, it is a response or an error of our own."""
    exchange = _read(recording.data, status)
    assert exchange.error is None or isinstance(exchange.error, errors.CometError)
    assert exchange.error is not None or status == 200
    json.dumps(exchange.response().raw)
