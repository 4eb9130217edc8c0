"""Row 9: the usage frame and its summary by model, over a million rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.child import result_of
from benchmarks.plan import Plan
from benchmarks.rounds import Rounds, Samples
from benchmarks.tables import Section, Target

__all__ = ["usage_frame"]

_RIVAL = "pandas.read_sql of one flat table"
_OURS = "cometnb Ledger.usage"
_NEW = "cometnb Ledger.usage, no row priced yet"
_CAUSE = (
    "Most of it is SQLite handing over one value after the other, and the objects that Python makes of them; the flat"
    " table shows how much of it that is"
)


def usage_frame(plan: Plan) -> Section:
    """Measure reading all rows into a frame and summing it up by model."""
    n_rows, n_rounds = plan.size(2_000, 1_000_000), plan.rounds(3)
    samples: Samples = {}
    rounds = Rounds(samples)
    with TemporaryDirectory() as folder:
        for way in ("flat", "ledger", "unpriced"):
            result_of("-m", "benchmarks.reader", f"fill-{way}", str(Path(folder, way)), str(n_rows))
        for number in range(n_rounds):
            for name, way in ((_RIVAL, "flat"), (_OURS, "ledger"), (_NEW, "unpriced")):
                print(f"  round {number + 1} of {n_rounds}: {name}", flush=True)
                taken_s = result_of("-m", "benchmarks.reader", way, str(Path(folder, way)), str(n_rows))
                for part, value_s in taken_s.items():
                    samples.setdefault(f"{name}: {part}", []).append(value_s)
    parts = ("frame", "by model", "together")
    return Section(
        title=f"The usage frame and its summary by model over {n_rows:,} rows",
        note=(
            f"Seconds of CPU, which is what one waits for where nothing else runs: median of {n_rounds} interleaved"
            " rounds, each in a fresh process with the file in the system's cache, SQLite. Rows of five models, twenty"
            " notebooks and 365 days; one model has no price."
            " The flat table is summed up by a plain groupby; its frame has neither missing counts nor time zones."
        ),
        columns=("contender", *parts),
        rows=[
            (name, *(rounds.median(f"{name}: {part}") for part in parts)) for name in (_RIVAL, _OURS, _NEW)
        ],
        samples=samples,
        targets=[
            Target(
                f"{_OURS} with its summary", rounds.median(f"{_OURS}: together"), 3.0, unit="s", cause=_CAUSE
            ).beside(rounds, f"{_OURS}: together", [f"{_RIVAL}: together"])
        ],
    )
