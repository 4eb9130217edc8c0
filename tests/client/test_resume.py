"""A stream that was lost is taken up again: sent after the last event, and folded on to the same end."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb import errors
from cometnb.protocol.response import Response
from tests.client.asking import Kind, both_kinds, called, responded
from tests.client.resuming import DELTAS, WHOLE, answer_of, cut, numbered_events, resumed
from tests.client.transports import KEY, SSE, Answer, Script, body_of, json_answer, sse


@pytest.fixture
def response_id() -> str:
    """An id no other test has: the usage of a response is told once in a process."""
    return f"resp_{uuid.uuid4().hex}"


# What is sent.


@both_kinds
def test_it_asks_for_the_events_after_the_last(kind: Kind, response_id: str) -> None:
    """The API's own path and query, with the key."""
    script = Script(answer_of(numbered_events(response_id)[3:]))
    resumed(kind, script, f" {response_id}\n", 2)
    (request,) = script.requests
    assert (request.method, request.url.path) == ("GET", f"/v1/responses/{response_id}")
    assert dict(request.url.params) == {"stream": "true", "starting_after": "2"}
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.content == b""


@both_kinds
def test_a_response_knows_where_its_stream_ended(kind: Kind, response_id: str) -> None:
    """The number of its last event is asked for, and what comes is laid behind what had come."""
    events = numbered_events(response_id)
    lost = cut(kind, events, 4)
    script = Script(answer_of(events[4:]))
    asked = resumed(kind, script, lost)
    assert script.requests[0].url.params["starting_after"] == "3"
    assert [event.sequence_number for event in asked.events] == [4, 5, 6, 7]
    assert (asked.response.output_text, asked.response.status) == (WHOLE, "completed")
    assert lost.output_text == "Hello there"


@both_kinds
def test_the_text_goes_on_without_a_repetition(kind: Kind, response_id: str) -> None:
    """The pieces of both streams joined are the text."""
    events = numbered_events(response_id)
    lost = cut(kind, events, 4)
    asked = resumed(kind, Script(answer_of(events[4:])), lost, as_text=True)
    assert asked.texts == list(DELTAS[2:])


@both_kinds
def test_text_that_had_come_whole_does_not_come_again(kind: Kind, response_id: str) -> None:
    """The event that says the whole text says nothing new after its last delta."""
    events = numbered_events(response_id)
    lost = cut(kind, events, 6)
    assert resumed(kind, Script(answer_of(events[6:])), lost, as_text=True).texts == []


@given(n_before=st.integers(1, 7), n_again=st.integers(0, 7), data=st.data())
def test_wherever_it_was_lost_the_end_is_the_same(n_before: int, n_again: int, data: st.DataObject) -> None:
    """At every cut the response is that of an unbroken stream, also if the server sends known events again."""
    events = numbered_events(f"resp_{uuid.uuid4().hex}")
    whole = responded("sync", Script(answer_of(events))).response
    lost = cut("sync", events, n_before)
    first = max(0, n_before - n_again)
    chunks = b"".join(sse(event) for event in events[first:])
    cut_at = data.draw(st.integers(0, len(chunks)))
    pieces = [piece for piece in (chunks[:cut_at], chunks[cut_at:]) if piece]
    asked = resumed("sync", Script(Answer(200, SSE, pieces)), lost)
    assert asked.response.raw == whole.raw
    assert [event.sequence_number for event in asked.events] == list(range(n_before, len(events)))


@both_kinds
def test_a_stream_may_begin_in_its_middle(kind: Kind, response_id: str) -> None:
    """By id alone the pieces are those that come now, and the last event tells the whole."""
    events = numbered_events(response_id)
    asked = resumed(kind, Script(answer_of(events[4:])), response_id, 3)
    assert asked.events[0].type == "response.output_text.delta"
    assert (asked.response.output_text, asked.response.id) == (WHOLE, response_id)
    assert resumed(kind, Script(answer_of(events[4:])), response_id, 3, as_text=True).texts == [
        ", reader",
        ".",
    ]


@both_kinds
def test_by_id_alone_it_is_the_whole_stream(kind: Kind, response_id: str) -> None:
    """No number is sent, and all of the text comes."""
    script = Script(answer_of(numbered_events(response_id)))
    assert resumed(kind, script, response_id, as_text=True).texts == list(DELTAS)
    assert "starting_after" not in script.requests[0].url.params


@both_kinds
def test_what_was_not_numbered_begins_anew(kind: Kind, response_id: str) -> None:
    """Without a number nobody knows what is missing: the text comes whole, and once."""
    events = [
        {k: v for k, v in event.items() if k != "sequence_number"} for event in numbered_events(response_id)
    ]
    lost = cut(kind, events, 4)
    script = Script(answer_of(events))
    asked = resumed(kind, script, lost, as_text=True)
    assert "starting_after" not in script.requests[0].url.params
    assert "".join(asked.texts) == asked.response.output_text == WHOLE


@both_kinds
def test_another_number_begins_the_text_anew(kind: Kind, response_id: str) -> None:
    """What a Response holds is believed for its own number only."""
    events = numbered_events(response_id)
    lost = cut(kind, events, 5)
    asked = resumed(kind, Script(answer_of(events[3:])), lost, 2)
    assert [event.sequence_number for event in asked.events] == [3, 4, 5, 6, 7]
    assert asked.response.output_text == WHOLE


@both_kinds
@pytest.mark.parametrize("starting_after", [-1, 1.5, "3", True])
def test_what_is_no_number_of_an_event_is_refused(kind: Kind, starting_after: Any) -> None:
    """Before anything is sent."""
    script = Script(answer_of([]))
    asked = resumed(kind, script, "resp_1", starting_after)
    assert isinstance(asked.error, errors.ParamError)
    assert asked.error.param == "starting_after"
    assert script.requests == []


@both_kinds
@pytest.mark.parametrize("response", ["", " ", "..", None, Response({})])
def test_what_has_no_id_cannot_be_taken_up(kind: Kind, response: Any) -> None:
    """Nothing is sent: if nothing had come, there is no id."""
    script = Script(answer_of([]))
    assert isinstance(resumed(kind, script, response).error, errors.ParamError)
    assert script.requests == []


# Ends.


@both_kinds
def test_it_is_sent_again_as_a_call_is(kind: Kind, response_id: str) -> None:
    """Before its first event; the same request."""
    script = Script(json_answer({"error": "busy"}, 503), answer_of(numbered_events(response_id)[2:]))
    asked = resumed(kind, script, response_id, 1)
    assert asked.response.output_text == WHOLE
    assert [attempt.status for attempt in asked.attempts] == ["error", "completed"]
    assert len({request.url for request in script.requests}) == 1


@both_kinds
@pytest.mark.parametrize("n_more", [0, 1, 2])
def test_it_can_be_lost_and_taken_up_more_than_once(kind: Kind, response_id: str, n_more: int) -> None:
    """Each time from where the last one ended, also if nothing came in between."""
    events = numbered_events(response_id)
    again = resumed(kind, Script(answer_of(events[3 : 3 + n_more])), cut(kind, events, 3))
    assert isinstance(again.error, errors.StreamInterruptedError)
    assert again.response.output_text == "".join(DELTAS[: 1 + n_more])
    last = resumed(kind, Script(answer_of(events[3 + n_more :])), again.response)
    assert (last.response.output_text, last.response.status) == (WHOLE, "completed")


@both_kinds
def test_a_service_may_answer_with_the_response_as_it_stands(kind: Kind, response_id: str) -> None:
    """One event, no error; the text that had come is kept until the service tells more."""
    lost = cut(kind, numbered_events(response_id), 4)
    standing = body_of(id=response_id, status="in_progress", output=[], usage=None, background=True)
    asked = resumed(kind, Script(json_answer(standing)), lost)
    assert [event.type for event in asked.events] == ["response.in_progress"]
    assert (asked.error, asked.response.status, asked.response.output_text) == (
        None,
        "in_progress",
        "Hello there",
    )


@both_kinds
def test_a_response_that_has_failed_is_an_error(kind: Kind, response_id: str) -> None:
    """As in the first stream, with the text on it."""
    failure = {"code": "server_error", "message": "out of memory"}
    events = numbered_events(response_id, ending="failed", error=failure)
    asked = resumed(kind, Script(answer_of(events[4:])), cut(kind, events, 4))
    assert isinstance(asked.error, errors.ResponseFailedError)
    assert asked.error.response is not None
    assert asked.error.response.output_text == WHOLE


# Services that keep nothing.

_HTML = {"content-type": "text/html"}


@both_kinds
@pytest.mark.parametrize("method", ["resume", "retrieve", "cancel"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {"content-type": "text/plain"}, [b"404 page not found"]),
        Answer(405, {"content-type": "text/plain"}, [b"Method Not Allowed"]),
        Answer(404, _HTML, [b"<html>nginx</html>"]),
        Answer(200, _HTML, [b"<html>Welcome</html>"]),
        json_answer({"error": {"message": "Invalid URL (GET /v1/responses/resp_1)", "code": ""}}, 404),
        json_answer({"detail": "Not Found"}, 404),
        json_answer({"error": {"message": "not here", "code": "x"}}, 405),
    ],
    ids=["404", "405", "404 page", "200 page", "invalid url", "detail", "405 json"],
)
def test_a_service_without_retrieval_is_named(kind: Kind, method: str, answer: Answer) -> None:
    """Line 1 says that it does not offer it and why that is known, line 2 what to do instead."""
    error: errors.CometError | None
    if method == "resume":
        error = resumed(kind, Script(answer), "resp_1").error
    else:
        with pytest.raises(errors.APIError) as caught:
            called(kind, method, "resp_1", transport=Script(answer))
        error = caught.value
    assert isinstance(error, errors.APIError)
    offer = "cancelling" if method == "cancel" else "retrieval"
    assert error.fact.startswith(f"The service does not offer {offer} of responses")
    assert f"HTTP {answer.status}" in error.fact
    assert "POST /responses" in error.next_step
    assert error.status_code == answer.status


@both_kinds
@pytest.mark.parametrize(
    "raw",
    [
        {"error": {"message": "Response with id 'resp_1' not found.", "code": None}},
        {"error": {"message": "gone", "code": "response_not_found"}},
    ],
)
def test_a_response_that_is_not_known_is_another_matter(kind: Kind, raw: Any) -> None:
    """The service offers retrieval, and says that it does not keep this one."""
    error = resumed(kind, Script(json_answer(raw, 404)), "resp_1").error
    assert isinstance(error, errors.NotFoundError)
    assert "does not offer" not in str(error)


@both_kinds
def test_a_gateway_that_is_overloaded_is_another_matter(kind: Kind) -> None:
    """Its page says nothing of what it offers."""
    error = resumed(kind, Script(Answer(502, _HTML, [b"<html>Bad gateway</html>"])), "resp_1").error
    assert isinstance(error, errors.UnexpectedContentError)
    assert "does not offer" not in str(error)


@both_kinds
def test_an_error_never_shows_the_key(kind: Kind) -> None:
    """Also where the service repeats it."""
    asked = resumed(kind, Script(json_answer({"error": f"no route for {KEY}"}, 404)), "resp_1")
    assert KEY not in str(asked.error)


@both_kinds
def test_a_connection_that_breaks_leaves_the_text(kind: Kind, response_id: str) -> None:
    """What had come before and since is in the response."""
    events = numbered_events(response_id)
    pieces: list[bytes | BaseException] = [sse(events[4]), httpx.ReadError("reset by peer")]
    asked = resumed(kind, Script(Answer(200, SSE, pieces)), cut(kind, events, 4))
    assert isinstance(asked.error, errors.StreamInterruptedError)
    assert asked.response.output_text == "Hello there, reader"
