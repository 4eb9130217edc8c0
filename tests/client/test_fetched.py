"""The one attempt that tells the usage of a response which was fetched by its id."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.fetched import bring_home, claim, known_params
from cometnb.protocol.response import Response
from tests.client.transports import NOW, body_of, setup_for


def _response(**fields: Any) -> Response:
    """A response with an id no other test has."""
    return Response(
        body_of(id=f"resp_{uuid.uuid4().hex}", background=True, created_at=1_770_000_000) | fields
    )


def _told(response: Response, *, times: int = 1, **named: Any) -> list[Attempt]:
    attempts: list[Attempt] = []
    setup = setup_for(observers=[attempts.append])
    for _ in range(times):
        bring_home(setup, response, **{"params": {}, "labels": {}} | named)
    return attempts


def test_an_end_is_told_once() -> None:
    """With status, usage, labels and the request's body, as a GET."""
    response = _response()
    (attempt,) = _told(response, times=3, params={"model": "m", "input": "Hi"}, labels={"tag": "t"})
    assert (attempt.method, attempt.status, attempt.http_status) == ("GET", "completed", 200)
    assert attempt.response.usage.total_tokens == 12
    assert (attempt.params["input"], attempt.labels, attempt.created_at) == ("Hi", {"tag": "t"}, NOW)
    assert not attempt.is_free


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_what_has_not_ended_is_not_told(status: str) -> None:
    """There is nothing to tell yet."""
    assert _told(_response(status=status)) == []


def test_a_response_that_was_not_in_the_background_is_not_told() -> None:
    """Its usage came with the request."""
    assert _told(_response(background=False)) == []


def test_a_failure_is_told_with_its_code() -> None:
    """And without a usage it is free."""
    (attempt,) = _told(_response(status="failed", usage=None, error={"code": "server_error", "message": "x"}))
    assert (attempt.status, attempt.error_code, attempt.is_free) == ("failed", "server_error", True)


def test_every_process_comes_to_the_same_attempt() -> None:
    """Its id follows from the response; a ledger that two kernels share keeps one row."""
    response = Response({"id": "resp_of_two_kernels", "created_at": 1})
    assert claim("https://api.cometapi.com/v1", response) == "3760dcb66816522686aaf4b77783c64c"
    assert claim("https://api.cometapi.com/v1", response) is None


@pytest.mark.parametrize(
    ("base_url", "response_id", "created_at"),
    [
        ("https://gateway.example/v1", "resp_1", 1),
        ("https://api.example/v1", "resp_2", 1),
        ("https://api.example/v1", "resp_1", 2),
    ],
)
def test_another_response_is_another_attempt(base_url: str, response_id: str, created_at: int) -> None:
    """Simulators use the same ids again; the moment tells them apart."""
    prefix = uuid.uuid4().hex
    first = claim("https://api.example/v1", Response({"id": f"{prefix}resp_1", "created_at": 1}))
    other = claim(base_url, Response({"id": f"{prefix}{response_id}", "created_at": created_at}))
    assert first is not None
    assert other is not None
    assert first != other


def test_a_response_says_little_of_its_request() -> None:
    """The model asked for and the effort, where they are known."""
    response = _response(reasoning={"effort": "low", "summary": None})
    assert known_params(response) == {"reasoning": {"effort": "low", "summary": None}}
    response.model_requested = "gpt-5.4"
    assert known_params(response)["model"] == "gpt-5.4"
    assert known_params(Response({"reasoning": None})) == {}
