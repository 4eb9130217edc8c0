"""The course of one answer as a frame."""

from __future__ import annotations

from typing import Any

import pytest

import cometnb
from cometnb.ledger.events import KINDS, events_frame
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from tests.corpus import Recording, parameters, streams
from tests.protocol.streams import exchanged

DTYPES = {
    "at_s": "float64",
    "gap_s": "float64",
    "type": "string",
    "kind": "string",
    "output_index": "Int64",
    "n_characters": "Int64",
}


def logged(
    *events: tuple[float, str, dict[str, Any]], output: list[dict[str, Any]] | None = None
) -> Response:
    """Return a response whose stream had these events: the second, the type, and the fields of each."""
    response = Response({"output": output or []})
    for at_s, type_, fields in events:
        response.event_log.add(at_s, [Event(type_, fields)])
    return response


def dtypes(response: Response) -> dict[str, str]:
    """Return the columns of a response's frame with their dtypes."""
    return {str(name): str(dtype) for name, dtype in events_frame(response).dtypes.items()}


def kinds(response: Response) -> list[str]:
    """Return the kind of each event."""
    return events_frame(response)["kind"].tolist()


def test_columns_and_dtypes_do_not_depend_on_the_events() -> None:
    """An answer that came whole has none, and the same frame."""
    assert dtypes(logged((0.1, "response.created", {}))) == DTYPES
    assert dtypes(Response({"status": "completed"})) == DTYPES
    assert len(events_frame(Response({}))) == 0


def test_gaps_are_between_arrivals() -> None:
    """The first is since the sending; events of one piece have none between them."""
    response = logged((0.5, "response.created", {}), (0.75, "keepalive", {}), (0.75, "keepalive", {}))
    assert events_frame(response)["gap_s"].tolist() == [0.5, 0.25, 0.0]


def test_a_delta_has_its_length_and_place() -> None:
    """Other events have no characters, and some say no place."""
    delta = {"delta": "Comet", "output_index": 2}
    frame = events_frame(logged((0.1, "response.created", {}), (0.2, "response.output_text.delta", delta)))
    assert frame["n_characters"].tolist() == [0, 5]
    assert frame["output_index"].isna().tolist() == [True, False]
    assert frame["output_index"][1] == 2


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("response.queued", "queue"),
        ("response.reasoning_summary_text.delta", "reasoning"),
        ("response.reasoning_text.delta", "reasoning"),
        ("response.output_text.delta", "text"),
        ("response.refusal.delta", "text"),
        ("response.function_call_arguments.delta", "tool"),
        ("response.custom_tool_call_input.delta", "tool"),
        ("response.web_search_call.searching", "tool"),
        ("response.mcp_list_tools.completed", "tool"),
        ("response.completed", "other"),
        ("keepalive", "other"),
        ("something.new", "other"),
        ("", "other"),
    ],
)
def test_a_type_says_what_it_is_about(type_: str, kind: str) -> None:
    """An unknown one is other, and kept."""
    assert kinds(logged((0.1, type_, {}))) == [kind]


def test_an_item_is_of_the_kind_that_the_response_says() -> None:
    """The event that announces it has the same type for all of them."""
    added = [(0.1, "response.output_item.added", {"output_index": place}) for place in range(4)]
    output = [{"type": "reasoning"}, {"type": "web_search_call"}, {"type": "message"}, {"type": "new"}]
    assert kinds(logged(*added, output=output)) == ["reasoning", "tool", "text", "other"]


def test_an_item_the_response_does_not_hold_is_known_by_what_came_for_it() -> None:
    """As of an answer that was cut, or of a sparse one."""
    response = logged(
        (0.1, "response.output_item.added", {"output_index": 0}),
        (0.2, "response.reasoning_summary_text.delta", {"output_index": 0, "delta": "I"}),
        (0.3, "response.content_part.added", {"output_index": 0}),
    )
    assert kinds(response) == ["reasoning"] * 3


def test_an_index_no_column_can_hold_is_missing() -> None:
    """A service may send any number."""
    frame = events_frame(logged((0.1, "response.output_text.delta", {"output_index": 10**30, "delta": "x"})))
    assert frame["output_index"].isna().tolist() == [True]


def test_a_log_that_grows_meanwhile_gives_what_it_has() -> None:
    """Somebody may look while the answer streams on another thread."""
    response = logged((0.1, "response.created", {}))
    response.event_log.at_s.append(0.2)
    response.event_log.types.append("response.completed")
    assert len(events_frame(response)) == 1


@pytest.mark.parametrize("recording", parameters(streams))
def test_every_event_of_a_recorded_stream_has_a_kind(recording: Recording) -> None:
    """Text and reasoning are never taken for something else."""
    exchange, events = exchanged(recording.data, size=1 << 30)
    response = exchange.response()
    response.event_log = EventLog()
    response.event_log.add(0.1, events)
    frame = events_frame(response)
    assert set(frame["kind"]) <= set(KINDS)
    characters = frame.groupby("kind")["n_characters"].sum()
    is_text = frame["type"].isin(["response.output_text.delta", "response.refusal.delta"])
    assert characters.get("text", 0) == frame["n_characters"][is_text].sum()
    assert characters.get("queue", 0) == characters.get("other", 0) == 0


def test_a_response_of_a_call_gives_its_frame() -> None:
    """In the order they came, from the sending on."""
    with cometnb.Client("key", transport=cometnb.Simulator()) as client, client.stream("Hi") as stream:
        list(stream)
    frame = stream.response.events_frame()
    assert frame["type"].iloc[0] == "response.created"
    assert frame["type"].iloc[-1] == "response.completed"
    assert frame["at_s"].is_monotonic_increasing
    assert frame["at_s"].iloc[0] >= 0
    assert frame["n_characters"][frame["kind"] == "text"].sum() == len(stream.response.output_text)
