"""Interleaved rounds: every contender once a round, so that a slow moment of the machine strikes all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

__all__ = ["Samples", "median_of", "ratio_of", "run_rounds"]

Samples = dict[str, list[float]]


def run_rounds(
    measures: Mapping[str, Callable[[], float]], n_rounds: int, *, n_discarded: int = 0
) -> Samples:
    """Return what each measure gave, in order of the rounds.

    Parameters
    ----------
    measures : Mapping of str to callable
    n_rounds : int
    n_discarded : int
        Rounds before those that count, which fill caches.
    """
    samples: Samples = {name: [] for name in measures}
    for number in range(n_discarded + n_rounds):
        for name, measure in measures.items():
            value = measure()
            if number >= n_discarded:
                samples[name].append(value)
    return samples


def median_of(samples: Samples, name: str) -> float:
    """Return a contender's median."""
    return median(samples[name])


def ratio_of(samples: Samples, name: str, base: str) -> float:
    """Return the median of the ratios to another contender in the same round."""
    return median(one / other for one, other in zip(samples[name], samples[base], strict=True))
