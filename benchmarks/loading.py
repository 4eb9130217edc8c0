"""Row 6: the CPU of importing cometnb, and of loading its magics into a kernel that runs."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.child import ROOT, environment, result_of
from benchmarks.rounds import median_of, run_rounds
from benchmarks.tables import Section, Target
from tests.kernel.kernel_session import running_kernel

__all__ = ["import_cpu", "load_cpu"]

_OURS = "import cometnb"
_LOAD = "%load_ext cometnb"
_FIRST_USE = "from cometnb import Client"
_RIVALS = ("httpx", "openai", "chatlas")


def import_cpu(*, is_quick: bool) -> Section:
    """Measure the imports a user would write, each in a fresh interpreter."""
    n_rounds = 1 if is_quick else 11
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
    n_rounds = 1 if is_quick else 5
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
    with tempfile.TemporaryDirectory() as folder:
        # A profile of its own, so that nobody's start-up files are measured.
        profile = Path(folder, "profile_default")
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text(
            "get_config().IPKernelApp.log_level = 'ERROR'\n", "utf-8"
        )
        with running_kernel(
            Path(folder), environment() | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": folder}
        ) as kernel:
            run = kernel.run(cell)
    assert not run.errors, run.errors
    return float(run.stream_text)
