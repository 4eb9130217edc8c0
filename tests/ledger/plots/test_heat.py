"""The heat map: a cell for each combination, with its value, or hatched where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from cometnb.errors import ParamError
from cometnb.ledger.plots import plot_heat
from cometnb.ledger.plots.canvas import words_of
from cometnb.ledger.plots.heat import AGGREGATES
from tests.ledger.plots.drawing import drawn, texts
from tests.ledger.plots.test_every_plot import contrast


def runs() -> pd.DataFrame:
    """Return three models by two efforts, twice each; one combination has no price, one was not run."""
    rows = [
        {"model": model, "effort": effort, "cost_usd": cost, "output_tokens": tokens, "ok": cost > 0.02}
        for model, effort, cost, tokens in (
            ("mini", "low", 0.01, 10),
            ("mini", "low", 0.03, 20),
            ("mini", "high", 0.05, 3000),
            ("full", "low", float("nan"), pd.NA),
            ("full", "high", 0.5, 4000),
            ("nano", "low", 0.001, 5),
        )
    ]
    return pd.DataFrame(rows).astype({"model": "string", "effort": "string", "output_tokens": "Int64"})


def cells(ax: Axes) -> list[Rectangle]:
    """Return the cells, row by row."""
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def ticks(ax: Axes) -> tuple[list[str], list[str]]:
    """Return the labels across and down."""
    return [t.get_text() for t in ax.get_xticklabels()], [t.get_text() for t in ax.get_yticklabels()]


def test_each_combination_is_a_cell_with_its_value() -> None:
    """In the order of the frame, the unit in the title."""
    ax = drawn(plot_heat(runs(), "effort", "model"))
    assert ticks(ax) == (["low", "high"], ["mini", "full", "nano"])
    assert len(cells(ax)) == 6
    assert {"$0.020", "$0.050", "$0.50", "$0.0010"} <= set(texts(ax))
    assert ax.get_title(loc="left") == "Median of cost, US dollars"
    assert ax.yaxis.get_inverted()


def test_missing_cells_are_hatched_and_said() -> None:
    """Not run, and run without a price, are no zero."""
    ax = drawn(plot_heat(runs(), "effort", "model"))
    assert [bool(cell.get_hatch()) for cell in cells(ax)] == [False, False, True, False, False, True]
    assert words_of(ax).endswith("5 rows; 1 without a value; 2 of 6 cells without a value, hatched")


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [("mean", "$0.020"), ("sum", "$0.040"), ("min", "$0.010"), ("max", "$0.030"), ("count", "2")],
)
def test_a_cell_sums_up_its_rows(aggregate: str, value: str) -> None:
    """As asked; a sum of nothing is missing, and not nothing."""
    ax = drawn(plot_heat(runs(), "effort", "model", aggregate=aggregate))
    assert value in texts(ax)
    hatched = [bool(cell.get_hatch()) for cell in cells(ax)]
    assert hatched[5]
    assert hatched[2] == (aggregate != "count")


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.one_of(st.none(), st.floats(0, 1e6))),
        min_size=1,
        max_size=30,
    )
)
def test_numbers_stand_in_order_and_nothing_is_lost(rows: list[tuple[int, int, float | None]]) -> None:
    """As many cells as combinations, those with a value filled, whatever the rows."""
    frame = pd.DataFrame(rows, columns=["a", "b", "n_tokens"]).astype({"n_tokens": "float64"})
    try:
        ax = plot_heat(frame, "a", "b", "n_tokens", "sum")
        known = frame.dropna().groupby(["a", "b"]).size()
        if known.empty:
            assert "no n known" in texts(ax)
            return
        assert len(cells(ax)) == frame["a"].nunique() * frame["b"].nunique()
        assert sum(not cell.get_hatch() for cell in cells(ax)) == len(known)
        assert ticks(ax)[0] == [str(one) for one in sorted(frame["a"].unique())]
    finally:
        plt.close("all")


def test_categories_and_missing_values_have_their_place() -> None:
    """A category's own order; "not set" comes first."""
    frame = runs().assign(
        effort=pd.Categorical(["low", "low", "high", "low", "high", None], ["high", "low"], ordered=True)
    )
    assert ticks(drawn(plot_heat(frame, "effort", "model")))[0] == ["not set", "high", "low"]


def test_truth_can_be_measured() -> None:
    """The mean of true and false is a share."""
    assert "0.5" in texts(drawn(plot_heat(runs(), "effort", "model", "ok", "mean")))


@pytest.mark.parametrize("dark", [True, False, None])
def test_every_value_reads_on_its_cell(dark: bool | None) -> None:
    """At least 4.5 to 1, on light and dark."""
    frame = pd.DataFrame([{"x": a, "y": b, "n_s": 10.0 * a + b} for a in range(10) for b in range(10)])
    ax = drawn(plot_heat(frame, "x", "y", "n_s", dark=dark))
    inside = [text for text in ax.texts if text.get_text().endswith(" s")]
    assert len(inside) == 100
    for cell, text in zip(cells(ax), inside, strict=True):
        assert contrast(text.get_color(), cell.get_facecolor()) >= 4.5
    if dark is not None:
        ground = ax.figure.get_facecolor()
        assert contrast(ax.xaxis.label.get_color(), ground) >= 4.5


def test_many_cells_have_a_scale_instead_of_values() -> None:
    """With the unit beside it."""
    frame = pd.DataFrame([{"x": a, "y": b, "ttft_s": a * b} for a in range(12) for b in range(30)])
    ax = drawn(plot_heat(frame, "x", "y", "ttft_s"))
    assert not [text for text in texts(ax) if text.endswith(" s")]
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["s"]
    assert ax.get_title(loc="left") == "Median of time to first token, s"


def test_it_draws_on_the_axes_given_and_changes_no_frame() -> None:
    """They come back, and no other figure is made."""
    _, ax = plt.subplots()
    frame = runs()
    before = frame.copy()
    assert drawn(plot_heat(frame, "effort", "model", ax=ax)) is ax
    assert len(plt.get_fignums()) == 1
    pd.testing.assert_frame_equal(frame, before)


def test_nothing_to_draw_is_said() -> None:
    """No rows, or no value in any."""
    assert "no rows" in texts(drawn(plot_heat(runs().iloc[:0], "effort", "model")))
    assert "no cost known" in texts(drawn(plot_heat(runs().assign(cost_usd=np.nan), "effort", "model")))
    assert "no cost known" in texts(drawn(plot_heat(runs().assign(cost_usd=np.inf), "effort", "model")))


def test_one_value_everywhere_is_drawn() -> None:
    """Without a range to scale by."""
    ax = drawn(plot_heat(runs().assign(cost_usd=0.0), "effort", "model"))
    assert texts(ax).count("$0.00") == 5
    assert to_rgba(cells(ax)[0].get_facecolor())[3] == 1


def test_names_no_font_has_and_names_that_look_like_formulas_are_drawn() -> None:
    """A name is text."""
    frame = runs().assign(model=["a$b$c", "_hidden", "x_{", "日本語", "\U0001f9ff", "a" * 200])
    drawn(plot_heat(frame, "model", "effort"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": "efort"}, "Did you mean 'effort'?"),
        ({"y": "effort"}, "Name two different columns."),
        ({"measure": "model"}, "Numbers are in cost_usd, output_tokens"),
        ({"measure": "cost"}, "cost_usd"),
        ({"aggregate": "variance"}, ", ".join(AGGREGATES)),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(given: dict[str, Any], words: str) -> None:
    """With what can be."""
    with pytest.raises(ParamError) as caught:
        plot_heat(runs(), **({"x": "effort", "y": "model"} | given))
    assert words in caught.value.next_step
    assert plt.get_fignums() == []


def test_a_column_of_lists_is_refused() -> None:
    """Tools that were swept as lists, say, have to be named first."""
    with pytest.raises(ParamError, match="x='tools' holds lists"):
        plot_heat(runs().assign(tools=pd.Series([[1]] * len(runs()), dtype="object")), "tools", "model")


@pytest.mark.parametrize("name", ["a $\\bad{$", "$x$", "100 $ of $"])
def test_no_column_s_name_is_a_formula(name: str) -> None:
    """A name may hold dollars; as a formula it would not be drawn, or stop the plot."""
    ax = drawn(plot_heat(runs().assign(**{name: 1.0}), "effort", "model", name))
    assert name in ax.get_title(loc="left")


@pytest.mark.parametrize("measure", ["w" * 300, "w" * 300 + "_usd", "\U0010ffff of 日本語_usd"])
def test_a_long_or_strange_measure_leaves_room_for_the_plot(measure: str) -> None:
    """It stands in the title, and is shortened and boxed there as any other name."""
    frame = runs().rename(columns={"cost_usd": measure})
    assert drawn(plot_heat(frame, "model", "effort", measure)).get_window_extent().width > 300
    frame[measure] = float("nan")
    drawn(plot_heat(frame, "model", "effort", measure))
