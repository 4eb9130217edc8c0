"""Rules of prices that hold for all calls, and the second opinion of the library the prices are from."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cometnb.ledger.pricelist.official import STANDARD_TIERS, library_version, official_model
from cometnb.ledger.pricelist.rates import Tariff
from cometnb.ledger.prices import Billable, Prices, cost_of
from cometnb.protocol.response import Response

# The amounts are those of prices as this version lists them; an older one knows fewer models and tiers.
pytestmark = pytest.mark.skipif(
    tuple(map(int, library_version().split(".")[:3])) < (0, 2, 3), reason="needs genai-prices 0.2.3"
)

_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
# With a price for every kind of token; the first two have a tier at 272,000 and at 100,000.
_MODELS = ("gpt-5.6-sol", "claude-haiku-5-5", "claude-sonnet-5-5", "kimi-k3")
_TIER = 100_000
_PRICES = Prices(catalog=Path("/nowhere/models.json"), ratio=0.8)

_counts = st.integers(min_value=0, max_value=10_000_000)
_small = st.integers(min_value=0, max_value=_TIER // 8)


@st.composite
def _tokens(draw: st.DrawFn, counts: st.SearchStrategy[int] = _counts) -> dict[str, Any]:
    plain, cached, written, received = (draw(counts) for _ in range(4))
    return {
        "input_tokens": plain + cached + written,
        "cached_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": received,
    }


def _usd(model: str, tokens: dict[str, Any], **more: Any) -> float:
    return _PRICES.cost(Billable(model=model, at=_AT, **tokens, **more)).usd


@given(st.sampled_from(_MODELS), _tokens(_small), _tokens(_small))
def test_costs_add_up_within_a_tier(model: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two calls cost what one with the tokens of both costs."""
    both = {name: one[name] + other[name] for name in one}
    assume(both["input_tokens"] <= _TIER)
    assert _usd(model, both) == pytest.approx(_usd(model, one) + _usd(model, other), rel=1e-9, abs=1e-15)


@given(
    st.sampled_from(_MODELS),
    _tokens(),
    st.sampled_from(["input_tokens", "output_tokens"]),
    st.integers(min_value=1, max_value=10**9),
)
def test_more_tokens_never_cost_less(model: str, tokens: dict[str, Any], name: str, more: int) -> None:
    """Also over a tier's bound, where every token becomes dearer."""
    assert _usd(model, tokens | {name: tokens[name] + more}) > _usd(model, tokens)


@given(st.sampled_from(_MODELS), _tokens(), st.sampled_from(["cached_tokens", "cache_write_tokens"]), _counts)
def test_more_of_a_part_of_the_input_never_costs_less(
    model: str, tokens: dict[str, Any], name: str, more: int
) -> None:
    """Tokens from or into the cache that come on top."""
    grown = tokens | {name: tokens[name] + more, "input_tokens": tokens["input_tokens"] + more}
    assert _usd(model, grown) >= _usd(model, tokens)


@given(st.sampled_from(_MODELS), _tokens())
def test_cached_input_is_never_dearer_and_written_never_cheaper(model: str, tokens: dict[str, Any]) -> None:
    """Than the same tokens without a cache."""
    plain = tokens | {"cached_tokens": 0, "cache_write_tokens": 0}
    assert _usd(model, tokens | {"cache_write_tokens": 0}) <= _usd(model, plain) * (1 + 1e-12)
    assert _usd(model, tokens | {"cached_tokens": 0}) >= _usd(model, plain) * (1 - 1e-12)


@given(_tokens(), st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3)))
def test_reasoning_is_never_counted_twice(tokens: dict[str, Any], reasoning: Any) -> None:
    """It is part of the output: whatever is said of it, the cost stays the same."""
    usage = {
        "input_tokens": tokens["input_tokens"],
        "output_tokens": tokens["output_tokens"],
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }
    body = {"model": "gpt-5.4", "usage": usage}
    silent = body | {"usage": usage | {"output_tokens_details": {}}}
    assert cost_of(Response(body)).usd == cost_of(Response(silent)).usd


@given(st.sampled_from(_MODELS), _tokens())
def test_the_parts_sum_to_the_whole(model: str, tokens: dict[str, Any]) -> None:
    """Every token is in one part."""
    cost = _PRICES.cost(Billable(model=model, at=_AT, **tokens))
    parts = (cost.input_usd, cost.cached_usd, cost.cache_write_usd, cost.output_usd)
    assert math.fsum(parts) == pytest.approx(cost.usd, rel=1e-12)
    assert min(parts) >= 0


_anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=0, max_value=5),
    st.floats(),
    st.text(max_size=2),
    st.just([1]),
    st.just(10**500),
)


@given(
    st.sampled_from([*_MODELS, "no-such-model", "", None]),
    st.tuples(_anything, _anything, _anything, _anything),
    st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["flex", "priority", "default"])),
    st.one_of(st.none(), st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1))),  # noqa: DTZ001
)
def test_bad_numbers_never_raise_and_never_become_zero(
    model: str | None, counts: tuple[Any, ...], tier: str | None, at: datetime | None
) -> None:
    """An amount is finite and not negative, or NaN with a reason; zero only where no token was used."""
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")
    tokens = dict(zip(names, counts, strict=True))
    cost = _PRICES.cost(Billable(model=model, service_tier=tier, at=at, **tokens))
    assert cost.source
    if cost.is_known:
        assert math.isfinite(cost.usd)
        assert cost.usd >= 0
        assert (cost.usd == 0) == (tokens["input_tokens"] == tokens["output_tokens"] == 0)


# The same prices by another way: the library's own arithmetic.

_OFFICIAL = (
    "gpt-5.4", "gpt-5.4-2026-03-05", "gpt-5.4-mini", "gpt-5.4-pro", "gpt-5.5", "gpt-5.6-sol", "gpt-5.6-luna", "gpt-6-sol",
    "gpt-6-astra", "gpt-6.1-sol", "gpt-5", "gpt-5-nano", "gpt-4.1", "gpt-4o", "gpt-4o-mini", "o1", "o3", "o3-mini", "o4-mini",
    "claude-opus-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-3-haiku",
    "gemini-2.5-pro", "gemini-3-flash-preview", "gemini-3-pro-preview", "gemini-3.8-flash",
    "grok-4.3", "grok-4.5", "grok-4-fast-reasoning", "deepseek-chat", "kimi-k3", "minimax-m3", "mistral-large-4",
)  # fmt: skip


@given(
    st.sampled_from(_OFFICIAL),
    _tokens(),
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2027, 6, 1)),  # noqa: DTZ001
    st.sampled_from(["", "default", "flex", "priority", "fast"]),
)
def test_an_official_price_is_what_its_library_makes_it(
    model: str, tokens: dict[str, Any], at: datetime, tier: str
) -> None:
    """At any size, day and hour, in any tier; except where the library falls back to another tier's price."""
    genai_prices = pytest.importorskip("genai_prices")
    at = at.replace(tzinfo=UTC)
    listed = official_model(model)
    assume(listed is not None)
    assert listed is not None
    tariff = listed.tariff(at, "" if tier in STANDARD_TIERS else tier)
    assume(isinstance(tariff, Tariff))
    assert isinstance(tariff, Tariff)
    if tariff.base.cached is None:
        tokens["cached_tokens"] = 0
    if tariff.base.cache_write is None:
        tokens["cache_write_tokens"] = 0
    usage = genai_prices.Usage(
        input_tokens=tokens["input_tokens"],
        cache_read_tokens=tokens["cached_tokens"],
        cache_write_tokens=tokens["cache_write_tokens"],
        output_tokens=tokens["output_tokens"],
    )
    try:
        context = {"price_context": {"service_tier": tier}} if tier else {}
        expected = genai_prices.calc_price(usage, model, genai_request_timestamp=at, **context)
    except TypeError:
        assume(not tier)  # versions of the library before 0.2 know no tiers
        raise
    assume(tier in STANDARD_TIERS or _has_tier(expected, tier))
    cost = Prices(ratio=1.0, catalog=Path("/nowhere/models.json")).cost(
        Billable(model=model, at=at, service_tier=tier, **tokens)
    )
    assert cost.usd == pytest.approx(float(expected.total_price), rel=1e-12, abs=1e-18)


def _has_tier(price: Any, tier: str) -> bool:
    return any(variant.when == {"service_tier": tier} for variant in price.model.price_variants or ())


def test_a_ratio_of_decimals_keeps_its_digits() -> None:
    """0.8 of 2.50 dollars is 2 dollars."""
    price = _PRICES.price("gpt-5.4", at=_AT)
    assert price is not None
    assert Decimal(repr(price.input)) == Decimal(2)
