"""How much a model reasons before it answers, and the summary it gives of that."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.models import reasons
from cometnb.client.simulator.prompt import Inventory
from cometnb.protocol.counted import counted

__all__ = ["DEFAULT_EFFORT", "Reasoning", "reasoned", "sealed"]

DEFAULT_EFFORT = "medium"
_ENCRYPTED_CONTENT = "reasoning.encrypted_content"

_TOKENS = {"none": 0, "minimal": 16, "low": 64, "medium": 192, "high": 576, "xhigh": 1408, "max": 3072}


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The reasoning of one response.

    Attributes
    ----------
    n_tokens : int
        Tokens spent, at least 1.
    summary : tuple of str
        Its parts; empty unless asked for.
    encrypted_content : str or None
        Only if ``include`` asks for it.
    """

    n_tokens: int
    summary: tuple[str, ...]
    encrypted_content: str | None


def reasoned(body: Mapping[str, Any], stock: Inventory, key: bytes) -> Reasoning | None:
    """Return the reasoning for a request; None if the model does not reason or was told not to.

    Parameters
    ----------
    body : Mapping
        The request.
    stock : Inventory
        What it holds: a longer prompt is reasoned about a little longer.
    key : bytes
        At least two bytes; the same request and seed give the same.
    """
    asked = body.get("reasoning") or {}
    # An effort the table does not know may be one of a newer model; here it counts as medium.
    base_tokens = _TOKENS.get(asked.get("effort") or DEFAULT_EFFORT, _TOKENS[DEFAULT_EFFORT])
    if not base_tokens or not reasons(body["model"]):
        return None
    stretch = 0.85 + 0.3 * key[0] / 255 + min(stock.n_tokens, 1000) / 10_000
    n_tokens = round(base_tokens * stretch)
    summary = _summary(asked.get("summary"), stock, key[1])
    wanted = _ENCRYPTED_CONTENT in (body.get("include") or ())
    return Reasoning(n_tokens, summary, sealed(key, n_tokens) if wanted else None)


def _summary(form: str | None, stock: Inventory, pick: int) -> tuple[str, ...]:
    if form is None:
        return ()
    title = ("Reading the prompt", "Taking stock", "Looking at what came")[pick % 3]
    first = (
        f"**{title}**\n\nThe request holds {counted(stock.n_items, 'item')} with "
        f"{counted(stock.n_characters, 'character')} of text. No model is behind this, "
        "so I describe what I see."
    )
    second = (
        "**Choosing the form**\n\nA short opening, then what arrived as a list and a table, "
        "then a formula and a few lines of code that check it."
    )
    return (first,) if form == "concise" else (first, second)


def sealed(key: bytes, n_tokens: int) -> str:
    """Return text that looks as sealed content does: long, and of no use to anyone but the server."""
    sealed = hashlib.shake_256(key + b"encrypted").digest(96 + n_tokens)
    return base64.urlsafe_b64encode(b"\x80" + sealed).decode("ascii")
