"""The board: a panel as people see it in JupyterLab and Notebook, kept in step with the panel from whatever thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from cometnb.defaults import shared
from cometnb.errors import CometError
from cometnb.panel.acts import ACTS
from cometnb.panel.asking import FIELDS
from cometnb.panel.columns import Columns
from cometnb.panel.controls import CONTROLS, other
from cometnb.panel.ending import ended, shown_whole
from cometnb.panel.history import Run
from cometnb.panel.kept import BELOW, Kept
from cometnb.panel.offers import known_models, names_of
from cometnb.panel.packing import without_key
from cometnb.panel.tabs import TABS, Picked, page_of
from cometnb.panel.values import problems_of, settings_with, values_of
from cometnb.panel.widgets import ColumnHead, Deck, Part, Sheet, Stack
from cometnb.view.feed import Feed
from cometnb.view.spending_panel import Paced
from cometnb.view.widget import LiveView

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["Board"]

_PERIOD_S = 0.25
_LIVE_TABS = ("events", "usage")
_OF_STATUS = ("running", "problem", "expected", "spent", "request")


class Board:
    """The widgets of one panel.

    It holds nothing of its own but what is chosen on it; what is asked and what came belongs to the panel. Shown in
    two places both are in step, for they are views of the same widgets.

    Parameters
    ----------
    panel : Panel

    Attributes
    ----------
    deck : Deck
        Prompt, controls, keys and presets; its ``values`` can be set.
    sheet : Sheet
        The tabs.
    live : LiveView
        The answer.
    columns : Columns
    box : Stack
        All of them, to be displayed or to be put beside other widgets.
    picked : Picked
    chosen : str
        The name of the preset that was loaded or saved last.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.picked = Picked()
        self.chosen = ""
        self._lock = RLock()
        self._run: Run | None = None
        self._is_closed = False
        self._n_told = 0
        self._kept = Kept(panel)
        self.live = self._live()
        self.live.add_class("cometnb-home")
        self._feed = Feed(self.live)
        self.deck = Deck(self._lock, self._act, rows=_rows({}), **self._opening())
        self.sheet = Sheet(self._lock, self._act)
        self.columns = Columns(panel, self._head, self._live)
        self.box = Stack((self.deck, self.sheet, self.live), named="cometnb-board")
        self._paced = Paced(_weakly(self.draw_page), _PERIOD_S)
        self._watch()
        self.empty()
        self._show_last()
        self.draw()
        Thread(target=self._find_models, name="cometnb-models", daemon=True).start()

    def bundle(self) -> dict[str, Any]:
        """Return the mimetypes of its display, and put the card that the file keeps above it."""
        self._kept.show()
        self._offer(names_of(self.panel.namespace))
        view = {"version_major": 2, "version_minor": 1, "model_id": self.box.model_id}
        return {
            "application/vnd.jupyter.widget-view+json": view,
            "text/markdown": f"*{BELOW}*",
            "text/plain": BELOW,
        }

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return not self._is_closed

    def close(self) -> None:
        """Take it away, wherever it is shown; the panel stays."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._kept.update()
        self._end_watch()
        self._paced.close()
        self.panel.unobserve(self._asked_changed, [*FIELDS, "confirms"])
        self.panel.unobserve(self._status_changed, _OF_STATUS)
        self.panel.unobserve(self._marks_changed, "refused")
        self.panel.unobserve(self._columns_changed, "columns")
        self.panel.unobserve(self._runs_changed, ["runs", "error", "notes"])
        self.panel.unobserve(self._comparing_changed, "comparing")
        self.columns.close()
        for one in (self.box, self.deck, self.sheet, self.live):
            one.close()

    # What the acts use.

    def say(self, words: str, *, is_bad: bool = False, text: str | None = None) -> None:
        """Say something to the reader; `text` is to be shared."""
        with self._lock:
            self._n_told += 1
            told = {"n": self._n_told, "words": without_key(words), "is_bad": is_bad}
            self.deck.tell(told=told | ({} if text is None else {"text": text}))

    def empty(self) -> None:
        """Empty the answer."""
        self._feed.clear()

    def open_tab(self, tab: str) -> None:
        """Open a tab, as a person would."""
        if tab in TABS:
            self.sheet.tell(tab=tab)

    def choose_preset(self, name: str) -> None:
        """Show the presets as they are now, with this one chosen."""
        self.chosen = name
        self.deck.tell(presets=self._presets())

    # Drawing.

    def draw(self) -> None:
        """Show everything as it is now."""
        self._draw_values()
        self._draw_status()
        self._draw_columns()
        self.draw_page()

    def draw_page(self) -> None:
        """Show the open tab as it is now."""
        with self._lock:
            if self._is_closed:
                return
            tab = self.sheet.tab
            counts = {"runs": len(self.panel.runs), "compare": len(self.panel.columns)}
            self.sheet.tell(pages={"counts": counts, tab: page_of(self.panel, tab, self.picked)})

    def _draw_values(self) -> None:
        with self._lock:
            values = self._values()
            rows = _rows(values)
            self.deck.tell(rows=rows, values=values, marks=self._marks(values))

    def _draw_status(self) -> None:
        self.deck.tell(status=self._status())

    def _draw_columns(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            self.columns.draw()
            has_columns = bool(self.panel.columns)
            children = (self.deck, self.sheet, self.live, *((self.columns.box,) if has_columns else ()))
            if self.box.children != children:
                self.box.children = children

    def _opening(self) -> dict[str, Any]:
        values = self._values()
        return {
            "values": values,
            "marks": self._marks(values),
            "status": self._status(),
            "presets": self._presets(),
        }

    def _values(self) -> dict[str, Any]:
        return values_of(self.panel.settings) | ({"confirms": True} if self.panel.confirms else {})

    def _marks(self, values: Mapping[str, Any]) -> dict[str, Any]:
        marks: dict[str, Any] = without_key({"problems": problems_of(values), "refused": self.panel.refused})
        return marks

    def _status(self) -> dict[str, Any]:
        panel = self.panel
        # That the prompt is still to be written needs no words; the rest does.
        words = panel.problem if panel.prompt.strip() else ""
        status: dict[str, Any] = without_key(
            {
                "running": panel.running,
                "can_run": not panel.problem,
                "words": words,
                "expected": panel.expected,
                # It stands behind the word "spent".
                "spent": panel.spent.removesuffix(" spent"),
                "model": shared.options.model,
            }
        )
        return status

    def _presets(self) -> dict[str, Any]:
        presets = self.panel.presets
        own = list(presets.own)
        return {"own": own, "shipped": [name for name in presets if name not in own], "chosen": self.chosen}

    # The panel has changed.

    def _watch(self) -> None:
        self._end_watch = self.panel.watch(self._follow)
        self.panel.observe(self._asked_changed, [*FIELDS, "confirms"])
        self.panel.observe(self._status_changed, _OF_STATUS)
        self.panel.observe(self._marks_changed, "refused")
        self.panel.observe(self._columns_changed, "columns")
        self.panel.observe(self._runs_changed, ["runs", "error", "notes"])
        self.panel.observe(self._comparing_changed, "comparing")
        self.deck.observe(self._values_changed, "values")
        self.sheet.observe(self._tab_changed, "tab")

    def _asked_changed(self, change: Any) -> None:
        self.columns.keep()
        self._draw_values()
        if self.panel.columns:
            self._draw_columns()

    def _status_changed(self, change: Any) -> None:
        self._draw_status()
        if change.name in ("running", "request"):
            self._paced.ask()
        if change.name == "running" and not change.new:
            self._kept.update()

    def _marks_changed(self, change: Any) -> None:
        self.deck.tell(marks=self._marks(self._values()))

    def _columns_changed(self, change: Any) -> None:
        self._draw_columns()
        self._paced.ask()

    def _runs_changed(self, change: Any) -> None:
        self._paced.ask()

    def _comparing_changed(self, change: Any) -> None:
        if change.new != (self.sheet.tab == "compare"):
            self.open_tab("compare" if change.new else "answer")

    def _follow(self, kind: str, *, run: Run, column: int | None, **details: Any) -> None:
        if self._is_closed:
            return
        if column is not None:
            self.columns.follow(kind, run, column, details)
            if kind == "ended":
                self._draw_columns()
            return
        if kind == "started":
            self._run = run
            self._feed.clear(str(run.request.get("model", "")))
            if self.sheet.tab not in _LIVE_TABS:
                self.open_tab("answer")
        elif kind == "events" and run is self._run:
            self._feed.update(details["events"], details["waiting"])
            if self.sheet.tab in _LIVE_TABS:
                self._paced.ask()
        elif kind == "ended":
            news = ended(self._feed, run)
            if run is not self._run and run.response is not None:
                # The board was opened in the middle of it.
                news = shown_whole(self._feed, run.response)
            self.live.tell(**news)

    def _show_last(self) -> None:
        response = None if self.panel.running else self.panel.response
        if response is not None:
            self.live.tell(**shown_whole(self._feed, response))

    # The page, or code, has changed a widget.

    def _values_changed(self, change: Any) -> None:
        self._take(change.new)

    def _take(self, values: Mapping[str, Any]) -> None:
        own = dict(values)
        self.panel.confirms = own.pop("confirms", False) is True
        settings = settings_with(self.panel.settings, own)
        if settings != self.panel.settings:
            self.panel.settings = settings

    def _take_changes(self, part: Part, message: Mapping[str, Any]) -> None:
        """Take what the page has changed: path to value, None is "not set"."""
        changes = message.get("changes")
        if not isinstance(changes, dict):
            return
        try:
            with self._lock:
                values = self._values() | changes
                self._take({path: value for path, value in values.items() if value is not None})
        finally:
            part.send({"op": "heard", "view": message.get("view"), "n": message.get("n")})

    def _tab_changed(self, change: Any) -> None:
        self.panel.comparing = change.new == "compare"
        self.draw_page()

    def _act(self, part: Part, message: Mapping[str, Any]) -> None:
        act = ACTS.get(message["op"])
        if act is None:
            return
        try:
            self._take_changes(part, message)
            act(self, part, message)
        except CometError as error:
            self.say(str(error), is_bad=True)
        except Exception as error:  # noqa: BLE001  # nobody else would hear it: no cell runs
            self.say(f"{type(error).__name__}: {error}", is_bad=True)

    # Making.

    def _live(self) -> LiveView:
        return LiveView("", self.panel.stop, self.panel.permit)

    def _head(self, on_message: Any) -> ColumnHead:
        return ColumnHead(self._lock, on_message)

    def _find_models(self) -> None:
        with suppress(Exception):
            self._offer({"model": known_models()})

    def _offer(self, offers: Mapping[str, list[str]]) -> None:
        with self._lock:
            self.deck.tell(offers={**self.deck.offers, **offers})


def _rows(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the controls, with one more for each path that no table knows."""
    known = {control.path for control in CONTROLS}
    others = [other(path) for path in values if path not in known]
    return [control.as_state() for control in (*CONTROLS, *others)]


def _weakly(act: Callable[[], None]) -> Callable[[], None]:
    """Return what does the same as a bound method and keeps its object from nothing: a timer may outlive the board."""
    method = WeakMethod(act)

    def call() -> None:
        found = method()
        if found is not None:
            found()

    return call
