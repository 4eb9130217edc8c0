"""Linear or not: the cost of one unit of work in small, middle and large pieces of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.rounds import Samples, median_of, run_rounds
from benchmarks.tables import Section, Target

__all__ = ["LINEAR", "growth_section"]

LINEAR = 1.3
"""The dearest size may cost this many times the cheapest, unit for unit."""


def growth_section(
    title: str,
    note: str,
    costs: Mapping[str, Callable[[int], float]],
    *,
    sizes: Sequence[int],
    unit: str,
    n_rounds: int,
    held: Sequence[str],
) -> Section:
    """Measure every cost at every size.

    Parameters
    ----------
    title, note : str
    costs : Mapping of str to callable
        From a size to the CPU seconds for one unit in work of that size.
    sizes : sequence of int
    unit : str
        In the plural: ``deltas``, ``MB``.
    n_rounds : int
    held : sequence of str
        Those of `costs` that must be linear.
    """
    measures = {_label(name, size): partial(cost, size) for size in sizes for name, cost in costs.items()}
    samples = run_rounds(measures, n_rounds)
    return Section(
        title=title,
        note=(
            f"{note} Microseconds of CPU for each of the {unit}, median of {n_rounds} interleaved rounds; growth is"
            " the dearest size over the cheapest."
        ),
        columns=("what", *(f"{size:,} {unit}" for size in sizes), "growth"),
        rows=[
            (
                name,
                *(median_of(samples, _label(name, size)) * 1e6 for size in sizes),
                _growth(samples, name, sizes),
            )
            for name in costs
        ],
        samples=samples,
        targets=[Target(f"the growth of {name}", _growth(samples, name, sizes), LINEAR) for name in held],
    )


def _label(name: str, size: int) -> str:
    return f"{name}: {size}"


def _growth(samples: Samples, name: str, sizes: Sequence[int]) -> float:
    costs = [median_of(samples, _label(name, size)) for size in sizes]
    return max(costs) / min(costs)
