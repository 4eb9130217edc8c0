"""Row 7: the client's CPU for many streams at once in one process."""

from __future__ import annotations

from functools import partial

from benchmarks.plan import Plan
from benchmarks.rounds import Cell, Rounds, Row, run_rounds
from benchmarks.streams import COMETNB, CONTENDERS, HAND_LOOP, OPENAI, many_streams_s
from benchmarks.tables import Section, Target

__all__ = ["many_streams"]

_LEAST, _MOST = 4, 1.2
_CAUSE = (
    "The batch is httpx underneath as well: of its CPU at 1,000 streams over a third goes into httpx and h11, which"
    " read chunk by chunk, an eighth into Python's garbage collector, and a quarter into the folding of every event"
    " into a Response"
)


def many_streams(plan: Plan) -> Section:
    """Measure every contender on 200 and on 1,000 streams of 200 deltas, all open together."""
    sizes, n_deltas, n_rounds = plan.size((5, 20), (200, 1_000)), plan.size(20, 200), plan.rounds(3)
    measures = {
        _label(name, size): partial(many_streams_s, plan, name, size, n_deltas)
        for size in sizes
        for name in CONTENDERS
    }
    rounds = run_rounds(measures, n_rounds)
    return Section(
        title=f"{' and '.join(f'{size:,}' for size in sizes)} streams of {n_deltas} deltas at once",
        note=(
            f"Seconds of CPU in the client's process, median of {n_rounds} interleaved rounds, each contender in a"
            " fresh process. The server is another process and gives every stream one event in turn. The batch folds"
            " each stream into a Response and records it; the others join its text. A ratio is the median of the"
            " ratios within a round."
        ),
        columns=(
            "contender",
            *(f"{size:,} streams" for size in sizes),
            *(f"times {COMETNB}, {size:,}" for size in sizes),
        ),
        rows=[_row(rounds, name, sizes) for name in CONTENDERS],
        samples=rounds.samples,
        targets=[target for size in sizes for target in _targets(rounds, size)],
        picture="concurrency",
    )


def _row(rounds: Rounds, name: str, sizes: tuple[int, ...]) -> Row:
    """Return what is known at each size: one contender may fail at the larger one alone."""
    cells: list[Cell] = []
    for size in sizes:
        why = rounds.unmeasured.get(_label(name, size))
        cells.append(f"not measured: {why}" if why else rounds.median(_label(name, size)))
    return name, *cells, *(rounds.ratio(_label(name, size), _label(COMETNB, size)) for size in sizes)


def _targets(rounds: Rounds, size: int) -> list[Target]:
    ours, openai, by_hand = _label(COMETNB, size), _label(OPENAI, size), _label(HAND_LOOP, size)
    return [
        Target(
            f"{OPENAI} against {COMETNB}, {size:,} streams",
            rounds.ratio(openai, ours),
            _LEAST,
            at_least=True,
            cause=_CAUSE,
        ).beside(rounds, ours, [openai]),
        Target(
            f"{COMETNB} against the {HAND_LOOP}, {size:,} streams",
            rounds.ratio(ours, by_hand),
            _MOST,
            cause=_CAUSE,
        ).beside(rounds, ours, [_label(name, size) for name in CONTENDERS if name != COMETNB]),
    ]


def _label(name: str, size: int) -> str:
    return f"{name}: {size}"
