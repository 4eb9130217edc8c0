"""Outcomes as columns: dtypes, errors, and what is counted once."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from cometnb.errors import BudgetExceededError, CellError, RateLimitError
from cometnb.protocol.response import Response, Timing
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.results import FIXED, Results
from cometnb.session.structured import Schema, schema_of


def _response(text: str, status: str = "completed", **more: Any) -> Response:
    raw = {
        "id": "resp_1",
        "model": "gpt-5.4",
        "status": status,
        "output": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        ],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    }
    response = Response(raw | more, timing=Timing(duration_s=0.5))
    response.backend = "simulator"
    return response


def _frame(outcomes: list[Outcome], n_rows: int | None = None, schema: Schema | None = None) -> pd.DataFrame:
    results = Results(len(outcomes) if n_rows is None else n_rows, schema)
    for outcome in outcomes:
        results.take(outcome)
    return results.frame(pd.RangeIndex(results.n_rows))


def _answer(place: int, text: str, key: str = "", **more: Any) -> Outcome:
    return Outcome(Job(key or str(place), {}, {}, place), _response(text, **more), n_asked=1)


def test_the_columns_and_dtypes_are_always_the_same() -> None:
    """Also for a frame without rows, and for rows that nobody asked."""
    for frame in (_frame([]), _frame([], 2), _frame([_answer(0, "x")])):
        assert tuple(frame.columns) == FIXED
        kinds = frame.dtypes.astype(str).to_dict()
        assert {kinds[name] for name in FIXED if name.endswith("tokens")} == {"Int64"}
        assert (kinds["cost_usd"], kinds["duration_s"]) == ("float64", "float64")
        assert {kinds[name] for name in ("answer", "error", "status", "source", "model", "response_id")} == {
            "string"
        }


def test_what_was_not_reported_is_missing() -> None:
    """And not zero."""
    row = _frame([_answer(0, "x")]).iloc[0]
    assert (row["input_tokens"], row["output_tokens"], row["duration_s"]) == (10, 5, 0.5)
    assert row["cached_tokens"] is pd.NA
    assert row["error"] is pd.NA
    assert row["cost_usd"] > 0


def test_a_schema_gives_typed_columns() -> None:
    """By the schema, whatever the answers hold."""
    schema = schema_of("mood glad|sad, n int, when date")
    frame = _frame([_answer(1, '{"mood": "glad", "n": 3, "when": "2026-01-02"}')], 2, schema)
    assert frame.dtypes.astype(str).head(3).to_dict() == {
        "mood": "category",
        "n": "Int64",
        "when": "datetime64[us]",
    }
    assert frame["n"].tolist() == [pd.NA, 3]
    assert frame["status"].tolist() == ["not_answered", "completed"]


def test_a_field_with_a_taken_name_is_prefixed() -> None:
    """The fixed columns keep their names, whatever the schema calls its own."""
    schema = schema_of(
        {"type": "object", "properties": {n: {"type": "string"} for n in ("status", "answer_status")}}
    )
    frame = _frame([_answer(0, '{"status": "open", "answer_status": "x"}')], schema=schema)
    named = {name: frame[name][0] for name in ("answer_answer_status", "answer_status", "status")}
    assert list(named.values()) == ["open", "x", "completed"]


def test_a_schema_of_rows_gives_lists() -> None:
    """One list a row, for `DataFrame.explode`."""
    frame = _frame([_answer(0, '{"rows": [{"name": "a"}, {"name": "b"}]}')], schema=schema_of("[name]"))
    assert [row for rows in frame["rows"] for row in rows] == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ('{"n": "x"}', "completed", "SchemaMismatchError"),
        ('{"n": 1', "incomplete", "IncompleteAnswerError"),
        ("no JSON", "completed", "SchemaMismatchError"),
    ],
)
def test_an_answer_that_does_not_fit_is_kept(text: str, status: str, said: str) -> None:
    """It was paid for: the text, the tokens and the cost are there, and the error says why it is no value."""
    row = _frame([_answer(0, text, status=status)], schema=schema_of("n int")).iloc[0]
    assert row["error"].startswith(said)
    assert (row["answer"], row["status"], row["n"]) == (text, status, pd.NA)
    assert row["cost_usd"] > 0


def test_a_value_that_has_no_place_is_an_error_of_its_row() -> None:
    """An integer of more than 64 bits does not spoil the column of the others."""
    outcomes = [_answer(0, '{"n": 5}'), _answer(1, '{"n": 99999999999999999999}')]
    frame = _frame(outcomes, schema=schema_of("n int"))
    assert frame["n"].tolist() == [5, pd.NA]
    assert "does not fit the column" in frame["error"][1]


def test_an_incomplete_text_says_so() -> None:
    """Without a schema, too."""
    outcome = _answer(0, "Half", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert _frame([outcome])["error"][0] == "The answer is incomplete: max_output_tokens."


def test_rows_that_ask_the_same_are_counted_once() -> None:
    """The first has tokens and cost, whichever came first; sums are right, and no duration is counted twice."""
    frame = _frame([_answer(2, "x", "same"), _answer(0, "x", "same"), _answer(1, "y", "other")])
    assert frame["source"].tolist() == ["asked", "asked", "duplicate"]
    assert frame["output_tokens"].tolist() == [5, 5, 0]
    assert frame["cost_usd"][2] == 0
    assert math.isnan(frame["duration_s"][2])
    assert frame["answer"].tolist() == ["x", "y", "x"]


def test_what_stood_in_the_checkpoint_says_so() -> None:
    """With what it cost when it was asked."""
    outcome = Outcome(Job("k", {}, {}, 0), _response("x"), is_stored=True)
    frame = _frame([outcome])
    assert frame["source"][0] == "checkpoint"
    assert frame["cost_usd"][0] > 0


@pytest.mark.parametrize(
    ("error", "status", "cost"),
    [
        (BudgetExceededError("Not sent.", ""), "refused_by_budget", 0.0),
        (RateLimitError("Too many.", ""), "error", None),
    ],
)
def test_an_error_is_in_its_row(error: Any, status: str, cost: float | None) -> None:
    """What was never sent costs nothing; what an error of the service cost is not known."""
    row = _frame([Outcome(Job("k", {}, {}, 0), error=error)]).iloc[0]
    assert row["error"] == f"{type(error).__name__}: {error.fact}"
    assert row["status"] == status
    assert row["cost_usd"] == cost if cost is not None else math.isnan(row["cost_usd"])


def test_a_row_that_cannot_be_sent_costs_nothing() -> None:
    """And has its reason."""
    results = Results(1)
    results.refuse(0, CellError("No text.", "Write one."))
    row = results.frame(pd.RangeIndex(1)).iloc[0]
    assert (row["status"], row["error"], row["cost_usd"]) == ("not_sent", "CellError: No text.", 0.0)
    assert row["source"] is pd.NA


def test_the_index_is_the_frames() -> None:
    """Duplicates, levels, moments: whatever it is."""
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 1)], names=["x", "y"])
    results = Results(2)
    pd.testing.assert_index_equal(results.frame(index).index, index)
