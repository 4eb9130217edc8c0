"""Log probabilities for the tokens of an answer, as sound as made-up ones can be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cometnb.protocol.request import LOGPROBS

__all__ = ["logprobs_of"]


def logprobs_of(
    body: Mapping[str, Any], tokens: Sequence[str], key: bytes
) -> tuple[dict[str, Any], ...] | None:
    """Return an entry for each token with as many rivals as asked for; None if none were asked for."""
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
