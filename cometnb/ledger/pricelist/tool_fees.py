"""The built-in tools that ran in an answer: how many calls of each, and what is asked for them besides tokens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

__all__ = ["counted_calls", "fees", "in_words", "tool_calls"]

# Run by the user's own machine or by a third party's server: the service asks nothing for them.
_FREE = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "mcp_call",
        "tool_search_call",
    }
)
_LARGEST_COUNT = 2**63


def tool_calls(output: Iterable[Any]) -> dict[str, int]:
    """Count the calls of built-in tools that a fee may be asked for.

    Parameters
    ----------
    output : iterable
        The items of a response's output, as JSON.

    Returns
    -------
    dict
        Type of the item (``web_search_call``, ``file_search_call``, ``code_interpreter_call``, …) to how many.
        Of a web search only the searches count, not the pages opened for it: only a search is charged.
    """
    kinds = (item.get("type") for item in output if isinstance(item, Mapping) and _is_charged(item))
    return dict(Counter(kind for kind in kinds if isinstance(kind, str)))


def _is_charged(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    if not isinstance(kind, str) or not kind.endswith("_call") or kind in _FREE:
        return False
    action = item.get("action")
    if kind == "web_search_call" and isinstance(action, Mapping):
        return bool(action.get("type", "search") == "search")
    return True


def counted_calls(value: Any) -> dict[str, int]:
    """Read counts of tool calls as a row keeps them: a mapping, its JSON, or nothing."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    if not isinstance(value, Mapping):
        return {}
    return {str(name): count for name, count in value.items() if type(count) is int and count > 0}


def fees(calls: Mapping[str, int], known: Sequence[Mapping[str, float]]) -> float:
    """Return what the calls cost in US dollars; 0.0 without calls, NaN if the fee of one is not known.

    Parameters
    ----------
    calls : Mapping of str to int
        Item type to how many.
    known : sequence of Mapping
        Item type to dollars per thousand calls; the first mapping that knows a type decides.
    """
    total = 0.0
    for kind, count in calls.items():
        fee = next((fees[kind] for fees in known if kind in fees), nan)
        total += min(count, _LARGEST_COUNT) * fee / 1000
    return total


def in_words(calls: Mapping[str, int]) -> str:
    """Return the calls as people say them: ``2 web searches, 1 file search``; empty without calls."""
    return ", ".join(f"{count:,} {_noun(kind, count)}" for kind, count in calls.items())


def _noun(kind: str, count: int) -> str:
    words = kind.removesuffix("_call").replace("_", " ")
    if words.endswith("search"):
        return words if count == 1 else words + "es"
    return f"{words} call" if count == 1 else f"{words} calls"
