"""Row 4: how long the page stands still while an answer streams into JupyterLab, in a real browser."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from benchmarks.child import ROOT, environment
from benchmarks.kernel import simulated
from benchmarks.plan import Plan
from benchmarks.prose import markdown
from benchmarks.rounds import Rounds
from benchmarks.tables import Section, Target
from benchmarks.traffic import full_text
from tests.needs import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession

    from tests.browser.lab import LabServer

__all__ = ["long_tasks"]

_LIVE = "cometnb, live view"
_BY_HAND = "`update(Markdown(text))` at 10 Hz"
_CELLS = {_LIVE: "%%respond -e none\nHello", _BY_HAND: full_text(10)}
_TOTAL_LIMIT_MS, _LONGEST_LIMIT_MS = 1500.0, 400.0
_STREAM_S = 180.0
_CAUSE = "A task draws one block anew: its highlighting and layout are the page's own"
# A page's share of an older laptop: DevTools lets its thread run a quarter of the time.
_SLOWER = 4


@dataclass(frozen=True, slots=True)
class _Work:
    """What one answer made the page's thread do: its long tasks, and all of its tasks together; milliseconds."""

    tasks_ms: list[float]
    busy_ms: float


def long_tasks(plan: Plan) -> Section:
    """Measure the page's long tasks during 10,000 deltas at 1,000 a second."""
    n_deltas, n_rounds = plan.size(300, 10_000), plan.rounds(2)
    title = f"Long tasks of the page during {n_deltas:,} deltas at 1,000 a second"
    browser = _browser()
    if not browser:
        print("  not measured, as there is no Chromium with Playwright here", flush=True)
        return Section(title, "Not measured: it needs Chromium and Playwright.", ("way",), [], {})
    seen = _measured(browser, markdown(n_deltas), plan.size((1,), (1, _SLOWER)), n_rounds)
    totals = {name: median(sum(work.tasks_ms) for work in works) for name, works in seen.items()}
    longest = {
        name: median(max(work.tasks_ms, default=0.0) for work in works) for name, works in seen.items()
    }
    busy = Rounds({name: [work.busy_ms for work in works] for name, works in seen.items()})
    return Section(
        title=title,
        note=(
            "Milliseconds in which JupyterLab's page answered nobody, as Chromium itself reports them: tasks of 50 ms"
            " and more; and the milliseconds of all the tasks of the page's thread, long or short, which tells more"
            f" where the machine is fast. Median of {n_rounds} interleaved rounds, each in a fresh page and kernel, on"
            f" the machine that also runs the server. The last rows, once each, are with the page's thread {_SLOWER}"
            " times slower, as DevTools can have it: an older laptop."
        ),
        columns=("way", "long tasks", "their total ms", "longest ms", "all tasks ms"),
        rows=[
            (
                name,
                f"{median(len(work.tasks_ms) for work in works):.0f}",
                totals[name],
                longest[name],
                busy.median(name),
            )
            for name, works in seen.items()
        ],
        samples=busy.samples
        | {
            f"{name}, long tasks of round {number + 1}": work.tasks_ms
            for name, works in seen.items()
            for number, work in enumerate(works)
        },
        targets=[
            Target(f"the total of {_LIVE}", totals[_LIVE], _TOTAL_LIMIT_MS, unit="ms", cause=_CAUSE).beside(
                busy, _LIVE, [_BY_HAND]
            ),
            Target(f"the longest of {_LIVE}", longest[_LIVE], _LONGEST_LIMIT_MS, unit="ms", cause=_CAUSE),
        ],
        picture="page",
    )


def _browser() -> str:
    """Return the path of a Chromium that can be driven; empty if there is none."""
    if not find_spec("playwright"):
        return ""
    try:
        return chromium()
    except (pytest.skip.Exception, pytest.fail.Exception):
        return ""


def _measured(browser: str, text: str, slownesses: tuple[int, ...], n_rounds: int) -> dict[str, list[_Work]]:
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import BROWSER_FLAGS

    seen: dict[str, list[_Work]] = {}
    with _lab() as lab, sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=list(BROWSER_FLAGS))
        for number in range(n_rounds):
            # The slow page takes minutes, and is no target.
            for slowness in slownesses if number == 0 else (1,):
                for way, cell in _CELLS.items():
                    name = way if slowness == 1 else f"{way}, page {slowness} times slower"
                    print(f"  round {number + 1} of {n_rounds}: {name}", flush=True)
                    seen.setdefault(name, []).append(_work(started, lab, cell, text, slowness))
        started.close()
    return seen


@contextmanager
def _lab() -> Iterator[LabServer]:
    """Start JupyterLab with a home and settings of its own."""
    from tests.browser.lab import running_lab

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "notebooks")
        folder.mkdir()
        places = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        homes = {name: str(Path(home, name.lower())) for name in places}
        for made in homes.values():
            Path(made).mkdir()
        env = environment() | homes | {"PYTHONPATH": str(ROOT), "COMETNB_BACKEND": "simulator"}
        with running_lab(folder, env) as lab:
            yield lab


def _work(browser: Browser, lab: LabServer, cell: str, text: str, slowness: int) -> _Work:
    """Return what one answer costs a page of its own."""
    from tests.browser.lab import NotebookPage, write_notebook
    from tests.browser.watch import watch, work

    warm = "%load_ext cometnb\n" + simulated("Hello.", None)
    file = lab.folder / f"{uuid.uuid4().hex}.ipynb"
    write_notebook(file, [warm, "%%respond -e none\nHello", simulated(text, 1000), cell])
    page = NotebookPage(browser.new_context(reduced_motion="reduce").new_page(), lab, file)
    page.open()
    for index in range(3):
        page.run_cell(index)
    tools = page.page.context.new_cdp_session(page.page)
    tools.send("Performance.enable")
    tools.send("Emulation.setCPUThrottlingRate", {"rate": slowness})
    watch(page, 3)
    before_ms = _busy_ms(tools)
    page.start_cell(3)
    page.wait_idle(_STREAM_S)
    busy_ms = _busy_ms(tools) - before_ms
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    tasks_ms: list[float] = work(page)["longTasks"]
    assert page.output_text(3).count("What makes the tide turn") == text.count("What makes the tide turn")
    page.close()
    return _Work(tasks_ms, busy_ms)


def _busy_ms(tools: CDPSession) -> float:
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")
