"""Waiting for an event in short pieces, so that an interrupt is seen on every platform."""

from __future__ import annotations

import threading
import time

__all__ = ["SHORT_WAIT_S", "wait_for"]

SHORT_WAIT_S = 0.05
"""Where a signal does not end a wait (Windows), this is how long an interrupt may take to be seen."""


def wait_for(event: threading.Event, timeout_s: float | None) -> bool:
    """Wait until an event is set; False if it was not within `timeout_s` seconds, None waits for ever."""
    deadline_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = deadline_s - time.monotonic()
        if event.wait(max(0.0, min(SHORT_WAIT_S, left_s))):
            return True
        if left_s <= 0:
            return False
