"""A bar that shows how far a batch is, what it has cost, what failed and why it waits."""

from __future__ import annotations

from math import isnan
from typing import Any

from cometnb.protocol.cost import dollars
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Outcome

__all__ = ["Progress"]

_REDRAWN_S = 0.2


class Progress:
    """A tqdm bar, as a widget in a notebook and as a line in a terminal.

    Parameters
    ----------
    n_jobs : int or None
        None if that is not known: then there is no time left.
    shows : bool
        False counts only.
    title : str

    Attributes
    ----------
    cost_usd : float
        Of this run's answers whose price is known.
    n_unpriced : int
        This run's answers without a known price.
    n_failed, n_stored : int
    """

    def __init__(self, n_jobs: int | None, *, shows: bool = True, title: str = "") -> None:
        self.cost_usd = 0.0
        self.n_failed = self.n_stored = self.n_unpriced = 0
        self._bar: Any = None
        if shows:
            from tqdm.auto import tqdm  # takes a moment to load

            self._bar = tqdm(total=n_jobs, desc=title or None, unit="row", mininterval=_REDRAWN_S)

    def take(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.n_failed += outcome.error is not None
        self.n_stored += outcome.is_stored
        if outcome.response is not None and outcome.n_asked:
            usd = outcome.response.cost.usd
            self.n_unpriced += isnan(usd)
            self.cost_usd += 0.0 if isnan(usd) else usd
        if self._bar is not None:
            # Told with the bar's own next drawing, and not at once.
            self._bar.set_postfix_str(self.words(), refresh=False)
            self._bar.update()

    def refuse(self) -> None:
        """Count one that could not even be asked."""
        self.n_failed += 1
        if self._bar is not None:
            self._bar.set_postfix_str(self.words(), refresh=False)
            self._bar.update()

    def tick(self, run: BatchRun) -> None:
        """Draw anew although nothing has come, so that the clock moves and a wait says its reason."""
        if self._bar is not None:
            self._bar.set_postfix_str(self.words(run), refresh=True)

    def words(self, run: BatchRun | None = None) -> str:
        """Return what stands behind the bar: ``$0.012, 3 failed, waits 12 s (too many requests)``."""
        said = [dollars(self.cost_usd)] if self.cost_usd or not self.n_unpriced else []
        if self.n_unpriced:
            said.append(f"{self.n_unpriced:,} without a known price")
        if self.n_stored:
            said.append(f"{self.n_stored:,} from the checkpoint")
        if self.n_failed:
            said.append(f"{self.n_failed:,} failed")
        if run is not None and run.pause_s >= 1:
            said.append(f"waits {run.pause_s:.0f} s as the service asks")
        elif run is not None and run.window < run.limits.max_concurrency:
            said.append(f"{run.window} at once")
        return ", ".join(said)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
