"""Which source prices a call: the user's table, CometAPI's catalog, the official list."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cometnb.ledger.pricelist.official import library_version
from cometnb.ledger.prices import Billable, Prices

# The amounts are those of prices as this version lists them; an older one knows fewer models and tiers.
pytestmark = pytest.mark.skipif(
    tuple(map(int, library_version().split(".")[:3])) < (0, 2, 3), reason="needs genai-prices 0.2.3"
)

_COMET = "https://api.cometapi.com/v1"
_FETCHED = datetime(2026, 11, 1, 8, tzinfo=UTC)
_AFTER = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _row(name: str, price_in: Any, price_out: Any, **pricing: Any) -> dict[str, Any]:
    return {
        "id": name,
        "pricing": {"currency": "USD / M Tokens", "input": price_in, "output": price_out} | pricing,
    }


_ROWS = [
    # The official price with the ratio still to apply, the charged price with a ratio, and without one.
    _row("gpt-5.4", 2.5, 15, ratio=0.8),
    _row("gpt-5.4-mini", 0.6, 3.6, ratio=0.8),
    _row("grok-4.3", 1.0, 2.0),
    # One that CometAPI does not give 20 % off.
    _row("kimi-k3", 3, 15, ratio=1.0),
    # No maker's list has these.
    _row("qwen9-max", 2, 10, ratio=0.8),
    _row("qwen9-plus", 1, 5),
    _row("qwen9-dear", 1, 5, ratio=1.0),
    _row("picture-maker", 0, 0, per_request=0.05),
]


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    """A catalog, and no table yet."""
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps({"fetched_at": _FETCHED.isoformat(), "models": {"data": _ROWS}}))
    (tmp_path / "prices.toml").write_text("")
    return Prices(tmp_path / "prices.toml", catalog=catalog)


def _cost(prices: Prices, model: str, sent: int = 1000, **more: Any) -> tuple[float, str]:
    known: dict[str, Any] = {"base_url": _COMET, "at": _AFTER, "output_tokens": 100} | more
    cost = prices.cost(Billable(model=model, input_tokens=sent, **known))
    return cost.usd, cost.source


@pytest.mark.parametrize(
    ("model", "usd", "source"),
    [
        ("gpt-5.4", 0.0032, "CometAPI's catalog of 2026-11-01: gpt-5.4 x 0.8"),
        ("gpt-5.4-mini", 0.00096, "CometAPI's catalog of 2026-11-01: gpt-5.4-mini"),
        ("grok-4.3", 0.0012, "CometAPI's catalog of 2026-11-01: grok-4.3"),
        ("qwen9-max", 0.0024, "CometAPI's catalog of 2026-11-01: qwen9-max x 0.8"),
        ("qwen9-plus", 0.0015, "CometAPI's catalog of 2026-11-01: qwen9-plus"),
        ("qwen9-dear", 0.0015, "CometAPI's catalog of 2026-11-01: qwen9-dear"),
        ("vendor/qwen9-plus-2026-08-01", 0.0015, "CometAPI's catalog of 2026-11-01: qwen9-plus"),
        ("gpt-5.4-2026-03-05", 0.0032, "CometAPI's catalog of 2026-11-01: gpt-5.4 x 0.8"),
    ],
)
def test_the_catalog_prices_what_cometapi_bills(prices: Prices, model: str, usd: float, source: str) -> None:
    """A row's ratio is applied, unless the official list shows that it has been applied already."""
    assert _cost(prices, model)[0] == pytest.approx(usd)
    assert _cost(prices, model)[1] == source


def test_the_catalog_is_for_cometapi_only(prices: Prices) -> None:
    """Another service has another price."""
    assert "genai-prices" in _cost(prices, "gpt-5.4", base_url="https://api.openai.com/v1")[1]
    assert math.isnan(_cost(prices, "qwen9-max", base_url="https://gateway.example/v1")[0])
    usd, source = _cost(prices, "qwen9-max", base_url="http://127.0.0.1:1", backend="simulator")
    assert usd == pytest.approx(0.0024)
    assert source == "as if billed: CometAPI's catalog of 2026-11-01: qwen9-max x 0.8"


@pytest.mark.parametrize(
    ("model", "sent", "more", "usd"),
    [
        # 0.8 of 2.50 / 0.25 / 15, above 272,000 of 5 / 0.50 / 22.50, in flex of 1.25 / 0.13 / 7.50
        ("gpt-5.4", 1000, {"cached_tokens": 400}, 0.00248),
        ("gpt-5.4", 272_001, {}, 1.089804),
        ("gpt-5.4", 1000, {"service_tier": "flex"}, 0.0016),
    ],
)
def test_what_the_catalog_does_not_say_the_official_list_does(
    prices: Prices, model: str, sent: int, more: dict[str, Any], usd: float
) -> None:
    """Cached input, long requests, other tiers: the catalog lists two numbers only."""
    found, source = _cost(prices, model, sent, **more)
    assert found == pytest.approx(usd)
    assert "genai-prices" in source


def test_the_catalog_s_ratio_is_that_of_the_official_price(prices: Prices) -> None:
    """Of 3 / 0.30 / 15 dollars CometAPI charges all for this model."""
    usd, source = _cost(prices, "kimi-k3", cached_tokens=500)
    assert usd == pytest.approx(0.00315)
    assert source.endswith(")")


def test_who_names_a_ratio_means_the_official_price(prices: Prices) -> None:
    """The catalog is asked only for what no list has."""
    own = Prices(prices.table_path, 0.5, prices.catalog_path)
    usd, source = _cost(own, "gpt-5.4")
    assert usd == pytest.approx(0.002)
    assert source.endswith("x 0.5")
    assert _cost(own, "qwen9-max")[0] == pytest.approx(0.0015)
    assert _cost(own, "qwen9-max")[1].endswith("qwen9-max x 0.5")
    assert _cost(own, "qwen9-plus")[0] == pytest.approx(0.0015)


def test_what_no_source_can_price_is_nan(prices: Prices) -> None:
    """With the reason of the source that came closest."""
    usd, source = _cost(prices, "qwen9-max", cached_tokens=5)
    assert math.isnan(usd)
    assert source == "no price for cached input tokens in CometAPI's catalog of 2026-11-01: qwen9-max x 0.8"
    assert math.isnan(_cost(prices, "picture-maker")[0])
    assert math.isnan(_cost(prices, "qwen9-max", service_tier="flex")[0])


def test_a_call_before_the_catalog_has_the_official_price_of_its_day(prices: Prices) -> None:
    """The catalog has no history; for a model that no list has, it is better than nothing and says its date."""
    before = _FETCHED - timedelta(days=1)
    assert "on 2026-10-31 (genai-prices" in _cost(prices, "gpt-5.4", at=before)[1]
    assert "catalog of 2026-11-01" in _cost(prices, "gpt-5.4", at=_FETCHED - timedelta(hours=1))[1]
    assert "catalog of 2026-11-01" in _cost(prices, "qwen9-max", at=before)[1]


def test_the_table_comes_before_the_catalog(prices: Prices) -> None:
    """And going back is noticed."""
    prices.table_path.write_text('[[price]]\nmodel = "qwen9-*"\ninput = 9\noutput = 9\n')
    usd, source = _cost(prices, "qwen9-max")
    assert usd == pytest.approx(0.0099)
    assert source == "your price table (prices.toml): qwen9-*"
    prices.table_path.write_text("")
    assert _cost(prices, "qwen9-max")[0] == pytest.approx(0.0024)


def test_a_tier_that_the_table_does_not_have_is_the_official_one(prices: Prices) -> None:
    """In priority 5 / 0.50 / 30 dollars, of which CometAPI charges 0.8."""
    prices.table_path.write_text('[[price]]\nmodel = "gpt-5.4"\ninput = 9\noutput = 9\n')
    assert _cost(prices, "gpt-5.4", service_tier="priority")[0] == pytest.approx(0.0064)


def test_a_new_or_broken_catalog_is_noticed(prices: Prices) -> None:
    """Without a new kernel."""
    assert _cost(prices, "qwen9-plus")[0] == pytest.approx(0.0015)
    models = {"data": [_row("qwen9-plus", 2, 10)]}
    prices.catalog_path.write_text(json.dumps({"fetched_at": "2026-11-01T00:00:00+00:00", "models": models}))
    os.utime(prices.catalog_path, ns=(5, 5))
    assert _cost(prices, "qwen9-plus")[0] == pytest.approx(0.003)
    prices.catalog_path.write_text("{")
    assert math.isnan(_cost(prices, "qwen9-plus")[0])
    prices.catalog_path.unlink()
    assert math.isnan(_cost(prices, "qwen9-plus")[0])


def test_the_price_asked_for_is_the_one_that_is_charged(prices: Prices) -> None:
    """From the same chain as the cost of a call."""
    price = prices.price("gpt-5.4", base_url=_COMET, at=_AFTER)
    assert price is not None
    assert (price.kind, price.input, price.output, price.ratio) == ("catalog", 2.0, 12.0, 0.8)
    long = prices.price("gpt-5.4", base_url=_COMET, at=_AFTER, input_tokens=300_000)
    assert long is not None
    assert (long.kind, long.input) == ("official", 4.0)
