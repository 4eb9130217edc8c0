"""A stream's events, its text and the response so far, for both clients."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator import Simulator
from cometnb.errors import CometWarning, ProtocolError, ResponseFailedError, StreamInterruptedError
from cometnb.protocol.response import Response
from tests import corpus
from tests.client.asking import Kind, both_kinds, responded, streamed
from tests.client.transports import SSE, Answer, Script, body_of, json_answer, sse, stream_answer, text_events

_EVENTS = text_events("Hello", " there", ".")

# Recordings with deltas left out of their middle: what was given out is the deltas, and nothing is made up.
_CONTRADICTING = {"vercel-openai/openai-shell-container.1.sse": "The command ran successfully."}


def _typed(events: list[Any]) -> list[str]:
    return [event.type for event in events]


@both_kinds
def test_events_come_as_sent(kind: Kind) -> None:
    """Iterating a stream gives every event with its JSON, in order."""
    asked = streamed(kind, Script(stream_answer("Hello", " there", ".")))
    assert [event.raw for event in asked.events] == _EVENTS


@both_kinds
def test_text_deltas_come_as_sent(kind: Kind) -> None:
    """The pieces of the text are the deltas."""
    asked = streamed(kind, Script(stream_answer("Hello", " there", ".")), as_text=True)
    assert asked.texts == ["Hello", " there", "."]
    assert asked.response.output_text == "Hello there."


@both_kinds
@pytest.mark.parametrize(
    "events",
    [
        [_EVENTS[0], _EVENTS[-2], _EVENTS[-1]],
        [_EVENTS[-1]],
        [event for event in _EVENTS if event.get("delta") != "."],
    ],
    ids=["only a done event", "only the last event", "the last delta missing"],
)
def test_text_without_deltas_is_delivered(kind: Kind, events: list[dict[str, Any]]) -> None:
    """Text that came in a done event or in the last event is given out once."""
    asked = streamed(kind, Script(Answer(200, SSE, [sse(event) for event in events])), as_text=True)
    assert "".join(asked.texts) == "Hello there."


@both_kinds
def test_a_part_without_deltas_before_one_with_them_is_delivered(kind: Kind) -> None:
    """Where only the second part of a text has deltas, the pieces joined are still the text."""
    places = [{"item_id": "msg_1", "output_index": 0, "content_index": index} for index in (0, 1)]
    parts = [{"type": "output_text", "text": text} for text in ("Hello ", "world")]
    output = [{"id": "msg_1", "type": "message", "role": "assistant", "content": parts}]
    events = [
        _EVENTS[0],
        {"type": "response.output_text.done", "text": "Hello ", **places[0]},
        {"type": "response.output_text.delta", "delta": "wor", **places[1]},
        {"type": "response.output_text.done", "text": "world", **places[1]},
        {"type": "response.completed", "response": body_of(output=output)},
    ]
    asked = streamed(kind, Script(Answer(200, SSE, [sse(event) for event in events])), as_text=True)
    assert "".join(asked.texts) == asked.response.output_text == "Hello world"


@both_kinds
def test_a_character_split_over_two_deltas_comes_whole(kind: Kind) -> None:
    """Half a surrogate pair waits for its other half, so that every piece can be printed."""
    asked = streamed(kind, Script(stream_answer("a\ud83d", "\ude00b")), as_text=True)
    assert "".join(asked.texts).encode() == "a😀b".encode()


@both_kinds
def test_half_a_character_at_the_end_is_replaced(kind: Kind) -> None:
    """A half that nothing follows comes out as it stands in the response's text."""
    asked = streamed(kind, Script(stream_answer("ab", "\ud83d")), as_text=True)
    assert "".join(asked.texts) == asked.response.output_text == "ab\ufffd"


@both_kinds
def test_json_to_a_stream_request_is_an_answer(kind: Kind) -> None:
    """A service that does not stream gives one event, and the text in one piece."""
    script = Script(json_answer(body_of("Hello there.")))
    assert _typed(streamed(kind, script).events) == ["response.completed"]
    assert streamed(kind, script, as_text=True).texts == ["Hello there."]


@both_kinds
def test_a_stream_to_a_plain_request_is_an_answer(kind: Kind) -> None:
    """A service that streams unasked is read all the same."""
    script = Script(stream_answer("Hello", " there."))
    asked = responded(kind, script)
    assert "stream" not in json.loads(script.requests[0].content)
    assert (asked.response.status, asked.response.output_text) == ("completed", "Hello there.")
    assert asked.response.usage.total_tokens == 12


@both_kinds
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/octet-stream", ""])
def test_a_stream_under_another_content_type_is_an_answer(kind: Kind, content_type: str) -> None:
    """What the bytes are counts more than what the header says."""
    headers = {"content-type": content_type} if content_type else {}
    asked = streamed(kind, Script(Answer(200, headers, stream_answer("Hello", ".").pieces)), as_text=True)
    assert "".join(asked.texts) == "Hello."
    assert asked.response.status == "completed"


@both_kinds
def test_json_under_the_content_type_of_a_stream_is_an_answer(kind: Kind) -> None:
    """The same the other way round."""
    asked = streamed(kind, Script(Answer(200, SSE, [json.dumps(body_of("Hello.")).encode()])), as_text=True)
    assert asked.texts == ["Hello."]


@both_kinds
def test_the_response_is_there_at_every_moment(kind: Kind) -> None:
    """Each look shows what has come up to then; an earlier look does not change."""
    looks: list[Response] = []
    streamed(kind, Script(stream_answer("Hello", " there", ".")), at_each=looks.append)
    assert [look.output_text for look in looks] == ["", "", "Hello", "Hello there", *["Hello there."] * 3]
    assert [look.status for look in looks] == [*["in_progress"] * 6, "completed"]


@both_kinds
def test_before_the_first_event_the_response_is_empty(kind: Kind) -> None:
    """A stream that was not iterated has sent nothing and says so."""
    script = Script(stream_answer("Hello"))
    asked = streamed(kind, script, stop_after=1)
    assert asked.response.output_text == ""
    assert len(script.requests) == 1


@both_kinds
@pytest.mark.parametrize(
    ("ending", "status"),
    [("completed", "completed"), ("incomplete", "incomplete"), ("cancelled", "cancelled")],
)
def test_an_answer_may_end_in_several_ways(kind: Kind, ending: str, status: str) -> None:
    """An incomplete or cancelled answer is an answer and no error."""
    asked = responded(kind, Script(stream_answer("Hel", ending=ending)))
    assert (asked.response.status, asked.error) == (status, None)


@both_kinds
def test_a_failed_response_raises_with_what_came(kind: Kind) -> None:
    """The error carries the service's code and the text so far."""
    failure = {"code": "server_error", "message": "out of memory"}
    asked = streamed(kind, Script(stream_answer("Hel", ending="failed", error=failure)))
    assert isinstance(asked.error, ResponseFailedError)
    assert "out of memory" in str(asked.error)
    assert asked.error.code == "server_error"
    assert asked.error.response is not None
    assert (asked.error.response.status, asked.error.response.output_text) == ("failed", "Hel")


@both_kinds
def test_an_error_event_raises_with_what_came(kind: Kind) -> None:
    """The same for an error event without any last event."""
    error = {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None}
    pieces = [sse(event) for event in [*_EVENTS[:3], error]]
    asked = streamed(kind, Script(Answer(200, SSE, pieces)))
    assert isinstance(asked.error, ResponseFailedError)
    assert asked.error.code == "rate_limit_exceeded"
    assert asked.response.output_text == "Hello"


@both_kinds
def test_a_stream_that_stops_early_is_truncated(kind: Kind) -> None:
    """A clean end before the last event is an error, and the text is kept."""
    asked = streamed(kind, Script(Answer(200, SSE, [sse(event) for event in _EVENTS[:4]])), as_text=True)
    assert isinstance(asked.error, StreamInterruptedError)
    assert "".join(asked.texts) == asked.response.output_text == "Hello there"
    assert asked.response.status == "truncated"


@both_kinds
@given(data=st.data())
def test_any_chunking_gives_the_same_events(kind: Kind, data: st.DataObject) -> None:
    """Where the bytes are cut does not matter."""
    whole = b"".join(sse(event) for event in text_events("Grüße ", "an 😀", "\u2028."))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=30)))
    edges = [0, *cuts, len(whole)]
    pieces = [whole[start:end] for start, end in itertools.pairwise(edges)]
    asked = streamed(kind, Script(Answer(200, SSE, pieces)))
    assert [event.raw for event in asked.events] == text_events("Grüße ", "an 😀", "\u2028.")
    assert asked.response.output_text == "Grüße an 😀\u2028."


@both_kinds
def test_strict_ends_with_an_error_where_the_protocol_is_broken(kind: Kind) -> None:
    """People who build gateways hear of an event after the last one; others do not."""
    pieces = [sse(event) for event in _EVENTS[:3]] + [b"data: {broken\n\n", sse(_EVENTS[-1])]
    lenient = streamed(kind, Script(Answer(200, SSE, pieces)))
    assert lenient.response.status == "completed"
    strict = streamed(kind, Script(Answer(200, SSE, pieces)), setup={"strict": True})
    assert isinstance(strict.error, ProtocolError)
    assert strict.attempt.error_code == "protocol"


@both_kinds
@pytest.mark.parametrize("recording", corpus.parameters(corpus.streams))
def test_recorded_streams_give_all_their_text(kind: Kind, recording: corpus.Recording) -> None:
    """For every recorded stream the pieces of text joined are the response's text, and a row is handed over."""
    asked = streamed(kind, Script(Answer(200, SSE, [recording.data])), as_text=True)
    if recording.name in _CONTRADICTING:
        assert "".join(asked.texts) == _CONTRADICTING[recording.name]
    else:
        assert "".join(asked.texts) == asked.response.output_text
    assert asked.attempt.status == asked.response.status


@both_kinds
def test_the_simulator_streams(kind: Kind) -> None:
    """Both clients work on the simulator, events and text alike."""
    asked = streamed(kind, Simulator(text="One. Two."), as_text=True)
    assert "".join(asked.texts) == asked.response.output_text == "One. Two."
    assert asked.response.backend == "simulator"


@both_kinds
def test_a_note_is_given_once(kind: Kind) -> None:
    """An unknown choice passes with one warning, however often it is sent."""
    effort = {"effort": f"as-you-like-{kind}"}
    with pytest.warns(CometWarning, match="as-you-like"):
        responded(kind, Script(json_answer(body_of())), reasoning=effort)
    assert responded(kind, Script(json_answer(body_of())), reasoning=effort).response.status == "completed"
