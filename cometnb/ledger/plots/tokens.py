"""``plot_tokens``: input, cached input, output and reasoning, each token once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cometnb.ledger.grouping import checked
from cometnb.ledger.plots.bars import Part, labels_of, lying, standing
from cometnb.ledger.plots.canvas import COLORS, axes_for, headed, say_nothing
from cometnb.ledger.plots.units import in_tokens, rounded
from cometnb.ledger.summaries import summary_by
from cometnb.protocol.counted import counted

__all__ = ["plot_tokens"]

_MOST_BARS = 12
# Which column of the summary each part of a bar is taken from, once the whole has been told apart from its part.
_PARTS = {
    "input": ("input_tokens", COLORS["input"]),
    "cached input": ("cached_tokens", COLORS["cached"]),
    "output": ("output_tokens", COLORS["text"]),
    "reasoning": ("reasoning_tokens", COLORS["reasoning"]),
}


def plot_tokens(
    frame: pd.DataFrame, by: str = "model", *, ax: Axes | None = None, dark: bool | None = None
) -> Axes:
    """Draw the tokens of a usage frame: input, cached input, output, reasoning.

    Parameters
    ----------
    frame : DataFrame
        As `Ledger.usage` returns it.
    by : str
        ``model``, ``day``, ``effort``, ``cell``, ``tag`` or ``notebook``; as in `plot_cost`.
    ax, dark
        As in `plot_cost`.

    Returns
    -------
    Axes
        In tokens. Every token is drawn once: "input" is what did not come from the cache, or what nobody said it did;
        "output" is without the reasoning that was reported. Simulated calls are drawn with the others and counted in
        the sentence above, and so are those that did not report their tokens.

    Raises
    ------
    ParamError
        An unknown `by`, or a column of the usage frame is missing.
    """
    summed = summary_by(by)
    summary = summed(_each_once(checked(frame)))
    ax = axes_for(ax, dark)
    title = f"Tokens by {by}"
    tokens = summary[[column for column, _ in _PARTS.values()]].astype("Float64").astype(np.float64)
    tokens.columns = pd.Index(list(_PARTS))
    if not tokens.notna().any(axis=None):
        words = "no tokens reported" if len(frame) else "no rows"
        return say_nothing(ax, title, words, _sentence(summary) if len(frame) else "")
    # A part that nobody had needs no place in the legend.
    is_drawn = (tokens > 0).any()
    tokens = tokens.loc[:, is_drawn if is_drawn.any() else tokens.notna().any()]
    colors = [_PARTS[name][1] for name in tokens.columns]
    if by == "day":
        parts, step = standing(ax, tokens, colors)
        in_tokens(ax.yaxis, f"tokens a {step}")
    else:
        parts = _by_name(ax, tokens, colors)
    headed(ax, title, _sentence(summary), [part.patch for part in parts])
    return ax


def _each_once(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the part taken out of its whole: cached out of input, reasoning out of output."""
    changed = {}
    for whole, part in (("input_tokens", "cached_tokens"), ("output_tokens", "reasoning_tokens")):
        all_of_it, some_of_it = frame[whole].astype("Int64"), frame[part].astype("Int64")
        # A service may report a part without its whole, or one that is larger.
        within = some_of_it.clip(lower=0).where(some_of_it <= all_of_it, all_of_it).where(some_of_it.notna())
        changed[part] = within
        changed[whole] = all_of_it - within.fillna(0)
    return frame.assign(**changed)


def _by_name(ax: Axes, tokens: pd.DataFrame, colors: list[str]) -> list[Part]:
    size = tokens.sum(axis=1, min_count=1)
    order = (
        size.index
        if tokens.index.name == "effort"
        else size.sort_values(ascending=False, kind="stable").index
    )
    tokens, size = tokens.loc[order], size.loc[order]
    names, notes = labels_of(tokens.index), [_note(value) for value in size]
    if len(names) > _MOST_BARS:
        kept = _MOST_BARS - 1
        rest = f"{_note(size.iloc[kept:].sum(min_count=1))} together"
        names, notes = [*names[:kept], f"{len(names) - kept:,} others"], [*notes[:kept], rest]
        tokens = pd.concat([tokens.iloc[:kept], tokens.iloc[kept : kept + 1] * np.nan])
    parts = [
        Part(str(name), color, tokens[name].to_numpy(np.float64))
        for name, color in zip(tokens.columns, colors, strict=True)
    ]
    lying(ax, names, parts, notes)
    in_tokens(ax.xaxis)
    ax.set_xlim(0, max(1.0, float(np.nanmax(size.to_numpy()[: len(tokens)]))) * 1.14)
    return parts


def _note(tokens: float) -> str:
    return "not reported" if np.isnan(tokens) else rounded(tokens)


def _sentence(summary: pd.DataFrame) -> str:
    counts: dict[str, Any] = {
        name: int(summary[name].sum())
        for name in ("n_attempts", "n_unreported", "n_estimated", "n_simulated")
    }
    parts = [counted(counts["n_attempts"], "attempt")]
    parts += [
        f"{counts[name]:,} {words}"
        for name, words in (
            ("n_unreported", "without reported tokens"),
            ("n_estimated", "estimated"),
            ("n_simulated", "simulated"),
        )
        if counts[name]
    ]
    return ", ".join(parts)
