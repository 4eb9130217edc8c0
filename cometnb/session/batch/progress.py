"""A bar that shows how far a batch is, what it has cost, what failed and why it waits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from math import isnan
from typing import Any

from cometnb.protocol.cost import dollars
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.results import Line
from cometnb.session.origin import shell_now

__all__ = ["Progress"]

_REDRAWN_S = 0.2


class Progress:
    """A tqdm bar, as a widget in a notebook and as a line in a terminal. In a notebook its last line alone remains.

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
        Rows with an error; rows whose answer stood in the checkpoint.
    """

    def __init__(self, n_jobs: int | None, *, shows: bool = True, title: str = "") -> None:
        self.cost_usd = 0.0
        self.n_failed = self.n_stored = self.n_unpriced = 0
        self._pace = ""
        self._display_id = uuid.uuid4().hex
        self._bar: Any = _bar(n_jobs, title) if shows else None
        widget = getattr(self._bar, "container", None)
        if widget is not None:
            self._publish(widget._repr_mimebundle_())

    def take(self, line: Line, *, is_asked: bool) -> None:
        """Count what became of a row; `is_asked` says that a request was sent for it."""
        is_stored = line.source == "checkpoint"
        self.n_failed += line.error is not None
        self.n_stored += is_stored
        if is_asked:
            # An error without an answer has no price, and says so by itself.
            self.n_unpriced += isnan(line.cost_usd) and line.response_id is not None
            self.cost_usd += 0.0 if isnan(line.cost_usd) else line.cost_usd
        if self._bar is not None:
            # What came from the file says nothing of how long the others take.
            self._bar.initial += is_stored
            # Told with the bar's own next drawing, and not at once.
            self._bar.set_postfix_str(self.words(), refresh=False)
            self._bar.update()

    def tick(self, run: BatchRun) -> None:
        """Draw anew although nothing has come, so that the clock moves and a wait says its reason."""
        self._pace = _pace(run)
        if self._bar is not None:
            self._bar.set_postfix_str(self.words(), refresh=True)

    def words(self) -> str:
        """Return what stands behind the bar: ``$0.012, 3 failed, waits 12 s (the service is busy)``."""
        said = [dollars(self.cost_usd)] if self.cost_usd or not self.n_unpriced else []
        if self.n_unpriced:
            said.append(f"{self.n_unpriced:,} without a known price")
        if self.n_stored:
            said.append(f"{self.n_stored:,} from the checkpoint")
        if self.n_failed:
            said.append(f"{self.n_failed:,} failed")
        return ", ".join([*said, self._pace] if self._pace else said)

    def close(self) -> None:
        """Leave the last state, as a line of text."""
        bar, self._bar = self._bar, None
        if bar is None:
            return
        self._pace = ""
        bar.set_postfix_str(self.words(), refresh=False)
        bar.close()
        widget = getattr(bar, "container", None)
        if widget is None:
            return
        # A saved notebook would hold a widget that nobody can draw any more.
        self._publish({"text/plain": widget.__repr__(pretty=True)}, update=True)
        for one in (*widget.children, widget):
            for part in (getattr(one, "style", None), one.layout, one):
                if part is not None:
                    part.close()

    def _publish(self, data: Mapping[str, Any], *, update: bool = False) -> None:
        shell = shell_now()
        if shell is not None:
            place = {"display_id": self._display_id}
            shell.display_pub.publish(data=data, metadata={}, transient=place, update=update)


def _bar(n_jobs: int | None, title: str) -> Any:
    from tqdm.auto import tqdm  # takes a moment to load

    is_widget = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    own: dict[str, Any] = {"display": False} if is_widget else {}
    # Answers come in bursts: the time left is from the mean of the whole run, and not from the last moment.
    own |= {"smoothing": 0, "miniters": 1, "mininterval": _REDRAWN_S}
    return tqdm(total=n_jobs, desc=title or None, unit="row", **own)


def _pace(run: BatchRun) -> str:
    if run.pause_s >= 1:
        return f"waits {run.pause_s:.0f} s (the service is busy)"
    return f"{run.window} at once" if run.window < run.limits.max_concurrency else ""
