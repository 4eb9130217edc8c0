"""Row 4: how long the page stands still while an answer streams into JupyterLab, in a real browser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.child import ROOT, environment
from benchmarks.kernel import simulated
from benchmarks.prose import markdown
from benchmarks.rounds import Samples
from benchmarks.tables import Section, Target
from benchmarks.traffic import FULL_TEXT_10_HZ
from tests.needs import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import LabServer

__all__ = ["long_tasks"]

_LIVE = "cometnb, live view"
_BY_HAND = "`update(Markdown(text))` at 10 Hz"
_CELLS = {_LIVE: "%%respond -e none\nHello", _BY_HAND: FULL_TEXT_10_HZ}
_TOTAL_LIMIT_MS, _LONGEST_LIMIT_MS = 1500.0, 400.0
_STREAM_S = 180.0


def long_tasks(*, is_quick: bool) -> Section:
    """Measure the page's long tasks during 10,000 deltas at 1,000 a second."""
    n_deltas = 500 if is_quick else 10_000
    title = f"Long tasks of the page during {n_deltas:,} deltas at 1,000 a second"
    browser = _browser()
    if not browser:
        print("row 4: not measured, as there is no Chromium with Playwright here", flush=True)
        return Section(title, "Not measured: it needs Chromium and Playwright.", ("way",), [], {}, [])
    samples = _measured(browser, n_deltas)
    ours_ms = samples[_LIVE]
    return Section(
        title=title,
        note=(
            "Milliseconds in which JupyterLab's page answered nobody, as Chromium itself reports them: tasks of 50 ms"
            " and more. Once each, in a fresh page and kernel, on the machine that also runs the server."
        ),
        columns=("way", "tasks", "total ms", "longest ms"),
        rows=[
            (way, str(len(tasks_ms)), f"{sum(tasks_ms):.0f}", f"{max(tasks_ms, default=0.0):.0f}")
            for way, tasks_ms in samples.items()
        ],
        samples=samples,
        targets=[
            Target(f"the total of {_LIVE}", sum(ours_ms), _TOTAL_LIMIT_MS, unit="ms"),
            Target(f"the longest of {_LIVE}", max(ours_ms, default=0.0), _LONGEST_LIMIT_MS, unit="ms"),
        ],
    )


def _browser() -> str:
    """Return the path of a Chromium that can be driven; empty if there is none."""
    if not find_spec("playwright"):
        return ""
    try:
        return chromium()
    except (pytest.skip.Exception, pytest.fail.Exception):
        return ""


def _measured(browser: str, n_deltas: int) -> Samples:
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import BROWSER_FLAGS

    samples: Samples = {}
    with _lab() as lab, sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=list(BROWSER_FLAGS))
        for place, (way, cell) in enumerate(_CELLS.items()):
            samples[way] = _tasks_ms(started, lab, f"{place}.ipynb", cell, markdown(n_deltas))
        started.close()
    return samples


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


def _tasks_ms(browser: Browser, lab: LabServer, name: str, cell: str, text: str) -> list[float]:
    """Return the long tasks of one answer, in milliseconds, in a page of its own."""
    from tests.browser.lab import NotebookPage, write_notebook
    from tests.browser.watch import watch, work

    warm = "%load_ext cometnb\n" + simulated("Hello.", None)
    write_notebook(lab.folder / name, [warm, "%%respond -e none\nHello", simulated(text, 1000), cell])
    page = NotebookPage(browser.new_context(reduced_motion="reduce").new_page(), lab, lab.folder / name)
    page.open()
    for index in range(3):
        page.run_cell(index)
    watch(page, 3)
    page.start_cell(3)
    page.wait_idle(_STREAM_S)
    tasks_ms: list[float] = work(page)["longTasks"]
    assert page.output_text(3).count("What makes the tide turn") == text.count("What makes the tide turn")
    page.close()
    return tasks_ms
