"""What the next run is expected to cost, worked out on a thread of its own, a moment after the last change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakMethod

from cometnb.defaults import shared
from cometnb.errors import CometError
from cometnb.session.settings import Settings

__all__ = ["Later", "expected_words"]


class Later:
    """Does something once nothing has asked for it for a moment, on a thread that lives no longer than that.

    Parameters
    ----------
    act : bound method
        Held weakly: what is waited for here keeps nobody alive.
    delay_s : float
        Seconds of quiet.
    """

    def __init__(self, act: Callable[[], None], delay_s: float) -> None:
        self._act = WeakMethod(act)
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def ask(self) -> None:
        """Have it done, a moment after the last time this was called."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if not self._is_closed:
                self._timer = threading.Timer(self._delay_s, self._run)
                self._timer.name, self._timer.daemon = "cometnb-panel-later", True
                self._timer.start()

    def close(self) -> None:
        """Do nothing any more."""
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _run(self) -> None:
        act = self._act()
        if act is not None and not self._is_closed:
            act()


def expected_words(request: Mapping[str, Any], settings: Settings) -> str:
    """Return what a request is expected to cost, with the source of the price, and what is not in the sum.

    Parameters
    ----------
    request : Mapping
        As `Asking.request` has it; empty if it cannot be sent.
    settings : Settings
    """
    if not request:
        return ""
    # What knows prices is heavy; here nobody waits for it.
    from cometnb.ledger.forecast import forecast
    from cometnb.ledger.prices import default_prices

    options = shared.options
    backend = options.backend.partition(":")[0]
    try:
        found = forecast(
            request, base_url=options.base_url, backend=backend, prices=default_prices(), ledger=shared.ledger
        )
    except CometError as error:
        return f"What it would cost is not known: {error.fact}"
    words = [str(found), *found.notes]
    if not settings.is_literal:
        words.append("What {{ }}, attachments and functions put in comes on top.")
    if backend != "api":
        words.append(
            "Nothing is billed: it would be replayed."
            if backend == "cassette"
            else "Nobody is billed: it is simulated."
        )
    return "\n".join(words)
