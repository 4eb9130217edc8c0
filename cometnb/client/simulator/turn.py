"""Where a conversation stands: the user's last message, the calls made since, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.prompt import pieces_of

__all__ = ["CALLS", "OUTPUTS", "Turn", "current_turn"]

# An item that calls, and the one that has to answer it.
CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
OUTPUTS = {output: call for call, output in CALLS.items()}


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened since the user last spoke.

    Attributes
    ----------
    prompt : str
        The words of the user's last message.
    results : tuple
        Pairs of a call's item and the item with its output, in the order of the outputs.
    n_rounds : int
        How often calls were made and answered.
    approvals : tuple of Mapping
        Answers to requests for approval.
    items : tuple of Mapping
        The items behind the user's message.
    """

    prompt: str
    results: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]
    n_rounds: int
    approvals: tuple[Mapping[str, Any], ...]
    items: tuple[Mapping[str, Any], ...]

    @property
    def called(self) -> list[str]:
        """Names of the functions that were called and answered, in order."""
        return [str(call.get("name")) for call, _ in self.results]


def current_turn(items: Sequence[Mapping[str, Any]]) -> Turn:
    """Return where a conversation stands after its items, earlier ones first."""
    start = max((n for n, item in enumerate(items, 1) if _is_users(item)), default=0)
    since = items[start:]
    calls = {item.get("call_id"): item for item in since if item.get("type") in CALLS}
    outputs = [item for item in since if item.get("type") in OUTPUTS]
    results = tuple((calls.get(output.get("call_id"), {}), output) for output in outputs)
    approvals = tuple(item for item in since if item.get("type") == "mcp_approval_response")
    return Turn(_text(items[start - 1 : start]), results, _n_runs(since), approvals, tuple(since))


def _is_users(item: Mapping[str, Any]) -> bool:
    return str(item.get("type") or "message") == "message" and str(item.get("role") or "user") == "user"


def _n_runs(items: Iterable[Mapping[str, Any]]) -> int:
    """Count the groups of outputs: several calls at once are one round."""
    n_runs, was_output = 0, False
    for item in items:
        is_output = item.get("type") in OUTPUTS
        n_runs += is_output and not was_output
        was_output = is_output
    return n_runs


def _text(items: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(piece.text for piece in pieces_of(items) if piece.kind == "text")
