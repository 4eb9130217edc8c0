"""Decides what a response will hold: reasoning, the tokens of its text, where it is cut, what it used."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cometnb.client.simulator.answer import answered
from cometnb.client.simulator.prompt import taken_stock
from cometnb.client.simulator.reasoning import Reasoning, reasoned
from cometnb.client.simulator.tokens import split_tokens
from cometnb.protocol.request import LOGPROBS

__all__ = ["Generation", "generated", "request_key"]

_NOT_IN_KEY = frozenset({"stream", "stream_options"})
_KEY_BYTES = 16
_ID_DIGITS = 48


@dataclass(frozen=True, slots=True)
class Generation:
    """One response before it is put into JSON.

    Attributes
    ----------
    id_digits : str
        48 hex digits that the ids of the response and its items share.
    reasoning : Reasoning or None
    tokens : tuple of str
        Of the text, after any cut; joined they are the text.
    logprobs : tuple of dict or None
        One for each token, if they were asked for.
    complete : bool
        False if ``max_output_tokens`` ended it.
    input_tokens, cached_tokens : int
        `cached_tokens` are part of `input_tokens`.
    """

    id_digits: str
    reasoning: Reasoning | None
    tokens: tuple[str, ...]
    logprobs: tuple[dict[str, Any], ...] | None
    complete: bool
    input_tokens: int
    cached_tokens: int

    @property
    def reasoning_tokens(self) -> int:
        """Tokens spent before the text; 0 if the model did not reason."""
        return self.reasoning.n_tokens if self.reasoning else 0

    @property
    def output_tokens(self) -> int:
        """Reasoning and text together."""
        return self.reasoning_tokens + len(self.tokens)

    @property
    def has_message(self) -> bool:
        """False if the limit was used up before the text began."""
        return self.complete or bool(self.tokens)


def request_key(body: Mapping[str, Any], seed: int) -> bytes:
    """Return 16 bytes that are the same for the same request and seed, streamed or not."""
    asked = {name: value for name, value in body.items() if name not in _NOT_IN_KEY}
    canonical = json.dumps([seed, asked], sort_keys=True)
    return hashlib.sha256(canonical.encode("ascii")).digest()[:_KEY_BYTES]


def generated(
    body: Mapping[str, Any],
    key: bytes,
    *,
    repeat: int = 0,
    input_tokens: int,
    cached_tokens: int = 0,
    n_earlier: int = 0,
    text: str | None = None,
) -> Generation:
    """Return the generation for a checked request.

    Parameters
    ----------
    body : Mapping
        The request.
    key : bytes
        From `request_key`.
    repeat : int
        How often the same request came before; it changes the ids and nothing else.
    input_tokens, cached_tokens, n_earlier : int
        What was sent and what of it was known; items of the responses this one continues.
    text : str, optional
        Answer exactly this.
    """
    stock = taken_stock(body, input_tokens, n_earlier)
    tokens = split_tokens(answered(body, stock, key) if text is None else text)
    reasoning = reasoned(body, stock, key)
    n_reasoning = reasoning.n_tokens if reasoning else 0
    limit = body.get("max_output_tokens")
    complete = limit is None or n_reasoning + len(tokens) <= limit
    if limit is not None and reasoning is not None and n_reasoning >= limit and not complete:
        # A summary is written when the reasoning is over, and this one never was.
        reasoning = replace(reasoning, n_tokens=limit, summary=())
        n_reasoning = limit
    kept = tuple(tokens if limit is None else tokens[: limit - n_reasoning])
    return Generation(
        id_digits=hashlib.sha256(key + repeat.to_bytes(8, "big")).hexdigest()[:_ID_DIGITS],
        reasoning=reasoning,
        tokens=kept,
        logprobs=_logprobs(body, kept, key),
        complete=complete,
        input_tokens=input_tokens,
        cached_tokens=cached_tokens,
    )


def _logprobs(
    body: Mapping[str, Any], tokens: Sequence[str], key: bytes
) -> tuple[dict[str, Any], ...] | None:
    if LOGPROBS not in (body.get("include") or ()):
        return None
    n_top = int(body.get("top_logprobs") or 0)
    return tuple(_logprob(token, n_top, key[index % len(key)]) for index, token in enumerate(tokens))


def _logprob(token: str, n_top: int, pick: int) -> dict[str, Any]:
    """Return a token's log probability, with its rivals sharing what it leaves of the whole."""
    chance = 0.5 + 0.49 * ((pick * 37 + len(token) * 11) % 256) / 255
    top = [_entry(token, chance)] if n_top else []
    left = 1 - chance
    for rank in range(1, n_top):
        left /= 2
        top.append(_entry(f"{token}{'ˈ' * rank}", left))
    return {**_entry(token, chance), "top_logprobs": top}


def _entry(token: str, chance: float) -> dict[str, Any]:
    spelled = list(token.encode("utf-8", "replace"))
    return {"token": token, "bytes": spelled, "logprob": round(math.log(chance), 6)}
