"""Deltas as text that can be printed: half of a character waits for its other half in the next one."""

from __future__ import annotations

from cometnb.protocol.response import whole_text

__all__ = ["Halves"]


class Halves:
    """Holds back half of a surrogate pair, as some services send at the end of a delta."""

    def __init__(self) -> None:
        self._half = ""

    def joined(self, delta: str) -> str:
        """Return what can be printed by now; half a character that nothing completes is U+FFFD."""
        text = self._half + delta
        is_half = "\ud800" <= text[-1:] <= "\udbff"
        self._half = text[-1] if is_half else ""
        return whole_text(text[:-1] if is_half else text)

    def rest(self) -> str:
        """Return U+FFFD if half a character was left, else nothing."""
        half, self._half = self._half, ""
        return whole_text(half)
