"""The response object: what was asked echoed with its defaults, and what was generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.models import reasons
from cometnb.client.simulator.reasoning import DEFAULT_EFFORT

__all__ = ["closed", "ended", "opened", "usage"]

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
    sent = body.get("conversation")
    if sent is not None:
        response["conversation"] = {"id": sent if isinstance(sent, str) else sent["id"]}
    return response


def closed(response: Mapping[str, Any], generation: Generation, now: int) -> dict[str, Any]:
    """Return the response as it is at the end: completed, or incomplete at its limit."""
    reason = generation.incomplete_reason
    return {
        **response,
        "status": "completed" if reason is None else "incomplete",
        "completed_at": now if reason is None else None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": [output.done() for output in generation.outputs],
        "usage": usage(generation),
    }


def ended(response: Mapping[str, Any], status: str, error: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the response in another state than its text brings it to: queued, failed, cancelled."""
    return {**response, "status": status, "error": error}


def usage(generation: Generation) -> dict[str, Any]:
    """Return what a generation used, in tokens: the total is always input plus output."""
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
