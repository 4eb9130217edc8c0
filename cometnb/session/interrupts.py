"""Interrupts of the kernel that come while an end is being put down: noted, and acted on when that is done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["HeldInterrupts"]


class HeldInterrupts:
    """A stretch of work that an interrupt does not break off; who interrupts often presses more than once.

    Attributes
    ----------
    was_pressed : bool
        Whether an interrupt came meanwhile, for the caller to act on.

    Notes
    -----
    Python hands interrupts to the main thread; on any other, and where a handler is not Python's own, this does
    nothing.
    """

    def __init__(self) -> None:
        self.was_pressed = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
        if self._before is not None:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.was_pressed = True
