"""Rows 1 and 2: the client's CPU for a stream folded into a Response, and how it grows with the stream."""

from __future__ import annotations

from functools import partial

from benchmarks.contenders import (
    ASYNC_BASELINE,
    BASELINE,
    COMETNB,
    COMETNB_ASYNC,
    CONTENDERS,
    FOLDED,
    OPENAI_CREATE,
)
from benchmarks.growth import growth_section
from benchmarks.plan import Plan
from benchmarks.reading import stream_cpu_s
from benchmarks.rounds import run_rounds
from benchmarks.tables import Section, Target

__all__ = ["client_cpu", "client_growth"]

_LIMIT = 1.6
_CAUSE = (
    "The reading of the bytes is httpx's own and as dear for both; the rest is `json.loads`, the folding, and one"
    " object for every event that is handed to the caller"
)


def client_cpu(plan: Plan) -> Section:
    """Measure every contender on one stream of 10,000 deltas."""
    n_deltas, n_streams, n_rounds = plan.size(500, 10_000), plan.size(1, 2), plan.rounds(7)
    measures = {name: partial(stream_cpu_s, plan, name, n_deltas, n_streams) for name in CONTENDERS}
    rounds = run_rounds(measures, n_rounds)
    return Section(
        title=f"Client CPU for a stream of {n_deltas:,} deltas",
        note=(
            f"Seconds of CPU in the client's process for one stream, median of {n_rounds} interleaved rounds, each"
            f" contender in a fresh process that reads {n_streams}. The server is another process and sends one event"
            " a chunk. A ratio is the median of the ratios within a round."
        ),
        columns=("contender", "CPU s", "µs a delta", f"times {BASELINE}", f"times {COMETNB}"),
        rows=rounds.rows(
            CONTENDERS,
            lambda name: (
                rounds.median(name),
                rounds.median(name) / n_deltas * 1e6,
                rounds.ratio(name, BASELINE),
                rounds.ratio(name, COMETNB),
            ),
        ),
        samples=rounds.samples,
        targets=[
            *(
                Target(f"{ours} against {base}", rounds.ratio(ours, base), _LIMIT, cause=_CAUSE).beside(
                    rounds, ours, FOLDED
                )
                for ours, base in ((COMETNB, BASELINE), (COMETNB_ASYNC, ASYNC_BASELINE))
            ),
            Target(
                f"{OPENAI_CREATE} against {COMETNB}", rounds.ratio(OPENAI_CREATE, COMETNB), 6, at_least=True
            ).beside(rounds, COMETNB, FOLDED),
        ],
        picture="client-cpu",
    )


def client_growth(plan: Plan) -> Section:
    """Measure the cost of one delta in short, middle and long streams."""
    sizes = plan.size((100, 500, 1_000), (1_000, 10_000, 50_000))

    def cost_s(name: str, n_deltas: int) -> float:
        # Every size reads as many deltas in all, so that short streams are measured as well as long ones.
        return stream_cpu_s(plan, name, n_deltas, max(sizes) // n_deltas) / n_deltas

    return growth_section(
        "Growth of the client's CPU with the length of the stream",
        "As above, at three lengths; what a request costs once is shared among its deltas.",
        {name: partial(cost_s, name) for name in (BASELINE, COMETNB, COMETNB_ASYNC, OPENAI_CREATE)},
        sizes=sizes,
        unit="deltas",
        n_rounds=plan.rounds(3),
        held=(COMETNB, COMETNB_ASYNC),
        picture="growth",
    )
