"""Interleaved rounds: every contender once a round, so that a slow moment of the machine strikes all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Cell", "Rounds", "Row", "Samples", "UnmeasuredError", "run_rounds"]

Samples = dict[str, list[float]]
Cell = str | float | None
Row = tuple[Cell, ...]


class UnmeasuredError(Exception):
    """A contender that has no figure: it is not installed, or it failed. The text says which."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """What was measured.

    Attributes
    ----------
    samples : dict
        What each contender gave, in order of the rounds.
    unmeasured : dict
        Why each of the others gave nothing.
    """

    samples: Samples
    unmeasured: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return a contender's median."""
        return median(self.samples[name])

    def ratio(self, name: str, base: str) -> float | None:
        """Return the median of the ratios to another contender in the same round; None if either has no figure."""
        if not {name, base} <= set(self.samples):
            return None
        return median(one / other for one, other in zip(self.samples[name], self.samples[base], strict=True))

    def best(self, names: Iterable[str]) -> str:
        """Return the one of `names` with the smallest median; empty if none has a figure."""
        return min((name for name in names if name in self.samples), key=self.median, default="")

    def rows(self, names: Iterable[str], cells: Callable[[str], Row]) -> list[Row]:
        """Return a row for each name: its `cells`, or why there are none."""
        return [
            (name, *cells(name)) if name in self.samples else (name, f"not measured: {self.unmeasured[name]}")
            for name in names
        ]


def run_rounds(measures: Mapping[str, Callable[[], float]], n_rounds: int, *, n_discarded: int = 0) -> Rounds:
    """Measure everybody in turn; whoever cannot be measured is left out from then on, with the reason.

    Parameters
    ----------
    measures : Mapping of str to callable
        One that raises `UnmeasuredError` has no figure. Every round begins one place later than the one before.
    n_rounds : int
    n_discarded : int
        Rounds before those that count, which fill caches.
    """
    samples: Samples = {name: [] for name in measures}
    unmeasured: dict[str, str] = {}
    names = list(measures)
    for number in range(n_discarded + n_rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name in unmeasured:
                continue
            print(f"  round {number + 1} of {n_discarded + n_rounds}: {name}", flush=True)
            try:
                value = measures[name]()
            except UnmeasuredError as error:
                unmeasured[name] = str(error)
                print(f"  {name} is not measured: {error}", flush=True)
                continue
            if number >= n_discarded:
                samples[name].append(value)
    return Rounds({name: kept for name, kept in samples.items() if name not in unmeasured}, unmeasured)
