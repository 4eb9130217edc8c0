"""Row 8: what recording one attempt costs, and eight processes that record at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.child import ROOT, environment, result_of
from benchmarks.plan import Plan
from benchmarks.rounds import Rounds, Samples
from benchmarks.tables import Section, Target

__all__ = ["processes", "recording"]

_LIMIT = "sqlite3, an INSERT and a commit a row"
_LIMIT_TOGETHER = "sqlite3, an INSERT and a commit for ten rows"
_OURS = "cometnb Ledger, from the attempt to the file"
_CALL = "cometnb Ledger, of that on the call's thread"
_MANY = "cometnb Ledger, a thousand attempts at once"
_NAMES = {"flat": _LIMIT, "whole": _OURS, "call": _CALL, "together": _MANY}
_CAUSE = "The row is priced and written on a thread of its own, which has to be woken, and a commit waits for the disk"
_IN_WORDS = {2: "Two", 8: "Eight"}


def recording(plan: Plan) -> Section:
    """Measure the milliseconds of one attempt, on the call's thread and until it is in the file."""
    n_rows, n_rounds = plan.size(50, 1_000), plan.rounds(5)
    samples: Samples = {name: [] for name in _NAMES.values()}
    slow: Samples = {name: [] for name in _NAMES.values()}
    for number in range(n_rounds):
        print(f"  round {number + 1} of {n_rounds}: sqlite3 and the ledger", flush=True)
        with TemporaryDirectory() as folder:
            for way in ("flat", "ledger"):
                taken = result_of("-m", "benchmarks.recorder", way, f"{folder}/{way}.sqlite3", str(n_rows))
                for name, values_s in taken.items():
                    samples[_NAMES[name]].append(median(values_s) * 1e3)
                    slow[_NAMES[name]].append(sorted(values_s)[len(values_s) * 99 // 100] * 1e3)
    rounds = Rounds(samples)
    return Section(
        title="Recording one attempt",
        note=(
            f"Milliseconds of wall clock a row: in each of {n_rounds} rounds the median of {n_rows:,} rows and the"
            " slowest but one of a hundred, and of these the medians. SQLite with a write-ahead log. The ledger prices each attempt and estimates its tokens; plain sqlite3 is given finished rows."
        ),
        columns=("contender", "median ms", "of 100 the slowest but one"),
        rows=[(name, rounds.median(name), median(slow[name])) for name in samples],
        samples=samples | {f"{name}, slowest but one": taken for name, taken in slow.items()},
        targets=[
            Target(
                "an attempt until it is in the file", rounds.median(_OURS), 3.0, unit="ms", cause=_CAUSE
            ).beside(rounds, _OURS, [_LIMIT]),
            Target("of it on the call's thread", rounds.median(_CALL), 3.0, unit="ms", cause=_CAUSE),
        ],
    )


def processes(plan: Plan) -> Section:
    """Measure eight processes that record at once, every tenth attempt waited for, and count what is there then."""
    n_processes, n_rows, n_rounds = plan.size(2, 8), plan.size(20, 1_000), plan.rounds(3)
    samples: Samples = {_LIMIT_TOGETHER: [], "cometnb Ledger": []}
    n_lost = 0
    for number in range(n_rounds):
        print(f"  round {number + 1} of {n_rounds}: {n_processes} processes", flush=True)
        for name, way in ((_LIMIT_TOGETHER, "flat-tens"), ("cometnb Ledger", "ledger-tens")):
            with TemporaryDirectory() as folder:
                path = Path(folder, "ledger.sqlite3")
                samples[name].append(n_processes * n_rows / _together_s(n_processes, way, path, n_rows))
                n_lost += n_processes * n_rows - result_of(
                    "-m", "benchmarks.recorder", "count", str(path), "0"
                )
    return Section(
        title=f"{_IN_WORDS[n_processes]} processes that record at once",
        note=(
            f"{n_processes} processes, {n_rows:,} rows each, into one new file; rows a second, all processes together,"
            f" median of {n_rounds} interleaved rounds, from the moment when all are loaded."
        ),
        columns=("contender", "rows a second"),
        rows=[(name, median(values)) for name, values in samples.items()],
        samples=samples,
        targets=[
            Target("rows that are lost", n_lost, 0, unit="rows", cause="A row that is lost is a defect")
        ],
    )


def _together_s(n_processes: int, way: str, path: Path, n_rows: int) -> float:
    command = [sys.executable, "-m", "benchmarks.recorder", way, str(path), str(n_rows)]
    start: Callable[[], subprocess.Popen[str]] = lambda: subprocess.Popen(  # noqa: E731
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    started = [start() for _ in range(n_processes)]
    for process in started:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == "ready"
    start_s = time.perf_counter()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        process.communicate()
        assert process.returncode == 0
    return time.perf_counter() - start_s
