"""The live cost panel: a widget that is told new figures as calls end, beside a table that stays in the notebook."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import Lock, Timer
from typing import Any

import traitlets

from cometnb.client.attempt import Attempt, Observer
from cometnb.view.bare_widget import BareWidget, joined
from cometnb.view.publish import publish
from cometnb.view.spending import Figures, Point, bundle_of, drawn
from cometnb.view.usage import usage_line
from cometnb.view.widget import keep_to_its_thread

__all__ = ["Paced", "SpendingPanel", "SpendingView"]

_FALLBACK = "The live panel belongs to a running kernel; its last figures stand above."
_MOST_POINTS = 40

# The table is what the file keeps. A page that shows the panel hides it; a page that has no such widget (the file
# was opened again) hides what stands in the widget's place instead. Both rules end with the page's own style.
_TAKE_TURNS = (
    "<style>"
    ".jp-OutputArea-child:has(.cometnb-figures):has(+ .jp-OutputArea-child .cometnb-spending),"
    ".jp-OutputArea-child:has(.cometnb-live-figures) + .jp-OutputArea-child:not(:has(.cometnb-spending))"
    "{ display: none; }</style>"
)


class Paced:
    """Does something soon after it is asked to, but at most once a period, on a thread of its own.

    Parameters
    ----------
    act : callable
    period_s : float
        Seconds between the end of one act and the next.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self, act: Callable[[], None], period_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._act = act
        self._period_s = period_s
        self._clock = clock
        self._lock = Lock()
        self._due_s = 0.0
        # Due, or at work; so no two acts run at a time.
        self._timer: Timer | None = None
        self._is_asked = False
        self._is_closed = False

    def ask(self) -> None:
        """Have it done; returns at once. What is asked while one is due is done with it."""
        with self._lock:
            self._is_asked = not self._is_closed
            if self._timer is None:
                self._start()

    def close(self) -> None:
        """Do nothing any more, also not what was asked before."""
        with self._lock:
            self._is_closed = True
            self._is_asked = False

    def _start(self) -> None:
        if self._is_asked:
            self._timer = Timer(max(0.0, self._due_s - self._clock()), self._run)
            self._timer.daemon = True
            self._timer.start()

    def _run(self) -> None:
        with self._lock:
            is_wanted, self._is_asked = self._is_asked, False
        try:
            if is_wanted:
                self._act()
        finally:
            with self._lock:
                self._due_s = self._clock() + self._period_s
                self._timer = None
                self._start()


class SpendingView(BareWidget):
    """The front end's side of the panel.

    Attributes
    ----------
    figures : dict
        As `drawn` returns them. They are few, so all of them travel every time, and a page that was reloaded or
        shows the output a second time asks for nothing but them.
    """

    _esm = joined("element.js", "spending.js")
    _css = joined("spending.css")
    figures = traitlets.Dict().tag(sync=True)

    def __init__(self, figures: dict[str, Any]) -> None:
        super().__init__(figures=figures)
        if self.comm is not None:
            keep_to_its_thread(self.comm)

    def bundle(self) -> dict[str, Any]:
        """Return the mimetypes of its display."""
        view = {"version_major": 2, "version_minor": 1, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": _FALLBACK}


class SpendingPanel:
    """One panel, shown in the running cell, from now until `close`.

    Parameters
    ----------
    figures : callable
        Returns the figures of the moment; asked now, and then on the panel's own thread.
    watch : callable
        Takes an observer, and returns what ends its watch.
    now : callable
        Returns the time of day.
    """

    period_s = 0.25

    def __init__(
        self,
        figures: Callable[[], Figures],
        watch: Callable[[Observer], Callable[[], None]],
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._figures = figures
        self._now = now
        self._drawing = Lock()
        self._ended: deque[Attempt] = deque()
        self._points: OrderedDict[str, Point] = OrderedDict()
        self._display_id = uuid.uuid4().hex
        self._paced = Paced(self.draw, self.period_s)
        shown, moment = self._shown()
        self._view = SpendingView(drawn(shown, f"{moment:%H:%M:%S}"))
        publish(_table(shown, moment), display_id=self._display_id)
        publish(self._view.bundle())
        self._end_watch = watch(self._take)

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return self._view.comm is not None

    def draw(self) -> None:
        """Send the figures of this moment, to the panel and to the table."""
        with self._drawing:
            if not self.is_open:
                return
            shown, moment = self._shown()
            self._view.figures = drawn(shown, f"{moment:%H:%M:%S}")
            publish(_table(shown, moment), display_id=self._display_id, is_update=True)

    def forget(self) -> None:
        """Begin the sparkline anew."""
        with self._drawing:
            self._ended.clear()
            self._points.clear()
        self.draw()

    def close(self) -> None:
        """Take the panel away; the table with its last figures stays."""
        self._end_watch()
        self._paced.close()
        self.draw()
        with self._drawing:
            self._view.close()

    def _take(self, attempt: Attempt) -> None:
        """Take an attempt that has ended; this is the call's own thread, so nothing is worked out here."""
        self._ended.append(attempt)
        self._paced.ask()

    def _shown(self) -> tuple[Figures, datetime]:
        while self._ended:
            point = _point_of(self._ended.popleft())
            self._points[point.call_id] = _after(self._points.pop(point.call_id, None), point)
        while len(self._points) > _MOST_POINTS:
            self._points.popitem(last=False)
        return replace(self._figures(), points=tuple(self._points.values())), self._now()


def _table(figures: Figures, moment: datetime) -> dict[str, str]:
    # A file is read on another day.
    bundle = bundle_of(figures, f"{moment:%Y-%m-%d %H:%M:%S}")
    shown = bundle["text/html"].replace('"cometnb-figures ', '"cometnb-figures cometnb-live-figures ', 1)
    return bundle | {"text/html": _TAKE_TURNS + shown}


def _point_of(attempt: Attempt) -> Point:
    response = attempt.response
    is_simulated = attempt.backend != "api"
    if attempt.is_free or attempt.is_in_background:
        why = "nothing was sent" if attempt.is_unsent else "its cost comes with its end"
        words = f"{attempt.status.replace('_', ' ')}: {why}"
        return Point(attempt.call_id, 0.0, 0, words, is_simulated=is_simulated)
    usage = response.usage or response.estimated_usage
    counts = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    words = usage_line(response, with_times=False)
    if attempt.status != "completed":
        words = f"{attempt.status} · {words}"
    tokens = sum(counts) if counts else None
    return Point(attempt.call_id, response.cost.usd, tokens, words, is_simulated=is_simulated)


def _after(before: Point | None, point: Point) -> Point:
    """Return a call's point when another attempt of it has ended: what the attempts cost adds up."""
    if before is None:
        return point
    # One part that is not known makes the sum unknown: NaN stays NaN.
    tokens = None if before.tokens is None or point.tokens is None else before.tokens + point.tokens
    return replace(point, usd=before.usd + point.usd, tokens=tokens, words=f"{point.words} · tried again")
