"""``plot_cost``: what the calls cost."""

from __future__ import annotations

import pandas as pd
import pytest

from cometnb.ledger.plots import plot_cost
from cometnb.ledger.plots.canvas import words_of
from tests.ledger.plots.drawing import drawn, heights, legend, names, texts, widths
from tests.ledger.usage_frames import a_day_of_calls, frame_of


def test_cost_is_one_bar_a_group_the_dearest_on_top() -> None:
    """With the amount in dollars at its end."""
    frame = frame_of({"model": "a", "cost_usd": 0.0012}, {"model": "b", "cost_usd": 2.0})
    ax = drawn(plot_cost(frame))
    assert names(ax) == ["b", "a"]
    assert widths(ax) == [2.0, 0.0012]
    assert texts(ax)[:2] == ["$2.00", "$0.0012"]
    assert ax.get_xlabel() == "US dollars"


def test_a_group_without_a_price_has_no_bar_and_says_so() -> None:
    """Nobody takes it for free."""
    frame = frame_of(
        {"model": "a", "cost_usd": 1.0}, {"model": "a", "cost_usd": None}, {"model": "b", "cost_usd": None}
    )
    ax = drawn(plot_cost(frame))
    assert widths(ax) == [1.0, 0.0]
    assert texts(ax)[:2] == ["$1.00 + 1 unpriced", "cost not known for 1"]
    assert "2 of them of unknown cost" in words_of(ax)


def test_a_group_whose_cost_stands_in_another_row_does_not_call_it_unknown() -> None:
    """Where a call in the background was begun under a tag, and its end came home without one."""
    begun = {"status": "queued", "cost_usd": None, "usage_source": "none", "input_tokens": None}
    frame = frame_of({**begun, "tag": "a", "response_id": "resp_1"}, {"tag": None, "response_id": "resp_1"})
    assert texts(drawn(plot_cost(frame, "tag")))[:2] == ["$0.50", "1, billed with their end"]


def test_no_priced_rows_are_said() -> None:
    """And how many there are without a price."""
    assert words_of(drawn(plot_cost(frame_of({"cost_usd": None})))) == (
        "Cost by model: no priced rows: cost not known for 1 attempt"
    )


def test_simulated_dollars_are_drawn_only_where_there_is_no_money() -> None:
    """And then the title and the axis say what they are."""
    real = {"model": "a", "cost_usd": 1.0}
    simulated = {"model": "b", "cost_usd": 9.0, "backend": "simulator"}
    ax = drawn(plot_cost(frame_of(real, simulated)))
    assert names(ax) == ["a"]
    assert "simulated, not billed: $9.00" in words_of(ax)
    ax = drawn(plot_cost(frame_of(simulated)))
    assert names(ax) == ["b"]
    assert "simulated" in ax.get_title(loc="left")
    assert "as if billed" in ax.get_xlabel()


def test_many_groups_end_in_one_line_without_a_bar() -> None:
    """It would dwarf those that are compared."""
    frame = frame_of(*({"tag": f"tag {number}", "cost_usd": 1.0 + number} for number in range(30)))
    ax = drawn(plot_cost(frame, "tag"))
    assert names(ax)[-1] == "19 others"
    assert len(names(ax)) == 12
    assert "$190.00 together" in texts(ax)


def test_cost_by_day_is_stacked_by_model() -> None:
    """One bar a day, the models in the legend; every dollar once."""
    frame = a_day_of_calls()
    ax = drawn(plot_cost(frame, "day"))
    assert sum(heights(ax)) == pytest.approx(frame["cost_usd"].sum())
    assert set(legend(ax)) == {"gpt-5.4", "claude-opus-4-6"}
    assert ax.get_ylabel() == "US dollars a day"


def test_many_days_become_weeks() -> None:
    """A bar that is thinner than a pixel is noise; every dollar is still there."""
    moments = pd.date_range("2025-01-01", "2026-06-30", freq="D", tz="UTC")
    frame = frame_of(*({"created_at": moment, "cost_usd": 0.5} for moment in moments))
    ax = drawn(plot_cost(frame, "day"))
    assert sum(heights(ax)) == pytest.approx(0.5 * len(moments))
    assert max(heights(ax)) == pytest.approx(3.5)
    assert ax.get_ylabel() == "US dollars a week"
