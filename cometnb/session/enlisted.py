"""Callbacks that are told of something until somebody ends that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["enlisted"]

_Callback = TypeVar("_Callback")


def enlisted(callback: _Callback, among: list[_Callback]) -> Callable[[], None]:
    """Put a callback into a list, and return what takes it out again; ending it twice does no harm."""
    among.append(callback)

    def end() -> None:
        with suppress(ValueError):
            among.remove(callback)

    return end
