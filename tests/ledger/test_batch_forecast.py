"""What a batch is expected to cost: rows added up, each question once."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import pytest

from cometnb.ledger.batch_forecast import BatchForecast, batch_forecast
from cometnb.ledger.forecast import Forecaster, forecast
from cometnb.ledger.prices import default_prices

_AT: dict[str, Any] = {"base_url": "https://api.cometapi.com/v1", "backend": "api"}


def _of(*rows: tuple[str, dict[str, object], str | None, bool]) -> BatchForecast:
    return batch_forecast(rows, Forecaster(prices=default_prices(), **_AT))


def _row(key: str, **body: object) -> tuple[str, dict[str, object], str | None, bool]:
    return key, {"model": "gpt-5.4", "input": "Say hello.", "max_output_tokens": 100, **body}, None, False


def test_rows_are_added_up() -> None:
    """As their own forecasts say."""
    one = forecast(_row("a")[1], prices=default_prices(), **_AT)
    found = _of(_row("a"), _row("b"))
    assert (found.n_rows, found.n_requests, found.input_tokens) == (2, 2, 2 * one.input_tokens)
    assert found.cost_low_usd == pytest.approx(2 * one.cost_low_usd)
    assert found.cost_high_usd == pytest.approx(2 * one.cost_high_usd)


def test_what_is_not_sent_costs_nothing() -> None:
    """Twins, answers that are there, rows that cannot be sent; each reason is said once."""
    broken: tuple[str, dict[str, object], str | None, bool] = (
        "",
        {},
        "{{text}} is missing in this row.",
        False,
    )
    found = _of(_row("a"), _row("a"), (*_row("b")[:3], True), broken, broken)
    assert (found.n_rows, found.n_requests) == (5, 1)
    assert (found.n_duplicates, found.n_stored, found.n_unsent) == (1, 1, 2)
    first, *rest = str(found).splitlines()
    assert first == (
        "5 rows, 1 request (1 ask what another row asks; 1 are answered in the checkpoint; 2 cannot be sent)"
    )
    assert rest[1:] == ["not sent: {{text}} is missing in this row.", "Nothing was sent."]


def test_models_stand_apart() -> None:
    """In the frame with their dtypes, and the sum below them."""
    found = _of(_row("a"), _row("b", model="gpt-5.5"), _row("c", model="nobody-knows"))
    frame = found.by_model()
    assert frame["requests"].to_dict() == {"gpt-5.4": 1, "gpt-5.5": 1, "nobody-knows": 1}
    assert frame.dtypes.astype(str).tolist() == ["Int64"] * 4 + ["float64"] * 2 + ["str"]
    assert isnan(found.cost_low_usd)
    assert "in all: no price known" in str(found)


def test_without_a_limit_there_is_no_upper_end() -> None:
    """One such row is enough."""
    found = _of(_row("a"), ("b", {"model": "gpt-5.4", "input": "Hi"}, None, False))
    assert found.cost_high_usd == inf
    assert found.groups["gpt-5.4"].output_high is None
    assert "or more" in str(found)


def test_nothing_to_ask_costs_nothing() -> None:
    """An empty frame is no error."""
    assert _of().cost_high_usd == 0
    assert len(_of().by_model()) == 0
