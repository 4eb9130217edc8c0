"""Prices for rows that were written without one: looked up once for all rows that are priced alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cometnb.ledger.rows import Row
from cometnb.ledger.storage.contexts import SHARED, Texts
from cometnb.ledger.storage.pricing import Pricing
from cometnb.protocol.cost import Cost

__all__ = ["price_missing"]

_TEXT = pd.StringDtype("python")
_NAMES = SHARED[0].names
# What of a row's texts can decide its price.
_DECIDING = (
    "model",
    "model_requested",
    "base_url",
    "backend",
    "service_tier",
    "status",
    "error_code",
    "usage_source",
)
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")
_QUARTER_US = 900_000_000
_DAY_US = 96 * _QUARTER_US


def price_missing(columns: dict[str, Any], texts: Sequence[Texts], codes: Any, pricing: Pricing) -> None:
    """Price the rows of a usage frame that have no cost; those of which none is known keep NaN, with the reason.

    Parameters
    ----------
    columns : dict of str to array
        The frame's, by name; ``cost_usd`` and ``price_source`` are changed.
    texts : sequence of tuples
        The contexts of the rows, each in the order of the first of `SHARED`.
    codes : array of int
        Which context each row has.
    pricing : Pricing
    """
    missing = np.flatnonzero(np.isnan(columns["cost_usd"]))
    if not len(missing):
        return
    cost_of = pricing.settled().cost
    counts = {name: columns[name][missing] for name in _TOKENS}
    tokens = {name: count.to_numpy(np.int64, na_value=0) for name, count in counts.items()}
    is_silent = {name: count.isna() for name, count in counts.items()}
    moments_us, contexts = columns["created_at_us"].to_numpy(np.int64)[missing], codes[missing]
    usd, sources = np.full(len(missing), np.nan), columns["price_source"].astype(object)

    def cost_at(place: int) -> Cost:
        row: Row = dict(zip(_NAMES, texts[contexts[place]], strict=True))
        row["created_at_us"] = int(moments_us[place])
        row |= {name: None if is_silent[name][place] else int(tokens[name][place]) for name in _TOKENS}
        return cost_of(row)

    by_kind = _by_kind(tokens)
    flags = [*(by_kind > 0), is_silent["input_tokens"], is_silent["output_tokens"]]
    numbers = _numbered(texts, contexts, moments_us, flags)
    # One that contradicts itself is told so in its own numbers.
    numbers = np.where(by_kind[0] < 0, -1 - np.arange(len(missing)), numbers)
    for places in _groups(numbers, tokens["input_tokens"]):
        for span, cost in _spans(places, cost_at):
            usd[span] = _amounts(by_kind[:, span], cost)
            sources[missing[span]] = cost.source
    columns["cost_usd"][missing] = usd
    columns["price_source"] = pd.array(sources, dtype=_TEXT)


def _numbered(texts: Sequence[Texts], contexts: Any, moments_us: Any, flags: Sequence[Any]) -> Any:
    """Give rows the same number, from 0 up, that are priced alike but for long-context tiers."""
    places = [_NAMES.index(name) for name in _DECIDING]
    deciding: dict[tuple[str | None, ...], int] = {}
    alike = np.array(
        [deciding.setdefault(tuple(each[place] for place in places), len(deciding)) for each in texts]
    )
    # Prices change by the day, and of some models by the time of day.
    period_us = np.array([_QUARTER_US if _is_by_the_hour(each[:2]) else _DAY_US for each in deciding])
    numbers = alike[contexts]
    periods, known = pd.factorize(moments_us // period_us[numbers])
    numbers = numbers * len(known) + periods
    for flag in flags:
        numbers = numbers * 2 + flag
    return numbers


def _groups(numbers: Any, input_tokens: Any) -> Iterator[Any]:
    """Yield the places of each number, those of short inputs first."""
    order = np.lexsort((input_tokens, numbers))
    yield from np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)


def _is_by_the_hour(names: Sequence[str | None]) -> bool:
    """Return whether the price of a model, by the name that answered or was asked for, has hours of its own."""
    from cometnb.ledger.pricelist.official import official_model

    return any((listed := official_model(name)) is not None and listed.is_by_the_hour for name in names)


def _spans(rows: Any, cost_at: Callable[[int], Cost]) -> Iterator[tuple[Any, Cost]]:
    """Yield rows that have their price from one place, with what the longest of them cost.

    The rows are sorted by what decides the tier: where the first and the last agree, so do all between.
    """
    spans = [(0, len(rows) - 1)]
    while spans:
        first, last = spans.pop()
        cost = cost_at(rows[last])
        if first != last and cost_at(rows[first]).source != cost.source:
            middle = (first + last) // 2
            spans += [(first, middle), (middle + 1, last)]
        else:
            yield rows[first : last + 1], cost


def _amounts(counts: Any, cost: Cost) -> Any:
    """Return US dollars for rows with these tokens, by the rates of the last one."""
    if not cost.is_known:
        return np.nan
    parts = (cost.input_usd, cost.cached_usd, cost.cache_write_usd, cost.output_usd)
    rates = [part / count[-1] if count[-1] > 0 else 0.0 for part, count in zip(parts, counts, strict=True)]
    usd = np.asarray(rates) @ counts
    # The one that was asked for, to the last digit.
    usd[-1] = cost.usd
    return usd


def _by_kind(tokens: Mapping[str, Any]) -> Any:
    """Return the tokens in four rows: plain input, read from the cache, written to it, output."""
    sent, cached, written, received = (tokens[name] for name in _TOKENS)
    return np.stack([sent - cached - written, cached, written, received])
