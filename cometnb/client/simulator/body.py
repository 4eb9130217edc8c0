"""The response object: what was asked echoed with its defaults, and what was generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.models import reasons
from cometnb.client.simulator.reasoning import DEFAULT_EFFORT, Reasoning

__all__ = ["closed", "ended", "message_item", "opened", "reasoning_item", "text_part"]

# As the API reference shows them; a parameter that was sent takes the place of its default.
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}


def opened(body: Mapping[str, Any], generation: Generation, created_at: int) -> dict[str, Any]:
    """Return the response as it is when the work begins: in progress, no output, no usage."""
    response: dict[str, Any] = {
        "id": f"resp_{generation.id_digits}",
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": bool(body.get("background")),
        "completed_at": None,
        "content_filters": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "model": body["model"],
        "output": [],
        "presence_penalty": 0.0,
        "reasoning": _reasoning(body),
        "service_tier": _service_tier(body),
        "text": _text(body.get("text") or {}),
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        "usage": None,
    }
    response |= {name: body.get(name, default) for name, default in _ECHOED.items()}
    if "conversation" in body:
        sent = body["conversation"]
        response["conversation"] = {"id": sent} if isinstance(sent, str) else sent
    return response


def closed(response: Mapping[str, Any], generation: Generation, now: int) -> dict[str, Any]:
    """Return the response as it is at the end: completed, or incomplete at its limit."""
    output = []
    if generation.reasoning is not None:
        output.append(reasoning_item(generation.id_digits, generation.reasoning))
    if generation.has_message:
        output.append(message_item(generation, "completed" if generation.complete else "incomplete"))
    details = None if generation.complete else {"reason": "max_output_tokens"}
    return {
        **response,
        "status": "completed" if generation.complete else "incomplete",
        "completed_at": now if generation.complete else None,
        "incomplete_details": details,
        "output": output,
        "usage": _usage(generation),
    }


def ended(response: Mapping[str, Any], status: str, error: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the response as it is when something else than its text ended it: failed or cancelled."""
    return {**response, "status": status, "error": error}


def reasoning_item(id_digits: str, reasoning: Reasoning, *, finished: bool = True) -> dict[str, Any]:
    """Return the reasoning item; before it is finished it has no summary yet."""
    parts = reasoning.summary if finished else ()
    item: dict[str, Any] = {
        "id": f"rs_{id_digits}",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": part} for part in parts],
    }
    if reasoning.encrypted_content is not None:
        item["encrypted_content"] = reasoning.encrypted_content
    return item


def message_item(generation: Generation, status: str) -> dict[str, Any]:
    """Return the message item; while it is in progress it has no content yet."""
    content = [] if status == "in_progress" else [text_part(generation)]
    return {
        "id": f"msg_{generation.id_digits}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def text_part(generation: Generation) -> dict[str, Any]:
    """Return the content part with the whole text."""
    return {
        "type": "output_text",
        "annotations": [],
        "logprobs": list(generation.logprobs or ()),
        "text": "".join(generation.tokens),
    }


def _usage(generation: Generation) -> dict[str, Any]:
    return {
        "input_tokens": generation.input_tokens,
        "input_tokens_details": {"cached_tokens": generation.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": generation.output_tokens,
        "output_tokens_details": {"reasoning_tokens": generation.reasoning_tokens},
        "total_tokens": generation.input_tokens + generation.output_tokens,
    }


def _reasoning(body: Mapping[str, Any]) -> dict[str, Any]:
    effort = DEFAULT_EFFORT if reasons(body["model"]) else None
    return {"effort": effort, "summary": None, **(body.get("reasoning") or {})}


def _text(asked: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if value is not None}
    return {"format": {"type": "text"}, "verbosity": "medium", **given}


def _service_tier(body: Mapping[str, Any]) -> str:
    asked = body.get("service_tier") or "auto"
    return "default" if asked == "auto" else asked


def _tool(tool: Any) -> Any:
    if isinstance(tool, Mapping) and tool.get("type") == "function":
        return {"description": None, "parameters": None, "strict": True, **tool}
    return tool
