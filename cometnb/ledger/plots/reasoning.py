"""``plot_reasoning``: which share of the output was reasoning, by model and effort."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cometnb.ledger.grouping import checked, model_of
from cometnb.ledger.plots.bars import named
from cometnb.ledger.plots.canvas import COLORS, axes_for, headed, ink_of, say_nothing
from cometnb.ledger.plots.units import in_percent, rounded
from cometnb.ledger.summaries import NO_EFFORT, by_effort, by_model
from cometnb.protocol.counted import counted

__all__ = ["plot_reasoning"]

_MOST_MODELS = 14
# From dark to light along one line of hues, all readable on white and on #111; the size says the same once more.
_STEPS = ("#4B62B8", "#7A5BB5", "#A654A5", "#CB5787", "#E26B61", "#E88A3A", "#D9AA1E")
_SMALLEST_PT, _STEP_PT = 5.0, 1.2


def plot_reasoning(frame: pd.DataFrame, *, ax: Axes | None = None, dark: bool | None = None) -> Axes:
    """Draw the share of reasoning in the output tokens, a line for each model, a dot for each effort.

    Parameters
    ----------
    frame : DataFrame
        As `Ledger.usage` returns it.
    ax, dark
        As in `plot_cost`.

    Returns
    -------
    Axes
        In percent: reasoning tokens over output tokens, of the calls that report both. At most 14 models, those with
        the most reasoning tokens. A dot's colour and size say the effort. Simulated calls are drawn like others, and
        counted in the sentence above.

    Raises
    ------
    ParamError
        If a column of the usage frame is missing.
    """
    checked(frame, "effort", "model_requested")
    ax = axes_for(ax, dark)
    title = "Reasoning share of the output"
    rows = frame[frame["reasoning_tokens"].notna() & (frame["output_tokens"] > 0).fillna(False)]
    if rows.empty:
        words = "no reasoning tokens reported" if len(frame) else "no rows"
        return say_nothing(ax, title, words, _sentence(frame, rows) if len(frame) else "")
    sizes = by_model(rows)["reasoning_tokens"].sort_values(ascending=False, kind="stable")
    models = list(sizes.index[:_MOST_MODELS])
    all_models, efforts = model_of(rows).fillna("(no model)"), list(by_effort(rows).index)
    colors = _colors(efforts)
    for place, model in enumerate(models):
        shares = by_effort(rows[(all_models == model).to_numpy(np.bool_)])["reasoning_share"].dropna()
        ax.plot(
            shares.to_numpy(), [place] * len(shares), color=ink_of(ax), alpha=0.5, linewidth=1.5, zorder=1
        )
        for effort, share in shares.items():
            ax.add_line(_dot(str(effort), efforts, colors, float(share), place))
    named(ax, models)
    in_percent(ax.xaxis, "reasoning tokens, share of the output tokens")
    ax.set_xlim(-0.02, 1.02)
    headed(
        ax,
        title,
        _sentence(frame, rows, len(sizes)),
        [_dot(effort, efforts, colors, 0.0, 0) for effort in efforts],
    )
    return ax


def _colors(efforts: list[str]) -> dict[str, str]:
    known = [effort for effort in efforts if effort != NO_EFFORT]
    places = np.linspace(0, len(_STEPS) - 1, max(len(known), 2)).round().astype(int)
    colors = {effort: _STEPS[place % len(_STEPS)] for effort, place in zip(known, places, strict=False)}
    return {**colors, NO_EFFORT: COLORS["rest"]}


def _dot(effort: str, efforts: list[str], colors: dict[str, str], share: float, place: int) -> Line2D:
    """Return a model's dot for an effort; hollow where none was asked for, which stands in no order."""
    is_asked = effort != NO_EFFORT
    return Line2D(
        [share],
        [place],
        marker="o",
        linestyle="",
        color=colors[effort],
        markersize=_SMALLEST_PT + _STEP_PT * efforts.index(effort) if is_asked else _SMALLEST_PT + _STEP_PT,
        fillstyle="full" if is_asked else "none",
        markeredgewidth=1.0 if is_asked else 2.0,
        label=_worded(effort),
        zorder=2,
        clip_on=False,
    )


def _worded(effort: str) -> str:
    return "effort not set" if effort == NO_EFFORT else effort


def _sentence(frame: pd.DataFrame, rows: pd.DataFrame, n_models: int = 0) -> str:
    tokens = rows["reasoning_tokens"].astype(np.float64).sum()
    parts = [f"{rounded(tokens)} reasoning tokens in {counted(len(rows), 'attempt')}"] if len(rows) else []
    if n_models > _MOST_MODELS:
        parts.append(f"{n_models - _MOST_MODELS:,} models with fewer not shown")
    if len(rows) < len(frame):
        parts.append(f"{counted(len(frame) - len(rows), 'attempt')} did not report them")
    n_simulated = int((rows["backend"] == "simulator").sum())
    if n_simulated:
        parts.append(f"{n_simulated:,} simulated")
    return "; ".join(parts)
