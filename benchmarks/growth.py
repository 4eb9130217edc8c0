"""Linear or not: the cost of one unit of work in small, middle and large pieces of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.rounds import Rounds, Row, run_rounds
from benchmarks.tables import Section, Target

__all__ = ["LINEAR", "growth", "growth_section"]

LINEAR = 1.3
"""A larger size may cost this many times a smaller one, unit for unit."""

_CAUSE = (
    "A large size leaves the processor's cache, and needs memory that is new; work that grew with the square would be"
    " tens of times as dear"
)


def growth_section(
    title: str,
    note: str,
    costs: Mapping[str, Callable[[int], float]],
    *,
    sizes: Sequence[int],
    unit: str,
    n_rounds: int,
    held: Sequence[str],
    picture: str = "",
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
    picture : str
        As in `Section`.
    """
    measures = {_label(name, size): partial(cost, size) for size in sizes for name, cost in costs.items()}
    rounds = run_rounds(measures, n_rounds)
    return Section(
        title=title,
        note=(
            f"{note} Microseconds of CPU for each of the {unit}, median of {n_rounds} interleaved rounds; growth is"
            " the most that a larger size pays beyond a smaller one. What is paid once makes the smallest dearer."
        ),
        columns=("what", *(f"{size:,} {unit}" for size in sizes), "growth"),
        rows=[_row(rounds, name, sizes) for name in costs],
        samples=rounds.samples,
        targets=[
            Target(
                f"the growth of {name}",
                growth([rounds.median(_label(name, size)) for size in sizes]),
                LINEAR,
                cause=_CAUSE,
            )
            for name in held
        ],
        picture=picture,
    )


def _row(rounds: Rounds, name: str, sizes: Sequence[int]) -> Row:
    for size in sizes:
        if why := rounds.unmeasured.get(_label(name, size)):
            return name, f"not measured: {why}"
    costs = [rounds.median(_label(name, size)) * 1e6 for size in sizes]
    return name, *costs, growth(costs)


def _label(name: str, size: int) -> str:
    return f"{name}: {size}"


def growth(costs: Sequence[float]) -> float:
    """Return the most that a larger size pays beyond a smaller one, the costs of one unit given from small to large."""
    return max(late / early for at, early in enumerate(costs) for late in costs[at:])
