"""From a call's events to its live view: rendered here block by block, sent once, and kept for a page that asks later."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from cometnb.errors import masked
from cometnb.protocol.events import APPENDED, Event
from cometnb.protocol.response import Response
from cometnb.session.turn_stream import ASKED, CALLED, RETURNED
from cometnb.view.blocks import Blocks
from cometnb.view.cards import Cards
from cometnb.view.html import block_html
from cometnb.view.live import REASONING, TEXT, Words, delta_of, next_summary
from cometnb.view.parts import ending
from cometnb.view.usage import usage_line
from cometnb.view.widget import LiveView

__all__ = ["Feed"]


_OF_CALLS = {CALLED: "running {name}", ASKED: "may {name} run?", RETURNED: "waiting for the answer"}


class Feed:
    """Feeds one live view; after `clear`, the next answer's.

    Parameters
    ----------
    view : LiveView
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, view: LiveView, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._started_s = self._clock()
        self._blocks = Blocks()
        self._reasoning = Blocks()
        self._cards = Cards()
        self._has_reasoning = False
        self._words = Words()

    def clear(self, model: str = "") -> None:
        """Empty the view for the next answer, which `model` was asked for; without one it waits for a run."""
        self._begin()
        self.view.clear(model)

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Send what is new, in one message."""
        state = self.view.answer
        # Kept for a page that asks later; its own clock runs in the page.
        state["elapsed_s"] = self._clock() - self._started_s
        news: dict[str, Any] = {}
        news |= _grown(self._blocks, "".join(map(self._words.of, events)), "blocks", "tail")
        news |= _grown(self._reasoning, "".join(map(self._thoughts, events)), "thoughts", "thought")
        if self._cards.take(events):
            news["cards"] = self._cards.shown()
        n_deltas = state["n_deltas"] + sum(event.type in APPENDED for event in events)
        phase = masked(self._phase(events, state["phase"]))
        told = {"n_deltas": n_deltas, "phase": phase, "detail": masked(waiting or "")}
        news |= {name: value for name, value in told.items() if value != state[name]}
        if news:
            self.view.tell(**news)

    def last(self, response: Response) -> dict[str, Any]:
        """Return the news that end the view: what was still open, and how the answer ended."""
        last: dict[str, Any] = {"blocks": [block_html(self._blocks.finish())], "tail": "", "phase": "done"}
        words = filter(None, [ending(response).rstrip("."), usage_line(response)])
        last["detail"] = masked(" · ".join(words))
        if self._cards.end():
            last["cards"] = self._cards.shown()
        return last

    def _thoughts(self, event: Event) -> str:
        if event.type in REASONING:
            self._has_reasoning = True
            return delta_of(event)
        return next_summary(event) if self._has_reasoning else ""

    def _phase(self, events: Sequence[Event], before: str) -> str:
        for event in reversed(events):
            if event.type == TEXT:
                return "writing"
            if event.type in _OF_CALLS:
                return _OF_CALLS[event.type].format(**event.raw)
            item = event.raw.get("item")
            if event.type == "response.output_item.added" and isinstance(item, dict):
                kind = str(item.get("type") or "")
                return {"message": "writing", "reasoning": "reasoning"}.get(kind, kind.replace("_", " "))
        return before


def _grown(blocks: Blocks, text: str, finished: str, tail: str) -> dict[str, Any]:
    """Return what new text adds: the HTML of the blocks it finishes and of the open tail."""
    if not text:
        return {}
    done = [block_html(block) for block in blocks.feed(text)]
    news: dict[str, Any] = {tail: block_html(blocks.tail, is_open=True)}
    return news | ({finished: done} if done else {})
