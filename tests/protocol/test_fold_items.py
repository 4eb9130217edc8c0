"""Every kind of item and text the API streams ends up where it belongs, and no JSON makes folding raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol import events
from cometnb.protocol.events import Event
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response
from tests.protocol.streams import (
    JSON,
    JSON_OBJECTS,
    event,
    folded,
    item_added,
    message,
    response_of,
    terminal,
)

_KNOWN = sorted(
    {
        *events.APPENDED,
        *events.REPLACED,
        *events.PART_EVENTS,
        *events.STATUS_EVENTS,
        *events.OPENING,
        *events.ENDING,
        *events.KEPT,
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.annotation.added",
        "response.shell_call_output_content.delta",
        "response.shell_call_output_content.done",
        "response.audio.delta",
        "response.audio.transcript.delta",
        "error",
    }
)
_ITEM_KINDS = [None, 5, "message", "reasoning", "function_call", "mcp_call", "shell_call", "new_kind"]
_INDICES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.just(10**20)
    | st.floats()
    | st.sampled_from(["0", "x"])
)
_PARTS = JSON | st.fixed_dictionaries(
    {"type": st.sampled_from(["output_text", "refusal", "summary_text", "reasoning_text", 5])},
    optional={"text": JSON, "refusal": JSON, "annotations": JSON},
)
_ITEMS = JSON | st.fixed_dictionaries(
    {"type": st.sampled_from(_ITEM_KINDS)},
    optional={
        "id": st.sampled_from(["a", "b", 5, None]),
        "content": JSON | st.lists(_PARTS, max_size=3),
        "summary": JSON | st.lists(_PARTS, max_size=3),
        "arguments": JSON,
        "action": JSON | st.fixed_dictionaries({"commands": JSON}),
        "operation": JSON,
        "output": JSON,
    },
)
_RESPONSES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "status": JSON | st.sampled_from(["completed", "failed", "incomplete"]),
        "output": JSON | st.lists(_ITEMS, max_size=3),
        "error": JSON,
        "usage": JSON,
        "id": JSON,
        "audio": JSON,
    },
)
_FIELDS = {
    "output_index": _INDICES,
    "content_index": _INDICES,
    "summary_index": _INDICES,
    "command_index": _INDICES,
    "sequence_number": _INDICES,
    "item_id": st.sampled_from(["a", "b", 5, None]) | JSON,
    "delta": JSON | st.fixed_dictionaries({"stdout": JSON, "stderr": JSON}),
    "text": JSON,
    "refusal": JSON,
    "arguments": JSON,
    "command": JSON,
    "diff": JSON,
    "part": _PARTS,
    "item": _ITEMS,
    "annotation": JSON,
    "output": JSON,
    "response": _RESPONSES,
    "error": JSON,
    "message": JSON,
}
_ANY_EVENTS = st.one_of(
    JSON_OBJECTS.map(lambda raw: (str(raw.get("type", "")), raw)),
    st.tuples(st.sampled_from(_KNOWN), st.fixed_dictionaries({}, optional=_FIELDS)),
)


@given(sequence=st.lists(_ANY_EVENTS, max_size=8))
def test_no_json_object_makes_folding_raise(sequence: list[tuple[str, dict[str, Any]]]) -> None:
    """Known types over any fields, unknown ones and anything else: there is a response, and it is JSON."""
    fold = Fold()
    for kind, raw in sequence:
        fold.apply(Event(kind, raw))
        response = Response(fold.raw(), status=fold.status, error=fold.error)
        json.dumps(response.raw)
        _read(response)


def _read(response: Response) -> None:
    """Read every property; what they return can be encoded."""
    texts = [response.output_text, response.refusal, response.reasoning_text, *response.reasoning_summary]
    texts += [response.id, response.model, response.status, response.incomplete_reason, repr(response)]
    texts += [text for call in response.function_calls for text in (call.name, call.call_id, call.arguments)]
    for text in texts:
        assert text is None or text.encode() is not None
    assert isinstance(response.output, list)
    assert response.usage.input_tokens is None or response.usage.input_tokens >= 0
    assert all(citation.raw is not None for citation in response.citations)


@given(
    deltas=st.lists(st.tuples(st.sampled_from("AB"), st.text("xyz", min_size=1, max_size=3)), max_size=12),
    told=st.booleans(),
)
def test_interleaved_deltas_are_kept_apart(deltas: list[tuple[str, str]], told: bool) -> None:
    """Two messages streamed side by side end with their own text, in the order of their indices."""
    whole = {name: "".join(text for to, text in deltas if to == name) for name in "AB"}
    given_ = [item_added(message(id=name), output_index=n) for n, name in enumerate("AB")]
    given_ += [
        event("response.output_text.delta", delta=text, output_index="AB".index(to), content_index=0)
        for to, text in deltas
    ]
    output = [message(whole[name], id=name) for name in "AB"] if told else []
    assert response_of([*given_, terminal(output=output)]).output_text == whole["A"] + whole["B"]


@pytest.mark.parametrize("kind", sorted(events.APPENDED))
def test_deltas_of_every_kind_are_joined(kind: str) -> None:
    """Each kind of delta grows the text at its place in an item of its type, announced or not."""
    target = events.APPENDED[kind]
    deltas = [event(kind, delta=delta, output_index=0, **{target.index or "x": 0}) for delta in ("ab", "c")]
    for before in ([], [item_added({"type": target.item}, output_index=0)]):
        item = folded([*before, *deltas]).raw()["output"][0]
        assert item["type"] == target.item
        found: Any = item
        for name in target.path:
            found = found[0] if isinstance(found, list) else found
            found = found[name]
        assert (found[0] if isinstance(found, list) else found) == "abc"


@pytest.mark.parametrize("kind", sorted(events.REPLACED))
def test_an_end_of_every_kind_says_the_whole(kind: str) -> None:
    """A done event alone gives the whole text, and its type of item."""
    target = events.REPLACED[kind]
    raw = folded([event(kind, **{target.field: "abc", "output_index": 0, target.index or "x": 0})]).raw()
    assert raw["output"][0]["type"] == target.item
    assert '"abc"' in json.dumps(raw["output"])


@pytest.mark.parametrize("kind", sorted(events.STATUS_EVENTS))
def test_progress_of_every_tool_is_its_status(kind: str) -> None:
    """A built-in tool's progress is read from its item."""
    item_kind, status = events.STATUS_EVENTS[kind]
    item = folded([item_added({"type": item_kind}, output_index=0), event(kind, output_index=0)]).raw()[
        "output"
    ][0]
    assert item == {"type": item_kind, "status": status}


def test_an_unknown_item_is_kept_as_sent() -> None:
    """An item type of tomorrow survives with all its fields."""
    item = {"type": "new_kind", "id": "n", "odd": {"a": [1, 2]}}
    assert response_of([item_added(item, output_index=0), terminal(output=[item])]).output == [item]


def test_several_commands_of_a_shell_call_are_told_apart() -> None:
    """Commands grow side by side by their index, and an interruption between two deltas starts no new item."""
    name = "response.shell_call_command"
    raw = folded(
        [
            item_added({"type": "shell_call", "action": {"commands": []}}, output_index=0),
            event(f"{name}.added", command="", command_index=0, output_index=0),
            event(f"{name}.delta", delta="ls", command_index=0, output_index=0),
            event("keepalive"),
            event(f"{name}.delta", delta=" -l", command_index=0, output_index=0),
            event(f"{name}.added", command="", command_index=1, output_index=0),
            event(f"{name}.delta", delta="pwd", command_index=1, output_index=0),
            event(f"{name}.done", command="ls -l", command_index=0, output_index=0),
        ]
    ).raw()
    assert [item["action"]["commands"] for item in raw["output"]] == [["ls -l", "pwd"]]


def test_the_output_of_a_shell_call_grows() -> None:
    """Standard output and error of a command are joined, and replaced by the whole at the end."""
    name = "response.shell_call_output_content"
    deltas = [event(f"{name}.delta", delta={"stdout": part, "stderr": "!"}, output_index=0) for part in "ab"]
    done = event(
        f"{name}.done", output=[{"stdout": "ab", "stderr": "!!", "outcome": {"type": "exit"}}], output_index=0
    )
    assert folded(deltas).raw()["output"][0]["output"] == [{"stdout": "ab", "stderr": "!!"}]
    assert folded([*deltas, done]).raw()["output"][0]["output"][0]["outcome"] == {"type": "exit"}


def test_audio_and_its_transcript_are_joined() -> None:
    """Audio belongs to the response, not to an item."""
    fold = folded(
        [event("response.audio.delta", delta=part) for part in ("QU", "FB")]
        + [event("response.audio.transcript.delta", delta=part) for part in ("Hel", "lo")]
    )
    assert fold.raw()["audio"] == {"data": "QUFB", "transcript": "Hello"}
    assert fold.has_output


def test_the_newest_partial_image_holds() -> None:
    """A later picture replaces an earlier one even where it has fewer bytes."""
    kind = "response.image_generation_call.partial_image"
    images = [event(kind, partial_image_b64=image, output_index=0) for image in ("AAAA", "BB")]
    assert folded(images).raw()["output"][0]["partial_image_b64"] == "BB"


def test_annotations_are_citations_of_their_part() -> None:
    """Sources that come between the deltas are found in the response."""
    source = {"type": "url_citation", "url": "https://example.org", "title": "An example"}
    at = {"output_index": 0, "content_index": 0}
    response = response_of(
        [
            event("response.output_text.delta", delta="a", **at),
            event("response.output_text.annotation.added", annotation=source, annotation_index=0, **at),
            event("response.output_text.delta", delta="b", **at),
        ]
    )
    assert response.output_text == "ab"
    assert [(each.kind, each.url, each.title) for each in response.citations] == [
        ("url_citation", "https://example.org", "An example")
    ]


def test_the_reference_s_event_types_are_known() -> None:
    """None of the API's own event types counts as unknown."""
    fold = folded(
        [event(kind) for kind in [*_KNOWN, "response.audio.done", "response.audio.transcript.done"]]
    )
    assert not fold.unknown
