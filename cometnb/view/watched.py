"""An answer in the live view of a cell, which gives way to one native display at the end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.view.bare_widget import let_go
from cometnb.view.feed import Feed
from cometnb.view.images import image_displays
from cometnb.view.mime import bundle
from cometnb.view.publish import publish, publish_all, replace_all
from cometnb.view.widget import LiveView

__all__ = ["WatchedAnswer"]


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
        self._view = LiveView(model, on_stop, on_permit)
        self._feed = Feed(self._view, clock)
        self.asks = on_permit is not None
        publish(self._view.bundle(), display_id=uuid.uuid4().hex)

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Send what is new, in one message."""
        self._feed.update(events, waiting)

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Replace the live view by one display; a page that was reloaded, or a copy of the cell, keeps the view, complete."""
        data, metadata = bundle(response, notes=notes)
        last = self._feed.last(response)
        replace_all()
        publish(data, metadata, display_id=uuid.uuid4().hex)
        publish_all(image_displays(response))
        # Where the display has taken its place nothing is drawn any more.
        self._view.tell(**last)
        let_go(self._view)

    def withdraw(self) -> None:
        """Let the error that follows take the view's place."""
        replace_all()
        self._view.close()
