"""The one arithmetic of prices: tokens by kind, times dollars per million of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["KINDS", "Rates", "Tariff", "Tokens", "amounts", "unpriced_kind"]

KINDS = ("input", "cached", "cache_write", "output")
"""The kinds of tokens that have a price of their own. Reasoning is output."""

_PER = 1_000_000


class Tokens(NamedTuple):
    """Tokens by kind; every token is counted once.

    Attributes
    ----------
    input, cached, cache_write, output : int
        `input` is what was neither read from the cache nor written to it; `output` holds the reasoning.
    """

    input: int
    cached: int
    cache_write: int
    output: int

    @property
    def sent(self) -> int:
        """All tokens of the input, which decide the long-context tier."""
        return self.input + self.cached + self.cache_write


class Rates(NamedTuple):
    """Prices in US dollars per million tokens; None is "no price known", which is not free.

    Attributes
    ----------
    input, cached, cache_write, output : float or None
        Not negative.
    """

    input: float | None = None
    cached: float | None = None
    cache_write: float | None = None
    output: float | None = None

    def times(self, ratio: float) -> Rates:
        """Return the same prices times `ratio`."""
        return Rates(*(None if rate is None else rate * ratio for rate in self))


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a model costs, at one time, in one service tier.

    Attributes
    ----------
    base : Rates
        Below every long-context tier.
    tiers : tuple of (int, Rates)
        Rates that hold for the whole request once its input has more than so many tokens; lowest first.
    tool_fees : Mapping of str to float
        Type of an output item (``web_search_call``) to US dollars per thousand calls.
    """

    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()
    tool_fees: Mapping[str, float] = field(default_factory=dict)

    def rates(self, sent_tokens: int) -> Rates:
        """Return the rates for a request of so many input tokens."""
        found = self.base
        for above, rates in self.tiers:
            if sent_tokens <= above:
                break
            found = rates
        return found

    def tier(self, sent_tokens: int) -> int | None:
        """Return the bound that a request of so many input tokens has crossed, or None."""
        return max((above for above, _ in self.tiers if sent_tokens > above), default=None)

    def times(self, ratio: float) -> Tariff:
        """Return the same tariff with every price times `ratio`."""
        if ratio == 1:
            return self
        return Tariff(
            self.base.times(ratio),
            tuple((above, rates.times(ratio)) for above, rates in self.tiers),
            {name: fee * ratio for name, fee in self.tool_fees.items()},
        )


def unpriced_kind(rates: Rates, tokens: Tokens) -> str | None:
    """Return the first kind of token that was used and has no price, or None."""
    for kind, rate, count in zip(KINDS, rates, tokens, strict=True):
        if rate is None and count:
            return kind
    return None


def amounts(rates: Rates, tokens: Tokens) -> tuple[float, float, float, float]:
    """Return the US dollars for each kind of token, in the order of `KINDS`.

    Parameters
    ----------
    rates : Rates
        Every kind that was used has a price: see `unpriced_kind`.
    tokens : Tokens
    """
    a, b, c, d = (
        0.0 if rate is None else count * rate / _PER for rate, count in zip(rates, tokens, strict=True)
    )
    return a, b, c, d
