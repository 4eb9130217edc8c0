"""What a stream has cost so far: counted by the length of what arrives, estimated only now and then."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from cometnb.ledger.purse.worst_case import Worst
from cometnb.protocol.estimate import estimated_tokens
from cometnb.protocol.events import APPENDED, OPENING, Event
from cometnb.protocol.usage import Usage

__all__ = ["OUTPUT_MARGIN", "Meter"]

OUTPUT_MARGIN = 0.30
"""The real tokens of an output are at least so much less than estimated: 0.30 is 30 %."""

_PIECE_CHARACTERS = 1_000
_LOOK_EVERY_S = 2.0


class Meter:
    """Adds up the visible output of one attempt; every character is estimated once.

    Parameters
    ----------
    worst : Worst
    max_output_tokens : int or None
        What the request was sent with.

    Notes
    -----
    Reasoning that is not shown cannot be seen; the limit on the output tokens holds for it. As long as an answer
    may keep to that limit, an estimate beyond it counts as the limit.
    """

    def __init__(self, worst: Worst, max_output_tokens: int | None) -> None:
        self._worst = worst
        self._max_output_tokens = max_output_tokens
        self._input_usd = worst.likely_input_usd
        self._pieces: list[str] = []
        self._n_characters = 0
        self._n_estimated = 0
        self._looked_at_s = monotonic()

    def add(self, events: Sequence[Event]) -> bool:
        """Take events; return whether it is time to look at the money again."""
        is_told = False
        for event in events:
            if event.type in APPENDED:
                delta = event.raw.get(APPENDED[event.type].field)
                if isinstance(delta, str):
                    self._pieces.append(delta)
                    self._n_characters += len(delta)
            elif event.type in OPENING:
                is_told |= self._hear(event.raw.get("response"))
        is_long = self._n_characters >= _PIECE_CHARACTERS
        if is_long:
            self._n_estimated += estimated_tokens("".join(self._pieces))
            self._pieces, self._n_characters = [], 0
        now_s = monotonic()
        if not is_long and not is_told and now_s - self._looked_at_s < _LOOK_EVERY_S:
            return False
        self._looked_at_s = now_s
        return True

    @property
    def output_tokens(self) -> int:
        """What the output so far counts for."""
        limit = self._max_output_tokens
        if limit is not None and self._n_estimated / (1 + OUTPUT_MARGIN) <= limit:
            return min(self._n_estimated, limit)
        return self._n_estimated

    @property
    def so_far_usd(self) -> float:
        """US dollars for the input and the output so far."""
        return self._input_usd + self.output_tokens * self._worst.usd_per_output_token

    def _hear(self, response: Any) -> bool:
        """Take the input's real tokens, where a service says them at the beginning."""
        usage = response.get("usage") if isinstance(response, dict) else None
        n_tokens = Usage(usage).input_tokens
        if not n_tokens or not self._worst.input_tokens:
            return False
        self._input_usd = n_tokens * self._worst.input_usd / self._worst.input_tokens
        return True
