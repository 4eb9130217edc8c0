"""The usage frame summed up: by model, day, effort, cell, tag or notebook, and in one sentence.

Real and simulated calls are never one sum of money: `cost_usd` is of real calls, `simulated_cost_usd` stands apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from cometnb.errors import ParamError
from cometnb.ledger.grouping import checked, has, is_real, is_told_elsewhere, model_of, numbered, summed
from cometnb.protocol.cost import dollars
from cometnb.protocol.params import find

__all__ = [
    "NO_EFFORT",
    "SUMMARIES",
    "Total",
    "by_cell",
    "by_day",
    "by_effort",
    "by_model",
    "by_notebook",
    "by_tag",
    "summary_by",
    "total",
]


def by_model(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by the model that answered; where none did, by the one that was asked.

    Parameters
    ----------
    frame : DataFrame
        As `Ledger.usage` returns it, or some of its rows.

    Returns
    -------
    DataFrame
        One row per group, the dearest first. The index "model" is pandas' "string"; a group without a name is kept,
        and called "(no model)". An empty frame gives an empty one of the same dtypes. Columns:

        - ``n_attempts``, ``n_completed``: Int64, rows and those whose status is completed.
        - ``input_tokens cached_tokens cache_write_tokens output_tokens reasoning_tokens total_tokens``: Int64, sums
          over what was reported or estimated; <NA> where no row of the group has a figure. Cached and cache-write
          tokens are part of the input, reasoning tokens of the output.
        - ``n_unreported``: Int64, rows that were sent and lack the input or the output: the sums miss theirs.
        - ``reasoning_share``: float64 from 0 to 1, reasoning over output tokens, of the rows that have both.
        - ``cost_usd``: float64, US dollars for the real calls; what was replayed cost nothing. NaN where no real call
          of the group has a price.
        - ``n_unpriced``: Int64, real calls whose cost is not known, for want of a price or of usage: the sum misses
          theirs. Of a response in the background, whose usage came with its end in another row of the frame, the row
          that began it is neither among these nor among ``n_unreported``.
        - ``n_estimated``: Int64, rows whose tokens are an estimate.
        - ``simulated_cost_usd``: float64, what simulated calls would have cost. It is no money, and in no other
          column's dollars.
        - ``n_simulated``, ``n_simulated_unpriced``: Int64, simulated calls, and those of them that this sum misses.
        - ``ttft_s duration_s output_tokens_per_s``: float64, medians over the rows that have them.

    Raises
    ------
    ParamError
        If a column of the usage frame is missing.
    """
    return _by_name(frame, "model", model_of(checked(frame, "model_requested")))


def by_day(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by day, in time order; days are those of this machine's time zone, as in ``"today"``.

    Returns
    -------
    DataFrame
        As `by_model`, without days that had no calls. The index "day" is datetime64[ns] at midnight, no time zone.
    """
    days = _days(checked(frame, "created_at")["created_at"])
    codes, labels = pd.factorize(days, sort=True)
    return summed(frame, codes, pd.DatetimeIndex(labels, name="day").as_unit("ns"))


def by_effort(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by the reasoning effort that was asked for, from the lowest to the highest.

    Returns
    -------
    DataFrame
        As `by_model`. The index "effort" is "string"; where none was asked for it is "(no effort)", last.
    """
    codes, labels = numbered(checked(frame, "effort")["effort"], "effort")
    return summed(frame, codes, labels).sort_index(key=_effort_places, kind="stable")


def by_cell(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by notebook and cell.

    Returns
    -------
    DataFrame
        As `by_model`. The index has two levels, "notebook" and "cell_id", both "string"; "(no notebook)" and
        "(no cell)" where the front end said neither.
    """
    checked(frame, "notebook", "cell_id")
    (outer, notebooks), (inner, cells) = (numbered(frame[name], name) for name in ("notebook", "cell_id"))
    codes, pairs = pd.factorize(outer * max(len(cells), 1) + inner)
    levels = [
        notebooks.take(pairs // max(len(cells), 1)),
        cells.take(pairs % max(len(cells), 1)),
    ]
    return _dearest_first(summed(frame, codes, pd.MultiIndex.from_arrays(levels)))


def by_tag(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by tag.

    Returns
    -------
    DataFrame
        As `by_model`. The index "tag" is "string"; "(no tag)" where there is none.
    """
    return _by_name(frame, "tag", checked(frame, "tag")["tag"])


def by_notebook(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up a usage frame by notebook.

    Returns
    -------
    DataFrame
        As `by_model`. The index "notebook" is "string"; "(no notebook)" where the front end said none.
    """
    return _by_name(frame, "notebook", checked(frame, "notebook")["notebook"])


NO_EFFORT = "(no effort)"
"""The group of calls that asked for no effort."""

SUMMARIES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "model": by_model,
    "day": by_day,
    "effort": by_effort,
    "cell": by_cell,
    "tag": by_tag,
    "notebook": by_notebook,
}
"""What a usage frame can be summed up by."""


def summary_by(by: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return the summary of this name.

    Raises
    ------
    ParamError
        If there is none; names those there are.
    """
    if by not in SUMMARIES:
        raise ParamError(
            f"by={by!r} is nothing to sum up by.", f"Use one of {', '.join(SUMMARIES)}.", param="by"
        )
    return SUMMARIES[by]


@dataclass(frozen=True, slots=True)
class Total:
    """A usage frame in one sentence: `str` gives it.

    Attributes
    ----------
    usd : float
        US dollars for the real calls that have a price; NaN if none has one.
    n_real, n_unpriced : int
        Real attempts, and those of them whose cost is not known, for want of a price or of usage. What was replayed
        is not among them: it costs nothing.
    n_estimated : int
        Real attempts whose tokens are an estimate.
    simulated_usd : float
        What simulated calls would have cost; no money. NaN if none has a price.
    n_simulated, n_simulated_unpriced, n_simulated_estimated : int
        Attempts that the simulator answered, and those of them of unknown cost, and with estimated tokens.
    n_replayed : int
        Attempts that a cassette answered.

    Examples
    --------
    >>> str(Total(usd=1.23, n_real=412, n_unpriced=3))
    '$1.23 for 412 attempts, 3 of them of unknown cost'
    """

    usd: float = float("nan")
    n_real: int = 0
    n_unpriced: int = 0
    n_estimated: int = 0
    simulated_usd: float = float("nan")
    n_simulated: int = 0
    n_simulated_unpriced: int = 0
    n_simulated_estimated: int = 0
    n_replayed: int = 0

    def __str__(self) -> str:
        parts = []
        if self.n_real:
            parts.append(_sentence(self.usd, self.n_real, self.n_unpriced, self.n_estimated))
        if self.n_simulated:
            said = _sentence(
                self.simulated_usd, self.n_simulated, self.n_simulated_unpriced, self.n_simulated_estimated
            )
            parts.append(f"simulated, not billed: {said}")
        if self.n_replayed:
            parts.append(f"replayed for nothing: {_attempts(self.n_replayed)}")
        return "; ".join(parts) or "no calls"


def total(frame: pd.DataFrame) -> Total:
    """Return what a usage frame's calls cost together; see `Total`.

    Raises
    ------
    ParamError
        If a column of the usage frame is missing.
    """
    cost = checked(frame)["cost_usd"].to_numpy(np.float64, na_value=np.nan)
    is_money, is_simulated = is_real(frame), has(frame["backend"], "simulator")
    is_replayed, is_known = has(frame["backend"], "cassette"), np.isfinite(cost)
    is_billed, is_estimated = is_money & ~is_replayed, has(frame["usage_source"], "estimated")
    is_unknown = ~is_known & ~is_told_elsewhere(frame)
    return Total(
        usd=_sum(cost[is_billed & is_known]),
        n_real=int(is_billed.sum()),
        n_unpriced=int((is_billed & is_unknown).sum()),
        n_estimated=int((is_billed & is_estimated).sum()),
        simulated_usd=_sum(cost[is_simulated & is_known]),
        n_simulated=int(is_simulated.sum()),
        n_simulated_unpriced=int((is_simulated & is_unknown).sum()),
        n_simulated_estimated=int((is_simulated & is_estimated).sum()),
        n_replayed=int(is_replayed.sum()),
    )


def _sentence(usd: float, n_attempts: int, n_unpriced: int, n_estimated: int) -> str:
    """Return a sum with what it misses and what in it is an estimate."""
    if np.isnan(usd):
        return f"cost not known for {_attempts(n_attempts)}"
    said = f"{dollars(usd)} for {_attempts(n_attempts)}"
    of_them = (
        f"{n_unpriced:,} of them of unknown cost" if n_unpriced else "",
        f"{n_estimated:,} estimated" if n_estimated else "",
    )
    return ", ".join((said, *filter(None, of_them)))


def _attempts(count: int) -> str:
    return f"{count:,} attempt{'' if count == 1 else 's'}"


def _effort_places(efforts: pd.Index[Any]) -> pd.Index[Any]:
    """Return where each effort stands: as in the table of parameters, then any other, then none."""
    parameter = find("reasoning.effort")
    order = parameter.choices if parameter is not None else ()
    places = [order.index(effort) if effort in order else len(order) for effort in efforts]
    places = [place + (effort == NO_EFFORT) for place, effort in zip(places, efforts, strict=True)]
    return pd.Index(np.array(places, dtype=np.int64))


def _by_name(frame: pd.DataFrame, name: str, values: pd.Series[Any]) -> pd.DataFrame:
    checked(frame)
    codes, labels = numbered(values, name)
    return _dearest_first(summed(frame, codes, labels))


def _dearest_first(summary: pd.DataFrame) -> pd.DataFrame:
    columns = ["cost_usd", "simulated_cost_usd", "n_attempts"]
    return summary.sort_index().sort_values(columns, ascending=False, kind="stable", na_position="last")


def _sum(values: Any) -> float:
    return float(values.sum()) if len(values) else float("nan")


def _days(moments: pd.Series[Any]) -> Any:
    """Return the local day of each moment, as datetime64[ns].

    The zone's rules are asked once a day and not once a row: there may be a million rows.
    """
    seconds = pd.to_datetime(moments, utc=True).to_numpy("datetime64[s]").astype(np.int64)
    if not len(seconds):
        return np.array([], dtype="datetime64[ns]")
    first, last = (date.fromtimestamp(int(edge)) for edge in (seconds.min(), seconds.max()))  # noqa: DTZ012
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    starts = np.array([datetime.combine(day, time.min).timestamp() for day in days])
    places = np.searchsorted(starts, seconds, side="right") - 1
    return np.array(days, dtype="datetime64[ns]")[places]
