"""Real responses with the amount the server itself billed: the price known here gives the same amount."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cometnb.ledger.prices import Billable, Prices, cost_of
from cometnb.protocol.response import Response
from tests.corpus import FOLDER, folder

# What xAI bills for one search of its web tool, besides the tokens; genai-prices does not list it.
_XAI_SEARCH_USD = 0.005
# Of recordings that are not in the sample, by what the rest of the same conversation is stamped with.
_RECORDED_AT = {"openai/gpt-5.6-sol": datetime(2026, 7, 17, tzinfo=UTC)}


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    file = folder() / "billed.jsonl"
    if not file.is_file():
        pytest.skip("needs ../shared/corpus/billed.jsonl, which is not part of a clone")
    return tuple(json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip())


def _billable(row: dict[str, Any]) -> Billable:
    n_searches = row["server_side_tools"] or 0
    return Billable(
        model=row["model"],
        at=_RECORDED_AT.get(row["model"]),
        input_tokens=row["input_tokens"],
        cached_tokens=row["cached_tokens"],
        cache_write_tokens=row["cache_write_tokens"],
        output_tokens=row["output_tokens"],
        n_tool_calls={"web_search_call": n_searches} if n_searches else {},
    )


def test_every_priced_row_is_within_one_percent_of_what_was_billed(tmp_path: Path) -> None:
    """In the sample all 70 rows have a price; a model without one is NaN, and counted here."""
    prices = Prices(ratio=1.0, catalog=tmp_path / "none.json")
    costs = [(row, prices.cost(_billable(row))) for row in _rows()]
    wrong = {
        row["file"]: (cost.usd, row["billed_usd"], cost.source)
        for row, cost in costs
        if cost.is_known
        and cost.usd + (row["server_side_tools"] or 0) * _XAI_SEARCH_USD
        != pytest.approx(row["billed_usd"], rel=0.01)
    }
    assert wrong == {}
    n_priced = sum(cost.is_known for _, cost in costs)
    assert n_priced >= 0.9 * len(costs), f"{n_priced} of {len(costs)} rows have a price"


def test_a_tool_s_fee_is_apart_in_every_row(tmp_path: Path) -> None:
    """Rows with tools of the server's have NaN fees, since no list has them; the others have none."""
    prices = Prices(ratio=1.0, catalog=tmp_path / "none.json")
    for row in _rows():
        fees_usd = prices.cost(_billable(row)).fees_usd
        assert fees_usd == pytest.approx(float("nan") if row["server_side_tools"] else 0.0, nan_ok=True)


def test_a_recorded_body_costs_what_its_server_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the JSON alone: model, tier, time stamp and usage are read from it."""
    monkeypatch.setenv("COMETNB_PRICE_RATIO", "1")
    n_found = 0
    for row in _rows():
        file = FOLDER / row["file"]
        if file.is_file() and not row["server_side_tools"]:
            cost = cost_of(Response(_body(file)))
            assert cost.usd == pytest.approx(row["billed_usd"], rel=0.01), (row["file"], cost.source)
            n_found += 1
    assert n_found


def _body(file: Path) -> dict[str, Any]:
    if file.suffix == ".json":
        body: dict[str, Any] = json.loads(file.read_bytes())
        return body
    lines = (line[5:] for line in file.read_text("utf-8").splitlines() if line.startswith("data:"))
    events = [json.loads(line) for line in lines if line.strip() != "[DONE]"]
    return next(event["response"] for event in reversed(events) if event.get("response"))
