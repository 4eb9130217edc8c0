"""A remote tool server, played: what it lists, what is called, and the approval it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cometnb.client.simulator.builtin import Finding, ToolRequest, Use
from cometnb.client.simulator.outputs import Step, ToolItem
from cometnb.client.simulator.plausible import name_words
from cometnb.client.simulator.tokens import split_tokens
from cometnb.client.simulator.turn import Turn

__all__ = ["answered_approvals", "called", "has_list", "listed", "needs_approval"]

_LIST_TOKENS, _CALL_TOKENS = 12, 24
_TOOLS = ("search", "fetch")


def listed(request: ToolRequest) -> Use:
    """Return the list of what the server offers: the tools it is allowed, or two that many have."""
    label = _label(request.tool)
    tools = [
        {
            "name": name,
            "description": f"Made up by the simulator: {name} at {label}.",
            "annotations": None,
            "input_schema": _parameters(),
        }
        for name in _names(request.tool)
    ]
    kind = "mcp_list_tools"
    steps = (Step(f"{kind}.in_progress"), Step(f"{kind}.completed", n_tokens=_LIST_TOKENS))
    first = {"type": kind, "server_label": label, "tools": []}
    return Use(ToolItem(f"mcpl_{request.digits}", first, {**first, "tools": tools}, steps))


def has_list(items: Sequence[Mapping[str, Any]], tool: Mapping[str, Any]) -> bool:
    """Tell whether the conversation holds the server's list already."""
    return any(
        item.get("type") == "mcp_list_tools" and item.get("server_label") == _label(tool) for item in items
    )


def needs_approval(tool: Mapping[str, Any], name: str) -> bool:
    """Tell whether a call has to be approved: it has to be unless the request says otherwise."""
    rule = tool.get("require_approval")
    if isinstance(rule, Mapping):
        never, always = (_listed_names(rule.get(word)) for word in ("never", "always"))
        return name not in never if never else name in always
    return rule != "never"


def called(request: ToolRequest) -> Use:
    """Return the call of one of the server's tools, or the request to approve it."""
    name = _chosen(request)
    arguments = json.dumps({"query": request.query}, ensure_ascii=False, separators=(",", ":"))
    if needs_approval(request.tool, name):
        return Use(_approval(request, name, arguments))
    return _call(request, name, arguments, None)


def answered_approvals(
    requests: Mapping[str, ToolRequest], turn: Turn, items: Sequence[Mapping[str, Any]]
) -> list[Use]:
    """Return the calls that were approved, in order.

    Parameters
    ----------
    requests : Mapping of str to ToolRequest
        By the server's label.
    turn : Turn
        With the approvals.
    items : sequence of Mapping
        Of the conversation: the requests for approval are among them.
    """
    asked = {item.get("id"): item for item in items if item.get("type") == "mcp_approval_request"}
    uses = []
    for approval in turn.approvals:
        wanted = asked.get(approval.get("approval_request_id"))
        request = requests.get(str(wanted.get("server_label"))) if wanted else None
        if wanted and request and approval.get("approve") is True:
            uses.append(_call(request, str(wanted["name"]), str(wanted["arguments"]), str(wanted["id"])))
    return uses


def _approval(request: ToolRequest, name: str, arguments: str) -> ToolItem:
    item = {
        "type": "mcp_approval_request",
        "server_label": _label(request.tool),
        "name": name,
        "arguments": arguments,
    }
    return ToolItem(f"mcpr_{request.digits}", item, item, (Step("", n_tokens=len(split_tokens(arguments))),))


def _call(request: ToolRequest, name: str, arguments: str, approval_id: str | None) -> Use:
    label = _label(request.tool)
    output = f"Made up by the simulator: what {name} at {label} found about {request.topic}."
    item: dict[str, Any] = {
        "type": "mcp_call",
        "status": "in_progress",
        "server_label": label,
        "name": name,
        "arguments": "",
        "approval_request_id": approval_id,
        "output": None,
        "error": None,
    }
    steps = [Step("mcp_call.in_progress")]
    steps += [Step("mcp_call_arguments.delta", {"delta": token}, 1) for token in split_tokens(arguments)]
    steps += [Step("mcp_call_arguments.done", {"arguments": arguments})]
    steps += [Step("mcp_call.completed", n_tokens=_CALL_TOKENS)]
    last = {**item, "status": "completed", "arguments": arguments, "output": output}
    finding = Finding(f"The server `{label}` was played: `{name}` gave a made-up passage.", "", {})
    return Use(ToolItem(f"mcp_{request.digits}", item, last, tuple(steps)), (finding,))


def _chosen(request: ToolRequest) -> str:
    names, words = _names(request.tool), set(name_words(request.prompt))
    return next((name for name in names if not words.isdisjoint(name_words(name))), names[0])


def _names(tool: Mapping[str, Any]) -> list[str]:
    return _listed_names(tool.get("allowed_tools")) or list(_TOOLS)


def _listed_names(told: Any) -> list[str]:
    names = told.get("tool_names") if isinstance(told, Mapping) else told
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _label(tool: Mapping[str, Any]) -> str:
    return str(tool.get("server_label") or "server")


def _parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
