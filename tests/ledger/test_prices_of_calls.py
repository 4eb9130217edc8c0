"""What a response cost, and what its row in the ledger says it cost."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cometnb.ledger.prices import Prices, cost_of, cost_of_row
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage

_COMET = "https://api.cometapi.com/v1"


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    """Neither a table nor a catalog of the user's."""
    return Prices(catalog=tmp_path / "none.json")


# Responses.


def _response(**raw: Any) -> Response:
    body = {"model": "gpt-5.4-2026-03-05", "status": "completed", "created_at": 1_793_534_400} | raw
    response = Response(body, timing=Timing(sent_at=datetime.fromisoformat("2026-11-01T12:00+00:00")))
    response.base_url, response.model_requested = _COMET, "gpt-5.4"
    return response


_USAGE = {"input_tokens": 1000, "output_tokens": 200, "output_tokens_details": {"reasoning_tokens": 150}}


def test_a_response_knows_its_cost() -> None:
    """With the tools it used."""
    search = {"type": "web_search_call", "action": {"type": "search"}}
    opened = {"type": "web_search_call", "action": {"type": "open_page"}}
    output = [search, opened, {"type": "function_call"}, {"type": "message"}, {"type": None}, {}]
    cost = cost_of(_response(usage=_USAGE, output=output))
    assert cost.usd == pytest.approx(0.0044)
    assert not cost.is_estimated
    assert cost.fees_usd == pytest.approx(0.008)
    assert cost.fees == "1 web search"


def test_a_response_without_usage_is_priced_by_the_estimate_and_says_so() -> None:
    """An answer that was cut off costs what arrived of it."""
    response = _response(status="incomplete")
    assert cost_of(response).source == "usage not reported"
    assert not cost_of(response).is_known
    response.estimated_usage = Usage({"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200})
    cost = cost_of(response)
    assert cost.is_known
    assert cost.is_estimated


def test_what_was_never_sent_costs_nothing() -> None:
    """A refusal by the budget is known to be free."""
    refused = Response({}, status="refused_by_budget")
    assert (cost_of(refused).usd, cost_of(refused).source) == (0.0, "nothing was sent")
    failed = Response({}, status="error")
    assert not cost_of(failed).is_known


def _turn(*rounds: Response) -> Response:
    """Return an answer of several rounds, as a session joins them."""
    usage = sum((one.usage for one in rounds), Usage())
    whole = _response(usage=usage.raw, output=[item for one in rounds for item in one.output])
    whole.rounds, whole.estimated_usage = rounds, rounds[-1].estimated_usage
    return whole


def test_rounds_are_priced_one_by_one() -> None:
    """Two calls of 200,000 tokens are no call of long context; their fees are added up, too."""
    usage = {"input_tokens": 200_000, "output_tokens": 100}
    search = {"type": "web_search_call", "action": {"type": "search"}}
    rounds = [_response(usage=usage, output=[search]) for _ in range(2)]
    cost = cost_of(_turn(*rounds))
    assert cost.usd == pytest.approx(sum(cost_of(one).usd for one in rounds)) == pytest.approx(0.8024)
    assert cost.input_usd + cost.output_usd == pytest.approx(cost.usd)
    assert cost.fees_usd == pytest.approx(0.016)
    assert cost.fees == "2 web searches"
    assert "above" not in cost.source
    assert cost.source.count("OpenAI") == 1


def test_a_round_that_was_cut_off_or_refused_takes_nothing_from_the_others() -> None:
    """An estimate is added, what was not sent adds nothing, and what is not known makes the sum unknown."""
    whole, cut, silent = _response(usage=_USAGE), _response(status="interrupted"), _response(status="failed")
    cut.estimated_usage = Usage({"input_tokens": 1000, "output_tokens": 200})
    refused = Response({}, status="refused_by_budget")
    estimated = cost_of(_turn(whole, cut))
    assert estimated.is_estimated
    assert estimated.usd == pytest.approx(cost_of(whole).usd + cost_of(cut).usd)
    assert cost_of(_turn(whole, refused)).usd == cost_of(whole).usd
    unknown = cost_of(_turn(whole, silent))
    assert (unknown.is_known, unknown.source) == (False, "usage not reported")


@pytest.mark.parametrize("stamp", [0, 1e30, -5, "x", True, float("nan"), None])
def test_a_blank_time_stamp_is_no_date(stamp: Any) -> None:
    """Recordings hold zeros; the price is then today's."""
    response = Response({"model": "o3", "created_at": stamp, "usage": _USAGE})
    before = datetime.now(UTC).date()
    source = cost_of(response).source
    # Midnight may pass in between.
    assert f"on {before}" in source or f"on {datetime.now(UTC).date()}" in source


def test_a_time_stamp_of_the_answer_dates_the_price() -> None:
    """Where the client did not time the call."""
    response = Response({"model": "o3", "created_at": 1_748_736_000.5, "usage": _USAGE})
    assert "on 2025-06-01" in cost_of(response).source


# Rows of the ledger.

_ROW = {
    "model": "gpt-5.4",
    "model_requested": "gpt-5.4",
    "base_url": _COMET,
    "backend": "api",
    "service_tier": "default",
    "status": "completed",
    "error_code": None,
    "created_at_us": 1_793_534_400_000_000,
    "input_tokens": 1000,
    "cached_tokens": 400,
    "cache_write_tokens": None,
    "output_tokens": 200,
    "reasoning_tokens": 150,
    "usage_source": "reported",
    "n_tool_calls": '{"web_search_call": 1}',
}


def test_a_row_is_priced_like_its_response(prices: Prices) -> None:
    """From the columns alone."""
    cost = cost_of_row(_ROW, prices)
    assert cost.usd == pytest.approx(0.00368)
    assert cost.fees_usd == pytest.approx(0.008)
    assert not cost.is_estimated
    assert cost_of_row(_ROW | {"usage_source": "estimated"}, prices).is_estimated
    assert cost_of_row(_ROW).usd == cost.usd


@pytest.mark.parametrize(
    ("changed", "usd", "source"),
    [
        ({"status": "refused_by_budget", "input_tokens": None}, 0.0, "nothing was sent"),
        ({"status": "error", "error_code": "connect"}, 0.0, "nothing was sent"),
        ({"status": "error", "error_code": "connect_timeout"}, 0.0, "nothing was sent"),
        ({"backend": "cassette"}, 0.0, "replayed: costs nothing"),
        ({"status": "error", "input_tokens": None, "output_tokens": None}, math.nan, "usage not reported"),
    ],
)
def test_a_row_without_a_bill_says_why(
    prices: Prices, changed: dict[str, Any], usd: float, source: str
) -> None:
    """Nothing sent is zero, nothing known is not."""
    cost = cost_of_row(_ROW | changed, prices)
    assert cost.usd == pytest.approx(usd, nan_ok=True)
    assert cost.source == source


def test_a_row_of_a_frame_is_read_too(prices: Prices) -> None:
    """Its missing counts are NA or NaN, and its numbers numpy's."""
    import numpy as np
    import pandas as pd

    numbers = {"input_tokens": np.int64(1000), "output_tokens": 200.0, "cached_tokens": np.int32(400)}
    missing = {"cache_write_tokens": pd.NA, "error_code": pd.NA, "service_tier": np.nan, "n_tool_calls": None}
    assert cost_of_row(_ROW | numbers | missing, prices).usd == pytest.approx(0.00368)
    unreported = dict.fromkeys(("input_tokens", "cached_tokens", "output_tokens"), pd.NA)
    assert cost_of_row(_ROW | unreported, prices).source == "usage not reported"


@pytest.mark.parametrize("calls", ["{", "[1]", "2", 7, {"web_search_call": "2"}, {"web_search_call": -1}, {}])
def test_unreadable_tool_calls_are_none(prices: Prices, calls: Any) -> None:
    """The tokens' cost is what counts."""
    assert cost_of_row(_ROW | {"n_tool_calls": calls}, prices).fees_usd == 0.0
