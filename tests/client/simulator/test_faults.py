"""Errors on demand, each as it looks on the wire."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.faults import FAULTS
from tests.client.simulator.talk import EMPTY, deltas, events, posted, text_of

_STATUS_FAULTS = [name for name, row in FAULTS.items() if row.status != 200]


def _received(simulator: Simulator, **params: Any) -> tuple[bytes, httpx.TransportError | None]:
    """Return the bytes that came, and what broke the connection, if anything did."""
    got: list[bytes] = []
    with (
        httpx.Client(transport=simulator, base_url="http://simulator/v1") as http,
        http.stream("POST", "/responses", json=EMPTY | params) as answer,
    ):
        try:
            got.extend(answer.iter_raw())
        except httpx.TransportError as error:
            return b"".join(got), error
    return b"".join(got), None


@pytest.mark.parametrize("name", _STATUS_FAULTS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_status_on_demand(name: str, stream: bool) -> None:
    """Streamed or not, the answer is that status with an error in the service's shape."""
    answer = posted(Simulator(fault=name), stream=stream)
    error = answer.json()["error"]
    assert answer.status_code == int(name.partition(":")[0])
    assert error["type"] == "comet_api_error"
    assert "Simulated" in error["message"]


@pytest.mark.parametrize(
    ("name", "code"), [("500:invalid_request", "invalid_request"), ("503:model_not_found", "model_not_found")]
)
def test_statuses_that_mean_something_else_than_they_say(name: str, code: str) -> None:
    """The code tells that trying again does not help."""
    assert posted(Simulator(fault=name)).json()["error"]["code"] == code


def test_a_request_asks_for_its_own_fault() -> None:
    """By its metadata; other requests are not touched."""
    simulator = Simulator()
    assert posted(simulator, metadata={"simulate": "401"}).status_code == 401
    assert posted(simulator).status_code == 200


@pytest.mark.parametrize(
    ("fault", "seconds"), [("429", "1"), ("429:retry_after=2", "2"), ("500:retry_after=0", "0")]
)
def test_how_long_to_wait_is_in_the_header(fault: str, seconds: str) -> None:
    """429 says it by itself, the others when told to."""
    assert posted(Simulator(fault=fault)).headers["retry-after"] == seconds


def test_a_fault_can_be_over_after_some_times() -> None:
    """Counted for each request by itself, so that a retry of it works."""
    simulator = Simulator(fault="429:times=2,retry_after=0")
    assert [posted(simulator).status_code for _ in range(3)] == [429, 429, 200]
    assert posted(simulator, input="Another prompt").status_code == 429


@pytest.mark.parametrize("fault", ["bogus", "429:sometimes", "429:times=x", "429:after=3", ""])
def test_an_unknown_fault_is_answered_with_the_known_ones(fault: str) -> None:
    """400, with the whole list; an empty one is no fault."""
    answer = posted(Simulator(fault=fault))
    if not fault:
        assert answer.status_code == 200
        return
    assert answer.status_code == 400
    assert all(name in answer.json()["error"]["message"] for name in FAULTS)


def test_other_routes_are_refused_too() -> None:
    """A key that is not valid is valid nowhere."""
    with httpx.Client(transport=Simulator(fault="401"), base_url="http://simulator/v1") as http:
        assert http.get("/models").status_code == 401


def test_failed_in_mid_stream() -> None:
    """Some text, then a response that failed and reports neither output nor usage."""
    stream = events(Simulator(fault="failed"))
    final = stream[-1]["response"]
    assert stream[-1]["type"] == "response.failed"
    assert (final["status"], final["error"]["code"]) == ("failed", "server_error")
    assert (final["output"], final["usage"]) == ([], None)
    assert deltas(stream)


def test_failed_without_a_stream() -> None:
    """Status 200 and a response that failed."""
    answer = posted(Simulator(fault="failed"))
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")


def test_an_error_event_ends_the_stream() -> None:
    """About half of the text came before it."""
    whole, stream = deltas(events(Simulator())), events(Simulator(fault="error_event"))
    assert (stream[-1]["type"], stream[-1]["code"]) == ("error", "server_error")
    assert whole.startswith(deltas(stream))
    assert 0.4 < len(deltas(stream)) / len(whole) < 0.6


def test_an_error_event_without_a_stream_is_a_status() -> None:
    """There is no event to send."""
    assert posted(Simulator(fault="error_event")).status_code == 500


def test_a_cut_breaks_the_connection_inside_an_event() -> None:
    """What came ends in the middle of a line."""
    data, error = _received(Simulator(fault="cut"), stream=True)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert not data.endswith(b"\n")
    assert b"response.completed" not in data


def test_a_cut_without_text_is_a_cut_all_the_same() -> None:
    """Reasoning used up the limit."""
    data, error = _received(Simulator(fault="cut"), stream=True, max_output_tokens=1)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert not data.endswith(b"\n")


def test_an_early_end_is_clean_and_has_no_last_event() -> None:
    """Whole events, then nothing more."""
    data, error = _received(Simulator(fault="eof"), stream=True)
    assert error is None
    assert data.endswith(b"\n\n")
    assert b"response.output_text.delta" in data
    assert b"response.output_text.done" not in data


@pytest.mark.parametrize(("fault", "broken"), [("cut", True), ("eof", False)])
def test_a_body_that_is_cut_is_no_json(fault: str, broken: bool) -> None:
    """Half of it arrives, with or without a broken connection."""
    data, error = _received(Simulator(fault=fault))
    assert (error is not None) is broken
    with pytest.raises(json.JSONDecodeError):
        json.loads(data)


@pytest.mark.parametrize("stream", [False, True])
def test_a_web_page_instead_of_an_answer(stream: bool) -> None:
    """Status 200, as a wrong base URL answers."""
    answer = posted(Simulator(fault="html"), stream=stream)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("stream", [False, True])
def test_a_stall_ends_with_the_clients_own_limit(stream: bool) -> None:
    """Half of the answer came; then the read timeout passes."""
    with (
        httpx.Client(
            transport=Simulator(fault="stall", sleep=lambda _: None),
            base_url="http://simulator/v1",
            timeout=60,
        ) as http,
        http.stream("POST", "/responses", json={**EMPTY, "stream": stream}) as answer,
        pytest.raises(httpx.ReadTimeout),
    ):
        answer.read()


def test_a_fault_may_be_set_and_taken_back() -> None:
    """Settings are attributes."""
    simulator = Simulator()
    simulator.fault = "500"
    assert posted(simulator).status_code == 500
    simulator.fault = None
    assert text_of(posted(simulator).json())
