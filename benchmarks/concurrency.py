"""Row 7: the client's CPU for many streams at once in one process."""

from __future__ import annotations

from functools import partial

from benchmarks.rounds import Samples, median_of, ratio_of, run_rounds
from benchmarks.streams import COMETNB, CONTENDERS, HAND_LOOP, OPENAI, many_streams_s
from benchmarks.tables import Section, Target

__all__ = ["many_streams"]

_LEAST, _MOST = 4, 1.2


def many_streams(feed_url: str, *, is_quick: bool) -> Section:
    """Measure every contender on 200 and on 1,000 streams of 200 deltas, all open together."""
    sizes, n_deltas, n_rounds = ((5, 20), 20, 1) if is_quick else ((200, 1_000), 200, 3)
    measures = {
        _label(name, size): partial(many_streams_s, name, feed_url, size, n_deltas)
        for size in sizes
        for name in CONTENDERS
    }
    samples = run_rounds(measures, n_rounds)
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
            *(f"times, {size:,}" for size in sizes),
        ),
        rows=[
            (
                name,
                *(median_of(samples, _label(name, size)) for size in sizes),
                *(ratio_of(samples, _label(name, size), _label(COMETNB, size)) for size in sizes),
            )
            for name in CONTENDERS
        ],
        samples=samples,
        targets=[target for size in sizes for target in _targets(samples, size)],
    )


def _targets(samples: Samples, size: int) -> list[Target]:
    ours = _label(COMETNB, size)
    rival = ratio_of(samples, _label(OPENAI, size), ours)
    by_hand = ratio_of(samples, ours, _label(HAND_LOOP, size))
    return [
        Target(f"{OPENAI} against {COMETNB}, {size:,} streams", rival, _LEAST, at_least=True),
        Target(f"{COMETNB} against the {HAND_LOOP}, {size:,} streams", by_hand, _MOST),
    ]


def _label(name: str, size: int) -> str:
    return f"{name}: {size}"
