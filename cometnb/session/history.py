"""Earlier turns as input items: what goes back to the service when it does not keep the conversation itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cometnb.protocol.items import function_call_output

__all__ = ["CANCELLED", "as_input", "open_calls"]

CANCELLED = "The call was cancelled by the user before it gave a result."
"""What the model is told of a call that was never run, or not to its end."""

# Item types that mean the same to a service that has never seen them, and what of them it can take. An id would be
# looked up where it is not; built-in tools' calls cannot be repeated without theirs.
_PORTABLE: dict[str, frozenset[str]] = {
    "message": frozenset({"type", "role", "content"}),
    "function_call": frozenset({"type", "call_id", "name", "arguments", "namespace"}),
    "function_call_output": frozenset({"type", "call_id", "output"}),
    "custom_tool_call": frozenset({"type", "call_id", "name", "input"}),
    "custom_tool_call_output": frozenset({"type", "call_id", "output"}),
    "reasoning": frozenset({"type", "id", "summary", "encrypted_content"}),
    "compaction": frozenset({"type", "id", "encrypted_content"}),
}
# Without its content, the service would look for these by id.
_ENCRYPTED = frozenset({"reasoning", "compaction"})
_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_INPUT_PARTS = frozenset({"output_text", "refusal"})


def as_input(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return items in a form that any service takes as input.

    Parameters
    ----------
    items : iterable of Mapping
        Input and output items, in order.

    Returns
    -------
    list of dict
        Messages, calls of functions with their results, and reasoning that carries its encrypted content. A call
        without a result is answered as cancelled, since the service refuses a history with an open one.
    """
    kept = [_portable(item) for item in items]
    found = [item for item in kept if item is not None]
    closed: list[dict[str, Any]] = []
    answered = {item.get("call_id") for item in found if item["type"] in _CALLS.values()}
    for item in found:
        closed.append(item)
        if item["type"] in _CALLS and item.get("call_id") not in answered:
            closed.append(_cancelled(item))
    return closed


def open_calls(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a result, "cancelled", for every call in `items` that has none."""
    items = list(items)
    answered = {item.get("call_id") for item in items if item.get("type") in _CALLS.values()}
    calls = [item for item in items if item.get("type") in _CALLS]
    return [_cancelled(call) for call in calls if call.get("call_id") not in answered]


def _cancelled(call: Mapping[str, Any]) -> dict[str, Any]:
    output = function_call_output(str(call.get("call_id") or ""), CANCELLED)
    return {**output, "type": _CALLS[str(call["type"])]}


def _portable(item: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = str(item.get("type") or "message")
    fields = _PORTABLE.get(kind)
    if fields is None or (kind in _ENCRYPTED and not item.get("encrypted_content")):
        return None
    kept = {"type": kind, **{name: value for name, value in item.items() if name in fields}}
    if kind == "message" and isinstance(kept.get("content"), list):
        kept["content"] = [_part(part) for part in kept["content"] if isinstance(part, Mapping)]
    return kept


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") not in _INPUT_PARTS:
        return dict(part)
    # Log probabilities are long, and no input. Sources are part of what was said.
    return {name: value for name, value in part.items() if name != "logprobs"}
