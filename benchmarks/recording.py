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
from benchmarks.tables import Section, Target

__all__ = ["processes", "recording"]

_LIMIT = "sqlite3, an INSERT and a commit a row"
_LIMIT_TOGETHER = "sqlite3, an INSERT and a commit for ten rows"
_OURS = "cometnb Ledger, from the attempt to the file"
_CALL = "cometnb Ledger, of that on the call's thread"
_MANY = "cometnb Ledger, a thousand attempts at once"
_N_PROCESSES = 8


def recording(*, is_quick: bool) -> Section:
    """Measure the milliseconds of one attempt, on the call's thread and until it is in the file."""
    n_rows, n_rounds = (50, 1) if is_quick else (1_000, 5)
    samples: dict[str, list[float]] = {}
    for _ in range(n_rounds):
        with TemporaryDirectory() as folder:
            for way in ("flat", "ledger"):
                taken = result_of("-m", "benchmarks.recorder", way, f"{folder}/{way}.sqlite3", str(n_rows))
                for name, values_s in taken.items():
                    samples.setdefault(name, []).extend(value_s * 1e3 for value_s in values_s)
    names = {"flat": _LIMIT, "whole": _OURS, "call": _CALL, "together": _MANY}
    rows: list[tuple[str | float, ...]] = [
        (names[name], median(values), sorted(values)[len(values) * 99 // 100])
        for name, values in samples.items()
    ]
    return Section(
        title="Recording one attempt",
        note=(
            f"Milliseconds of wall clock a row, {n_rows:,} rows in each of {n_rounds} rounds, SQLite with a write-ahead"
            " log. The ledger prices each attempt and estimates its tokens; plain sqlite3 is given finished rows."
        ),
        columns=("contender", "median ms", "of 100 the slowest but one"),
        rows=rows,
        samples=samples,
        targets=[
            Target("an attempt until it is in the file", median(samples["whole"]), 3.0, unit="ms"),
            Target("of it on the call's thread", median(samples["call"]), 3.0, unit="ms"),
        ],
    )


def processes(*, is_quick: bool) -> Section:
    """Measure eight processes that record at once, every tenth attempt waited for, and count what is there then."""
    n_rows, n_rounds = (20, 1) if is_quick else (1_000, 3)
    samples: dict[str, list[float]] = {_LIMIT_TOGETHER: [], "cometnb Ledger": []}
    n_lost = 0
    for _ in range(n_rounds):
        for name, way in ((_LIMIT_TOGETHER, "flat-tens"), ("cometnb Ledger", "ledger-tens")):
            with TemporaryDirectory() as folder:
                path = Path(folder, "ledger.sqlite3")
                samples[name].append(_N_PROCESSES * n_rows / _together_s(way, path, n_rows))
                n_lost += _N_PROCESSES * n_rows - result_of(
                    "-m", "benchmarks.recorder", "count", str(path), "0"
                )
    return Section(
        title="Eight processes that record at once",
        note=(
            f"{_N_PROCESSES} processes, {n_rows:,} rows each, into one new file; rows a second, all processes together,"
            f" median of {n_rounds} interleaved rounds, from the moment when all are loaded."
        ),
        columns=("contender", "rows a second"),
        rows=[(name, median(values)) for name, values in samples.items()],
        samples=samples,
        targets=[Target("rows that are lost", n_lost, 0, unit="rows")],
    )


def _together_s(way: str, path: Path, n_rows: int) -> float:
    command = [sys.executable, "-m", "benchmarks.recorder", way, str(path), str(n_rows)]
    start: Callable[[], subprocess.Popen[str]] = lambda: subprocess.Popen(  # noqa: E731
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    started = [start() for _ in range(_N_PROCESSES)]
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
