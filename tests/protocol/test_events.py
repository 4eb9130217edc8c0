"""A server-sent event becomes a typed view over its JSON, whatever was sent."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol import events
from cometnb.protocol.depth import MOST_LEVELS, has_too_many_brackets, is_too_deep
from cometnb.protocol.events import Event, parse
from tests.protocol.streams import JSON

_TABLES = (
    set(events.APPENDED),
    set(events.REPLACED),
    set(events.PART_EVENTS),
    set(events.STATUS_EVENTS),
    set(events.OPENING),
    set(events.ENDING),
    set(events.KEPT),
)


def _parsed(name: str, data: str) -> Event:
    event = parse(name, data)
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("", '{"type": "response.created"}', "response.created"),
        ("response.created", "{}", "response.created"),
        ("wrong", '{"type": "response.created"}', "response.created"),
        ("ping", '{"type": ""}', "ping"),
        ("ping", '{"type": 5}', "ping"),
        ("", "{}", ""),
        ("", '{"error": {"message": "no"}}', "error"),
        ("", '{"detail": "no"}', "error"),
        ("message", '{"error": {"message": "no"}}', "error"),
        ("", '{"object": "response", "error": null, "status": "completed"}', ""),
        ("response.failed", '{"error": {"message": "no"}}', "response.failed"),
        ("error", '{"message": "no"}', "error"),
    ],
)
def test_the_json_s_type_decides_then_the_name_then_what_it_holds(name: str, data: str, kind: str) -> None:
    """Servers leave out the name, or the type, or both; null is no error."""
    assert _parsed(name, data).type == kind


def test_done_is_no_event() -> None:
    """The chat dialect's end mark says nothing here."""
    assert parse("", "[DONE]") is None
    assert parse("", " [DONE] ") is None


@pytest.mark.parametrize("data", ["", "null", "5", '"text"', "[1]", "{", "{} {}", "<html>", '{"a": 1'])
def test_what_is_no_json_object_is_kept_as_invalid(data: str) -> None:
    """It is an event of its own type, and what was sent can be read from it."""
    event = _parsed("response.created", data)
    assert event.type == "invalid"
    assert "data" in event.raw


@pytest.mark.parametrize("depth", [300, 5000, 100_000])
def test_json_nested_too_deep_is_kept_as_text(depth: int) -> None:
    """Folding walks JSON by recursion, so what is nested beyond reason never reaches it."""
    data = '{"type": "response.created", "response": ' + "[" * depth + "]" * depth + "}"
    assert _parsed("", data).raw == {"data": data}


@pytest.mark.parametrize("inner", ["", "1"])
def test_an_event_has_as_many_levels_as_anything_else(inner: str) -> None:
    """To its bound and no further, whatever stands in the innermost, and however short it is."""
    for n_levels in range(MOST_LEVELS - 2, MOST_LEVELS + 3):
        data = '{"type":"x","a":' + "[" * (n_levels - 1) + inner + "]" * (n_levels - 1) + "}"
        assert (_parsed("", data).raw == {"data": data}) is is_too_deep(json.loads(data))
        assert has_too_many_brackets(data) is (n_levels > MOST_LEVELS)


def test_many_brackets_side_by_side_are_no_depth() -> None:
    """A long list of tools is read like any other object."""
    data = {"type": "response.created", "response": {"tools": [{"a": [{}]}] * 500}}
    assert _parsed("", json.dumps(data)).raw == data


@given(value=JSON, name=st.text(max_size=5))
def test_any_json_gives_an_event_that_can_be_written_again(value: Any, name: str) -> None:
    """Whatever is sent, there is an event, and its JSON is JSON."""
    event = _parsed(name, json.dumps(value))
    json.dumps(event.raw)
    assert event.raw == (value if isinstance(value, dict) else {"data": value})


@given(data=st.text(max_size=30))
def test_any_text_is_survived(data: str) -> None:
    """Data that is no JSON at all raises nothing."""
    event = parse("", data)
    assert event is None or isinstance(event.raw, dict)


def test_fields_are_attributes_and_others_an_attribute_error() -> None:
    """The view has what was sent and nothing else, and says which event it is."""
    event = Event("response.output_text.delta", {"delta": "hi", "odd name": 1})
    assert event.delta == "hi"
    assert "delta" in dir(event)
    assert "odd name" not in dir(event)
    with pytest.raises(AttributeError, match=r"response\.output_text\.delta"):
        _ = event.text
    assert repr(event) == "<Event response.output_text.delta 'hi'>"
    assert repr(Event("x", {})) == "<Event x>"


def test_an_event_can_be_copied_and_pickled() -> None:
    """Reading fields as attributes does not get in the way of copying."""
    event = Event("x", {"a": [1]})
    for again in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):  # noqa: S301
        assert (again.type, again.raw) == ("x", {"a": [1]})


def test_no_event_type_stands_in_two_tables() -> None:
    """What is done with a type is said once."""
    assert sum(len(table) for table in _TABLES) == len(set().union(*_TABLES))


def test_an_event_is_read_whatever_the_depth_of_the_reader() -> None:
    """Or the reader is told that its own stack is full; what says something never becomes an invalid event."""
    data = json.dumps({"type": "response.output_text.delta", "delta": '"[' * 200, "more": [[[[[[[[1]]]]]]]]})

    def parsed_below(n_frames: int) -> Event | None:
        return parse("", data) if n_frames == 0 else parsed_below(n_frames - 1)

    most = sys.getrecursionlimit()
    kinds = set()
    for n_frames in range(most - 200, most):
        try:
            event = parsed_below(n_frames)
        except RecursionError:
            continue
        kinds.add(event.type if event else "none")
    assert kinds <= {"response.output_text.delta"}
    assert parsed_below(0) is not None
