"""Compaction, played: one sealed item that stands for what came before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cometnb.client.simulator.outputs import Step, ToolItem
from cometnb.client.simulator.reasoning import sealed

__all__ = ["compacted", "compaction_due", "since_compaction"]

_TOKENS, _SEALED_TOKENS = 32, 200


def compacted(key: bytes, id_digits: str) -> ToolItem:
    """Return the item that a conversation is compacted to."""
    first = {"type": "compaction", "encrypted_content": ""}
    last = {**first, "encrypted_content": sealed(key, _SEALED_TOKENS)}
    return ToolItem(f"cmp_{id_digits}", first, last, (Step("", n_tokens=_TOKENS),))


def compaction_due(body: Mapping[str, Any], input_tokens: int) -> bool:
    """Tell whether a request's ``context_management`` wants its input compacted."""
    thresholds = [
        one.get("compact_threshold")
        for one in body.get("context_management") or ()
        if isinstance(one, Mapping) and one.get("type") == "compaction"
    ]
    return any(isinstance(least, int | float) and input_tokens >= least for least in thresholds)


def since_compaction(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the items that count: from the last compaction on, whatever came before it."""
    start = max((n for n, item in enumerate(items) if item.get("type") == "compaction"), default=0)
    return list(items[start:])
