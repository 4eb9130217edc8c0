"""The shapes gateways give a stream: text kept, status right, the provider's message shown, usage as sent."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb import errors
from tests.protocol.streams import (
    event,
    exchanged,
    item_added,
    item_done,
    message,
    opening,
    terminal,
    text_delta,
    wire,
)

_AT_0: dict[str, Any] = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
_USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 16,
}
_DONE = message("Hello there", id="msg_1", status="completed")


def _text(**at: Any) -> list[dict[str, Any]]:
    """Return the two deltas of the answer."""
    return [text_delta("Hello ", **at), text_delta("there", **at)]


def _item(at: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return a whole message item, at the place given."""
    at = _AT_0 if at is None else at
    part = _DONE["content"][0]
    outer = {"output_index": at["output_index"]} if "output_index" in at else {}
    return [
        item_added({"type": "message", "id": "msg_1", "content": [], "role": "assistant"}, **outer),
        event("response.content_part.added", part=part | {"text": ""}, **at),
        *_text(**at),
        event("response.output_text.done", text="Hello there", **at),
        event("response.content_part.done", part=part, **at),
        item_done(_DONE, **outer),
    ]


def _tool(kind: str, *steps: str) -> list[dict[str, Any]]:
    """Return a built-in tool's item at index 0, and the message behind it."""
    item = {"type": kind, "id": "t_1", "status": "in_progress"}
    events = [item_added(item, output_index=0)]
    events += [event(f"response.{kind}.{step}", output_index=0, item_id="t_1") for step in steps]
    return [
        *events,
        item_done(item | {"status": "completed"}, output_index=0),
        *_item(_AT_0 | {"output_index": 1}),
    ]


_REASONING = [
    item_added({"type": "reasoning", "id": "rs_1", "summary": []}, output_index=0),
    event("response.reasoning_summary_text.delta", delta="Thinking", output_index=0, summary_index=0),
    item_done(
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Thinking"}]},
        output_index=0,
    ),
]
_NUMBERED = [
    each | {"sequence_number": n} for n, each in enumerate([opening(), *_item(), terminal(usage=_USAGE)])
]
_NO_PLACE = ("output_index", "content_index", "sequence_number")

# Name: the events, the status, the usage as sent.
SHAPES: dict[str, tuple[list[Any], str, Any]] = {
    "reasoning, float created_at, a trailing unknown event": (
        [
            opening(created_at=1.5),
            *_REASONING,
            *_item(_AT_0 | {"output_index": 1}),
            event("response.billing", cost=1),
            terminal(created_at=1.5, usage=_USAGE),
            event("response.trailing"),
        ],
        "completed",
        _USAGE,
    ),
    "code_interpreter_call": (
        [opening(), *_tool("code_interpreter_call", "in_progress", "interpreting"), terminal(usage=_USAGE)],
        "completed",
        _USAGE,
    ),
    "file_search_call": (
        [opening(), *_tool("file_search_call", "in_progress", "searching"), terminal(usage=_USAGE)],
        "completed",
        _USAGE,
    ),
    "unknown item type": (
        [opening(), *_tool("quantum_call", "thinking"), terminal(usage=_USAGE)],
        "completed",
        _USAGE,
    ),
    "response.incomplete": (
        [
            opening(),
            *_item()[:4],
            terminal("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage=_USAGE),
        ],
        "incomplete",
        _USAGE,
    ),
    "response.failed": (
        [
            opening(),
            *_item()[:4],
            terminal("failed", error={"code": "server_error", "message": "no capacity"}),
        ],
        "failed",
        None,
    ),
    "error event in mid-stream": (
        [opening(), *_item()[:4], event("error", error={"code": "busy", "message": "no capacity"})],
        "failed",
        None,
    ),
    "the connection ends before the terminal event": ([opening(), *_item()[:4]], "truncated", None),
    "usage without details": (
        [opening(), *_item(), terminal(usage={"input_tokens": 9, "output_tokens": 7})],
        "completed",
        {"input_tokens": 9, "output_tokens": 7},
    ),
    "usage null": ([opening(), *_item(), terminal(usage=None)], "completed", None),
    "no created or in_progress": ([*_item(), terminal(usage=_USAGE)], "completed", _USAGE),
    "no output_item.added or content_part.added": (
        [opening(), *_item()[2:], terminal(usage=_USAGE)],
        "completed",
        _USAGE,
    ),
    "the response id changes at the end": (
        [opening(), *_item(), terminal(id="resp_other", output=[_DONE | {"id": "msg_other"}], usage=_USAGE)],
        "completed",
        _USAGE,
    ),
    "sparse response objects": (
        [
            event("response.created", response={"id": "resp_1", "status": "in_progress"}),
            *_item(),
            terminal(model="m", usage=_USAGE),
        ],
        "completed",
        _USAGE,
    ),
    "terminal output []": ([opening(), *_item(), terminal(output=[], usage=_USAGE)], "completed", _USAGE),
    "no event lines, with [DONE]": ([*_NUMBERED, "[DONE]"], "completed", _USAGE),
    "no indices and no sequence numbers": (
        [{name: value for name, value in each.items() if name not in _NO_PLACE} for each in _NUMBERED],
        "completed",
        _USAGE,
    ),
}


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("size", [1, 7, 1 << 30])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_gateway_s_shape_is_read(shape: str, size: int, named: bool) -> None:
    """The answer's text, status and usage come through, with or without event names, in any chunking."""
    events, status, usage = SHAPES[shape]
    exchange, _ = exchanged(wire(events, named=named), size=size)
    response = exchange.response()
    assert response.output_text == "Hello there"
    assert response.status == status
    assert response.raw.get("usage") == usage
    assert bool(response.usage) == (usage is not None)
    assert (exchange.error is None) == (status in ("completed", "incomplete"))


def test_there_are_seventeen() -> None:
    """None was forgotten."""
    assert len(SHAPES) == 17


@pytest.mark.parametrize("shape", ["response.failed", "error event in mid-stream"])
def test_the_provider_s_message_is_shown(shape: str) -> None:
    """Where the service said why, the error says it."""
    exchange, _ = exchanged(wire(SHAPES[shape][0]))
    assert isinstance(exchange.error, errors.ResponseFailedError)
    assert "no capacity" in exchange.error.fact
    assert exchange.response().error is not None


def test_a_cut_stream_is_an_interrupted_one() -> None:
    """The wire is at fault, not the service."""
    exchange, _ = exchanged(wire(SHAPES["the connection ends before the terminal event"][0]))
    assert isinstance(exchange.error, errors.StreamInterruptedError)


def test_details_of_the_shapes_are_kept() -> None:
    """Reasons, summaries, tools and unknown items can all be read."""
    found = {shape: exchanged(wire(events))[0].response() for shape, (events, _, _) in SHAPES.items()}
    first = found["reasoning, float created_at, a trailing unknown event"]
    assert (first.reasoning_summary, first.raw["created_at"]) == (["Thinking"], 1.5)
    assert first.usage.reasoning_tokens == 5
    assert found["response.incomplete"].incomplete_reason == "max_output_tokens"
    assert [item["type"] for item in found["unknown item type"].output] == ["quantum_call", "message"]
    assert found["unknown item type"].unknown_events == {"response.quantum_call.thinking": 1}
    assert found["the response id changes at the end"].id == "resp_other"
    assert len(found["the response id changes at the end"].output) == 1
