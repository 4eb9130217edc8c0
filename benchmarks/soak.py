"""Thousands of cells in one kernel: what stays behind is measured as they run.

``python -m benchmarks.soak --cells 10000`` prints memory, threads, files, sockets, comms, widgets and tasks at twenty
moments, and a verdict; its exit status is 1 if something grows.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.kernel import fresh_kernel, run_cell, simulated
from tests.kernel.kernel_session import KernelSession

__all__ = ["KINDS", "grows", "middle", "soak"]

# An allocator's and a collector's own ups and downs, and what IPython keeps of every cell: a kernel that runs nothing
# but `number += 1` grows by about 1 kB and two objects a cell. All that is counted one by one has no such slack.
_SLACK = {"memory_mb": 1.03, "objects": 1.02}

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
    "%%respond --sweep effort=none,low --quiet\nEach.",
    "%%respond -e none --background -o later\nLater.",
    "later.wait();",
    "fails('429')",
    "interrupted()",
    "closed_panel()",
)

_SET_UP = """
import _thread, gc, os, threading, time
import cometnb
from cometnb.defaults import shared
from pathlib import Path
from ipywidgets import Widget
from comm import get_comm_manager
import ipywidgets.widgets.widget as _widgets

number = 1
%load_ext cometnb

def double(n: int) -> int:
    "Twice a number."
    return 2 * n

def fails(fault):
    "Run a cell whose call fails, and go on."
    shared.simulator.fault = fault
    try:
        get_ipython().run_cell_magic("respond", "-e none", "This fails.")
    except cometnb.CometError:
        pass
    finally:
        shared.simulator.fault = None

def interrupted():
    "Interrupt a cell in the middle of its answer."
    shared.simulator.tokens_per_s = 20.0
    timer = threading.Timer(0.02, _thread.interrupt_main)
    timer.start()
    try:
        get_ipython().run_cell_magic("respond", "-e none", "Interrupt this.")
        time.sleep(0.1)
    except (KeyboardInterrupt, cometnb.CometError):
        pass
    finally:
        timer.cancel()
        timer.join()
        shared.simulator.tokens_per_s = None

def closed_panel():
    "Run a panel's prompt once, and close it."
    panel = cometnb.panel()
    panel.prompt = "From a panel."
    panel.run()
    panel.close()

def _left():
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    import asyncio
    session = shared._session
    links = [os.readlink(one.path) for one in os.scandir("/proc/self/fd") if os.path.lexists(one.path)]
    n_sockets = sum(link.startswith("socket:") for link in links)
    return {
        "memory_mb": int(status["VmRSS"].split()[0]) // 1024,
        "threads": threading.active_count(),
        "files": len(links) - n_sockets,
        "sockets": n_sockets,
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


def grows(found: Sequence[tuple[int, Mapping[str, int]]]) -> list[str]:
    """Return what there is more of in the last quarter than in the quarter before it.

    Parameters
    ----------
    found : sequence of tuple of int and mapping
        As `soak` yields it; the first half is left out, as IPython keeps the last 1,000 results and has to fill up.
    """
    quarter = max(1, len(found) // 4)
    before, last = found[-2 * quarter : -quarter], found[-quarter:]
    return [
        f"{name} from {middle(before, name):,.0f} to {middle(last, name):,.0f}"
        for name in found[-1][1]
        if before and middle(last, name) > middle(before, name) * _SLACK.get(name, 1.0)
    ]


def middle(moments: Sequence[tuple[int, Mapping[str, int]]], name: str) -> float:
    """Return the median of one count."""
    return median(counts[name] for _, counts in moments)


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    given = parser.parse_args()
    started_s = time.monotonic()
    with fresh_kernel(is_lab=True, has_ledger=True) as kernel:
        moments = []
        for done, found in soak(kernel, given.cells):
            moments.append((done, found))
            if len(moments) == 1:
                print("   cells " + " ".join(f"{name:>9}" for name in found))
            print(f"{done:8} " + " ".join(f"{count:9,}" for count in found.values()), flush=True)
    growing = grows(moments)
    verdict = f"grows: {'; '.join(growing)}" if growing else "flat"
    print(f"{given.cells} cells in {time.monotonic() - started_s:.0f} s: {verdict}")
    return 1 if growing else 0


if __name__ == "__main__":
    sys.exit(_main())
