"""What a sweep is expected to cost, said before its first call: the sum of its calls' bands, also by model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import TYPE_CHECKING

from cometnb.defaults import Shared
from cometnb.errors import CometError
from cometnb.protocol.cost import dollar_band
from cometnb.protocol.counted import counted
from cometnb.session.sweep import Grid, Run

if TYPE_CHECKING:
    import pandas as pd

    from cometnb.ledger.forecast import Forecast

__all__ = ["Band", "Expected", "expected"]

_FLUSH_S = 2.0


@dataclass(slots=True)
class Band:
    """What some runs are expected to cost.

    Attributes
    ----------
    n_runs, n_unpriced : int
        Runs, and those of them whose price is not known; these are in no sum.
    low_usd, high_usd : float
        US dollars; infinite where nothing bounds it.
    """

    n_runs: int = 0
    n_unpriced: int = 0
    low_usd: float = 0.0
    high_usd: float = 0.0

    def add(self, low_usd: float, high_usd: float) -> None:
        """Count one more run."""
        self.n_runs += 1
        if isnan(low_usd):
            self.n_unpriced += 1
        else:
            self.low_usd += low_usd
            self.high_usd += high_usd

    def __str__(self) -> str:
        if self.n_unpriced == self.n_runs:
            return "no price known"
        unpriced = f", and {counted(self.n_unpriced, 'run')} of no known price" if self.n_unpriced else ""
        return dollar_band(self.low_usd, self.high_usd) + unpriced


@dataclass(slots=True)
class Expected:
    """What a sweep's runs are expected to cost.

    Attributes
    ----------
    whole : Band
    by_model : dict of str to Band
    sources, notes : dict of str to None
        Where the prices are from; what is not in the sums. In order of appearance, each once.
    trouble : str
        Why nothing is known; empty if something is.
    forecasts : dict of int to Forecast
        By the place of their run.
    """

    whole: Band = field(default_factory=Band)
    by_model: dict[str, Band] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    trouble: str = ""
    forecasts: dict[int, Forecast] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return it in words: the sum, then each model's part if there are several."""
        if self.trouble:
            return [f"What it would cost is not known: {self.trouble}"]
        if not self.whole.n_runs:
            return []
        source = (
            f" ({', '.join(self.sources)})" if len(self.sources) == 1 and self.whole.n_unpriced == 0 else ""
        )
        lines = [f"Expected cost: {self.whole}{source}"]
        if len(self.by_model) > 1:
            lines += [
                f"{model}: {counted(band.n_runs, 'run')}, {band}" for model, band in self.by_model.items()
            ]
        # The band's upper end is the limit of the answers, and some have none.
        endless = ["max_output_tokens would bound it."] if isinf(self.whole.high_usd) else []
        return [*lines, *endless, *self.notes]

    def frame(self, grid: Grid) -> pd.DataFrame:
        """Return it as a frame, one row per run.

        Returns
        -------
        DataFrame
            The axes, ``repeat`` (Int64) and ``model`` (string) as in a sweep's frame, ``input_tokens`` (Int64,
            estimated), ``cost_low_usd`` and ``cost_high_usd`` (float64, US dollars; NaN is no price known, infinite
            that nothing bounds it).
        """
        import pandas as pd

        from cometnb.session.sweep_frame import Result, frame_of

        asked = frame_of(grid, [Result(run) for run in grid.runs])
        names = dict.fromkeys([*(axis.name for axis in grid.axes), "repeat", "model"])
        found = [self.forecasts.get(run.place) for run in grid.runs]
        return asked[list(names)].assign(
            input_tokens=pd.array([one.input_tokens if one else None for one in found], dtype="Int64"),
            cost_low_usd=[one.cost_low_usd if one else float("nan") for one in found],
            cost_high_usd=[one.cost_high_usd if one else float("nan") for one in found],
        )


def expected(runs: Sequence[Run], shared: Shared) -> Expected:
    """Return what runs are expected to cost.

    Parameters
    ----------
    runs : sequence of Run
        Those that are going to be asked.
    shared : Shared
        Its ledger says how long earlier answers were.
    """
    # What knows prices is heavy, and is loaded when a sweep asks for it.
    from cometnb.ledger.forecast import Forecaster
    from cometnb.ledger.prices import default_prices

    result = Expected()
    options = shared.options
    # What was asked a moment ago counts, whether or not it has been written.
    shared.ledger.flush(_FLUSH_S)
    found: dict[int, Forecast] = {}
    try:
        forecaster = Forecaster(
            base_url=options.base_url,
            backend=options.backend.partition(":")[0],
            prices=default_prices(),
            ledger=shared.ledger,
        )
        for run in runs:
            point = run.point
            if id(point) not in found:
                found[id(point)] = forecaster.of(point.body)
            one = result.forecasts[run.place] = found[id(point)]
            band = result.by_model.setdefault(str(point.body["model"]), Band())
            for sums in (result.whole, band):
                sums.add(one.cost_low_usd, one.cost_high_usd)
            result.sources |= {one.price_source: None} if one.price_source else {}
            result.notes |= dict.fromkeys(one.notes)
    except CometError as error:
        result.trouble = error.fact
    return result
