"""``plot_cost``: what the calls cost, by model, day, effort, cell, tag or notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cometnb.ledger.grouping import checked, has, is_real, model_of
from cometnb.ledger.plots.bars import Part, labels_of, lying, standing
from cometnb.ledger.plots.canvas import COLORS, PALETTE, axes_for, headed, say_nothing
from cometnb.ledger.plots.units import in_dollars
from cometnb.ledger.summaries import by_day, by_model, summary_by, total
from cometnb.protocol.cost import dollars

__all__ = ["plot_cost"]

_MOST_BARS, _MOST_MODELS = 12, 6


def plot_cost(
    frame: pd.DataFrame, by: str = "model", *, ax: Axes | None = None, dark: bool | None = None
) -> Axes:
    """Draw what the calls of a usage frame cost.

    Parameters
    ----------
    frame : DataFrame
        As `Ledger.usage` returns it.
    by : str
        ``model``, ``effort``, ``cell``, ``tag`` or ``notebook``: a lying bar each, the 12 dearest, the others as one.
        ``day``: a standing bar for each local day, its colours the models.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    dark : bool, optional
        Colours of a new figure: light on dark, or dark on light. None reads on both, on no background; it follows a
        style that is set.

    Returns
    -------
    Axes
        In US dollars. A group of unknown cost has no bar, and says so. Real calls alone are drawn where there are
        any; otherwise what the simulated ones would have cost, and the title says so.

    Raises
    ------
    ParamError
        An unknown `by`, or a column of the usage frame is missing.
    """
    summed = summary_by(by)
    sentence = str(total(frame))
    is_billed = is_real(frame) & ~has(frame["backend"], "cassette")
    is_simulated = not is_billed.any() and not is_real(frame).all()
    rows = frame[~is_real(frame) if is_simulated else is_billed]
    # Taken as if they were billed: the title says what they are.
    rows = rows.assign(backend="api") if is_simulated else rows
    summary = summed(rows)
    ax = axes_for(ax, dark)
    title = f"Cost by {by}" + (", simulated" if is_simulated else "")
    if not summary["cost_usd"].notna().any():
        return say_nothing(
            ax, title, "no priced rows" if len(frame) else "no rows", sentence if len(frame) else ""
        )
    if by == "day":
        parts = _by_day(ax, rows)
    else:
        parts = []
        _by_name(ax, summary)
    axis = ax.yaxis if by == "day" else ax.xaxis
    axis.set_label_text(axis.get_label_text() + (", as if billed" if is_simulated else ""))
    headed(ax, title, sentence, [part.patch for part in parts])
    return ax


def _by_name(ax: Axes, summary: pd.DataFrame) -> None:
    costs, unpriced, attempts = (
        summary[name].to_numpy(np.float64) for name in ("cost_usd", "n_unpriced", "n_attempts")
    )
    names = labels_of(summary.index)
    notes = [_note(*figures) for figures in zip(costs, unpriced, attempts, strict=True)]
    if len(names) > _MOST_BARS:
        kept = _MOST_BARS - 1
        rest = _note(_sum(costs[kept:]), unpriced[kept:].sum(), attempts[kept:].sum())
        names, notes = [*names[:kept], f"{len(names) - kept:,} others"], [*notes[:kept], f"{rest} together"]
        # A bar for all of them would dwarf those that are compared.
        costs = np.append(costs[:kept], np.nan)
    lying(ax, names, [Part("cost", COLORS["input"], costs)], notes)
    in_dollars(ax.xaxis)
    ax.set_xlim(0, (np.nanmax(costs) or 1e-6) * 1.18)


def _note(cost: float, n_unpriced: float, n_attempts: float) -> str:
    if np.isnan(cost):
        return (
            f"cost not known for {n_unpriced:,.0f}"
            if n_unpriced
            else f"{n_attempts:,.0f}, billed with their end"
        )
    shown = dollars(cost)
    return f"{shown} + {n_unpriced:,.0f} unpriced" if n_unpriced else shown


def _by_day(ax: Axes, rows: pd.DataFrame) -> list[Part]:
    models = model_of(checked(rows, "model_requested")).fillna("(no model)")
    order = by_model(rows)["cost_usd"].dropna().index
    named = list(order if len(order) <= _MOST_MODELS else order[: _MOST_MODELS - 1])
    costs = {name: by_day(rows[has(models, name)])["cost_usd"] for name in named}
    colors = [*PALETTE[: len(named)]]
    if len(named) < len(order):
        costs[f"{len(order) - len(named)} others"] = by_day(rows[~has(models, *named)])["cost_usd"]
        colors.append(COLORS["rest"])
    parts, step = standing(ax, pd.DataFrame(costs).sort_index(), colors)
    in_dollars(ax.yaxis, f"US dollars a {step}")
    return parts


def _sum(values: Any) -> float:
    return float("nan") if np.isnan(values).all() else float(np.nansum(values))
