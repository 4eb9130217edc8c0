"""The answer that every contender reads: a text in many deltas, as the events of a real service."""

from __future__ import annotations

import json
from functools import cache
from itertools import cycle, islice
from typing import Any

__all__ = ["events", "text"]

_WORDS = (
    "The",
    " tide",
    " rises",
    ",",
    " falls",
    " and",
    " turns",
    " ag",
    "ain",
    ".",
    " Über",
    " 12",
    " km",
    "\n\n",
)
_PADS = ("HJJluOyapQpZ3rN", "vlp3ksfjLlA", "jlmF1GrSWVxpg7", "3yONsn8HYV")
_RESPONSE_ID = "resp_0000000000000000000000000000000000000000000000bench"
_ITEM_ID = "msg_0000000000000000000000000000000000000000000000bench"
_PLACE = {"item_id": _ITEM_ID, "output_index": 0, "content_index": 0}


def text(n_deltas: int) -> str:
    """Return the text of the answer in `n_deltas` deltas."""
    return "".join(_deltas(n_deltas))


@cache
def events(n_deltas: int) -> tuple[bytes, ...]:
    """Return the server-sent events of that answer, in order, each with its blank line."""
    whole = text(n_deltas)
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    item = {"id": _ITEM_ID, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    done_part = part | {"text": whole}
    done_item = item | {"status": "completed", "content": [done_part]}
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": n_deltas,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": n_deltas + 12,
    }
    rows: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response("in_progress", [], None)},
        {"type": "response.in_progress", "response": _response("in_progress", [], None)},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **_PLACE, "part": part},
        *(
            {
                "type": "response.output_text.delta",
                **_PLACE,
                "delta": delta,
                "logprobs": [],
                "obfuscation": pad,
            }
            for delta, pad in zip(_deltas(n_deltas), cycle(_PADS), strict=False)
        ),
        {"type": "response.output_text.done", **_PLACE, "text": whole, "logprobs": []},
        {"type": "response.content_part.done", **_PLACE, "part": done_part},
        {"type": "response.output_item.done", "output_index": 0, "item": done_item},
        {"type": "response.completed", "response": _response("completed", [done_item], usage)},
    ]
    return tuple(_event(row | {"sequence_number": number}) for number, row in enumerate(rows))


def _deltas(n_deltas: int) -> list[str]:
    return list(islice(cycle(_WORDS), n_deltas))


def _event(row: dict[str, Any]) -> bytes:
    data = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return f"event: {row['type']}\ndata: {data}\n\n".encode()


def _response(status: str, output: list[Any], usage: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": _RESPONSE_ID,
        "object": "response",
        "created_at": 1778089145,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-5.4",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": {},
    }
