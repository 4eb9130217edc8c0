"""An error in any of the shapes on the wire is one class, with the service's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from cometnb import errors
from cometnb.protocol.failure import api_error, error_details, failed_error, unexpected_content
from tests.protocol.streams import JSON


@pytest.mark.parametrize(
    ("raw", "message", "code", "param", "kind"),
    [
        (
            {"error": {"message": "m", "code": "c", "param": "p", "type": "t"}},
            "m",
            "c",
            "p",
            "t",
        ),
        ({"type": "error", "error": {"message": "m", "code": "c", "type": "t"}}, "m", "c", None, "t"),
        ({"type": "error", "message": "m", "code": "c", "param": "p"}, "m", "c", "p", "error"),
        ({"error": "m"}, "m", None, None, None),
        ({"code": "c", "error": "m"}, "m", "c", None, None),
        ({"error": 5}, "5", None, None, None),
        ({"error": ["a"]}, '["a"]', None, None, None),
        ({"error": {"message": ["a"], "code": 429}}, '["a"]', "429", None, None),
        ({"error": {"message": "", "code": ""}}, '{"message": "", "code": ""}', None, None, None),
        ({"detail": "m"}, "m", None, None, None),
        ({"detail": [{"msg": "m"}]}, '[{"msg": "m"}]', None, None, None),
        ("m", "m", None, None, None),
        ("", "no message", None, None, None),
        (None, "no message", None, None, None),
        ({}, "no message", None, None, None),
    ],
)
def test_every_shape_says_its_message(
    raw: Any, message: str, code: str | None, param: str | None, kind: str | None
) -> None:
    """Nested, flat, text, FastAPI's and none at all."""
    details = error_details(raw)
    assert (details["message"], details["code"], details["param"], details["type"]) == (
        message,
        code,
        param,
        kind,
    )


def test_a_request_id_in_the_message_is_taken_out() -> None:
    """It is shown once, where request ids are shown."""
    details = error_details({"error": {"message": "model is required (request id: 2026abc)"}})
    assert (details["message"], details["request_id"]) == ("model is required", "2026abc")


@pytest.mark.parametrize(
    "text", [" " * 200_000 + "x", "(request id: " * 20_000, "(request id: " + "x" * 200_000]
)
def test_looking_for_a_request_id_is_bounded(text: str) -> None:
    """A message made to be slow is only a message; backtracking over it would run into the test's time limit."""
    assert error_details(text)["message"] == text.strip()


@given(raw=JSON)
def test_any_json_is_an_error_of_two_lines(raw: Any) -> None:
    """Whatever a service sends with a status of 500, it becomes two lines that can be printed."""
    error = api_error(500, raw)
    assert len(str(error).split("\n")) == 2
    assert str(error).encode()
    json.dumps(error_details(raw))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, errors.BadRequestError),
        (401, None, errors.AuthenticationError),
        (403, None, errors.PermissionDeniedError),
        (404, None, errors.NotFoundError),
        (404, "model_not_found", errors.ModelNotFoundError),
        (400, "model_not_found", errors.ModelNotFoundError),
        (503, "model_not_found", errors.ModelNotFoundError),
        (408, None, errors.ServerError),
        (409, None, errors.BadRequestError),
        (413, None, errors.BadRequestError),
        (418, None, errors.BadRequestError),
        (422, None, errors.BadRequestError),
        (429, None, errors.RateLimitError),
        (500, None, errors.ServerError),
        (500, "invalid_request", errors.BadRequestError),
        (524, None, errors.ServerError),
    ],
)
def test_the_status_and_code_say_the_class(
    status: int, code: str | None, kind: type[errors.APIError]
) -> None:
    """One class per family, and the service's own word where it contradicts the status."""
    error = api_error(status, {"error": {"message": "m", "code": code}}, model="gpt-x")
    assert type(error) is kind
    assert (error.status_code, error.code) == (status, code)
    assert f"HTTP {status}" in error.fact
    assert ("'gpt-x'" in error.fact) == (kind is errors.ModelNotFoundError)


def test_an_invalid_request_behind_a_500_is_the_request_s_fault() -> None:
    """The type says so as well as the code."""
    error = api_error(500, {"error": {"message": "m", "type": "invalid_request_error"}})
    assert type(error) is errors.BadRequestError


def test_what_to_quote_is_in_the_error() -> None:
    """Code, param and request id stand in the first line and as attributes."""
    raw = {"error": {"message": "too hot", "code": "c", "param": "temperature", "type": "t"}}
    error = api_error(429, raw, request_id="req_1", retry_after_s=2.5)
    assert error.fact == "HTTP 429: too hot (code c, param temperature, request id req_1)"
    assert (error.param, error.error_type, error.request_id) == ("temperature", "t", "req_1")
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after_s == 2.5


def test_a_key_in_a_message_is_hidden() -> None:
    """Services repeat a wrong key; cometnb does not."""
    error = api_error(401, {"error": {"message": "Incorrect API key: sk-abcdefgh123"}})
    assert "sk-abc" not in str(error)
    assert "sk-***" in str(error)


def test_a_failed_response_says_why() -> None:
    """The message, code and request id of the service are the error's."""
    details = error_details({"message": "no capacity (request id: r1)", "code": "server_error"})
    error = failed_error(details)
    assert error.fact == "The response failed: no capacity (code server_error, request id r1)"
    assert (error.code, error.request_id, error.status_code) == ("server_error", "r1", None)


@pytest.mark.parametrize(
    ("status", "content_type", "start", "words"),
    [
        (200, "text/html", "<!doctype html>", "a web page"),
        (200, "", "<html>", "a web page"),
        (301, "text/html", "", "a redirect"),
        (200, "text/plain", "", "an empty body"),
        (200, "text/plain", "hello", "starting 'hello'"),
    ],
)
def test_content_nobody_expected_names_the_likely_cause(
    status: int, content_type: str, start: str, words: str
) -> None:
    """Status, content type and cause stand in the first line, the setting to check in the second."""
    error = unexpected_content(status, content_type, start)
    assert words in error.fact
    assert f"HTTP {status}" in error.fact
    assert (content_type or "none") in error.fact
    assert "COMETAPI_BASE_URL" in error.next_step
    assert error.status_code == status
