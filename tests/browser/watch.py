"""What a page does while an answer streams: heights, long tasks and layout shifts, recorded in the page itself."""

from __future__ import annotations

from typing import Any

from tests.browser.lab import NotebookPage

__all__ = ["LIVE", "LONG", "ask", "heights", "reopen", "simulated", "value", "watch", "work"]

LIVE = ".cometnb-live"
"""Selects the live view."""

LONG = "Some words of an answer. " * 800
"""An answer that does not end before a test has done what it does in mid-stream."""

_ACT_MS = 60_000

# Heights are taken after every change of the DOM and after every layout, of the cell's whole output.
_WATCH = """(index) => {
  const cell = document.querySelectorAll(".jp-CodeCell")[index];
  const output = cell.querySelector(".jp-Cell-outputWrapper");
  window.testsHeights = [];
  window.testsWork = { longTasks: [], shifts: [] };
  const take = () => {
    const height = output.offsetHeight;
    if (window.testsHeights.at(-1) !== height) window.testsHeights.push(height);
  };
  new ResizeObserver(take).observe(output);
  new MutationObserver(take).observe(output, { childList: true, subtree: true, characterData: true });
  const note = (kind, list, figure) =>
    new PerformanceObserver((seen) => list.push(...seen.getEntries().map(figure))).observe({ type: kind });
  note("longtask", window.testsWork.longTasks, (entry) => entry.duration);
  note("layout-shift", window.testsWork.shifts, (entry) => entry.value);
}"""

_SHUT_DOWN = "window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"


def simulated(text: str | None = None, tokens_per_s: float | None = 80) -> str:
    """Return a cell that loads cometnb and has the simulator answer `text` at this pace."""
    return (
        "%load_ext cometnb\n%comet simulator\nfrom cometnb.defaults import shared\n"
        f"shared.simulator.text, shared.simulator.tokens_per_s = {text!r}, {tokens_per_s}"
    )


def ask(page: NotebookPage, index: int = 1) -> None:
    """Run the first cell, then start a cell that asks, and return once its live view is drawn."""
    page.run_cell(0)
    page.start_cell(index)
    page.page.locator(LIVE).first.wait_for(timeout=_ACT_MS)


def value(page: NotebookPage, index: int) -> str:
    """Run a cell and return the plain text of its value."""
    page.run_cell(index)
    return str(page.outputs(index)[-1]["data"]["text/plain"])


def watch(page: NotebookPage, index: int) -> None:
    """Begin to record what the output of a cell costs the page, and how high it is."""
    page.page.evaluate(_WATCH, index)


def heights(page: NotebookPage) -> list[int]:
    """Return the heights of the output since `watch`, in pixels, one for each change."""
    taken: list[int] = page.page.evaluate("window.testsHeights")
    return taken


def work(page: NotebookPage) -> dict[str, Any]:
    """Return ``longTasks`` (milliseconds each) and ``shifts`` (layout shift scores) since `watch`."""
    recorded: dict[str, Any] = page.page.evaluate("window.testsWork")
    return recorded


def reopen(page: NotebookPage) -> None:
    """Save the notebook, end its kernel and open the file again; what is drawn then needs no kernel."""
    page.save()
    page.page.evaluate(_SHUT_DOWN)
    page.reload()
    page.page.evaluate(_SHUT_DOWN)
