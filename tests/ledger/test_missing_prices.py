"""Many rows priced at once cost what each of them costs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.ledger.prices import Prices
from cometnb.ledger.rows import Row
from cometnb.ledger.storage.contexts import SHARED, Texts
from cometnb.ledger.storage.missing_prices import price_missing
from cometnb.ledger.storage.pricing import Pricing
from cometnb.protocol.cost import Cost
from tests.ledger.attempts import EPOCH

TEXT_NAMES = SHARED[0].names
TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")
START_US = int(EPOCH.timestamp()) * 1_000_000
DAY_US = 86_400_000_000

# Of these some have long-context tiers, some a price of the cache, one changes by the hour, one nobody knows.
MODELS = ["gpt-5.4", "gemini-2.5-pro", "claude-sonnet-4-5", "deepseek-chat", "mine-7b", None]
COUNTS = (
    st.none()
    | st.integers(0, 10)
    | st.integers(0, 1_000_000)
    | st.sampled_from([200_000, 200_001, 272_000, 272_001])
)
ROWS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "backend": st.sampled_from(["api", "simulator", "cassette"]),
        "base_url": st.sampled_from(["https://api.cometapi.com/v1", "http://127.0.0.1/v1"]),
        "status": st.sampled_from(["completed", "refused_by_budget"]),
        "created_at_us": st.integers(0, 192).map(lambda quarter: START_US + quarter * DAY_US // 96),
        **dict.fromkeys(TOKENS, COUNTS),
    }
)


class Counting(Pricing):
    """Prices that count how often they are asked."""

    n_asked = 0

    def cost(self, row: Row) -> Cost:
        """Count, and ask."""
        self.n_asked += 1
        return super().cost(row)


def priced(rows: list[dict[str, Any]], pricing: Pricing) -> tuple[list[float], list[Any]]:
    """Price rows as the usage frame does."""
    contexts: dict[Texts, int] = {}
    codes = [contexts.setdefault(tuple(row.get(name) for name in TEXT_NAMES), len(contexts)) for row in rows]
    columns: dict[str, Any] = {
        **{name: pd.array([row[name] for row in rows], dtype="Int64") for name in (*TOKENS, "created_at_us")},
        "cost_usd": np.full(len(rows), np.nan),
        "price_source": pd.array([None] * len(rows), dtype="string"),
    }
    price_missing(columns, list(contexts), np.array(codes, dtype=np.intp), pricing)
    return columns["cost_usd"].tolist(), columns["price_source"].tolist()


@given(rows=st.lists(ROWS, min_size=1, max_size=40))
def test_together_they_cost_what_each_costs_alone(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    """To the last digits, and with the same words on where each price is from."""
    absent = tmp_path_factory.getbasetemp() / "absent"
    pricing = Pricing(Prices(catalog=absent))
    costs, sources = priced(rows, pricing)
    alone = [pricing.cost(row) for row in rows]
    assert costs == pytest.approx([cost.usd for cost in alone], rel=1e-12, abs=0, nan_ok=True)
    assert sources == [cost.source for cost in alone]


@pytest.mark.parametrize(("model", "n_most"), [("mine-7b", 2), ("gpt-5.4", 60)])
def test_many_like_rows_are_looked_up_once(tmp_path: Path, model: str, n_most: int) -> None:
    """The first and the last of a kind, and where a long-context tier begins."""
    numbers = range(0, 1_000_000, 100)
    row = {"model": model, "backend": "api", "created_at_us": START_US, "output_tokens": 5}
    rows = [{**dict.fromkeys(TOKENS), **row, "input_tokens": number + 1} for number in numbers]
    pricing = Counting(Prices(catalog=tmp_path / "absent"))
    priced(rows, pricing)
    assert pricing.n_asked <= n_most


def test_rows_that_have_a_price_keep_it() -> None:
    """What was paid then was paid then."""
    columns: dict[str, Any] = {
        "cost_usd": np.array([0.5]),
        "price_source": pd.array(["mine"], dtype="string"),
    }
    price_missing(columns, [(None,) * len(TEXT_NAMES)], np.array([0]), Pricing())
    assert columns["cost_usd"].tolist() == [0.5]
    assert columns["price_source"].tolist() == ["mine"]
