"""A sweep while it runs: side by side in a front end, a line per run in a terminal, nothing before its end elsewhere."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from cometnb.errors import masked, printable
from cometnb.protocol.counted import counted
from cometnb.protocol.events import Event
from cometnb.protocol.response import whole_text
from cometnb.session.sweep import Grid, said
from cometnb.session.sweep_frame import Result
from cometnb.view.choose import reads_comms_while_it_waits, shows_widgets
from cometnb.view.multiples import figures, heading, multiples_bundle, summary
from cometnb.view.neutral import plain_markdown
from cometnb.view.publish import publish

__all__ = [
    "Multiples",
    "PlainMultiples",
    "SilentMultiples",
    "StillMultiples",
    "TerminalMultiples",
    "WatchedMultiples",
    "multiples_for",
]

_LONGEST_LINE = 60


class Multiples(Protocol):
    """What shows a sweep.

    Attributes
    ----------
    period_s : float
        Seconds between two updates at least.
    """

    @property
    def period_s(self) -> float: ...  # noqa: D102  # documented above

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Show what has come since the last update."""

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Show the sweep as it stays."""


def multiples_for(
    watcher: str, grid: Grid, head: Sequence[str], on_stop: Callable[[], None], namespace: Mapping[str, Any]
) -> Multiples:
    """Return what shows a sweep to whoever watches, `head` above it at once.

    Parameters
    ----------
    watcher : str
        ``front end``, ``terminal`` or ``nobody``.
    grid : Grid
    head : sequence of str
        What is asked and what it is expected to cost.
    on_stop : callable
        Ends the sweep, from any thread.
    namespace : Mapping
        The notebook's names.
    """
    if watcher == "terminal":
        return TerminalMultiples(grid, head)
    if watcher != "front end":
        return StillMultiples(grid)
    if not shows_widgets(namespace):
        return PlainMultiples(grid, head)
    return WatchedMultiples(grid, head, on_stop if reads_comms_while_it_waits() else None)


class _Count:
    """How far a sweep has come."""

    def __init__(self, grid: Grid, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_runs = len(grid.runs)
        self._clock = clock
        self._started_s = clock()
        self.n_ended = 0
        self._running: set[int] = set()

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._started_s

    def take(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> str:
        self._running |= set(events)
        self._running -= {result.run.place for result in ended}
        self.n_ended += len(ended)
        parts = [f"{self.n_ended:,} of {counted(self._n_runs, 'run')} ended"]
        return ", ".join(parts + ([f"{len(self._running):,} running"] if self._running else []))


class WatchedMultiples:
    """In JupyterLab and Notebook 7: the live view, which gives way to one native display in its place.

    Parameters
    ----------
    grid : Grid
    head : sequence of str
    on_stop : callable or None
        Ends the sweep; None where a Stop button could not reach the kernel.
    """

    period_s = 0.1

    def __init__(self, grid: Grid, head: Sequence[str], on_stop: Callable[[], None] | None = None) -> None:
        # anywidget takes 0.2 s to load.
        from cometnb.view.multiples_widget import MultiplesView

        self._grid, self._count = grid, _Count(grid)
        self._view = MultiplesView(grid, masked("\n".join(head)), on_stop)
        self._display_id = uuid.uuid4().hex
        publish(self._view.bundle(), display_id=self._display_id)

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Send what is new, in one message."""
        foot = self._count.take(events, ended)
        self._view.update(events, ended, foot, self._count.elapsed_s)

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Replace the live view by one display; a page that was reloaded, or a copy of the cell, keeps the view, complete."""
        elapsed_s = self._count.elapsed_s
        foot = " · ".join([summary(self._grid, results, elapsed_s=elapsed_s), *notes])
        from cometnb.view.bare_widget import let_go  # loaded with the view

        data, metadata = multiples_bundle(self._grid, results, notes=notes, elapsed_s=elapsed_s)
        publish(data, metadata, display_id=self._display_id, is_update=True)
        # Where the display has taken its place nothing is drawn any more.
        self._view.end(masked(foot))
        let_go(self._view)


class PlainMultiples:
    """In a front end that may not show widgets: a table that is sent again when runs have ended, at most once a second.

    Parameters
    ----------
    grid : Grid
    head : sequence of str
    """

    period_s = 1.0

    def __init__(self, grid: Grid, head: Sequence[str]) -> None:
        self._grid, self._count = grid, _Count(grid)
        self._head = masked(" · ".join(head))
        self._display_id = uuid.uuid4().hex
        self._shown = ""
        self._show("waiting for the answers", is_update=False)

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Say how far it is."""
        self._show(self._count.take(events, ended))

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Replace it by the display that stays."""
        data, metadata = multiples_bundle(self._grid, results, notes=notes, elapsed_s=self._count.elapsed_s)
        publish(data, metadata, display_id=self._display_id, is_update=True)

    def _show(self, foot: str, *, is_update: bool = True) -> None:
        if foot == self._shown:
            return
        self._shown = foot
        text = f"{self._head} · {foot}"
        publish(
            {"text/markdown": plain_markdown(text), "text/plain": printable(text)},
            display_id=self._display_id,
            is_update=is_update,
        )


class StillMultiples:
    """Where no live front end watches: one display at the end, the same for the same answers in every run."""

    period_s = 0.5

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Show nothing yet."""

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Show the answers."""
        publish(*multiples_bundle(self._grid, results, notes=notes, with_times=False))


class SilentMultiples:
    """With ``--quiet``: nothing is shown."""

    period_s = 0.5

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Show nothing."""

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Show nothing."""


class TerminalMultiples:
    """In a terminal: a line for each run that has ended.

    Parameters
    ----------
    grid : Grid
    head : sequence of str
    out : file, optional
        Standard output if None.
    """

    period_s = 0.1

    def __init__(self, grid: Grid, head: Sequence[str], out: TextIO | None = None) -> None:
        self._grid, self._count = grid, _Count(grid)
        self._out = out or sys.stdout
        self._n_written = 0
        self._write(*head)

    def update(self, events: Mapping[int, Sequence[Event]], ended: Sequence[Result]) -> None:
        """Write the runs that have ended."""
        self._count.take(events, ended)
        self._write(*(self._line(result) for result in ended))

    def finish(self, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        """Write what it came to."""
        self._write(summary(self._grid, results, elapsed_s=self._count.elapsed_s), *notes)

    def _line(self, result: Result) -> str:
        self._n_written += 1
        point = result.run.point
        where = said(self._grid.axes, point.labels, result.run.repeat if self._grid.repeat > 1 else 0)
        text = result.response.output_text if result.response is not None else ""
        text = " ".join(masked(text if result.error is None else result.error.fact).split())
        shown = text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"
        parts = [f"[{self._n_written}/{len(self._grid.runs)}]", heading(where), figures(result), shown]
        return " · ".join(part for part in parts if part)

    def _write(self, *lines: str) -> None:
        for line in lines:
            self._out.write(f"{whole_text(printable(masked(line)))}\n")
        self._out.flush()
