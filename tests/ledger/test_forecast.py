"""What a call will cost, before it is sent."""

from __future__ import annotations

from math import inf, isnan
from pathlib import Path
from typing import Any

import pytest

from cometnb.ledger.forecast import INPUT_ERROR, Forecast, forecast
from cometnb.ledger.prices import Billable, Prices
from cometnb.ledger.store import Ledger
from cometnb.protocol.estimate import estimated_input_tokens
from tests.ledger.attempts import an_attempt

_TABLE = """
[[price]]
model = "m"
from = 2020-01-01
input = 10.0
cached = 1.0
cache_write = 12.0
output = 100.0
"""


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    """A table with one model: $10 in and $100 out per million tokens."""
    table = tmp_path / "prices.toml"
    table.write_text(_TABLE, "utf-8")
    return Prices(table, catalog=tmp_path / "none.json")


def _forecast(
    params: dict[str, Any], prices: Prices, ledger: Ledger | None = None, **fields: str
) -> Forecast:
    where = {"base_url": "https://api.cometapi.com/v1", "backend": "api"} | fields
    return forecast({"model": "m", "input": "The sea"} | params, prices=prices, ledger=ledger, **where)


def _ledger(lengths: list[int], **fields: Any) -> Ledger:
    ledger = Ledger("off")
    for number, length in enumerate(lengths):
        params = {"model": "m", "input": "Hi", "reasoning": {"effort": "low"}}
        ledger(an_attempt(number, {"input_tokens": 8, "output_tokens": length}, params=params, **fields))
    return ledger


def test_the_band_goes_up_to_the_limit_that_is_sent(prices: Prices) -> None:
    """From the shortest answer to the longest one allowed."""
    expected = _forecast({"max_output_tokens": 1_000}, prices)
    assert (expected.input_tokens, expected.output_low, expected.output_high) == (9, 5, 1_000)
    assert expected.cost_low_usd == pytest.approx(8e-5 + 5e-4)
    assert expected.cost_high_usd == pytest.approx(10e-5 + 0.1)
    assert str(expected).startswith("about 9 tokens in (±15 %), 5 to 1,000 out: $0.00058 to $0.10 (")
    assert expected.price_source in str(expected)


def test_without_a_limit_nothing_bounds_the_cost(prices: Prices) -> None:
    """And it is said, instead of a guess."""
    expected = _forecast({}, prices)
    assert (expected.output_high, expected.cost_high_usd) == (None, inf)
    assert "no upper bound is set (max_output_tokens)" in str(expected)
    assert "$0.00058 or more" in str(expected)


def test_history_of_the_same_model_and_effort_narrows_the_band(prices: Prices) -> None:
    """From the tenth to the ninetieth of a hundred; other efforts and backends are another story."""
    ledger = _ledger([*range(100, 1_200, 100)])
    low = {"reasoning": {"effort": "low"}}
    expected = _forecast(low, prices, ledger)
    assert (expected.output_low, expected.output_high, expected.n_earlier) == (200, 1_000, 11)
    assert "200 to 1,000 out, as 11 earlier calls had it" in str(expected)
    assert _forecast(low | {"max_output_tokens": 600}, prices, ledger).output_high == 600
    assert _forecast({"reasoning": {"effort": "high"}}, prices, ledger).n_earlier == 0
    assert _forecast(low, prices, ledger, backend="simulator").n_earlier == 0


def test_four_earlier_calls_are_too_few(prices: Prices) -> None:
    """The band stays as wide as it is without them."""
    assert _forecast({"reasoning": {"effort": "low"}}, prices, _ledger([9] * 4)).output_high is None


def test_the_cost_is_the_bill_of_the_band(prices: Prices) -> None:
    """What the same prices charge for the same tokens."""
    params = {"input": "The sea " * 500, "max_output_tokens": 50}
    expected = _forecast(params, prices)
    assert expected.input_tokens == estimated_input_tokens(params)
    sent = round(expected.input_tokens * (1 + INPUT_ERROR))
    bill = Billable(
        model="m",
        base_url="https://api.cometapi.com/v1",
        input_tokens=sent,
        cached_tokens=0,
        cache_write_tokens=0,
        output_tokens=50,
    )
    assert expected.cost_high_usd == pytest.approx(prices.cost(bill).usd)


def test_a_model_without_a_price_has_no_cost(prices: Prices) -> None:
    """The tokens are there all the same, and the reason."""
    expected = _forecast({"model": "nobody-knows-me", "max_output_tokens": 9}, prices)
    assert isnan(expected.cost_low_usd)
    assert isnan(expected.cost_high_usd)
    assert str(expected) == f"about 9 tokens in (±15 %), 5 to 9 out: {expected.price_source}"
    assert "nobody-knows-me" in expected.price_source


def test_simulated_and_replayed_calls_say_so(prices: Prices) -> None:
    """One is priced as if it were billed, the other costs nothing."""
    assert "as if billed" in str(_forecast({"max_output_tokens": 9}, prices, backend="simulator"))
    replayed = _forecast({}, prices, backend="cassette")
    assert (replayed.cost_low_usd, replayed.cost_high_usd) == (0.0, 0.0)


def test_what_is_not_in_the_figures_is_said(prices: Prices) -> None:
    """Earlier turns, stored prompts, built-in tools; and what a cache may save."""
    params = {
        "previous_response_id": "resp_1",
        "prompt": {"id": "p"},
        "tools": [{"type": "web_search"}, {"type": "function", "name": "f"}],
        "input": "The sea " * 900,
    }
    notes = " ".join(_forecast(params, prices).notes)
    for word in ("earlier turns", "stored prompt", "web_search", "cache"):
        assert word in notes
    assert "function" not in notes
    assert _forecast({}, prices).notes == ()


def test_a_ledger_that_cannot_be_read_is_no_history(prices: Prices, tmp_path: Path) -> None:
    """The forecast is made without it."""
    broken = tmp_path / "ledger.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    assert _forecast({"max_output_tokens": 9}, prices, Ledger(broken)).output_high == 9


@pytest.mark.parametrize("limit", [True, "9", 0, -1, 2.5])
def test_a_limit_that_is_none_is_passed_over(prices: Prices, limit: Any) -> None:
    """What `extra_body` may hold."""
    assert _forecast({"max_output_tokens": limit}, prices).output_high is None
