"""The live small multiples as one widget: whatever has come for all answers since the last message goes in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os.path import commonprefix
from typing import Any

import traitlets

from cometnb.errors import masked
from cometnb.protocol.events import APPENDED, Event
from cometnb.session.sweep import Grid
from cometnb.session.sweep_frame import Result
from cometnb.session.turn_stream import CALLED, RETURNED
from cometnb.view.bare_widget import TakenOver, joined
from cometnb.view.blocks import Blocks
from cometnb.view.html import block_html
from cometnb.view.live import REASONING, TEXT, Words
from cometnb.view.multiples import arranged, figures
from cometnb.view.widget import keep_to_its_thread

__all__ = ["MultiplesView"]

_WAITS = "waiting"


class MultiplesView(TakenOver):
    """The front end's side of a running sweep.

    Parameters
    ----------
    grid : Grid
    head : str
        The line above it.
    on_stop : callable or None
        Called when the reader presses Stop, on whatever thread the kernel reads comms on; None hides the button.

    Attributes
    ----------
    sweep : dict
        Everything shown so far. It is changed in place and not sent: `update` and `end` send what is new, and a page
        that asks for the state (after a reload, or for a second view) gets it whole.
    """

    _esm = joined("element.js", "taken_over.js", "multiples.js")
    _css = joined("multiples.css")
    sweep = traitlets.Dict().tag(sync=True)
    can_stop = traitlets.Bool(False).tag(sync=True)
    fallback = "The answers are streaming; they are shown here when they are complete."

    def __init__(self, grid: Grid, head: str, on_stop: Callable[[], None] | None = None) -> None:
        self._on_stop = on_stop
        arrangement = arranged(grid)
        self._cells = {place: _Cell() for place in arrangement.places}
        bands = [{"headings": band.headings, "rows": band.rows} for band in arrangement.bands]
        sweep = {
            "n": 0,
            "head": head,
            "foot": "",
            "is_done": False,
            "elapsed_s": 0.0,
            "across": arrangement.across,
            "down": arrangement.down,
            "bands": bands,
            # Keys of JSON are text.
            "cells": {
                str(place): {"blocks": [], "tail": "", "line": _WAITS, "state": ""} for place in self._cells
            },
        }
        super().__init__(sweep=sweep, can_stop=on_stop is not None)
        self.on_msg(self._received)
        keep_to_its_thread(self.comm)

    def update(
        self,
        events: Mapping[int, Sequence[Event]],
        results: Sequence[Result],
        foot: str,
        elapsed_s: float,
    ) -> None:
        """Send what is new, in one message.

        Parameters
        ----------
        events : Mapping of int to sequence of Event
            By the place of their run.
        results : sequence of Result
            Of the runs that have ended.
        foot : str
            The line below the grid.
        elapsed_s : float
            Since the start; kept for a page that asks later, its own clock runs in the page.
        """
        self.sweep["elapsed_s"] = elapsed_s
        cells = {
            place: self._cells[place].take(some) for place, some in events.items() if place in self._cells
        }
        for result in results:
            place = result.run.place
            if place in self._cells:
                cells[place] = cells.get(place, {}) | self._cells[place].end(result)
        news: dict[str, Any] = {str(place): one for place, one in cells.items() if one}
        changed: dict[str, Any] = {"cells": news} if news else {}
        if foot != self.sweep["foot"]:
            changed["foot"] = foot
        if changed:
            self._tell(changed)

    def end(self, foot: str) -> None:
        """Mark it as complete."""
        self._tell({"foot": foot, "is_done": True})

    def _tell(self, changed: dict[str, Any]) -> None:
        sweep = self.sweep
        sweep["n"] += 1
        for place, news in changed.get("cells", {}).items():
            cell = sweep["cells"][place]
            cell["blocks"].extend(news.get("blocks", ()))
            cell |= {name: news[name] for name in ("line", "state") if name in news}
            cell["tail"] = self._cells[int(place)].tail
        sweep |= {name: value for name, value in changed.items() if name != "cells"}
        self.send({"n": sweep["n"], **changed})

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        if self._on_stop is not None and isinstance(content, dict) and content.get("op") == "stop":
            self._on_stop()


class _Cell:
    """One answer while it comes.

    Attributes
    ----------
    tail : str
        The HTML of its open block, as the page has it.
    """

    def __init__(self) -> None:
        self.tail = ""
        self._blocks = Blocks()
        self._line = _WAITS
        self._n_deltas = 0
        self._words = Words()

    def take(self, events: Sequence[Event]) -> dict[str, Any]:
        """Return what is new: finished blocks, how the tail has changed, and the line below."""
        text = "".join(map(self._words.of, events))
        news: dict[str, Any] = {}
        if text:
            done = [block_html(block) for block in self._blocks.feed(text)]
            news = {"blocks": done} if done else {}
            news |= self._tail_news(block_html(self._blocks.tail, is_open=True))
        self._n_deltas += sum(event.type in APPENDED for event in events)
        line = self._status(events)
        if line != self._line:
            self._line = news["line"] = line
        return news | {"state": "running"} if news else news

    def end(self, result: Result) -> dict[str, Any]:
        """Return what ends the cell: the tail as a block, and what the answer has used."""
        last = block_html(self._blocks.finish())
        response = result.response
        if not self._n_deltas and response is not None:
            # It did not stream: it was kept from before, or came whole.
            last = block_html(response.output_text or response.refusal or "")
        error = result.error.fact if result.error is not None else ""
        line = masked(" · ".join(filter(None, [error, figures(result)])))
        state = "done" if result.status == "completed" else "failed"
        return {"blocks": [last] if last else [], **self._tail_news(""), "line": line, "state": state}

    def _tail_news(self, tail: str) -> dict[str, Any]:
        """Return how much of the old tail stays, in the page's UTF-16 units, and what is added to that."""
        kept = commonprefix([self.tail, tail])  # noqa: RUF071  # of texts, letter by letter
        self.tail = tail
        return {"keep": len(kept.encode("utf-16-le", "surrogatepass")) // 2, "add": tail[len(kept) :]}

    def _status(self, events: Sequence[Event]) -> str:
        for event in reversed(events):
            if event.type == TEXT:
                return "writing"
            if event.type in REASONING:
                return "reasoning"
            if event.type in (CALLED, RETURNED):
                return "running a function" if event.type == CALLED else _WAITS
            item = event.raw.get("item")
            if event.type == "response.output_item.added" and isinstance(item, dict):
                return "reasoning" if item.get("type") == "reasoning" else "writing"
        return self._line
