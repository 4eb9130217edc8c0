"""Thousands of cells in one kernel: what stays behind is measured as they run.

``python -m benchmarks.soak --cells 10000`` prints memory, threads, files, comms, widgets and tasks at twenty moments.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
from collections.abc import Iterator

from benchmarks.kernel import fresh_kernel, run_cell, simulated
from tests.kernel.kernel_session import KernelSession

__all__ = ["KINDS", "soak"]

# What people run, one after the other; the kernel takes its front end for JupyterLab, so that views are opened.
KINDS: tuple[str, ...] = (
    "%%respond -e none\nSay something about {{number}}.",
    "%%respond -e low --tag soak\nAgain, with some reasoning.",
    "%%respond -e none --chat talk --new\nBegin anew.",
    "%%respond -e none --tools double --max-rounds 2\nDouble {{number}}, please.",
    "%%respond -e none --schema 'name, age int'\nSomeone.",
    "%%respond -e none --no-stream --quiet\nIn one piece.",
    "%comet",
    "number += 1",
)

_SET_UP = """
import gc, os, threading
from pathlib import Path
from ipywidgets import Widget
from comm import get_comm_manager
import ipywidgets.widgets.widget as _widgets

number = 1
%load_ext cometnb

def double(n: int) -> int:
    "Twice a number."
    return 2 * n

def _left():
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    from cometnb.defaults import shared
    import asyncio
    session = shared._session
    return {
        "memory_mb": int(status["VmRSS"].split()[0]) // 1024,
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "comms": len(get_comm_manager().comms),
        "widgets": len(_widgets._instances),
        "tasks": len(asyncio.all_tasks(session._background.loop)) if session is not None else 0,
        "objects": len(gc.get_objects()),
    }
"""


def soak(kernel: KernelSession, n_cells: int, n_moments: int = 20) -> Iterator[tuple[int, dict[str, int]]]:
    """Run cells of all kinds in turn and tell, at `n_moments` of them, what is there.

    Parameters
    ----------
    kernel : KernelSession
    n_cells, n_moments : int

    Yields
    ------
    tuple of int and dict
        Cells run so far; megabytes of memory, and how many threads, open files, comms, widgets, tasks and objects.
    """
    run_cell(kernel, simulated("Some words of an answer. " * 8, None))
    run_cell(kernel, "shared.simulator.first_token_s = 0.0")
    run_cell(kernel, _SET_UP)
    for done in range(1, n_cells + 1):
        run_cell(kernel, KINDS[done % len(KINDS)])
        if done % max(1, n_cells // n_moments) == 0:
            (result,) = run_cell(kernel, "_left()").of("execute_result")
            yield done, ast.literal_eval(result.content["data"]["text/plain"])


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    given = parser.parse_args()
    started_s = time.monotonic()
    with fresh_kernel(is_lab=True) as kernel:
        for number, (done, found) in enumerate(soak(kernel, given.cells)):
            if not number:
                print("   cells " + " ".join(f"{name:>9}" for name in found))
            print(f"{done:8} " + " ".join(f"{count:9,}" for count in found.values()), flush=True)
    print(f"{given.cells} cells in {time.monotonic() - started_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
