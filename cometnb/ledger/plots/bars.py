"""Stacked bars: lying, one for each of some named groups, or standing, one for each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cometnb.ledger.plots.canvas import ink_of, resize
from cometnb.ledger.plots.letters import drawable, families
from cometnb.ledger.plots.units import shortened

__all__ = ["Part", "labels_of", "lying", "named", "standing"]

_BAR, _LABEL_PT = 0.72, 9.0
_SHORTEST_SPAN_DAYS, _MOST_DAYS = 7, 120


@dataclass(frozen=True, slots=True)
class Part:
    """One part of every bar.

    Attributes
    ----------
    label : str
    color : str
    values : ndarray of float64
        One for each bar; NaN is drawn as nothing.
    """

    label: str
    color: str
    values: Any

    @property
    def patch(self) -> Patch:
        """What stands for it in a legend."""
        return Patch(facecolor=self.color, label=self.label)


def lying(ax: Axes, names: Sequence[str], parts: Sequence[Part], notes: Sequence[str]) -> None:
    """Draw a bar for each name, the first on top, with a note at its end.

    Parameters
    ----------
    ax : Axes
    names, notes : sequence of str
        One for each bar.
    parts : sequence of Part
        From left to right.
    """
    places, ends = np.arange(len(names)), np.zeros(len(names))
    for part in parts:
        values = np.nan_to_num(part.values)
        ax.barh(places, values, _BAR, left=ends, color=part.color, linewidth=0)
        ends = ends + values
    ink = ink_of(ax)
    for place, end, note in zip(places, ends, notes, strict=True):
        ax.annotate(
            note,
            (end, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=ink,
            fontsize=_LABEL_PT,
            parse_math=False,
        )
    named(ax, names)


def named(ax: Axes, names: Sequence[str]) -> None:
    """Name the lines of a plot, from the top, and make an own figure as high as they need."""
    labels = [drawable(shortened(name)) for name in names]
    ax.set_yticks(range(len(names)), labels, fontsize=_LABEL_PT, fontfamily=families(), parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", alpha=0.25)
    ax.set_axisbelow(True)
    resize(ax, min(max(2.4, 1.6 + 0.3 * len(names)), 7.0))


def standing(ax: Axes, values: pd.DataFrame, colors: Sequence[str]) -> tuple[list[Part], str]:
    """Draw a bar for each day on an axis of time; a day that is not there stays empty.

    Parameters
    ----------
    ax : Axes
    values : DataFrame of float64
        A column for each part, from the bottom up; the index holds midnights, sorted.
    colors : sequence of str
        One for each part.

    Returns
    -------
    parts : list of Part
    step : str
        ``day``, or ``week`` where there are more days than can be told apart.
    """
    is_long = (values.index[-1] - values.index[0]).days > _MOST_DAYS
    if is_long:
        values = values.resample("W-MON", closed="left", label="left").sum()
    width_days = 7 if is_long else 1
    numbers = mdates.date2num(values.index.to_numpy())  # type: ignore[no-untyped-call]
    places = np.asarray(numbers, dtype=np.float64) + (width_days - 1) / 2
    parts = [
        Part(shortened(str(name)), color, values[name].to_numpy(np.float64, na_value=np.nan))
        for name, color in zip(values.columns, colors, strict=True)
    ]
    ends = np.zeros(len(places))
    for part in parts:
        heights = np.nan_to_num(part.values)
        ax.bar(places, heights, _BAR * width_days, bottom=ends, color=part.color, linewidth=0)
        ends = ends + heights
    _in_days(ax, places[0] - 0.6 * width_days, places[-1] + 0.6 * width_days)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)
    return parts, "week" if is_long else "day"


def _in_days(ax: Axes, first: float, last: float) -> None:
    missing = max(0.0, _SHORTEST_SPAN_DAYS - (last - first))
    ax.set_xlim(first - missing / 2, last + missing / 2)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def labels_of(index: pd.Index[Any]) -> list[str]:
    """Return the groups' names as a person knows them: a notebook by the last part of its path, a cell with it."""
    parts = ([*name] if isinstance(name, tuple) else [name] for name in index)
    is_path = "notebook" in index.names
    return [" · ".join(_end(str(part)) if is_path else str(part) for part in one) for one in parts]


def _end(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or path
