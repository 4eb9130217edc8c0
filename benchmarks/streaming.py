"""Rows 1 and 2: the client's CPU for a stream folded into a Response, and how it grows with the stream."""

from __future__ import annotations

from functools import partial

from benchmarks.contenders import (
    ASYNC_BASELINE,
    BASELINE,
    COMETNB,
    COMETNB_ASYNC,
    CONTENDERS,
    OPENAI_CREATE,
)
from benchmarks.growth import growth_section
from benchmarks.reading import stream_cpu_s
from benchmarks.rounds import median_of, ratio_of, run_rounds
from benchmarks.tables import Section, Target

__all__ = ["client_cpu", "client_growth"]

_LIMIT = 1.6


def client_cpu(feed_url: str, *, is_quick: bool) -> Section:
    """Measure every contender on one stream of 10,000 deltas."""
    n_deltas, n_streams, n_rounds = (1_000, 1, 1) if is_quick else (10_000, 2, 5)
    measures = {name: partial(stream_cpu_s, name, feed_url, n_deltas, n_streams) for name in CONTENDERS}
    samples = run_rounds(measures, n_rounds)
    cpu_s = {name: median_of(samples, name) for name in CONTENDERS}
    ours = ratio_of(samples, COMETNB, BASELINE)
    ours_async = ratio_of(samples, COMETNB_ASYNC, ASYNC_BASELINE)
    theirs = ratio_of(samples, OPENAI_CREATE, COMETNB)
    return Section(
        title=f"Client CPU for a stream of {n_deltas:,} deltas",
        note=(
            f"Seconds of CPU in the client's process for one stream, median of {n_rounds} interleaved rounds, each"
            f" contender in a fresh process that reads {n_streams}. The server is another process and sends one event"
            " a chunk. A ratio is the median of the ratios within a round."
        ),
        columns=("contender", "CPU s", "µs a delta", f"times {BASELINE}"),
        rows=[
            (name, cpu_s[name], cpu_s[name] / n_deltas * 1e6, ratio_of(samples, name, BASELINE))
            for name in CONTENDERS
        ],
        samples=samples,
        targets=[
            Target(f"{COMETNB} against {BASELINE}", ours, _LIMIT),
            Target(f"{COMETNB_ASYNC} against {ASYNC_BASELINE}", ours_async, _LIMIT),
            Target(f"{OPENAI_CREATE} against {COMETNB}", theirs, 6, at_least=True),
        ],
    )


def client_growth(feed_url: str, *, is_quick: bool) -> Section:
    """Measure the cost of one delta in short, middle and long streams."""
    sizes, n_rounds = ((200, 1_000, 5_000), 1) if is_quick else ((1_000, 10_000, 50_000), 3)

    def cost_s(name: str, n_deltas: int) -> float:
        # Every size reads as many deltas in all, so that short streams are measured as well as long ones.
        return stream_cpu_s(name, feed_url, n_deltas, max(sizes) // n_deltas) / n_deltas

    return growth_section(
        "Growth of the client's CPU with the length of the stream",
        "As above, at three lengths; what a request costs once is shared among its deltas.",
        {name: partial(cost_s, name) for name in (BASELINE, COMETNB, COMETNB_ASYNC)},
        sizes=sizes,
        unit="deltas",
        n_rounds=n_rounds,
        held=(COMETNB, COMETNB_ASYNC),
    )
