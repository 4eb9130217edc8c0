"""``plot_timeline``: the course of one answer, from the queue to its last word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cometnb.errors import ParamError
from cometnb.ledger.events import events_frame
from cometnb.ledger.plots.bars import named
from cometnb.ledger.plots.canvas import COLORS, axes_for, headed, say_nothing
from cometnb.ledger.plots.units import in_seconds, shortened
from cometnb.protocol.counted import counted
from cometnb.protocol.response import Response

__all__ = ["plot_timeline"]

_TITLE = "Timeline of one answer"
_NEEDED = ("at_s", "gap_s", "type", "kind", "n_characters")
_LANES = {"queue": "queue", "reasoning": "reasoning", "text": "text", "tool": "tools"}
_HALF = 0.3
# A silence in the midst of text counts as a stall from here on, and from so many usual gaps on.
_SHORTEST_STALL_S, _STALL_GAPS = 1.0, 8.0


def plot_timeline(
    source: Response | pd.DataFrame, *, ax: Axes | None = None, dark: bool | None = None
) -> Axes:
    """Draw how one answer came: a lane each for queue, reasoning, text and tools, and the stalls.

    Parameters
    ----------
    source : Response or DataFrame
        An answer, or what its `events_frame()` returned. Of an answer the end of the call is known too: a silence
        before an end that was not the answer's own is drawn as a stall.
    ax, dark
        As in `plot_cost`.

    Returns
    -------
    Axes
        In seconds from sending the request. Time belongs to what arrived at its end; all the time before the first
        reasoning, text or tool is queue, and so is the time before each later item. A mark in a lane is an event. A
        stall is a silence of at least 1 s, and of 8 usual gaps, between two pieces of text.

    Raises
    ------
    ParamError
        If it is neither.
    """
    response = source if isinstance(source, Response) else None
    events = _events(source)
    ax = axes_for(ax, dark)
    if events.empty:
        return say_nothing(ax, _TITLE, "no events: the answer did not come as a stream", _sentence(response))
    starts, ends, lanes, is_stall = _intervals(events, response)
    stretches = np.column_stack((starts, ends))
    shown = [lane for lane in _LANES if (lanes == lane).any()]
    for place, lane in enumerate(shown):
        is_its = (lanes == lane) & ~is_stall
        _spans(ax, place, stretches[is_its], COLORS[lane])
        _marks(ax, place, events["at_s"][(events["kind"] == lane).to_numpy(np.bool_)], COLORS[lane])
        stalled = (lanes == lane) & is_stall
        _spans(ax, place, stretches[stalled], COLORS["stall"], hatch="////")
    seconds = {lane: (ends - starts)[(lanes == lane) & ~is_stall].sum() for lane in shown}
    named(ax, [f"{_LANES[lane]}  {_seconds(seconds[lane])}" for lane in shown])
    in_seconds(ax.xaxis, "time since the request was sent")
    ax.set_xlim(0, max(float(ends[-1]), 1e-3) * 1.02)
    stall = Patch(facecolor="none", edgecolor=COLORS["stall"], hatch="////", label="stall")
    headed(
        ax, _TITLE, _sentence(response, events, (ends - starts)[is_stall]), [stall] if is_stall.any() else ()
    )
    return ax


def _events(source: Any) -> pd.DataFrame:
    if isinstance(source, Response):
        return events_frame(source)
    if isinstance(source, pd.DataFrame) and all(name in source.columns for name in _NEEDED):
        return source
    raise ParamError(
        f"A timeline is of one answer, not of a {type(source).__name__}.",
        "Pass a Response, or what its events_frame() returned.",
        param="source",
    )


def _intervals(events: pd.DataFrame, response: Response | None) -> tuple[Any, Any, Any, Any]:
    """Return for each stretch of time its start, its end, its lane, and whether it is a stall."""
    ends = events["at_s"].to_numpy(np.float64)
    gaps = events["gap_s"].to_numpy(np.float64)
    kinds, types = events["kind"].to_numpy(object), events["type"].astype(str)
    is_output = np.isin(kinds, ("reasoning", "text", "tool"))
    # What says nothing of its own, such as a keep-alive, leaves things as they are.
    lanes = _carried(kinds, is_output)
    lanes[: _first(is_output) + 1] = "queue"
    lanes[types.str.endswith("output_item.added").to_numpy(np.bool_)] = "queue"
    is_text = kinds == "text"
    follows_text = np.concatenate(([False], is_text[:-1]))
    within = gaps[is_text & follows_text & (gaps > 0)]
    bound_s = max(_SHORTEST_STALL_S, _STALL_GAPS * float(np.median(within)) if len(within) else 0.0)
    is_stall = is_text & follows_text & (lanes == "text") & (gaps >= bound_s)
    starts = ends - gaps
    duration_s = response.timing.duration_s if response is not None else None
    if response is None or duration_s is None or response.status == "completed":
        return starts, ends, lanes, is_stall
    if duration_s - ends[-1] < bound_s:
        return starts, ends, lanes, is_stall
    return (
        np.append(starts, ends[-1]),
        np.append(ends, duration_s),
        np.append(lanes, lanes[-1]),
        np.append(is_stall, True),
    )


def _carried(kinds: Any, is_output: Any) -> Any:
    """Return the kind of each output, and elsewhere that of the last output before it; queue at the beginning."""
    places = np.maximum.accumulate(np.where(is_output, np.arange(len(kinds)), -1))
    return np.where(places < 0, "queue", kinds[places])


def _first(mask: Any) -> int:
    return int(mask.argmax()) if mask.any() else len(mask)


def _spans(ax: Axes, place: int, stretches: Any, color: str, hatch: str = "") -> None:
    spans: list[tuple[float, float]] = []
    for start, end in stretches:
        if spans and start - spans[-1][1] < 1e-9:
            spans[-1] = (spans[-1][0], float(end))
        elif end > start:
            spans.append((float(start), float(end)))
    if not spans:
        return
    ax.broken_barh(
        [(start, end - start) for start, end in spans],
        (place - _HALF, 2 * _HALF),
        facecolor="none" if hatch else color,
        edgecolor=color if hatch else "none",
        alpha=1.0 if hatch else 0.55,
        linewidth=1.0 if hatch else 0.0,
        hatch=hatch or None,
    )


def _marks(ax: Axes, place: int, at_s: Any, color: str) -> None:
    moments = np.unique(np.asarray(at_s, dtype=np.float64))
    is_many = len(moments) > 2_000
    ax.vlines(
        moments, place - _HALF, place + _HALF, color=color, linewidth=0.4 if len(moments) > 200 else 1.0,
        rasterized=is_many,
    )  # fmt: skip


def _seconds(value: float) -> str:
    # With a space that no line is broken at.
    if value < 0.1:
        return f"{value * 1e3:.0f}\u00a0ms"
    return f"{value:.2f}\u00a0s" if value < 10 else f"{value:.0f}\u00a0s"


def _sentence(
    response: Response | None, events: pd.DataFrame | None = None, stalls: Sequence[float] = ()
) -> str:
    parts = []
    if response is not None:
        shown = [response.model or "", response.status, "" if response.backend == "api" else response.backend]
        parts.append(", ".join(shortened(word) for word in shown if word))
    if events is not None and len(events):
        spoken = events["at_s"][(events["n_characters"] > 0).to_numpy(np.bool_)]
        if len(spoken):
            parts.append(f"first piece after {_seconds(float(spoken.iloc[0]))}")
        n_characters = int(events["n_characters"].sum())
        parts.append(
            f"{len(events):,} events, {n_characters:,} characters in {_seconds(float(events['at_s'].iloc[-1]))}"
        )
    if len(stalls):
        parts.append(f"{counted(len(stalls), 'stall')} of {_seconds(float(np.sum(stalls)))}")
    return "; ".join(parts)
