"""An answer in the live view: rendered here block by block, shown by the widget, and at the end one native display."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from cometnb.protocol.events import APPENDED, Event
from cometnb.protocol.response import Response
from cometnb.session.turn_stream import ASKED, CALLED, RETURNED
from cometnb.view.blocks import Blocks
from cometnb.view.cards import Cards
from cometnb.view.html import block_html
from cometnb.view.images import image_displays
from cometnb.view.live import REASONING, TEXT, delta_of, next_summary
from cometnb.view.mime import bundle
from cometnb.view.parts import ending
from cometnb.view.publish import publish, publish_all, replace_all
from cometnb.view.usage import usage_line
from cometnb.view.widget import LiveView

__all__ = ["WatchedAnswer"]

_REFUSAL = "response.refusal.delta"

_OF_CALLS = {CALLED: "running {name}", ASKED: "may {name} run?", RETURNED: "waiting for the answer"}

# A page that was reloaded in mid-stream can ask for the view only when the cell has ended, and no longer takes the
# native display: the latest views stay for it.
_KEPT_VIEWS = 2
_ended: deque[LiveView] = deque()


class WatchedAnswer:
    """In JupyterLab and Notebook 7: the live view, which gives way to one native display.

    Parameters
    ----------
    model : str
        The model asked for.
    on_stop : callable or None
        Ends the call; None where a Stop button could not reach the kernel.
    on_permit : callable or None
        Told whether a function may run; None where its buttons could not reach the kernel.
    clock : callable
        Seconds, monotonic.
    """

    period_s = 0.1
    idle_s = 0.5

    def __init__(
        self,
        model: str = "",
        on_stop: Callable[[], None] | None = None,
        on_permit: Callable[[str, bool], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._started_s = clock()
        self._blocks = Blocks()
        self._reasoning = Blocks()
        self._cards = Cards()
        self._view = LiveView(model, on_stop, on_permit)
        self.asks = on_permit is not None
        self._has_reasoning = False
        self._is_refusal = False
        publish(self._view.bundle(), display_id=uuid.uuid4().hex)

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Send what is new, in one message."""
        state = self._view.answer
        # Kept for a page that asks later; its own clock runs in the page.
        state["elapsed_s"] = self._clock() - self._started_s
        news: dict[str, Any] = {}
        news |= _grown(self._blocks, "".join(map(self._words, events)), "blocks", "tail")
        news |= _grown(self._reasoning, "".join(map(self._thoughts, events)), "thoughts", "thought")
        if self._cards.take(events):
            news["cards"] = self._cards.shown()
        n_deltas = state["n_deltas"] + sum(event.type in APPENDED for event in events)
        told = {"n_deltas": n_deltas, "phase": self._phase(events, state["phase"]), "detail": waiting or ""}
        news |= {name: value for name, value in told.items() if value != state[name]}
        if news:
            self._view.tell(**news)

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Replace the live view by one display; a page that was reloaded keeps the view, complete."""
        data, metadata = bundle(response, notes=notes)
        last: dict[str, Any] = {"blocks": [block_html(self._blocks.finish())], "tail": "", "phase": "done"}
        last["detail"] = " · ".join(filter(None, [ending(response).rstrip("."), usage_line(response)]))
        if self._cards.end():
            last["cards"] = self._cards.shown()
        if self._view.was_asked:
            self._view.tell(**last)
        else:
            self._view.keep(**last)
        replace_all()
        publish(data, metadata, display_id=uuid.uuid4().hex)
        publish_all(image_displays(response))
        _let_go(self._view)

    def _words(self, event: Event) -> str:
        if event.type == TEXT:
            return delta_of(event)
        if event.type != _REFUSAL:
            return ""
        lead = "" if self._is_refusal else "**Refused.** "
        self._is_refusal = True
        return lead + delta_of(event)

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


def _let_go(view: LiveView) -> None:
    """Keep an ended view for a page that may ask, and close the oldest of those kept."""
    _ended.append(view)
    while len(_ended) > _KEPT_VIEWS:
        _ended.popleft().close()


def _grown(blocks: Blocks, text: str, finished: str, tail: str) -> dict[str, Any]:
    """Return what new text adds: the HTML of the blocks it finishes and of the open tail."""
    if not text:
        return {}
    done = [block_html(block) for block in blocks.feed(text)]
    news: dict[str, Any] = {tail: block_html(blocks.tail, is_open=True)}
    return news | ({finished: done} if done else {})
