"""Row 6: the CPU of importing cometnb, and of loading its magics into a kernel that runs."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from benchmarks.child import result_of
from benchmarks.kernel import fresh_kernel, run_cell
from benchmarks.rounds import median_of, run_rounds
from benchmarks.tables import Section, Target

__all__ = ["import_cpu", "load_cpu"]

_OURS = "import cometnb"
_LOAD = "%load_ext cometnb"
_FIRST_USE = "from cometnb import Client"
_RIVALS = ("httpx", "openai", "chatlas")


def import_cpu(*, is_quick: bool) -> Section:
    """Measure the imports a user would write, each in a fresh interpreter."""
    n_rounds = 1 if is_quick else 5
    statements = (_OURS, _FIRST_USE, *_imports())
    samples = run_rounds({each: partial(_import_cpu_s, each) for each in statements}, n_rounds, n_discarded=1)
    return Section(
        title="CPU of an import",
        note=f"Seconds of CPU in a fresh interpreter, median of {n_rounds} interleaved rounds; byte code is cached.",
        columns=("statement", "CPU s"),
        rows=[(f"`{each}`", median_of(samples, each)) for each in statements],
        samples=samples,
        targets=[Target(f"`{_OURS}`", median_of(samples, _OURS), 0.06, unit="s")],
    )


def load_cpu(*, is_quick: bool) -> Section:
    """Measure loading the magics, and what others' imports cost in the same place."""
    n_rounds = 1 if is_quick else 3
    statements = (_LOAD, *_imports())
    samples = run_rounds(
        {each: partial(_cell_cpu_s, each) for each in statements}, n_rounds, n_discarded=0 if is_quick else 1
    )
    return Section(
        title="CPU of `%load_ext cometnb` in a running kernel",
        note=f"Seconds of CPU of a kernel's process around the statement, median of {n_rounds} fresh kernels each.",
        columns=("statement", "CPU s"),
        rows=[(f"`{each}`", median_of(samples, each)) for each in statements],
        samples=samples,
        targets=[Target(f"`{_LOAD}`", median_of(samples, _LOAD), 0.10, unit="s")],
    )


def _imports() -> list[str]:
    return [f"import {name}" for name in _RIVALS if find_spec(name)]


def _import_cpu_s(statement: str) -> float:
    cpu_s: float = result_of(
        "-c", f"import time; start_s = time.process_time(); {statement}; print(time.process_time() - start_s)"
    )
    return cpu_s


def _cell_cpu_s(statement: str) -> float:
    cell = f"import time\nstart_s = time.process_time()\n{statement}\nprint(time.process_time() - start_s)"
    with fresh_kernel() as kernel:
        return float(run_cell(kernel, cell).stream_text)
