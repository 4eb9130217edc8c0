"""Decides which built-in tools to use for a request, within its limit of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cometnb.client.simulator import mcp
from cometnb.client.simulator.builtin import BUILT_IN, ToolRequest, Use, is_meant, kind_of
from cometnb.client.simulator.calling import allowed
from cometnb.client.simulator.plausible import name_words
from cometnb.client.simulator.turn import Turn

__all__ = ["item_digits", "used"]


def item_digits(id_digits: str, number: int) -> str:
    """Return the digits of a response's items, all their own: 0 and 1 are for reasoning and message."""
    return f"{id_digits[:-2]}{(int(id_digits[-2:], 16) + number) % 256:02x}"


def used(
    body: Mapping[str, Any],
    turn: Turn,
    items: Sequence[Mapping[str, Any]],
    key: bytes,
    id_digits: str,
    *,
    calls_functions: bool,
) -> list[Use]:
    """Return what the built-in tools did before the answer.

    Parameters
    ----------
    body : Mapping
        The request.
    turn : Turn
        Where the conversation stands.
    items : sequence of Mapping
        The conversation so far.
    key : bytes
    id_digits : str
        Of the response.
    calls_functions : bool
        Functions are called, so only the tools that the prompt speaks of are used beside them.

    Notes
    -----
    A tool is used for a user's message, not after the results of functions. One tool alone is used whatever the
    prompt says; of several, those that it speaks of, or else the first. ``max_tool_calls`` counts all calls.
    """
    tools, has_to = allowed(body)
    requests = [
        ToolRequest(
            tool, turn.prompt, body.get("include") or (), key, item_digits(id_digits, 16 + 2 * number)
        )
        for number, tool in enumerate(tools)
        if kind_of(tool) or tool.get("type") == "mcp"
    ]
    lists = [mcp.listed(_beside(one)) for one in requests if _lacks_list(one, items)]
    if turn.n_rounds:
        return lists
    by_label = {str(one.tool.get("server_label")): one for one in requests if one.tool.get("type") == "mcp"}
    if turn.approvals:
        return [*lists, *_within(body, mcp.answered_approvals(by_label, turn, items))]
    meant = [one for one in requests if is_meant(one.tool, turn.prompt) or _is_named(one.tool, turn.prompt)]
    if not meant and (has_to or not calls_functions):
        meant = requests[:1]
    return [*lists, *_within(body, map(_use, meant))]


def _within(body: Mapping[str, Any], uses: Iterator[Use] | list[Use]) -> list[Use]:
    most = body.get("max_tool_calls")
    return list(uses)[:most]


def _use(request: ToolRequest) -> Use:
    return (
        mcp.called(request)
        if request.tool.get("type") == "mcp"
        else BUILT_IN[kind_of(request.tool)].use(request)
    )


def _lacks_list(request: ToolRequest, items: Sequence[Mapping[str, Any]]) -> bool:
    return request.tool.get("type") == "mcp" and not mcp.has_list(items, request.tool)


def _beside(request: ToolRequest) -> ToolRequest:
    return ToolRequest(
        request.tool, request.prompt, request.include, request.key, item_digits(request.digits, 1)
    )


def _is_named(tool: Mapping[str, Any], prompt: str) -> bool:
    label = name_words(str(tool.get("server_label") or ""))
    return tool.get("type") == "mcp" and bool(label) and not set(label).isdisjoint(name_words(prompt))
