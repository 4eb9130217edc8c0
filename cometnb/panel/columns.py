"""The columns of a comparison on the board: a head and a live view for each, made when there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cometnb.panel.comparing import Column
from cometnb.panel.difference import difference
from cometnb.panel.ending import ended, shown_whole
from cometnb.panel.history import Run, flat
from cometnb.panel.packing import without_key
from cometnb.panel.tabs import shown_difference
from cometnb.panel.values import summary, values_of
from cometnb.panel.widgets import ColumnHead, Part, Stack
from cometnb.view.feed import Feed
from cometnb.view.widget import LiveView

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["Columns"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Columns:
    """The columns of a panel, drawn.

    Parameters
    ----------
    panel : Panel
    make_head : callable
        Takes the handler of its messages; returns a `ColumnHead`.
    make_live : callable
        Returns a `LiveView`.
    """

    def __init__(
        self,
        panel: Panel,
        make_head: Callable[[Callable[[Part, Mapping[str, Any]], None]], ColumnHead],
        make_live: Callable[[], LiveView],
    ) -> None:
        self._panel = panel
        self._make_head, self._make_live = make_head, make_live
        self._lanes: list[_Lane] = []
        # Columns that hold what was set when they were added, by label.
        self._kept: set[str] = set()
        self.box = Stack(named="cometnb-columns")

    def add_settings(self) -> None:
        """Add what the panel has set as a column; what is changed afterwards does not reach it."""
        used = {column.label for column in self._panel.columns}
        label = next((letter for letter in _LETTERS if letter not in used), str(len(used) + 1))
        self._kept.add(label)
        self._panel.add_column(label, **flat(self._panel.params))

    def keep(self) -> None:
        """Have what was not set when such a column was added stay not set in it."""
        now = flat(self._panel.params)
        for place, column in enumerate(self._panel.columns):
            if column.label in self._kept:
                for path in now.keys() - column.overrides.keys():
                    self._panel.set_in_column(place, path, None)

    def draw(self) -> None:
        """Show the columns as they are now."""
        columns = self._panel.columns
        while len(self._lanes) > len(columns):
            self._lanes.pop().close()
        while len(self._lanes) < len(columns):
            self._lanes.append(self._new_lane())
        children = tuple(lane.box for lane in self._lanes)
        if self.box.children != children:
            self.box.children = children
        settings = [values_of(column.settings(self._panel.settings)) for column in columns]
        for place, (lane, column) in enumerate(zip(self._lanes, columns, strict=True)):
            lane.show(column.run)
            own = _differing(settings, place)
            lane.head.tell(
                column=without_key(
                    {
                        "label": column.label or f"{place + 1}",
                        "settings": summary(own) or "as set above",
                        "diff": _diff(columns, place),
                    }
                )
            )

    def follow(self, kind: str, run: Run, column: int, details: Mapping[str, Any]) -> None:
        """Show what a column's run tells, on its own thread."""
        if column < len(self._lanes):
            self._lanes[column].follow(kind, run, details)

    def close(self) -> None:
        """Take everything away."""
        while self._lanes:
            self._lanes.pop().close()
        self.box.close()

    def _new_lane(self) -> _Lane:
        return _Lane(self._make_head(self._remove), self._make_live())

    def _remove(self, head: Part, message: Mapping[str, Any]) -> None:
        place = next((at for at, lane in enumerate(self._lanes) if lane.head is head), None)
        if place is not None and message.get("op") == "remove" and not self._panel.running:
            self._lanes.pop(place).close()
            self._panel.remove_column(place)


class _Lane:
    """One column: its head, its answer, and which run that is."""

    def __init__(self, head: ColumnHead, live: LiveView) -> None:
        self.head, self._live = head, live
        self._feed = Feed(live)
        self._run: Run | None = None
        self.box = Stack((head, live), named="cometnb-column")
        self._feed.clear()

    def show(self, run: Run | None) -> None:
        """Show a run that had ended before anybody watched."""
        if run is not None and run is not self._run and run.response is not None:
            self._run = run
            self._live.tell(**shown_whole(self._feed, run.response))

    def follow(self, kind: str, run: Run, details: Mapping[str, Any]) -> None:
        if kind == "started":
            self._run = run
            self._feed.clear(str(run.request.get("model", "")))
        elif kind == "events" and run is self._run:
            self._feed.update(details["events"], details["waiting"])
        elif kind == "ended" and run is self._run:
            self._live.tell(**ended(self._feed, run))

    def close(self) -> None:
        for one in (self.box, self.head, self._live):
            one.close()


def _differing(settings: list[dict[str, Any]], place: int) -> dict[str, Any]:
    """Return a column's values that are not those of all columns; None is "not set"."""
    paths = dict.fromkeys(path for values in settings for path in values)
    return {
        path: settings[place].get(path)
        for path in paths
        if any(values.get(path) != settings[0].get(path) for values in settings)
    }


def _diff(columns: tuple[Column, ...], place: int) -> dict[str, Any] | None:
    first, own = columns[0].run, columns[place].run
    if not place or first is None or own is None or first.response is None or own.response is None:
        return None
    return shown_difference(difference(first, own), f"against {columns[0].label or 'the first'}")
