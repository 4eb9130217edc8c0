"""What holds for every plot: what it leaves alone, and what it says where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from cometnb.errors import ParamError
from cometnb.ledger.plots import plot_cost, plot_latency, plot_reasoning, plot_tokens
from cometnb.ledger.plots.canvas import blank, words_of
from cometnb.ledger.summaries import SUMMARIES
from tests.ledger.plots.drawing import drawn, texts, widths
from tests.ledger.usage_frames import a_day_of_calls, frame_of

Plot = Callable[..., Axes]

PLOTS: dict[str, Plot] = {
    "cost": plot_cost,
    "tokens": plot_tokens,
    "reasoning": plot_reasoning,
    "latency": plot_latency,
}
every_plot = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())


@every_plot
def test_a_plot_is_drawn_on_the_axes_given(plot: Plot) -> None:
    """They come back, and no other figure is made."""
    _, ax = plt.subplots()
    assert drawn(plot(a_day_of_calls(), ax=ax)) is ax
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_without_axes_makes_its_figure(plot: Plot) -> None:
    """One of pyplot's, so that a notebook shows it."""
    ax = drawn(plot(a_day_of_calls()))
    assert ax.get_xlabel()
    assert len(plt.get_fignums()) == 1


@every_plot
def test_nothing_of_the_users_is_changed(plot: Plot) -> None:
    """Neither the settings of matplotlib, nor the frame, nor a figure that was there."""
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    settings, frame = dict(mpl.rcParams), a_day_of_calls()
    before = frame.copy()
    drawn(plot(frame))
    assert dict(mpl.rcParams) == settings
    assert plt.fignum_exists(figure.number)
    pd.testing.assert_frame_equal(frame, before)


@every_plot
def test_no_rows_are_said(plot: Plot) -> None:
    """An empty frame is no zero."""
    ax = drawn(plot(a_day_of_calls().iloc[:0]))
    assert "no rows" in texts(ax)
    assert widths(ax) == []


@every_plot
def test_another_frame_is_refused_before_a_figure_is_made(plot: Plot) -> None:
    """An empty figure would say that there was nothing."""
    with pytest.raises(ParamError, match="usage"):
        plot(pd.DataFrame({"model": ["a"]}))
    assert plt.get_fignums() == []


@every_plot
def test_one_row_is_drawn(plot: Plot) -> None:
    """Without a range to scale by."""
    frame = frame_of({"reasoning_tokens": 10})
    assert "no rows" not in texts(drawn(plot(frame)))


@every_plot
def test_where_nothing_is_known_nothing_is_drawn(plot: Plot) -> None:
    """It says what is missing."""
    frame = frame_of(
        {"cost_usd": None, "input_tokens": None, "output_tokens": None, "ttft_s": None, "duration_s": None}
    )
    ax = drawn(plot(frame))
    assert any(text.startswith("no ") for text in texts(ax))
    assert widths(ax) == []


@every_plot
def test_names_no_font_has_and_names_that_look_like_formulas_are_drawn(plot: Plot) -> None:
    """A name is text, whatever is in it; a letter without a picture is a box, and no warning."""
    models = ("a$b$c", "_hidden", "x_{", "日本語", "\U0001f9ff", "a\x01b", "a" * 200)
    frame = frame_of(*({"model": model, "reasoning_tokens": 5} for model in models))
    drawn(plot(frame))


@every_plot
@pytest.mark.parametrize("dark", [True, False])
def test_colors_may_be_chosen(plot: Plot, dark: bool) -> None:
    """Light on dark, or dark on light."""
    ax = drawn(plot(a_day_of_calls(), dark=dark))
    ground = to_rgba(ax.figure.get_facecolor())
    ink = to_rgba(ax.xaxis.label.get_color())
    assert ground[3] == 1
    assert (sum(ground[:3]) < sum(ink[:3])) == dark


@every_plot
def test_unasked_a_plot_reads_on_light_and_dark(plot: Plot) -> None:
    """Its background is transparent, and every text at least 3.5 to 1 against white and #111."""
    ax = drawn(plot(a_day_of_calls()))
    assert to_rgba(ax.figure.get_facecolor())[3] == 0
    inks = [ax.title, ax.xaxis.label, *ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
    for ink in inks:
        for ground in ("#FFFFFF", "#111111"):
            assert contrast(ink.get_color(), ground) >= 3.5


def contrast(one: Any, other: Any) -> float:
    """Return the contrast of two colours as WCAG defines it, from 1 to 21."""
    light = [
        0.05 + np.dot([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(color)[:3]],
                      [0.2126, 0.7152, 0.0722])
        for color in (one, other)
    ]  # fmt: skip
    return float(max(light) / min(light))


def test_ipython_puts_nothing_behind_a_transparent_plot() -> None:
    """Its inline backend would ask for a light or a dark ground if all tick labels were of one kind."""
    inline = pytest.importorskip("matplotlib_inline.backend_inline")
    try:
        assert inline._fetch_figure_metadata(drawn(plot_cost(a_day_of_calls())).figure) is None
    finally:
        plt.switch_backend("agg")


def test_a_style_that_is_set_is_followed() -> None:
    """Who has chosen colours wants those."""
    with plt.style.context("dark_background"):
        ax = drawn(plot_cost(a_day_of_calls()))
    assert to_rgba(ax.figure.get_facecolor()) == to_rgba("black")
    assert to_rgba(ax.xaxis.label.get_color()) == to_rgba("white")


def test_a_blank_figure_is_none_of_pyplots() -> None:
    """It is shown by who made it, and not once more at the end of a cell."""
    drawn(plot_cost(a_day_of_calls(), ax=blank()))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("plot", [plot_cost, plot_tokens])
@pytest.mark.parametrize("by", SUMMARIES)
def test_each_way_to_sum_up_can_be_drawn(plot: Plot, by: str) -> None:
    """And is named in the title."""
    assert by in drawn(plot(a_day_of_calls(), by)).get_title(loc="left")


@pytest.mark.parametrize("plot", [plot_cost, plot_tokens, plot_latency])
def test_an_unknown_choice_is_refused(plot: Plot) -> None:
    """With those there are."""
    with pytest.raises(ParamError) as caught:
        plot(a_day_of_calls(), "week")
    assert "output_tokens" in caught.value.next_step or "day" in caught.value.next_step
    assert plt.get_fignums() == []


def test_a_plot_in_words() -> None:
    """For whoever cannot see it."""
    assert words_of(plot_cost(frame_of({"cost_usd": 1.0}))) == "Cost by model: $1.00 for 1 attempt"
