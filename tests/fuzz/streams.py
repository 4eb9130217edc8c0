"""Streams to start from, written for this: the shapes of all items, and what gateways do to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cometnb.protocol.events import APPENDED, PART_EVENTS, REPLACED, STATUS_EVENTS
from tests.protocol.streams import event, item_added, item_done, message, opening, terminal, text_delta, wire

__all__ = ["TOKENS", "USAGE", "plain_streams", "streams"]

USAGE: dict[str, Any] = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 16,
}

TOKENS = tuple(
    f'data: {{"type":"{kind}","output_index":0,"content_index":0,"summary_index":0,"delta":"x","text":"xy"}}\n\n'.encode()
    for kind in [
        *APPENDED,
        *REPLACED,
        *PART_EVENTS,
        *STATUS_EVENTS,
        "error",
        "response.completed",
        "keepalive",
    ]
)

_AT_0: dict[str, Any] = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}


def _text(at: dict[str, Any], *texts: str) -> list[dict[str, Any]]:
    outer = {"output_index": at["output_index"]} if "output_index" in at else {}
    part = {"type": "output_text", "text": "", "annotations": []}
    done = message("".join(texts), id="msg_1", status="completed")
    return [
        item_added({"type": "message", "id": "msg_1", "content": [], "role": "assistant"}, **outer),
        event("response.content_part.added", part=part, **at),
        *(text_delta(text, **at) for text in texts),
        event("response.output_text.done", text="".join(texts), **at),
        event("response.content_part.done", part=done["content"][0], **at),
        item_done(done, **outer),
    ]


def _call(index: int, name: str, *pieces: str) -> list[dict[str, Any]]:
    call = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": name}
    at = {"output_index": index, "item_id": f"fc_{index}"}
    return [
        item_added(call | {"arguments": "", "status": "in_progress"}, output_index=index),
        *(event("response.function_call_arguments.delta", delta=piece, **at) for piece in pieces),
        event("response.function_call_arguments.done", arguments="".join(pieces), **at),
        item_done(call | {"arguments": "".join(pieces), "status": "completed"}, output_index=index),
    ]


def _reasoning(*texts: str) -> list[dict[str, Any]]:
    at = {"output_index": 0, "summary_index": 0, "item_id": "rs_1"}
    whole = {"type": "summary_text", "text": "".join(texts)}
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    return [
        item_added(item, output_index=0),
        event("response.reasoning_summary_part.added", part=whole | {"text": ""}, **at),
        *(event("response.reasoning_summary_text.delta", delta=text, **at) for text in texts),
        event("response.reasoning_summary_text.done", text="".join(texts), **at),
        event("response.reasoning_summary_part.done", part=whole, **at),
        item_done(item | {"summary": [whole]}, output_index=0),
    ]


def plain_streams() -> dict[str, list[dict[str, Any]]]:
    """Return whole streams as they should be, by what is in them."""
    at_1 = _AT_0 | {"output_index": 1}
    calls = [*_call(0, "sum", '{"a": 1, ', '"b": 2}'), *_call(1, "now", "{}")]
    whole = terminal("completed", usage=USAGE)
    return {
        "text": [opening(), *_text(_AT_0, "Hello ", "thé", "re \U0001f44b"), whole],
        "calls": [opening(), *calls, whole],
        "reasoning and text": [
            opening(),
            *_reasoning("First ", "then."),
            *_text(at_1, "So ", "it is."),
            whole,
        ],
    }


def _built_in() -> Iterator[list[dict[str, Any]]]:
    """Yield a stream for every kind of item that has progress, texts or parts of its own."""
    for kind, target in APPENDED.items():
        at = {"output_index": 0, "item_id": "i_1", "content_index": 0, "summary_index": 0, "command_index": 0}
        deltas = [event(kind, delta=text, **at) for text in ("ab", "cd")]
        done = event(kind.removesuffix("delta") + "done", **{target.path[-1]: "abcd"}, **at)
        item = {"type": target.item, "id": "i_1"}
        yield [
            opening(),
            item_added(item, output_index=0),
            *deltas,
            done,
            item_done(item, output_index=0),
            terminal(),
        ]
    for kind in {name.rpartition(".")[0] for name in STATUS_EVENTS}:
        item = {"type": kind.removeprefix("response."), "id": "t_1"}
        steps = [event(name, output_index=0) for name in STATUS_EVENTS if name.startswith(kind + ".")]
        yield [
            opening(),
            item_added(item, output_index=0),
            *steps,
            item_done(item, output_index=0),
            terminal(),
        ]


def _shapes() -> Iterator[list[dict[str, Any] | str]]:
    text = _text(_AT_0, "Hello ", "there")
    bare = [text_delta("Hello "), text_delta("there")]
    failed = {"error": {"code": "server_error", "message": "It broke."}}
    yield [opening(created_at=1.5), *text, terminal(usage=None), event("response.unknown", x=1)]
    yield [
        opening(status="queued"),
        *text[:3],
        terminal("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ]
    yield [opening(), *text[:3], terminal("failed", **failed)]
    yield [opening(), *text[:3], event("error", **failed)]
    yield [opening(), *text[:3], event("error", message="Flat.", code=429)]
    yield [opening(), *text[:3], {"error": "as a text"}]
    yield [*bare, terminal(id="another", output=[]), "[DONE]"]
    yield [*bare, terminal(usage={"prompt_tokens": 3, "completion_tokens": 2.0})]
    yield [opening(), terminal(output=[message("Only at the end.")], usage=USAGE)]
    yield [opening(), *text, event("keepalive"), terminal(), event("keepalive")]
    yield [
        text_delta("\ud83d"),
        text_delta("\ude00"),
        event("response.audio.delta", delta="aGk="),
        terminal(),
    ]
    yield [{"detail": "Not Found"}]
    yield ["null", "[]", "{}", "1", "[DONE]"]


def streams() -> Iterator[bytes]:
    """Yield all of them as bytes, with and without lines that name the event."""
    for events in [*plain_streams().values(), *_built_in()]:
        yield wire(events)
    for shape in _shapes():
        yield wire(shape, named=False)
    yield wire(plain_streams()["text"])[:-40]
    yield b": only a comment\n\n"
    yield b'{"error": {"message": "JSON under the type of a stream"}}'
    yield b"<html><body>502</body></html>"
