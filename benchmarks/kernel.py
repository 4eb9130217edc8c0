"""Fresh kernels to measure in, whose calls the simulator answers at a pace that is chosen for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.child import ROOT, environment
from tests.kernel.kernel_session import CellRun, KernelSession, running_kernel

__all__ = ["ask", "fresh_kernel", "run_cell", "simulated"]

# Only where the server names the session does a cell choose the live view.
_SESSION_NAME = "JPY_SESSION_NAME"


@contextmanager
def fresh_kernel(*, is_lab: bool = False, has_ledger: bool = False) -> Iterator[KernelSession]:
    """Start a kernel without anybody's start-up files, which answers from the simulator.

    Parameters
    ----------
    is_lab : bool
        Whether it is to take its front end for JupyterLab.
    has_ledger : bool
        Whether calls are recorded in a file; without, they are kept in the kernel's memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A profile of its own, so that nobody's start-up files are measured.
        profile = Path(folder, "profile_default")
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text(
            "get_config().IPKernelApp.log_level = 'ERROR'\n", "utf-8"
        )
        env = environment() | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": folder, "COMETNB_BACKEND": "simulator"}
        if has_ledger:
            env["COMETNB_LEDGER"] = str(Path(folder, "ledger.sqlite"))
        env.pop(_SESSION_NAME, None)
        with running_kernel(Path(folder), env | ({_SESSION_NAME: "bench.ipynb"} if is_lab else {})) as kernel:
            yield kernel


def run_cell(kernel: KernelSession, cell: str) -> CellRun:
    """Run a cell that must not fail; the longest stream measured here is given ten minutes."""
    run = kernel.run(cell, timeout_s=600)
    assert not run.errors, run.errors
    return run


def simulated(text: str, tokens_per_s: float | None) -> str:
    """Return a cell that has the simulator answer `text` at this pace; None is as fast as possible."""
    return (
        "from cometnb.defaults import shared\n"
        f"shared.simulator.text, shared.simulator.tokens_per_s = {text!r}, {tokens_per_s}"
    )


def ask(kernel: KernelSession, text: str, tokens_per_s: float | None) -> CellRun:
    """Have `text` streamed into a ``%%respond`` cell; what is loaded at a first call is loaded before."""
    run_cell(kernel, "%load_ext cometnb")
    run_cell(kernel, simulated("Hello.", None))
    run_cell(kernel, "%%respond -e none\nHello")
    run_cell(kernel, simulated(text, tokens_per_s))
    run = run_cell(kernel, "%%respond -e none\nHello")
    assert kernel.value("_.output_text") == text
    return run
