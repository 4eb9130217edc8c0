"""Background responses: their states, their streams that go on without a reader, and cancelling."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cometnb.client.simulator import Simulator
from tests.client.simulator.talk import EMPTY, asked, call, deltas, events, parsed, posted, text_of

_POLLS = {"metadata": {"simulate": "polls=4"}}


def _no_wait(_: float) -> None:
    return


def _cut(simulator: Simulator, **params: Any) -> list[dict[str, Any]]:
    """Return the whole events of a background stream whose connection breaks."""
    got: list[bytes] = []
    body = {**EMPTY, "background": True, "stream": True, **params}
    with (
        httpx.Client(transport=simulator, base_url="http://simulator/v1") as http,
        http.stream("POST", "/responses", json=body) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        got.extend(answer.iter_raw())
    return parsed(b"".join(got).rpartition(b"\n\n")[0] + b"\n\n")


def _rest(simulator: Simulator, response_id: str, after: int | None = None) -> list[dict[str, Any]]:
    query = {} if after is None else {"starting_after": str(after)}
    answer = call(simulator, "GET", f"/responses/{response_id}", stream="true", **query)
    assert answer.status_code == 200, answer.text
    return parsed(answer.content)


def test_it_is_queued_then_in_progress_then_done() -> None:
    """With polls on demand the states come by asking, whatever the pace."""
    simulator = Simulator()
    first = asked(simulator, background=True, **_POLLS)
    path = f"/responses/{first['id']}"
    states = [call(simulator, "GET", path).json() for _ in range(5)]
    assert [first["status"], *(state["status"] for state in states)] == [
        "queued", "queued", "in_progress", "in_progress", "completed", "completed"
    ]  # fmt: skip
    assert (states[2]["output"], states[2]["usage"]) == ([], None)
    assert text_of(states[4])


def test_it_is_queued_for_half_of_the_wait() -> None:
    """By the pace: an hour before the first token is half an hour in the queue."""
    simulator = Simulator(first_token_s=3600)
    path = f"/responses/{asked(simulator, background=True)['id']}"
    assert call(simulator, "GET", path).json()["status"] == "queued"


def test_the_stream_of_a_background_response_says_queued() -> None:
    """Before it says that the work began; and the response is kept."""
    simulator = Simulator()
    stream = events(simulator, background=True)
    assert [event["type"].removeprefix("response.") for event in stream[:3]] == [
        "created",
        "queued",
        "in_progress",
    ]
    assert [event["response"]["status"] for event in stream[:3]] == ["queued", "queued", "in_progress"]
    assert (
        call(simulator, "GET", f"/responses/{stream[0]['response']['id']}").json() == stream[-1]["response"]
    )


@pytest.mark.parametrize("settings", [{}, {"tokens_per_s": 0.01, "first_token_s": 9.0, "sleep": _no_wait}])
@pytest.mark.parametrize("simulate", ["cut", "cut:at=2", "cut:at=40"])
def test_a_stream_that_broke_is_taken_up_again(settings: dict[str, Any], simulate: str) -> None:
    """The rest follows without a gap, while it still runs as well as when it is over."""
    simulator = Simulator(**settings)
    before = _cut(simulator, metadata={"simulate": simulate})
    rest = _rest(simulator, before[0]["response"]["id"], before[-1]["sequence_number"])
    numbers = [event["sequence_number"] for event in before + rest]
    assert numbers == list(range(len(numbers)))
    assert rest[-1]["type"] == "response.completed"
    assert deltas(before + rest) == text_of(rest[-1]["response"])


def test_a_stream_can_break_several_times() -> None:
    """With a number of times the fault goes on with the next reader."""
    simulator = Simulator()
    got = _cut(simulator, metadata={"simulate": "cut:times=2"})
    path = f"/responses/{got[0]['response']['id']}"
    with pytest.raises(httpx.RemoteProtocolError):
        call(simulator, "GET", path, stream="true", starting_after=str(got[-1]["sequence_number"]))
    assert _rest(simulator, got[0]["response"]["id"], 3)[0]["sequence_number"] == 4


def test_the_whole_stream_can_be_had_again() -> None:
    """From the start, event by event the same."""
    simulator = Simulator()
    stream = events(simulator, background=True)
    assert _rest(simulator, stream[0]["response"]["id"]) == stream
    assert _rest(simulator, stream[0]["response"]["id"], stream[-1]["sequence_number"]) == []


@pytest.mark.parametrize("params", [{"stream": True}, {"background": True}, {}])
def test_other_responses_cannot_be_streamed_again(params: dict[str, Any]) -> None:
    """Only those that were begun as streams in the background."""
    simulator = Simulator()
    answer = posted(simulator, **params)
    response_id = (parsed(answer.content)[0]["response"] if "stream" in params else answer.json())["id"]
    again = call(simulator, "GET", f"/responses/{response_id}", stream="true")
    assert (again.status_code, again.json()["error"]["param"]) == (400, "stream")


def test_a_place_that_is_no_number_is_refused() -> None:
    """400 that names it."""
    simulator = Simulator()
    response_id = events(simulator, background=True)[0]["response"]["id"]
    answer = call(simulator, "GET", f"/responses/{response_id}", stream="true", starting_after="x")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "starting_after")


def test_cancelling_ends_the_stream() -> None:
    """The reader is told, and the response stays cancelled."""
    simulator = Simulator(tokens_per_s=0.01)
    response_id = ""

    def cancel(_: float) -> None:
        assert call(simulator, "POST", f"/responses/{response_id}/cancel").json()["status"] == "cancelled"

    simulator.sleep = cancel
    body = {**EMPTY, "background": True, "stream": True}
    with (
        httpx.Client(transport=simulator, base_url="http://simulator/v1") as http,
        http.stream("POST", "/responses", json=body) as answer,
    ):
        chunks = answer.iter_raw()
        first = next(chunks)
        response_id = parsed(first)[0]["response"]["id"]
        stream = parsed(first + b"".join(chunks))
    assert stream[-1]["type"] == "response.cancelled"
    assert stream[-1]["response"]["status"] == "cancelled"
    assert _rest(simulator, response_id)[-1]["type"] == "response.cancelled"


@pytest.mark.parametrize("fault", ["failed", "error_event"])
@pytest.mark.parametrize("stream", [False, True])
def test_it_can_fail(fault: str, stream: bool) -> None:
    """Whoever asks for it later learns why."""
    simulator = Simulator()
    answer = posted(simulator, background=True, stream=stream, metadata={"simulate": fault})
    first = parsed(answer.content)[0]["response"] if stream else answer.json()
    later = call(simulator, "GET", f"/responses/{first['id']}").json()
    assert (first["status"], later["status"], later["error"]["code"]) == ("queued", "failed", "server_error")


def test_what_is_still_in_progress_cannot_be_continued() -> None:
    """Its end is not known yet."""
    simulator = Simulator()
    response = asked(simulator, background=True, **_POLLS)
    answer = posted(simulator, previous_response_id=response["id"])
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "previous_response_id")


def test_a_conversation_gets_it_when_it_is_done() -> None:
    """Not before."""
    simulator = Simulator()
    conversation_id = call(simulator, "POST", "/conversations", {}).json()["id"]
    response = asked(simulator, background=True, conversation=conversation_id, **_POLLS)
    path = f"/conversations/{conversation_id}/items"
    assert call(simulator, "GET", path).json()["data"] == []
    for _ in range(4):
        call(simulator, "GET", f"/responses/{response['id']}")
    assert len(call(simulator, "GET", path).json()["data"]) == 3
