"""The live cost panel in JupyterLab: while calls end, after a reload, shown twice, and in a notebook opened again."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import NotebookPage, Theme
from tests.browser.watch import reopen, simulated, value

_PANEL = ".cometnb-spending"
_LIVE = "%comet usage --live"
_ASK = "%%respond -e medium --quiet\nWhat is the mean of a sample?"
_CALLS = "import cometnb\nfor n in range({}):\n    cometnb.respond('word ' * (1 + n * n % 97), reasoning={{'effort': 'low'}})"
_THREAD = (
    "import threading, cometnb\n"
    "thread = threading.Thread(target=lambda: cometnb.respond('Hello'))\nthread.start(); thread.join()"
)
_OPEN = (
    "import ipywidgets, cometnb.view.spending_panel as sp\n"
    "[type(one).__name__ for one in ipywidgets.widget._instances.values()].count('SpendingView'), "
    "len(shared._watchers)"
)


def _open(notebook: OpenNotebook, *cells: str, theme: Theme = "light") -> NotebookPage:
    page = notebook([simulated("Fine. " * 60, None), *cells], theme=theme)
    page.run_cell(0)
    return page


@pytest.mark.parametrize("theme", get_args(Theme))
def test_it_follows_the_calls_of_other_cells(notebook: OpenNotebook, theme: Theme) -> None:
    """Before the first, after it, after many: amounts, tokens by kind, a bar a call; nothing on the console."""
    page = _open(notebook, _LIVE, _ASK, _CALLS.format(30), theme=theme)
    page.run_cell(1)
    panel = page.page.locator(_PANEL)
    expect(panel).to_contain_text("no calls yet")
    page.screenshot(f"spending-{theme}-empty")
    page.run_cell(2)
    expect(panel).to_contain_text("1 attempt")
    expect(panel).to_contain_text(re.compile(r"\d+ reasoning \(\d+%\)"))
    expect(panel.locator(".cometnb-call")).to_have_count(1)
    page.run_cell(3)
    expect(panel).to_contain_text("31 attempts")
    expect(panel).to_contain_text(re.compile(r"\$0\.\d+ simulated, as if billed"))
    expect(panel.locator(".cometnb-call")).to_have_count(31)
    page.screenshot(f"spending-{theme}-many")
    assert page.console_errors == []


def test_it_follows_calls_of_other_threads(notebook: OpenNotebook) -> None:
    """A call that no cell waits for is one of this kernel's, too."""
    page = _open(notebook, _LIVE, _THREAD)
    page.run_cell(1)
    page.run_cell(2)
    expect(page.page.locator(_PANEL)).to_contain_text("1 attempt")


def test_a_screen_reader_is_told(notebook: OpenNotebook) -> None:
    """The panel has a name, the line is described in words, and what changed is read out when it is quiet."""
    page = _open(notebook, _LIVE, _ASK)
    page.run_cell(1)
    page.run_cell(2)
    region = page.page.get_by_role("region", name="What this kernel's calls cost")
    expect(region).to_be_visible()
    line = region.get_by_role("img", name=re.compile(r"^cost per call, the last call: up to \$"))
    expect(line).to_be_visible()
    expect(region.get_by_role("status")).to_have_text(re.compile(r"spent by this kernel.*last call \$"))


def test_a_budget_is_part_of_it(notebook: OpenNotebook) -> None:
    """What is left, of how much, and a bar that shrinks with the calls."""
    page = _open(notebook, "%comet budget 0.10", _LIVE, _CALLS.format(3))
    page.run_cell(1)
    page.run_cell(2)
    budget = page.page.locator(f"{_PANEL} .cometnb-budget")
    expect(budget).to_contain_text("left of simulated $0.10 for this kernel")
    whole = budget.locator("i").bounding_box()
    page.run_cell(3)
    expect(page.page.locator(_PANEL)).to_contain_text("3 attempts")
    rest = budget.locator("i").bounding_box()
    page.screenshot("spending-budget")
    assert whole is not None
    assert rest is not None
    assert rest["width"] < whole["width"]


def test_a_reload_loses_nothing(notebook: OpenNotebook) -> None:
    """The panel comes back with its figures and goes on."""
    page = _open(notebook, _LIVE, _ASK)
    page.run_cell(1)
    page.run_cell(2)
    page.save()
    page.reload()
    panel = page.page.locator(_PANEL)
    expect(panel).to_contain_text("1 attempt", timeout=30_000)
    page.wait_idle()
    page.run_cell(2)
    expect(panel).to_contain_text("2 attempts")


def test_a_second_view_of_the_output_goes_along(notebook: OpenNotebook) -> None:
    """Beside the notebook, to be kept in sight while one scrolls."""
    page = _open(notebook, _LIVE, _CALLS.format(4))
    page.run_cell(1)
    page.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    page.command("notebook:create-output-view")
    views = page.page.locator(_PANEL)
    expect(views).to_have_count(2)
    page.page.evaluate(
        """() => { const [notebook] = window.jupyterapp.shell.widgets("main");
                   window.jupyterapp.shell.activateById(notebook.id); }"""
    )
    page.run_cell(2)
    for view in (views.first, views.last):
        expect(view).to_contain_text("4 attempts")
    page.screenshot("spending-two-views")


def test_shown_again_there_is_one_panel(notebook: OpenNotebook) -> None:
    """In the same cell or another: one widget, one observer; the one before is a table with its last figures."""
    page = _open(notebook, _LIVE, _LIVE, _ASK, _OPEN)
    page.run_cell(1)
    page.run_cell(1)
    page.run_cell(3)
    page.run_cell(2)
    cells = page.page.locator(".jp-CodeCell")
    expect(cells.nth(1).locator(_PANEL)).to_have_count(0)
    expect(cells.nth(1).locator(".cometnb-figures")).to_be_visible()
    expect(cells.nth(1).locator(".cometnb-figures")).to_contain_text("simulated")
    expect(cells.nth(2).locator(_PANEL)).to_be_visible()
    expect(cells.nth(2).locator(".cometnb-figures")).to_be_hidden()
    assert value(page, 4) == "(1, 1)"
    page.run_cell(3)
    expect(cells.nth(2).locator(_PANEL)).to_contain_text("2 attempts")
    expect(cells.nth(1).locator(".cometnb-figures")).to_contain_text("attempts1")


def test_the_saved_notebook_reads_without_a_kernel(notebook: OpenNotebook) -> None:
    """Its last figures are a table in the file; opened again that is what is seen, and no word of a lost widget."""
    page = _open(notebook, _LIVE, _ASK)
    page.run_cell(1)
    page.run_cell(2)
    expect(page.page.locator(_PANEL)).to_contain_text("1 attempt")
    page.save()
    saved = page.saved()
    assert "widgets" not in saved.metadata
    table = saved.cells[1].outputs[0].data
    assert set(table) == {"text/html", "text/markdown", "text/plain"}
    assert re.search(r"attempts +1\n", table["text/plain"])
    html, _ = HTMLExporter().from_notebook_node(saved)  # type: ignore[no-untyped-call]
    assert "simulated" in html
    assert "widget-view+json" not in html
    reopen(page)
    outputs = page.page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-child")
    expect(outputs.nth(0)).to_be_visible(timeout=30_000)
    expect(outputs.nth(1)).to_be_hidden()
    page.screenshot("spending-reopened")
    assert "as if billed" in page.output_text(1)


def test_a_restarted_kernel_leaves_its_last_figures(notebook: OpenNotebook) -> None:
    """They stay to be read, marked as what was; the new kernel begins at nothing."""
    page = _open(notebook, _LIVE, _ASK)
    page.run_cell(1)
    page.run_cell(2)
    panel = page.page.locator(_PANEL)
    expect(panel).to_contain_text("1 attempt")
    page.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.wait_idle()
    expect(page.page.locator(f"{_PANEL}.cometnb-ended")).to_contain_text("1 attempt")
    page.screenshot("spending-restarted")
    page.run_cell(0)
    page.run_cell(1)
    expect(panel).to_contain_text("no calls yet")
