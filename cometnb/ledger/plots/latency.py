"""``plot_latency``: how long the first token took, against how long the answer became."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cometnb.errors import ParamError
from cometnb.ledger.grouping import checked, has, is_real, model_of
from cometnb.ledger.plots.canvas import COLORS, PALETTE, axes_for, headed, say_nothing
from cometnb.ledger.plots.units import in_log, shortened
from cometnb.ledger.summaries import by_model
from cometnb.protocol.counted import counted

__all__ = ["plot_latency"]

_AGAINST = {
    "output_tokens": "output tokens, reasoning included",
    "input_tokens": "input tokens",
    "reasoning_tokens": "reasoning tokens",
}
_MOST_MODELS = 6
# Of fewer calls a median line says less than the dots.
_FEWEST_FOR_LINE, _FEWEST_IN_BIN, _BINS_PER_DECADE = 40, 8, 4


def plot_latency(
    frame: pd.DataFrame, against: str = "output_tokens", *, ax: Axes | None = None, dark: bool | None = None
) -> Axes:
    """Draw the time to the first token against the length, a dot for each call, a line for each model's median.

    Parameters
    ----------
    frame : DataFrame
        As `Ledger.usage` returns it.
    against : str
        The length: ``output_tokens``, ``input_tokens`` or ``reasoning_tokens``.
    ax, dark
        As in `plot_cost`.

    Returns
    -------
    Axes
        Both axes logarithmic: seconds over tokens. Calls without a measured time or a reported length, and those of no
        length, are left out and counted in the sentence above. Replayed calls are left out, and simulated ones where
        there are real ones. A line is drawn where at least 40 calls of a model have been made.

    Raises
    ------
    ParamError
        An unknown `against`, or a column of the usage frame is missing.
    """
    if against not in _AGAINST:
        raise ParamError(
            f"against={against!r} is no length.", f"Use one of {', '.join(_AGAINST)}.", param="against"
        )
    checked(frame, "model_requested")
    ax = axes_for(ax, dark)
    is_measured = is_real(frame) & ~has(frame["backend"], "cassette")
    is_simulated = not is_measured.any() and not is_real(frame).all()
    rows = frame[~is_real(frame) if is_simulated else is_measured]
    title = "Time to first token" + (", simulated" if is_simulated else "")
    lengths, times = (
        rows[name].astype("Float64").to_numpy(np.float64, na_value=np.nan) for name in (against, "ttft_s")
    )
    is_drawn = (lengths > 0) & (times > 0) & np.isfinite(times)
    if not is_drawn.any():
        return say_nothing(ax, title, "no measured times" if len(frame) else "no rows")
    models = model_of(rows).fillna("(no model)")
    entries = []
    for name, color, is_its in _groups(rows[is_drawn], models[is_drawn]):
        x, y = lengths[is_drawn][is_its], times[is_drawn][is_its]
        _scatter(ax, x, y, color)
        entries.append(
            Line2D([], [], marker="o", linestyle="", color=color, markersize=6, label=shortened(name))
        )
    _scaled(ax, _AGAINST[against], lengths[is_drawn], times[is_drawn])
    headed(ax, title, _sentence(len(frame), times[is_drawn]), entries)
    return ax


def _groups(rows: pd.DataFrame, models: pd.Series[Any]) -> list[tuple[str, str, Any]]:
    order = by_model(rows)["n_attempts"].sort_values(ascending=False, kind="stable").index
    named = list(order if len(order) <= _MOST_MODELS else order[: _MOST_MODELS - 1])
    groups = [(name, color, has(models, name)) for name, color in zip(named, PALETTE, strict=False)]
    if len(named) < len(order):
        groups.append((f"{len(order) - len(named)} others", COLORS["rest"], ~has(models, *named)))
    return groups


def _scatter(ax: Axes, x: Any, y: Any, color: str) -> None:
    """Draw one model's calls, so faint that thousands can be told apart, and the line of their medians."""
    is_many = len(x) >= _FEWEST_FOR_LINE
    alpha = float(np.clip(20 / len(x) ** 0.6, 0.1, 0.5)) if is_many else 0.85
    size = 10 if is_many else 26
    ax.scatter(x, y, size, color=color, alpha=alpha, linewidths=0, rasterized=len(x) > 2_000, zorder=1)
    if is_many:
        places, medians = _medians(x, y)
        ax.plot(
            places,
            medians,
            color=color,
            linewidth=2.4,
            marker="o",
            markersize=4,
            zorder=3,
            solid_capstyle="round",
        )


def _medians(x: Any, y: Any) -> tuple[list[float], list[float]]:
    bins = np.floor(np.log10(x) * _BINS_PER_DECADE)
    kept = [one for one in np.unique(bins) if (bins == one).sum() >= _FEWEST_IN_BIN]
    return (
        [float(np.median(x[bins == one])) for one in kept],
        [float(np.median(y[bins == one])) for one in kept],
    )


def _scaled(ax: Axes, words: str, lengths: Any, times: Any) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    in_log(ax.xaxis, words)
    in_log(ax.yaxis, "time to first token (s)")
    ax.set_xlim(_limits(lengths))
    ax.set_ylim(_limits(times))
    ax.tick_params(which="minor", length=0)
    ax.grid(alpha=0.25)
    ax.set_axisbelow(True)


def _limits(values: Any) -> tuple[float, float]:
    """Return bounds a little outside the values, and at least a decade apart: less would make much of little."""
    low, high = np.log10(values.min()), np.log10(values.max())
    margin = max(0.05 * (high - low), (1.0 - (high - low)) / 2)
    return float(10 ** (low - margin)), float(10 ** (high + margin))


def _sentence(n_rows: int, times: Any) -> str:
    low, middle, high = np.quantile(times, (0.05, 0.5, 0.95))
    parts = [f"median {middle:.2g} s"]
    if len(times) >= _FEWEST_FOR_LINE:
        parts[0] += f", nine of ten between {low:.2g} s and {high:.2g} s"
    left_out = n_rows - len(times)
    parts.append(counted(len(times), "attempt"))
    if left_out:
        parts.append(f"{left_out:,} not measured or not reported")
    return "; ".join(parts)
