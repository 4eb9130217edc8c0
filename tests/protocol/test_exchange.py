"""One attempt: what goes in, what phase it is in, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb import errors
from cometnb.protocol.answer import Fault
from cometnb.protocol.exchange import Exchange, Phase, encoded
from cometnb.protocol.response import Timing
from tests.protocol.streams import (
    JSON_OBJECTS,
    event,
    exchanged,
    head,
    item_added,
    message,
    opening,
    terminal,
    text_delta,
    wire,
)

_AT_0 = {"output_index": 0, "content_index": 0}
_EVENTS = [
    opening(),
    item_added(message(), output_index=0),
    *(text_delta(text, **_AT_0) for text in ("Hé", "llo ", "🎉", " \\{\n", "end")),
    event("keepalive"),
    terminal(output=[message("Héllo 🎉 \\{\nend")], usage={"input_tokens": 1}),
]
_STREAM = wire(_EVENTS)
_N_MOST_BYTES = len(wire(_EVENTS[:4])) + 5
_ENDS = {"completed", "incomplete", "failed", "cancelled", "interrupted", "truncated", "error"}


def _streaming(data: bytes = b"") -> Exchange:
    exchange = Exchange({"model": "m"})
    exchange.begin(head(x_request_id="req_1"))
    exchange.receive(data)
    return exchange


def _bodied(status: int, data: bytes, content_type: str = "application/json") -> Exchange:
    exchange = Exchange({"model": "gpt-x"})
    assert exchange.begin(head(status, content_type)) is Phase.BODY
    exchange.receive_body(data)
    assert exchange.phase is Phase.OVER
    return exchange


def test_a_stream_goes_through_its_phases() -> None:
    """Ready, streaming, over; the response can be read at every moment."""
    exchange = Exchange({"model": "m"})
    assert (exchange.phase, exchange.is_over, exchange.response().status) == (
        Phase.READY,
        False,
        "in_progress",
    )
    assert exchange.begin(head()) is Phase.STREAM
    half = len(_STREAM) // 2
    assert exchange.receive(_STREAM[:half])
    assert exchange.response().status == "in_progress"
    assert exchange.has_output
    exchange.receive(_STREAM[half:])
    assert exchange.is_over
    assert exchange.end() == []
    assert exchange.phase is Phase.OVER
    assert (exchange.error, exchange.error_code, exchange.is_retriable) == (None, None, False)
    response = exchange.response(Timing(0.1, 0.2))
    assert (response.status, response.output_text) == ("completed", "Héllo 🎉 \\{\nend")
    assert response.timing.ttft_s == 0.1


@given(size=st.integers(1, 400))
def test_any_chunking_gives_the_same_events_and_response(size: int) -> None:
    """Where the wire cuts the stream changes nothing."""
    whole, all_events = exchanged(_STREAM)
    exchange, events = exchanged(_STREAM, size=size)
    assert [(each.type, each.raw) for each in events] == [(each.type, each.raw) for each in all_events]
    assert exchange.response().raw == whole.response().raw


@given(cut=st.integers(0, len(_STREAM)), how=st.sampled_from(["end", "fault", "interrupt"]), data=st.data())
def test_a_stream_cut_anywhere_keeps_its_text(cut: int, how: str, data: st.DataObject) -> None:
    """Whatever ends a stream, the text of the deltas so far is there, with a status that says how it ended."""
    exchange = _streaming()
    kind = data.draw(st.sampled_from(["broken", "idle_timeout", "total_timeout"]))
    events = exchange.receive(_STREAM[:cut])
    if how == "interrupt":
        exchange.interrupt()
    else:
        events += exchange.end(Fault(kind, "it broke") if how == "fault" else None)
    text = "".join(each.delta for each in events if each.type == "response.output_text.delta")
    response = exchange.response()
    assert response.output_text == text
    assert response.status in _ENDS
    assert exchange.phase is Phase.OVER
    assert (response.status == "completed") == (exchange.error is None and response.status != "interrupted")
    if how == "interrupt":
        assert response.status == ("completed" if cut == len(_STREAM) else "interrupted")
    assert not exchange.is_retriable


@given(
    data=st.binary(max_size=80)
    | st.lists(JSON_OBJECTS, max_size=4).map(lambda objects: wire(objects, named=False))
)
def test_any_bytes_end_in_a_response_and_our_own_errors(data: bytes) -> None:
    """Nothing a server can send raises anything, as a stream or as a body."""
    streamed, _ = exchanged(data, size=7)
    bodied = _bodied(200, data)
    for exchange in (streamed, bodied):
        assert exchange.error is None or isinstance(exchange.error, errors.CometError)
        json.dumps(exchange.response().raw)
        assert exchange.response().status


def test_an_end_without_a_terminal_event_is_truncated() -> None:
    """The error says after how many events, and where the text is."""
    exchange = _streaming(wire(_EVENTS[:4]))
    exchange.end()
    assert exchange.response().status == exchange.error_code == "truncated"
    assert isinstance(exchange.error, errors.StreamInterruptedError)
    assert "after 4 events" in exchange.error.fact
    assert exchange.response().output_text == "Héllo "


def test_the_last_event_may_lack_its_blank_line() -> None:
    """It is given when the stream ends."""
    exchange = _streaming(_STREAM[:-2])
    assert [each.type for each in exchange.end()] == ["response.completed"]
    assert exchange.response().status == "completed"


@pytest.mark.parametrize("kind", ["broken", "idle_timeout"])
def test_a_fault_after_the_end_changes_nothing(kind: str) -> None:
    """Once the service has said how it ended, the wire may do what it likes."""
    exchange = _streaming(_STREAM)
    exchange.end(Fault(kind, "it broke"))
    exchange.end()
    exchange.interrupt()
    assert (exchange.error, exchange.response().status) == (None, "completed")
    assert exchange.receive(_STREAM) == []


@pytest.mark.parametrize(
    ("kind", "status", "retriable"),
    [("connect", "error", True), ("connect_timeout", "error", True), ("broken", "error", False)],
)
def test_a_fault_before_anything_came(kind: str, status: str, retriable: bool) -> None:
    """Only what the service cannot have seen may be sent again."""
    exchange = Exchange({"model": "m"})
    exchange.end(Fault(kind, "it broke"))
    assert (exchange.response().status, exchange.error_code) == (status, kind)
    assert exchange.is_retriable is retriable


def test_a_fault_in_mid_stream_keeps_the_text() -> None:
    """It is truncated, with the fault's own code, and not tried again."""
    exchange = _streaming(wire(_EVENTS[:4]))
    exchange.end(Fault("idle_timeout", "no bytes for 120 s"))
    assert (exchange.response().status, exchange.error_code) == ("truncated", "idle_timeout")
    assert isinstance(exchange.error, errors.ResponseTimeoutError)
    assert ".response" in exchange.error.next_step
    assert not exchange.is_retriable


def test_a_body_that_ends_early_is_an_error() -> None:
    """A clean end without the body is a broken one."""
    exchange = Exchange({"model": "m"})
    exchange.begin(head(200, "application/json"))
    exchange.end()
    assert isinstance(exchange.error, errors.ConnectionFailedError)


def test_a_whole_body_is_one_event() -> None:
    """An answer that was not streamed looks like the end of one that was."""
    raw = {"object": "response", "id": "r", "status": "completed", "output": [message("Hi")], "odd": 1}
    exchange = Exchange({"model": "m"})
    exchange.begin(head(200, "application/json", x_request_id="req_1"))
    events = exchange.receive_body(json.dumps(raw).encode())
    assert [(each.type, each.response) for each in events] == [("response.completed", raw)]
    response = exchange.response()
    assert (response.raw, response.output_text, response.request_id) == (raw, "Hi", "req_1")
    assert exchange.has_output


@pytest.mark.parametrize(
    ("error", "words"), [({"message": "no capacity", "code": "c"}, "no capacity"), (None, "no reason given")]
)
def test_a_body_that_failed_keeps_its_text_and_says_why(error: Any, words: str) -> None:
    """A failed response is an error with what it holds."""
    raw = {"object": "response", "status": "failed", "output": [message("Hi")], "error": error}
    exchange = _bodied(200, json.dumps(raw).encode())
    assert isinstance(exchange.error, errors.ResponseFailedError)
    assert words in exchange.error.fact
    assert (exchange.response().status, exchange.response().output_text) == ("failed", "Hi")


@pytest.mark.parametrize(
    ("status", "data", "kind", "code", "retriable"),
    [
        (429, b'{"error": {"message": "slow down"}}', errors.RateLimitError, "http_429", True),
        (500, b'{"error": {"message": "m", "code": 7}}', errors.ServerError, "7", True),
        (401, b"", errors.AuthenticationError, "http_401", False),
        (200, b'{"error": {"message": "m"}}', errors.ServerError, "http_200", False),
        (200, b'{"hello": 1}', errors.UnexpectedContentError, "http_200", False),
        (200, b"null", errors.UnexpectedContentError, "http_200", False),
        (200, b"<html>", errors.UnexpectedContentError, "http_200", False),
    ],
)
def test_a_body_that_is_an_error(status: int, data: bytes, kind: type, code: str, retriable: bool) -> None:
    """Class, code and whether to try again; the response so far is empty and says error."""
    exchange = _bodied(status, data)
    assert type(exchange.error) is kind
    assert (exchange.error_code, exchange.is_retriable) == (code, retriable)
    response = exchange.response()
    assert (response.status, response.output_text) == ("error", "")
    assert response.error is not None
    assert response.error["code"] == code


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b": hello\n\n", b"id: 1\n", b"retry: 5\n\n"])
def test_a_stream_under_another_content_type_is_read(content_type: str, before: bytes) -> None:
    """The first bytes tell it, where the head does not."""
    exchange = _bodied(200, before + _STREAM, content_type)
    assert (exchange.response().status, exchange.error) == ("completed", None)


@pytest.mark.parametrize("padding", [0, 100_000])
@pytest.mark.parametrize("size", [1000, 1 << 30])
def test_json_under_the_content_type_of_a_stream_is_read(padding: int, size: int) -> None:
    """A gateway that names every body a stream loses neither answer nor error, however long."""
    answer = {"object": "response", "status": "completed", "output": [message("Hi" + "!" * padding)]}
    exchange, events = exchanged(json.dumps(answer).encode(), size=size)
    assert exchange.response().output_text == "Hi" + "!" * padding
    assert [each.type for each in events] == ["response.completed"]
    failed, _ = exchanged(json.dumps({"error": {"message": "no" + " " * padding}}).encode(), size=size)
    assert isinstance(failed.error, errors.APIError)
    assert "no" in failed.error.fact


@pytest.mark.parametrize("data", [b"upstream unavailable", b"<html>", b"null", b"[]"])
def test_something_else_under_the_content_type_of_a_stream_is_named(data: bytes) -> None:
    """It is no truncated stream, and the error shows what it is."""
    exchange, _ = exchanged(data)
    assert isinstance(exchange.error, errors.UnexpectedContentError)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"da", b"event: response.cre", b": keepalive\n\n", b"data: [DONE]\n\n"]
)
def test_a_stream_without_events_is_truncated(data: bytes) -> None:
    """Also one that was cut in its first line."""
    exchange, _ = exchanged(data)
    assert isinstance(exchange.error, errors.StreamInterruptedError)
    assert exchange.response().status == "truncated"


def test_an_error_event_is_the_error() -> None:
    """The service's words, code and request id reach the caller; the text so far is kept."""
    failure = event("error", code="busy", message="overloaded (request id: r7)")
    exchange, _ = exchanged(wire([*_EVENTS[:3], failure]))
    assert isinstance(exchange.error, errors.ResponseFailedError)
    assert exchange.error.fact == "The response failed: overloaded (code busy, request id r7)"
    assert (exchange.error_code, exchange.error.request_id) == ("busy", "r7")
    assert (exchange.response().status, exchange.response().output_text) == ("failed", "Hé")


def test_strict_mode_ends_with_a_protocol_error() -> None:
    """The first oddity ends the attempt, and later bytes are not read."""
    exchange, _ = exchanged(_STREAM, strict=True, size=50)
    assert isinstance(exchange.error, errors.ProtocolError)
    assert (exchange.error_code, exchange.response().status) == ("protocol", "error")
    assert exchange.receive(_STREAM) == []


def test_oddities_are_counted() -> None:
    """What was settled tolerantly can be looked at."""
    exchange, _ = exchanged(wire([event("response.new"), event("response.new"), *_EVENTS]))
    assert exchange.oddities == {"the unknown event type 'response.new'": 2}
    assert exchange.response().unknown_events == {"response.new": 2}
    assert exchange.n_events == len(_EVENTS) + 2


@given(body=JSON_OBJECTS)
def test_a_body_is_sent_as_json(body: dict[str, Any]) -> None:
    """Any JSON becomes UTF-8 and means the same again, also halves of characters."""
    data = encoded(body)
    data.decode("utf-8")
    assert json.loads(data) == body


def test_characters_are_sent_as_themselves() -> None:
    """UTF-8 is shorter than escapes, and readable."""
    assert encoded({"input": "é"}) == '{"input":"é"}'.encode()
    assert encoded({"input": "\ud83d"}) == b'{"input":"\\ud83d"}'


def test_a_stream_is_left_at_the_bound_of_its_size() -> None:
    """The text of what came before stays; the error names the size and the bound, and nothing is tried again."""
    exchange = Exchange({}, most_bytes=_N_MOST_BYTES)
    exchange.begin(head())
    for one in _EVENTS:
        exchange.receive(wire([one]))
    assert exchange.is_over
    assert exchange.response().output_text == "Héllo "
    assert (exchange.response().status, exchange.error_code) == ("truncated", "too_large")
    assert isinstance(exchange.error, errors.StreamInterruptedError)
    assert f"at most {_N_MOST_BYTES:,} are read" in exchange.error.fact
    assert not exchange.is_retriable


def test_a_stream_as_large_as_its_bound_is_read() -> None:
    """The last byte that is allowed is allowed."""
    exchange = Exchange({}, most_bytes=len(_STREAM))
    exchange.begin(head())
    exchange.receive(_STREAM)
    assert exchange.response().status == "completed"
