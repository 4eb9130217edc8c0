"""Numbers and names on a plot: dollars, tokens, shares and seconds on an axis, long names made short."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import floor, log10

from matplotlib.axis import Axis
from matplotlib.ticker import (
    Formatter,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

from cometnb.protocol.cost import dollars

__all__ = ["in_dollars", "in_log", "in_percent", "in_seconds", "in_tokens", "rounded", "shortened"]

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_LONGEST_NAME = 30


class _Dollars(Formatter):
    """US dollars, every tick with as many decimals as the distance between two needs."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return dollars(x)

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        places = sorted(values)
        step = min((b - a for a, b in pairwise(places)), default=1.0)
        decimals = 0 if step >= 1 else max(2, -floor(log10(step) + 1e-9))
        return [f"${value:,.{decimals}f}" for value in values]


def in_dollars(axis: Axis, words: str = "US dollars") -> None:
    """Label an axis in US dollars."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(_Dollars())
    axis.set_label_text(words)


def in_tokens(axis: Axis, words: str = "tokens") -> None:
    """Label a linear axis in tokens: 350k, 1.2M."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: rounded(value)))
    axis.set_label_text(words)


def in_percent(axis: Axis, words: str) -> None:
    """Label an axis of shares from 0 to 1 in percent."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_label_text(words)


def in_seconds(axis: Axis, words: str) -> None:
    """Label a linear axis in seconds."""
    axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    axis.set_label_text(f"{words} (s)")


def in_log(axis: Axis, words: str) -> None:
    """Label a logarithmic axis with plain numbers: 0.5, 20, 1k."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: rounded(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_label_text(words)


def rounded(value: float) -> str:
    """Return a number as short as it can be read: 0.5, 20, 1.2k, 3M."""
    scale, letter = next(((scale, letter) for scale, letter in _SCALES if abs(value) >= scale), (1.0, ""))
    return f"{value / scale:.3g}{letter}"


def shortened(name: str) -> str:
    """Return a name of at most 30 characters, its beginning and its end kept."""
    name = " ".join(name.split())
    if len(name) <= _LONGEST_NAME:
        return name
    kept = _LONGEST_NAME - 1
    return f"{name[: kept - kept // 2]}…{name[-(kept // 2) :]}"
