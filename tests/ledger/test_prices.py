"""Amounts worked out by hand from published prices, and every reason for having no amount."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import ConfigError
from cometnb.ledger.pricelist.official import library_version
from cometnb.ledger.prices import Billable, Prices, default_prices
from cometnb.protocol.cost import Cost

# The amounts are those of prices as this version lists them; an older one knows fewer models and tiers.
pytestmark = pytest.mark.skipif(
    tuple(map(int, library_version().split(".")[:3])) < (0, 2, 3), reason="needs genai-prices 0.2.3"
)

_COMET = "https://api.cometapi.com/v1"
_NOW = "2026-11-01T12:00"

# Model, tokens (input, cached, cache write, output), what else matters, US dollars. Beside each case stand the
# published prices in US dollars per million tokens: input / cached / cache write / output.
_CASES: list[tuple[str, tuple[int | None, int | None, int | None, int | None], dict[str, Any], float]] = [
    # 2.50 / 0.25 / - / 15
    ("gpt-5.4", (1000, 0, 0, 200), {}, 0.0055),
    ("gpt-5.4", (1000, None, None, 200), {}, 0.0055),
    ("gpt-5.4", (1000, 400, 0, 200), {}, 0.0046),
    ("gpt-5.4", (1000, 1000, 0, 0), {}, 0.00025),
    ("gpt-5.4", (0, 0, 0, 1_000_000), {}, 15.0),
    ("gpt-5.4", (0, 0, 0, 0), {}, 0.0),
    # The same by its snapshot, with a vendor before it, and in other letters.
    ("gpt-5.4-2026-03-05", (1000, 0, 0, 200), {}, 0.0055),
    ("gpt-5.4-20260305", (1000, 0, 0, 200), {}, 0.0055),
    ("gpt-5.4-2026-10-30", (1000, 0, 0, 200), {}, 0.0055),
    ("openai/gpt-5.4", (1000, 0, 0, 200), {}, 0.0055),
    ("openrouter/openai/GPT-5.4-20260305", (1000, 0, 0, 200), {}, 0.0055),
    # Its long-context tier, 5 / 0.50 / - / 22.50, holds for all tokens of a request above 272,000.
    ("gpt-5.4", (271_999, 0, 0, 1000), {}, 0.6949975),
    ("gpt-5.4", (272_000, 0, 0, 1000), {}, 0.695),
    ("gpt-5.4", (272_001, 0, 0, 1000), {}, 1.382505),
    ("gpt-5.4", (300_000, 200_000, 0, 1000), {}, 0.6225),
    # In flex 1.25 / 0.13 / - / 7.50, above 272,000 2.50 / 0.25 / - / 11.25; in priority 5 / 0.50 / - / 30.
    ("gpt-5.4", (1000, 400, 0, 200), {"service_tier": "flex"}, 0.002302),
    ("gpt-5.4", (300_000, 0, 0, 1000), {"service_tier": "flex"}, 0.76125),
    ("gpt-5.4", (1000, 400, 0, 200), {"service_tier": "priority"}, 0.0092),
    ("gpt-5.4", (1000, 0, 0, 200), {"service_tier": "default"}, 0.0055),
    ("gpt-5.4", (1000, 0, 0, 200), {"service_tier": "auto"}, 0.0055),
    # CometAPI charges 0.8 of it.
    ("gpt-5.4", (1000, 400, 0, 200), {"base_url": _COMET}, 0.00368),
    ("gpt-5.4", (300_000, 200_000, 0, 1000), {"base_url": _COMET}, 0.498),
    ("gpt-5.4", (1000, 400, 0, 200), {"base_url": _COMET, "service_tier": "flex"}, 0.0018416),
    ("gpt-5.4", (1000, 400, 0, 200), {"base_url": "https://gateway.example/v1"}, 0.0046),
    ("gpt-5.4", (1000, 400, 0, 200), {"base_url": "https://api.cometapi.com.example/v1"}, 0.0046),
    ("gpt-5.4", (1000, 400, 0, 200), {"base_url": "http://127.0.0.1:8", "backend": "simulator"}, 0.00368),
    # 0.75 / 0.075 / - / 4.50
    ("gpt-5.4-mini-2026-03-17", (10_000, 8000, 0, 500), {}, 0.00435),
    # 5 / 0.50 / 6.25 / 30 until 2026-08-20, 4 / 0.40 / 5 / 20 from 2026-08-21
    ("gpt-5.6-sol", (4020, 0, 4012, 5), {"at": "2026-08-20T23:59"}, 0.025265),
    ("gpt-5.6-sol", (4020, 4012, 0, 5), {"at": "2026-08-20T23:59"}, 0.002196),
    ("gpt-5.6-sol", (4020, 0, 4012, 5), {"at": "2026-08-21T00:00"}, 0.020192),
    ("openai/gpt-5.6-sol", (4020, 4012, 0, 5), {"at": "2026-08-21T00:00"}, 0.0017368),
    # The day is that of UTC: this is 2026-08-20 there.
    ("gpt-5.6-sol", (1000, 0, 0, 0), {"at": "2026-08-21T01:00+02:00"}, 0.005),
    # 10 / 0.50 / - / 40 until 2025-06-09, then 2 / 0.50 / - / 8
    ("o3", (1000, 0, 0, 1000), {"at": "2025-06-09"}, 0.05),
    ("o3-2025-04-16", (1000, 0, 0, 1000), {"at": "2025-06-10"}, 0.01),
    # 1.25 / 0.20 / - / 2.50, from 200,000 on twice that
    ("grok-4.3", (340, 320, 0, 105), {}, 0.0003515),
    ("x-ai/grok-4.3", (199_999, 0, 0, 100), {}, 0.25024875),
    ("grok-4.3-latest", (200_000, 0, 0, 100), {}, 0.5005),
    # 2 / 0.10 / 2.50 / 10
    ("claude-sonnet-5-5", (5000, 1000, 2000, 300), {}, 0.0121),
    ("anthropic/claude-sonnet-5.5", (5000, 1000, 2000, 300), {}, 0.0121),
    # 0.10 / 0.01 / 0.125 / 0.50, above 100,000 0.50 / 0.05 / 0.625 / 2.50
    ("claude-haiku-5-5", (100_000, 0, 0, 1000), {}, 0.0105),
    ("claude-haiku-5-5", (100_001, 50_000, 50_000, 1000), {}, 0.0362505),
    # 0.50 / 0.05 / - / 3
    ("google/gemini-3-flash-preview-20251217", (17, 0, 0, 9), {}, 0.0000355),
    ("models/gemini-3-flash-preview", (1000, 900, 0, 0), {}, 0.000095),
    # 0.435 / 0.003625 / - / 0.87 until 2026-08-16, then 0.66 / 0.022 / - / 1.98, twice that at 01-04 and 06-10 UTC
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-08-01T12:00"}, 0.0003063125),
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-08-01T02:00"}, 0.0003063125),
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-09-01T00:59"}, 0.000539),
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-09-01T01:00"}, 0.001078),
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-09-01T03:59"}, 0.001078),
    ("deepseek-v4-pro", (1000, 500, 0, 100), {"at": "2026-09-01T04:00"}, 0.000539),
    # 3 / 0.30 / 3 / 15
    ("kimi-k3", (2000, 500, 500, 100), {}, 0.00615),
    # 1.40 / 0.26 / - / 4.40: the maker's list in dollars, not its list in yuan
    ("zai/glm-5.3", (1000, 100, 0, 10), {}, 0.00133),
    # 30 / - / - / 180
    ("gpt-5.4-pro", (1000, 0, 0, 100), {}, 0.048),
]


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    """Neither a table nor a catalog of the user's."""
    return Prices(catalog=tmp_path / "none.json")


def _billable(model: str | None, tokens: tuple[int | None, ...] = (1000, 0, 0, 100), **more: Any) -> Billable:
    sent, cached, written, received = tokens
    at = datetime.fromisoformat(more.pop("at", _NOW))
    return Billable(
        model=model,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        input_tokens=sent,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=received,
        **more,
    )


@pytest.mark.parametrize(
    ("model", "tokens", "more", "usd"), _CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(_CASES)]
)
def test_an_amount_is_what_the_published_prices_make_it(
    prices: Prices, model: str, tokens: tuple[int | None, ...], more: dict[str, Any], usd: float
) -> None:
    """By kind of token, size, tier, day, hour and ratio; the parts sum to the whole."""
    cost = prices.cost(_billable(model, tokens, **more))
    assert cost.usd == pytest.approx(usd, rel=1e-12, abs=0), cost.source
    parts = (cost.input_usd, cost.cached_usd, cost.cache_write_usd, cost.output_usd)
    assert math.fsum(parts) == pytest.approx(cost.usd, rel=1e-12)
    assert "genai-prices" in cost.source
    assert ("x 0.8" in cost.source) == (more.get("base_url") == _COMET or more.get("backend") == "simulator")


@pytest.mark.parametrize(
    ("model", "tokens", "more", "reason"),
    [
        ("qwen3-max", (1000, 0, 0, 100), {}, "no price known for qwen3-max"),
        ("my-own-model", (0, 0, 0, 0), {}, "no price known for my-own-model"),
        (None, (1000, 0, 0, 100), {}, "the model is not known"),
        # Sold by others only: the maker gives it away, and a reseller's price is no list price.
        ("gpt-oss-120b", (1000, 0, 0, 100), {}, "no price known"),
        ("meta-llama/llama-4-maverick", (1000, 0, 0, 100), {}, "no price known"),
        ("gemma-3-27b-it", (1000, 0, 0, 100), {}, "no price for tokens"),
        # A reseller's variant of a maker's model is another offer.
        ("gpt-5.4:free", (1000, 0, 0, 100), {}, "no price known"),
        ("gpt-5.4", (1000, 0, 0, 100), {"service_tier": "ultrafast"}, "in service tier 'ultrafast'"),
        ("gpt-5.4", (1000, 0, 0, 100), {"service_tier": "flex", "at": "2026-05-01"}, "'flex' on 2026-05-01"),
        ("grok-4.3", (1000, 0, 0, 100), {"service_tier": "priority"}, "in service tier 'priority'"),
        ("gpt-5.4-pro", (1000, 400, 0, 100), {}, "no price for cached input tokens"),
        ("gpt-5.4", (1000, 0, 10, 100), {}, "no price for cache write tokens"),
        ("gpt-image-1", (1000, 0, 0, 100), {}, "does not tell apart"),
        ("deepseek-v4-flash", (1, 0, 0, 1), {"at": "2026-09-01T02:00"}, "at this hour before 2026-09-10"),
        ("gpt-5.4", (None, None, None, None), {}, "usage not reported"),
        ("gpt-5.4", (None, None, None, 5), {}, "no input tokens"),
        ("gpt-5.4", (5, None, None, None), {}, "no output tokens"),
        ("gpt-5.4", (-1, 0, 0, 5), {}, "input_tokens is below 0"),
        ("gpt-5.4", (5, 0, 0, -5), {}, "output_tokens is below 0"),
        ("gpt-5.4", (5, 0, 0, 2**63), {}, "output_tokens is too large"),
        ("gpt-5.4", (10**400, 0, 0, 1), {}, "input_tokens is too large"),
        ("gpt-5.4", (10, 11, 0, 1), {}, "more than the 10 of the input"),
        ("gpt-5.4", (10, 6, 6, 1), {}, "more than the 10 of the input"),
        ("gpt-5.4", (1.5, 0, 0, 1), {}, "input_tokens is 1.5"),
        ("gpt-5.4", ("12", 0, 0, 1), {}, "input_tokens is '12'"),
        ("gpt-5.4", (True, 0, 0, 1), {}, "input_tokens is True"),
        ("gpt-5.4", (1, 0, 0, float("inf")), {}, "output_tokens is no count"),
        ("gpt-5.4", (1, 0, 0, [3]), {}, "output_tokens is no count"),
    ],
)
def test_what_cannot_be_priced_is_nan_with_its_reason(
    prices: Prices, model: str | None, tokens: tuple[Any, ...], more: dict[str, Any], reason: str
) -> None:
    """Never zero, and never an error."""
    cost = prices.cost(_billable(model, tokens, **more))
    assert [math.isnan(usd) for usd in (cost.usd, *cost[5:])] == [True] * 5
    assert reason in cost.source


def test_the_name_that_answered_is_tried_before_the_name_asked_for(prices: Prices) -> None:
    """A gateway may answer with another model than asked, and bills that one; an own name of its is unknown."""
    answered = prices.cost(_billable("grok-4.3", model_requested="gpt-5.4"))
    assert answered.usd == pytest.approx(0.0015)
    asked = prices.cost(_billable("deployment-7", model_requested="gpt-5.4"))
    assert asked.usd == pytest.approx(0.004)
    assert "gpt-5.4" in asked.source


def test_a_given_ratio_holds_for_every_host(tmp_path: Path) -> None:
    """Who has a contract of their own sets it once."""
    prices = Prices(ratio=0.5, catalog=tmp_path / "none.json")
    for base_url in (_COMET, "https://gateway.example/v1", ""):
        cost = prices.cost(_billable("gpt-5.4", base_url=base_url))
        assert cost.usd == pytest.approx(0.002)
        assert cost.source.endswith("x 0.5")


def test_a_source_names_the_price_its_day_and_all_that_changes_it(prices: Prices) -> None:
    """So that the amount can be worked out again."""
    cost = prices.cost(
        _billable("gpt-5.4-2026-03-05", (300_000, 0, 0, 1), base_url=_COMET, service_tier="flex")
    )
    source, _, version = cost.source.partition(" (genai-prices ")
    assert source == "OpenAI's price of gpt-5.4, flex on 2026-11-01"
    assert version.partition(") ")[2] == "x 0.8, above 272,000 input tokens"


def test_simulated_and_replayed_calls_say_what_they_are(prices: Prices) -> None:
    """The one is priced as if CometAPI had billed it, the other costs nothing."""
    assert prices.cost(_billable("gpt-5.4", backend="simulator")).source.startswith(
        "as if billed: OpenAI's price"
    )
    replayed = prices.cost(_billable("unknown", backend="cassette"))
    assert (replayed.usd, replayed.fees_usd, replayed.source) == (0.0, 0.0, "replayed: costs nothing")
    assert replayed[5:] == (0.0, 0.0, 0.0, 0.0)


def test_tool_fees_are_apart_from_the_tokens(prices: Prices) -> None:
    """Web search is 10 dollars, file search 2.50 dollars per thousand calls; CometAPI's share of both is 0.8."""
    calls = {"web_search_call": 2, "file_search_call": 1}
    cost = prices.cost(_billable("gpt-5.4", n_tool_calls=calls))
    assert cost.usd == prices.cost(_billable("gpt-5.4")).usd
    assert cost.fees_usd == pytest.approx(0.0225)
    assert cost.fees == "2 web searches, 1 file search"
    assert prices.cost(_billable("gpt-5.4", n_tool_calls=calls, base_url=_COMET)).fees_usd == pytest.approx(
        0.018
    )


def test_an_unknown_tool_fee_is_nan_and_leaves_the_tokens_priced(prices: Prices) -> None:
    """One unknown fee makes the fees unknown."""
    cost = prices.cost(_billable("gpt-5.4", n_tool_calls={"web_search_call": 1, "code_interpreter_call": 2}))
    assert cost.is_known
    assert math.isnan(cost.fees_usd)
    assert cost.fees == "1 web search, 2 code interpreter calls"


def test_the_price_of_a_model_can_be_asked_for(prices: Prices) -> None:
    """Per million tokens, with the ratio in it, at the size of the request."""
    at = datetime.fromisoformat(_NOW)
    price = prices.price("gpt-5.4", base_url=_COMET, at=at)
    assert price is not None
    assert (price.input, price.cached, price.cache_write, price.output) == (2.0, 0.2, None, 12.0)
    assert [above for above, _ in price.tiers] == [272_000]
    assert (price.kind, price.ratio) == ("official", 0.8)
    assert price.tool_fees_per_1000 == {"web_search_call": 8.0, "file_search_call": 2.0}
    long = prices.price("gpt-5.4", base_url=_COMET, at=at, input_tokens=272_001)
    assert long is not None
    assert (long.input, long.base.input) == (4.0, 2.0)
    assert prices.price("my-own-model") is None
    assert prices.price("gpt-5.4", service_tier="ultrafast") is None
    assert prices.service_tiers("gpt-5.4", at) == ("flex", "priority", "fast", "batch")
    assert prices.service_tiers("my-own-model") == ()


def test_settings_of_the_environment_are_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also when they change while the kernel runs."""
    assert default_prices() is default_prices()
    table = tmp_path / "mine.toml"
    table.write_text('[[price]]\nmodel = "o3"\ninput = 7\noutput = 7\n')
    monkeypatch.setenv("COMETNB_PRICES", str(table))
    monkeypatch.setenv("COMETNB_PRICE_RATIO", "0.25")
    assert default_prices().table_path == table
    assert default_prices().cost(_billable("o3")).usd == pytest.approx(0.0077)
    assert default_prices().cost(_billable("gpt-5.4")).usd == pytest.approx(0.001)
    monkeypatch.setenv("COMETNB_PRICE_RATIO", "none")
    with pytest.raises(ConfigError, match="COMETNB_PRICE_RATIO"):
        default_prices()


def test_an_unknown_cost_is_a_cost() -> None:
    """Nothing has to be asked first."""
    assert isinstance(Prices().cost(Billable()), Cost)
