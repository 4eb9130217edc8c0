"""Sums over calls: tokens and dollars, with how many calls did not say, and what was simulated apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cometnb.ledger.audit.saved import SavedCall
from cometnb.ledger.rows import TOKENS

__all__ = ["Sum", "Totals", "totals_of"]


@dataclass(slots=True)
class Sum:
    """A sum of what is known.

    Attributes
    ----------
    known : float
        Of those that say.
    n_known, n_missing : int
        How many say, and how many do not.
    """

    known: float = 0
    n_known: int = 0
    n_missing: int = 0

    def add(self, value: float | None) -> None:
        """Add a value; None and NaN are missing."""
        if value is None or math.isnan(value):
            self.n_missing += 1
        else:
            self.known += value
            self.n_known += 1


@dataclass(slots=True)
class Totals:
    """What some calls used and cost, each answer counted once.

    Attributes
    ----------
    n_calls, n_repeats : int
        Answers, and how many more times one of them stands there.
    tokens : dict of str to Sum
        For each of `TOKENS`. Cached ones are part of the input, reasoning is part of the output.
    cost_usd, simulated_usd : Sum
        What was paid; and what simulated calls would have cost.
    tool_fees_usd, simulated_tool_fees_usd : Sum
        Fees of built-in tools, which are part of neither of them; and what simulated calls would have had to pay.
    n_priced_now, n_estimated : int
        Calls whose cost this audit worked out, and whose tokens are estimates.
    """

    n_calls: int = 0
    n_repeats: int = 0
    tokens: dict[str, Sum] = field(default_factory=lambda: {name: Sum() for name in TOKENS})
    cost_usd: Sum = field(default_factory=Sum)
    simulated_usd: Sum = field(default_factory=Sum)
    tool_fees_usd: Sum = field(default_factory=Sum)
    simulated_tool_fees_usd: Sum = field(default_factory=Sum)
    n_priced_now: int = 0
    n_estimated: int = 0

    @property
    def n_unpriced(self) -> int:
        """Calls without a price, simulated ones included."""
        return self.cost_usd.n_missing + self.simulated_usd.n_missing

    def as_json(self) -> dict[str, Any]:
        """Return the sums as plain values; null where no call said."""
        return {
            "calls": self.n_calls,
            "repeats": self.n_repeats,
            **{name: _known(total) for name, total in self.tokens.items()},
            "without_usage": self.tokens["output_tokens"].n_missing,
            "estimated": self.n_estimated,
            "cost_usd": _known(self.cost_usd),
            "simulated_usd": _known(self.simulated_usd),
            "tool_fees_usd": _known(self.tool_fees_usd),
            "simulated_tool_fees_usd": _known(self.simulated_tool_fees_usd),
            "without_price": self.n_unpriced,
            "priced_now": self.n_priced_now,
        }


def totals_of(calls: Iterable[SavedCall]) -> Totals:
    """Return the sums over calls; a repeat is counted as one, and not summed."""
    totals = Totals()
    for call in calls:
        if call.is_repeat:
            totals.n_repeats += 1
            continue
        totals.n_calls += 1
        for name, total in totals.tokens.items():
            total.add(call.tokens[name])
        (totals.simulated_usd if call.is_simulated else totals.cost_usd).add(call.cost_usd)
        fees = totals.simulated_tool_fees_usd if call.is_simulated else totals.tool_fees_usd
        fees.add(call.tool_fees_usd)
        totals.n_priced_now += call.is_priced_now
        totals.n_estimated += call.usage_source == "estimated"
    return totals


def _known(total: Sum) -> float | None:
    return total.known if total.n_known else None
