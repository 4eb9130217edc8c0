"""A usage frame summed up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.ledger import Ledger
from cometnb.ledger.summaries import (
    SUMMARIES,
    Total,
    by_cell,
    by_day,
    by_effort,
    by_model,
    by_notebook,
    by_tag,
    total,
)
from tests.ledger.attempts import an_attempt
from tests.ledger.usage_frames import a_day_of_calls, frame_of

DTYPES = {
    "n_attempts": "Int64",
    "n_completed": "Int64",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "total_tokens": "Int64",
    "n_unreported": "Int64",
    "reasoning_share": "float64",
    "cost_usd": "float64",
    "n_unpriced": "Int64",
    "n_estimated": "Int64",
    "simulated_cost_usd": "float64",
    "n_simulated": "Int64",
    "n_simulated_unpriced": "Int64",
    "ttft_s": "float64",
    "duration_s": "float64",
    "output_tokens_per_s": "float64",
}
COUNT = st.none() | st.integers(0, 10**6)
PRICE = st.none() | st.floats(0, 100)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "backend": st.sampled_from(["api", "simulator", "cassette", None]),
            "model": st.sampled_from(["a", "b", None]),
            "status": st.sampled_from(["completed", "failed"]),
            "input_tokens": COUNT,
            "output_tokens": COUNT,
            "reasoning_tokens": COUNT,
            "cost_usd": PRICE,
            "tag": st.sampled_from(["x", None]),
        }
    ),
    max_size=20,
)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine's time zone be nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("by", SUMMARIES)
def test_columns_and_dtypes_do_not_depend_on_the_rows(by: str) -> None:
    """An empty frame gives an empty one that code for a full one works on."""
    full, empty = SUMMARIES[by](a_day_of_calls()), SUMMARIES[by](a_day_of_calls().iloc[:0])
    for summary in (full, empty):
        assert {str(name): str(dtype) for name, dtype in summary.dtypes.items()} == DTYPES
    assert len(empty) == 0
    assert full.index.names == empty.index.names
    assert full.index.dtype == empty.index.dtype


def test_tokens_are_summed_where_there_are_any() -> None:
    """What was not reported is missing and not zero; how many calls lack it is counted."""
    frame = frame_of(
        {"model": "a", "input_tokens": 5, "output_tokens": 7, "cached_tokens": 2},
        {"model": "a", "input_tokens": None, "output_tokens": 1},
        {"model": "b", "input_tokens": None, "output_tokens": None, "total_tokens": None},
    )
    summary = by_model(frame)
    assert list(summary.loc["a", ["input_tokens", "output_tokens", "cached_tokens"]]) == [5, 8, 2]
    assert summary.loc["b", "input_tokens"] is pd.NA
    assert summary["n_unreported"].to_dict() == {"a": 1, "b": 1}


def test_what_was_never_sent_does_not_count_as_unreported() -> None:
    """A refusal and a failed connection used nothing, so nothing is missing."""
    unsent = {"input_tokens": None, "output_tokens": None}
    frame = frame_of(
        {**unsent, "status": "refused_by_budget"}, {**unsent, "status": "error", "error_code": "connect"}
    )
    assert by_model(frame)["n_unreported"].tolist() == [0]


def test_sums_of_tokens_are_exact() -> None:
    """Also beyond the 53 bits of a float."""
    frame = frame_of({"input_tokens": 2**60 + 1}, {"input_tokens": 2})
    assert by_model(frame)["input_tokens"].tolist() == [2**60 + 3]


def test_a_sum_beyond_64_bits_is_missing() -> None:
    """A number that went round to below zero would be worse than none."""
    frame = frame_of({"input_tokens": 2**63 - 1}, {"input_tokens": 2**63 - 1})
    assert by_model(frame)["input_tokens"].isna().tolist() == [True]


def test_reasoning_share_is_of_calls_that_report_both() -> None:
    """A call without one of the two would bend it; no output is no share."""
    frame = frame_of(
        {"model": "a", "output_tokens": 100, "reasoning_tokens": 50},
        {"model": "a", "output_tokens": 900, "reasoning_tokens": None},
        {"model": "b", "output_tokens": 0, "reasoning_tokens": 0},
    )
    share = by_model(frame)["reasoning_share"]
    assert share["a"] == 0.5
    assert np.isnan(share["b"])


def test_an_unknown_price_is_no_zero() -> None:
    """The sum is over what has a price, and says how many have none."""
    frame = frame_of(
        {"model": "a", "cost_usd": 0.25}, {"model": "a", "cost_usd": None}, {"model": "b", "cost_usd": None}
    )
    summary = by_model(frame)
    assert summary.loc["a", "cost_usd"] == 0.25
    assert np.isnan(summary["cost_usd"]["b"])
    assert summary["n_unpriced"].to_dict() == {"a": 1, "b": 1}


def test_simulated_dollars_are_never_in_the_money() -> None:
    """They stand in a column of their own, and a call without a price there is no gap in the bill."""
    frame = frame_of(
        {"cost_usd": 0.25},
        {"backend": "simulator", "cost_usd": 4.0},
        {"backend": "simulator", "cost_usd": None},
        {"model": "only simulated", "backend": "simulator", "cost_usd": 1.0},
    )
    summary = by_model(frame)
    columns = ["cost_usd", "simulated_cost_usd", "n_simulated", "n_unpriced"]
    assert list(summary.loc["gpt-5.4", columns]) == [0.25, 4.0, 2, 0]
    assert np.isnan(summary["cost_usd"]["only simulated"])


def test_a_call_that_says_no_backend_counts_as_money() -> None:
    """Who fears a bill wants to see it."""
    assert by_model(frame_of({"backend": None, "cost_usd": 0.5}))["cost_usd"].tolist() == [0.5]


def test_groups_without_a_name_are_kept_and_named() -> None:
    """Nothing that was paid for is left out."""
    frame = frame_of({"tag": None, "notebook": None, "cell_id": None, "effort": None})
    assert by_tag(frame).index.tolist() == ["(no tag)"]
    assert by_notebook(frame).index.tolist() == ["(no notebook)"]
    assert by_cell(frame).index.tolist() == [("(no notebook)", "(no cell)")]
    assert by_effort(frame).index.tolist() == ["(no effort)"]


def test_a_call_without_an_answer_counts_to_the_model_that_was_asked() -> None:
    """A failure belongs somewhere; only where nothing was said at all there is no model."""
    frame = frame_of({"model": None, "model_requested": "asked"}, {"model": None, "model_requested": None})
    assert sorted(by_model(frame).index) == ["(no model)", "asked"]


def test_the_dearest_comes_first() -> None:
    """Those without a price last."""
    frame = frame_of(
        {"tag": "a", "cost_usd": None},
        {"tag": "b", "cost_usd": 1},
        {"tag": "c", "cost_usd": 3},
        {"cost_usd": 2},
    )
    assert by_tag(frame).index.tolist() == ["c", "(no tag)", "b", "a"]


def test_efforts_stand_in_their_order() -> None:
    """As the API orders them; one it does not know behind, and none at all last."""
    given_efforts = ["high", None, "enormous", "none", "xhigh", "low", "medium"]
    summary = by_effort(frame_of(*({"effort": effort} for effort in given_efforts)))
    assert summary.index.tolist() == ["none", "low", "medium", "high", "xhigh", "enormous", "(no effort)"]


def test_cells_of_one_id_in_two_notebooks_are_two() -> None:
    """A copied notebook keeps its cells' ids."""
    frame = frame_of(
        {"notebook": "a.ipynb", "cell_id": "c1"},
        {"notebook": "b.ipynb", "cell_id": "c1"},
        {"notebook": "a.ipynb"},
    )
    assert sorted(by_cell(frame).index) == [("a.ipynb", "(no cell)"), ("a.ipynb", "c1"), ("b.ipynb", "c1")]


@pytest.mark.usefixtures("in_tokyo")
def test_days_are_those_of_the_machine() -> None:
    """As in "today"; sorted, and a day without calls is no row."""
    frame = frame_of(
        {"created_at": pd.Timestamp("2026-11-04 10:00", tz="UTC")},
        {"created_at": pd.Timestamp("2026-11-01 14:59", tz="UTC")},
        {"created_at": pd.Timestamp("2026-11-01 15:00", tz="UTC")},
    )
    summary = by_day(frame)
    assert summary.index.tolist() == [pd.Timestamp(f"2026-11-0{day}") for day in (1, 2, 4)]
    assert str(summary.index.dtype) == "datetime64[ns]"


def test_a_day_of_25_hours_is_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the clocks go back, its last hour is still of that day."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        moments = pd.to_datetime(["2026-10-24 22:00", "2026-10-25 22:59", "2026-10-25 23:00"], utc=True)
        summary = by_day(frame_of(*({"created_at": moment} for moment in moments)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert summary["n_attempts"].tolist() == [2, 1]


def test_medians_leave_out_what_was_not_measured() -> None:
    """A median over zeros would flatter."""
    frame = frame_of({"ttft_s": 1.0}, {"ttft_s": 3.0}, {"ttft_s": None})
    assert by_model(frame)["ttft_s"].tolist() == [2.0]


def test_rows_may_be_chosen_and_shuffled_before() -> None:
    """The index of the frame does not matter, also where it repeats."""
    frame = a_day_of_calls(60)
    twice = pd.concat([frame.sample(frac=1, random_state=1), frame])
    assert (by_model(twice)["n_attempts"] == 2 * by_model(frame)["n_attempts"]).all()


def test_the_frame_is_left_as_it_was() -> None:
    """Summing up changes nothing."""
    frame = a_day_of_calls(30)
    before = frame.copy()
    for summary in SUMMARIES.values():
        summary(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_a_frame_from_a_file_can_be_summed_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    """CSV knows neither Int64 nor time zones."""
    frame, file = a_day_of_calls(40), tmp_path_factory.mktemp("csv") / "usage.csv"
    frame.to_csv(file, index=False)
    for name, summary in SUMMARIES.items():
        read, kept = summary(pd.read_csv(file)), summary(frame)
        pd.testing.assert_frame_equal(read, kept, check_index_type=name != "day")


def test_a_ledgers_own_frame_can_be_summed_up() -> None:
    """The columns are those that the ledger gives."""
    ledger = Ledger("off")
    ledger(an_attempt(1))
    assert by_model(ledger.usage())["output_tokens"].tolist() == [300]


@pytest.mark.parametrize("by", SUMMARIES)
def test_another_frame_is_refused(by: str) -> None:
    """It names the column, and what to pass."""
    with pytest.raises(ParamError, match="usage"):
        SUMMARIES[by](pd.DataFrame({"model": ["a"]}))


@given(ROWS)
def test_groups_add_up_to_the_whole(rows: list[dict[str, object]]) -> None:
    """Whatever one sums up by, every attempt, token and dollar is in exactly one group."""
    frame = frame_of(*rows)
    is_simulated = frame["backend"] == "simulator"
    for summary in (by_model(frame), by_tag(frame), by_day(frame)):
        assert summary["n_attempts"].sum() == len(frame)
        assert summary["output_tokens"].sum() == frame["output_tokens"].sum()
        assert summary["cost_usd"].sum() == pytest.approx(
            frame["cost_usd"][~is_simulated.fillna(False)].sum()
        )
        assert summary["simulated_cost_usd"].sum() == pytest.approx(
            frame["cost_usd"][is_simulated.fillna(False)].sum()
        )


def test_total_in_words() -> None:
    """What was paid, what is not known, and what is no money at all."""
    frame = frame_of(
        {"cost_usd": 1.0},
        {"cost_usd": 0.23, "usage_source": "estimated"},
        {"cost_usd": None},
        {"backend": "simulator", "cost_usd": 0.004},
        {"backend": "cassette", "cost_usd": 0.0},
    )
    assert str(total(frame)) == (
        "$1.23 for 3 attempts, 1 of them of unknown cost, 1 estimated; "
        "simulated, not billed: $0.0040 for 1 attempt; replayed for nothing: 1 attempt"
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no calls"),
        ([{"cost_usd": None}] * 2, "cost not known for 2 attempts"),
        ([{"backend": "simulator", "cost_usd": None}], "simulated, not billed: cost not known for 1 attempt"),
        ([{"backend": "cassette", "cost_usd": 0.0}], "replayed for nothing: 1 attempt"),
        ([{"cost_usd": 0.0}], "$0.00 for 1 attempt"),
    ],
)
def test_total_says_nothing_that_is_not_known(rows: list[dict[str, object]], words: str) -> None:
    """No zero where there is no price, and no dollars where nothing was billed."""
    assert str(total(frame_of(*rows))) == words


def test_a_simulated_sum_says_what_it_misses_too() -> None:
    """It is no money, and yet a number that somebody plans with."""
    frame = frame_of(
        {"backend": "simulator", "cost_usd": 0.25, "usage_source": "estimated"},
        {"backend": "simulator", "cost_usd": None},
    )
    assert str(total(frame)) == (
        "simulated, not billed: $0.25 for 2 attempts, 1 of them of unknown cost, 1 estimated"
    )
    assert by_model(frame)["n_simulated_unpriced"].tolist() == [1]


def test_total_is_numbers_too() -> None:
    """A screen may want them one by one."""
    backends = ("api", "api", "simulator")
    costs = (0.5, None, 0.25)
    rows = [{"backend": backend, "cost_usd": usd} for backend, usd in zip(backends, costs, strict=True)]
    assert total(frame_of(*rows)) == Total(usd=0.5, n_real=2, n_unpriced=1, simulated_usd=0.25, n_simulated=1)
