"""The head and body of an answer are judged: JSON to go on with, or the error they stand for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb import errors
from cometnb.protocol.answer import Fault, is_retriable, judged
from tests.protocol.streams import JSON, head

_JSON_TYPE = "application/json; charset=utf-8"


def _judged(status: int, body: Any, content_type: str = _JSON_TYPE, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judged(head(status, content_type, **headers), data, "gpt-x")


@pytest.mark.parametrize(
    "body",
    [
        {"object": "response", "status": "completed", "output": []},
        {"object": "response", "status": "failed", "error": {"message": "m"}},
        {"id": "r", "status": "failed", "error": {"message": "m"}},
        {"object": "list", "data": []},
        {"id": "r", "error": None},
        {"output": [{"type": "message"}], "error": {"message": "m"}},
    ],
)
def test_json_to_go_on_with(body: dict[str, Any]) -> None:
    """A response that failed is still a response, with what it holds."""
    assert _judged(200, body) == body


def test_a_byte_order_mark_does_not_hide_json() -> None:
    """Some gateways put one in front of everything."""
    assert _judged(200, b'\xef\xbb\xbf{"id": "r"}') == {"id": "r"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, {"error": {"message": "m"}}, errors.ServerError, "m"),
        (200, {"error": "m"}, errors.ServerError, "m"),
        (200, {"error": "Unauthorized", "status": 401}, errors.ServerError, "Unauthorized"),
        (200, {"error": {"message": "m"}, "status": "error"}, errors.ServerError, "m"),
        (200, {"detail": "m"}, errors.ServerError, "m"),
        (200, None, errors.UnexpectedContentError, "null"),
        (200, [], errors.UnexpectedContentError, "[]"),
        (200, b"", errors.UnexpectedContentError, "empty"),
        (200, b"<html>", errors.UnexpectedContentError, "web page"),
        (301, b"", errors.UnexpectedContentError, "redirect"),
        (302, {"a": 1}, errors.UnexpectedContentError, "redirect"),
        (400, {"error": {"message": "m"}}, errors.BadRequestError, "m"),
        (401, b"no key", errors.AuthenticationError, "no key"),
        (401, b"", errors.AuthenticationError, "no message"),
        (422, {"detail": [{"msg": "m"}]}, errors.BadRequestError, "m"),
        (502, b"<html>", errors.UnexpectedContentError, "HTTP 502"),
        (500, b'data: {"error": {"message": "m"}}\n\n', errors.ServerError, "m"),
        (500, b'event: error\ndata: {"message": "m", "code": "c"}\n\n', errors.ServerError, "m (code c"),
    ],
)
def test_answers_that_are_errors(status: int, body: Any, kind: type[errors.APIError], words: str) -> None:
    """Whatever shape it has, the class and the service's words are right."""
    error = _judged(status, body)
    assert type(error) is kind
    assert words in error.fact


def test_an_error_names_the_model_and_request() -> None:
    """What was asked for and what to quote are in it."""
    error = _judged(404, {"error": {"message": "m", "code": "model_not_found"}}, x_request_id="req_1")
    assert type(error) is errors.ModelNotFoundError
    assert "gpt-x" in error.fact
    assert error.request_id == "req_1"


@given(status=st.integers(200, 599), body=JSON | st.binary(max_size=30), content_type=st.text(max_size=9))
def test_any_answer_is_json_or_an_error(status: int, body: Any, content_type: str) -> None:
    """Nothing a server can send raises anything."""
    result = _judged(status, body, content_type)
    assert isinstance(result, dict | errors.APIError)
    assert not (isinstance(result, dict) and status >= 300)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "7"}, 0.25),
        ({"retry_after_ms": "x", "retry_after": "7"}, 7.0),
        ({"retry_after": "Fri, 02 Jan 2026 03:04:15 GMT"}, 10.0),
        ({"retry_after": "Fri, 02 Jan 2026 04:04:15 +0100"}, 10.0),
        ({"retry_after": "Fri, 02 Jan 2026 03:04:15 -0000"}, 10.0),
        ({"retry_after": "Fri, 02 Jan 2026 03:00:00 GMT"}, 0.0),
        ({"retry_after": "Fri, 99 Jan 2026 03:00:00 GMT"}, None),
        ({"retry_after": f"Fri, 02 Jan {'9' * 30} 03:00:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    """Milliseconds, seconds or a date; what is none of these says nothing."""
    assert head(429, **headers).retry_after_s == wait_s


def test_the_provider_s_request_id_comes_first() -> None:
    """A gateway's own id is the one its support can find."""
    assert head(200, x_cometapi_request_id="a", x_request_id="b").request_id == "a"
    assert head(200, x_request_id="b").request_id == "b"
    assert head(200, x_request_id="").request_id is None


def test_the_content_type_is_read_without_its_parameters() -> None:
    """Upper case and a charset do not matter."""
    assert head(200, "Text/Event-Stream; charset=UTF-8").content_type == "text/event-stream"
    assert head(200, "").content_type == ""


@pytest.mark.parametrize(
    ("status", "code", "kind", "retriable"),
    [
        (408, None, None, True),
        (409, None, None, True),
        (429, None, None, True),
        (429, "insufficient_quota", None, False),
        (500, None, None, True),
        (500, "invalid_request", None, False),
        (500, None, "invalid_request_error", False),
        (503, "model_not_found", None, False),
        (524, None, None, True),
        (400, None, None, False),
        (401, None, None, False),
        (404, None, None, False),
        (200, None, None, False),
    ],
)
def test_when_another_try_may_help(status: int, code: str | None, kind: str | None, retriable: bool) -> None:
    """By the status, unless the service itself says that it cannot help."""
    error = _judged(status, {"error": {"message": "m", "code": code, "type": kind}})
    assert is_retriable(head(status), error) is retriable


def test_a_web_page_behind_a_bad_gateway_may_be_tried_again() -> None:
    """It is most often a proxy that answers for a moment."""
    assert is_retriable(head(502, "text/html"), _judged(502, b"<html>", "text/html"))


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("connect", errors.ConnectionFailedError, errors.StreamInterruptedError),
        ("connect_timeout", errors.ResponseTimeoutError, errors.ResponseTimeoutError),
        ("idle_timeout", errors.ResponseTimeoutError, errors.ResponseTimeoutError),
        ("total_timeout", errors.ResponseTimeoutError, errors.ResponseTimeoutError),
        ("broken", errors.ConnectionFailedError, errors.StreamInterruptedError),
    ],
)
def test_which_error_a_fault_is(kind: str, before: type, after: type) -> None:
    """Before anything came and after; the message is a sentence either way."""
    fault = Fault(kind, "no bytes for 120 s")
    assert type(fault.error()) is before
    assert type(fault.error(had_events=True)) is after
    assert fault.error().fact == "No bytes for 120 s."
    assert fault.is_before_sending == kind.startswith("connect")
