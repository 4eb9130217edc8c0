"""What is recorded of an attempt beyond what its row says at once."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.ledger import Ledger
from cometnb.ledger.rows import row_of
from cometnb.ledger.storage.pricing import Pricing
from cometnb.ledger.storage.recording import Recorded
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from tests.ledger.attempts import USAGE, an_attempt


def test_estimates_are_kept_beside_what_was_reported() -> None:
    """They teach later estimates; the tokens of the row are those of the service."""
    text = {
        "type": "message",
        "content": [{"type": "output_text", "text": "A comet is a ball of ice. " * 20}],
    }
    attempt = an_attempt(response=Response({"usage": USAGE, "output": [text]}))
    row = Recorded(attempt).completed()
    assert row["input_tokens"] == 120
    assert isinstance(row["input_estimate_tokens"], int)
    assert isinstance(row["output_estimate_tokens"], int)
    assert 3 < row["input_estimate_tokens"] < 30
    assert 60 < row["output_estimate_tokens"] < 300


def test_what_was_cut_off_is_estimated_and_says_so() -> None:
    """Tokens of an answer without reported usage are the estimate's, and so is the cost."""
    response = Response({"model": "gpt-5.4"}, status="interrupted")
    response.estimated_usage = Usage({"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100})
    row = Recorded(an_attempt(response=response, status="interrupted")).priced(Pricing())
    assert row["usage_source"] == "estimated"
    assert (row["output_tokens"], row["reasoning_tokens"]) == (100, None)
    assert row["cost_usd"] == pytest.approx(0.8 * (1_000 * 2.5 + 100 * 15) / 1e6)


@pytest.mark.parametrize(
    "fields", [{"status": "refused_by_budget"}, {"status": "error", "error_code": "connect"}]
)
def test_what_was_never_sent_costs_nothing(fields: dict[str, Any]) -> None:
    """Zero, not unknown; and there is nothing to learn from it."""
    row = Recorded(an_attempt(response=Response({}), **fields)).priced(Pricing())
    assert (row["cost_usd"], row["price_source"], row["usage_source"]) == (0.0, "nothing was sent", "none")
    assert row["input_estimate_tokens"] is None


def test_built_in_tools_are_counted_and_their_fees_kept_apart() -> None:
    """Two searches at a hundredth of a dollar each, times 0.8 or not, are not in the cost of the tokens."""
    searches = [{"type": "web_search_call", "action": {"type": "search"}}] * 2
    plain = Recorded(an_attempt()).priced(Pricing())
    searched = Response({"model": "gpt-5.4-2026-03-05", "usage": USAGE, "output": searches})
    row = Recorded(an_attempt(response=searched)).priced(Pricing())
    assert row["n_tool_calls"] == '{"web_search_call": 2}'
    assert row["cost_usd"] == plain["cost_usd"]
    assert plain["tool_fees_usd"] == 0.0
    fees = row["tool_fees_usd"]
    assert fees is None or (isinstance(fees, float) and fees > 0)


def test_an_attempt_is_let_go_of() -> None:
    """What waits for a broken disk is rows, and no answers of many megabytes."""
    recorded = Recorded(an_attempt(), stores_text=True)
    row = recorded.completed()
    assert recorded.completed() is row
    assert {type(value) for value in row.values()} <= {str, int, float, type(None)}
    assert recorded._attempt is None


def test_what_cannot_be_worked_out_loses_no_row() -> None:
    """A body that no estimator can read is recorded all the same."""

    class Odd(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            if name == "input":
                raise RuntimeError("odd")
            return super().get(name, default)

    row = Recorded(an_attempt(params=Odd(model="gpt-5.4")), stores_text=True).priced(Pricing())
    assert row["cost_usd"] is not None
    assert row.get("prompt") is None


def test_a_row_names_no_price_before_it_is_priced() -> None:
    """Pricing is the writer's work, not the call's."""
    row = row_of(an_attempt())
    assert (row["cost_usd"], row["price_source"]) == (None, None)


def test_a_ledger_that_is_off_knows_what_was_spent() -> None:
    """Without a database, by the rows it keeps."""
    ledger = Ledger("off")
    for number in range(3):
        ledger(an_attempt(number))
    spent = ledger.spent()
    assert (spent.n_attempts, spent.n_unpriced) == (3, 0)
    assert spent.usd == pytest.approx(ledger.usage()["cost_usd"].sum())
    assert ledger.delete(before=ledger.usage()["created_at"].iloc[2]) == 2
    assert len(ledger.usage()) == 1
