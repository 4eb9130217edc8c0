"""What a call may cost at worst, before it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from math import ceil, floor, isfinite
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.gate import Planned
from cometnb.ledger import calibration
from cometnb.ledger.prices import Billable, Prices
from cometnb.protocol.estimate import estimated_input_tokens
from cometnb.protocol.usage import Usage

__all__ = ["INPUT_MARGIN", "INPUT_SPARE_TOKENS", "Earlier", "Worst", "worst_case"]

INPUT_MARGIN, INPUT_SPARE_TOKENS = 0.60, 16
"""The real tokens of an input are taken for at most 60 % and 16 tokens more than estimated.

Of the texts that `estimate.estimated_tokens` was measured on, the one it fell shortest of has 1 / (1 - 0.36) = 1.56 times
the tokens; short texts vary more.
"""

# Large enough that no part of a price is lost in rounding.
_MANY_TOKENS = 1_000_000
_PARTS = 3
_REMEMBERED = 10_000
# Tools that the service itself runs, inside the call; the next round with any other tool is a call of its own.
_BUILT_IN = re.compile(r"web_search|file_search|code_interpreter|image_generation|mcp")
_WITHOUT_FEE = "mcp"

_BEFORE = "the turns before it, which the service holds,"
_READ = "what its built-in tools read"
_FILES = "the tokens of its files"
_STORED = "the stored prompt"


@dataclass(frozen=True, slots=True)
class Worst:
    """What a call may cost at worst.

    Attributes
    ----------
    input_tokens : int
        At most, the estimate's error and what the service remembers of earlier turns included.
    max_output_tokens : int or None
        As the request says; None if it does not.
    input_usd, fees_usd : float
        US dollars for all of the input, and for built-in tools as far as their number and fee are known.
    usd_per_output_token : float
        At the dearest price that may apply.
    likely_input_usd : float
        For the input as estimated, at the price without a cache.
    why_unpriced : str
        Why no price is known; empty if one is.
    uncounted : tuple of str
        What may cost money and is in none of these figures.
    """

    input_tokens: int
    max_output_tokens: int | None
    input_usd: float = 0.0
    usd_per_output_token: float = 0.0
    fees_usd: float = 0.0
    likely_input_usd: float = 0.0
    why_unpriced: str = ""
    uncounted: tuple[str, ...] = ()

    def usd(self, output_tokens: int) -> float:
        """Return US dollars for the call with so many tokens of output, reasoning included."""
        return self.input_usd + self.fees_usd + output_tokens * self.usd_per_output_token

    def affordable_tokens(self, usd: float, at_most: int) -> int:
        """Return how many tokens of output, up to `at_most`, so much money affords; below 0 if not even the input."""
        left_usd = usd - self.usd(0)
        if left_usd < 0:
            return -1
        if left_usd >= at_most * self.usd_per_output_token:
            return at_most
        n_tokens = floor(left_usd / self.usd_per_output_token)
        return n_tokens if self.usd(n_tokens) <= usd else n_tokens - 1


class Earlier:
    """How many tokens the service holds of earlier turns, by the answers that were seen here."""

    def __init__(self) -> None:
        self._tokens: dict[str, int] = {}

    def learn(self, attempt: Attempt) -> None:
        """Remember how long an answer and all before it is."""
        usage = attempt.response.usage
        n_tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
        for name in (attempt.response.id, _conversation(attempt.params)):
            if name and n_tokens:
                self._tokens.pop(name, None)
                self._tokens[name] = n_tokens
        while len(self._tokens) > _REMEMBERED:
            del self._tokens[next(iter(self._tokens))]

    def tokens(self, params: Mapping[str, Any]) -> int | None:
        """Return the tokens before a request's own input; 0 if there are none, None if nobody here knows."""
        name = params.get("previous_response_id") or _conversation(params)
        return self._tokens.get(name) if isinstance(name, str) and name else 0


def worst_case(planned: Planned, prices: Prices, earlier: Earlier) -> Worst:
    """Return what a call may cost at worst.

    Parameters
    ----------
    planned : Planned
    prices : Prices
    earlier : Earlier

    Notes
    -----
    The input is dear where it is written to the provider's cache, so the dearest of plain, cached and written
    is taken; and the dearer of the price for a short input and for one of this length.
    """
    params = planned.params
    estimated = estimated_input_tokens(params)
    if model := _text(params.get("model")):
        # What the history of this model says; an estimate is never taken for less than it was.
        estimated = max(estimated, _calibrated(estimated, model))
    before = earlier.tokens(params)
    input_tokens = ceil(estimated * (1 + INPUT_MARGIN)) + INPUT_SPARE_TOKENS + (before or 0)
    limit = params.get("max_output_tokens")
    output_tokens = limit if isinstance(limit, int) and not isinstance(limit, bool) else None
    worst = Worst(input_tokens, output_tokens, uncounted=tuple(_unseen(params, before)))
    bill = Billable(
        model=None,
        model_requested=model,
        base_url=planned.base_url,
        backend=planned.backend,
        service_tier=_text(params.get("service_tier")),
        at=datetime.now(UTC),
        input_tokens=input_tokens,
        cached_tokens=0,
        cache_write_tokens=0,
        output_tokens=_MANY_TOKENS,
    )
    plain = prices.cost(bill)
    if not plain.is_known:
        return replace(worst, why_unpriced=plain.source)
    rates = [rate for variant in _variants(bill) for rate in _rates(variant, prices)]
    fees_usd, uncounted = _fees(params, bill, prices)
    return replace(
        worst,
        input_usd=input_tokens * max(rate for rate, _ in rates),
        usd_per_output_token=max(rate for _, rate in rates),
        fees_usd=fees_usd,
        likely_input_usd=plain.input_usd * (estimated + (before or 0)) / max(1, input_tokens),
        uncounted=worst.uncounted + uncounted,
    )


def _unseen(params: Mapping[str, Any], before: int | None) -> Iterator[str]:
    """Yield what of the input cannot be told from the request."""
    if before is None:
        yield _BEFORE
    if params.get("prompt"):
        yield _STORED
    items = params.get("input")
    if isinstance(items, list) and any(_has_file(item) for item in items if isinstance(item, Mapping)):
        yield _FILES


def _has_file(item: Mapping[str, Any]) -> bool:
    content = item.get("content")
    parts = content if isinstance(content, list) else ()
    return any(isinstance(part, Mapping) and part.get("type") == "input_file" for part in parts)


def _variants(bill: Billable) -> Iterator[Billable]:
    """Yield the bill with every mixture of kinds of input that it may turn out to have.

    A price that is not known for one of them may be known from another source, and be another one.
    """
    tiers = dict.fromkeys((bill.service_tier, None))
    lengths = dict.fromkeys((max(_PARTS, bill.input_tokens or 0), _PARTS))
    for tier, length, cached, written in product(tiers, lengths, (0, 1), (0, 1)):
        yield replace(
            bill,
            service_tier=tier,
            input_tokens=length,
            cached_tokens=cached * (length // _PARTS),
            cache_write_tokens=written * (length // _PARTS),
        )


def _rates(bill: Billable, prices: Prices) -> Iterator[tuple[float, float]]:
    """Yield dollars per token of input and of output, by every kind of input in the bill; nothing without a price."""
    cost = prices.cost(bill)
    if not cost.is_known:
        return
    cached, written = bill.cached_tokens or 0, bill.cache_write_tokens or 0
    plain = (bill.input_tokens or 0) - cached - written
    parts = ((cost.input_usd, plain), (cost.cached_usd, cached), (cost.cache_write_usd, written))
    for usd, n_tokens in parts:
        if n_tokens:
            yield usd / n_tokens, cost.output_usd / _MANY_TOKENS


def _fees(params: Mapping[str, Any], bill: Billable, prices: Prices) -> tuple[float, tuple[str, ...]]:
    """Return what built-in tools may cost, and what of them cannot be told before."""
    tools = params.get("tools")
    kinds = (
        [tool.get("type") for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []
    )
    found = [_BUILT_IN.match(kind) for kind in kinds if isinstance(kind, str)]
    built_in = dict.fromkeys(match[0] for match in found if match)
    if not built_in:
        return 0.0, ()
    n_calls = params.get("max_tool_calls")
    fees_usd, uncounted = 0.0, [_READ]
    for name in built_in:
        if name == _WITHOUT_FEE:
            continue
        calls = {f"{name}_call": n_calls if isinstance(n_calls, int) else 1}
        fee_usd = prices.cost(replace(bill, n_tool_calls=calls)).fees_usd
        if not isinstance(n_calls, int) or not isfinite(fee_usd):
            uncounted.append(
                f"the fees of {name}" + ("" if isinstance(n_calls, int) else " (no max_tool_calls is set)")
            )
        else:
            # max_tool_calls bounds all tools together.
            fees_usd = max(fees_usd, fee_usd)
    return fees_usd, tuple(uncounted)


def _calibrated(input_tokens: int, model: str) -> int:
    usage = calibration.current.scaled(Usage({"input_tokens": input_tokens}), model)
    return usage.input_tokens or 0


def _conversation(params: Mapping[str, Any]) -> str:
    value = params.get("conversation")
    return _text(value.get("id") if isinstance(value, Mapping) else value) or ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
