"""Hostile answers in JupyterLab, which trusts what a cell displays: nothing in them acts, at any moment."""

from __future__ import annotations

import os
import re

import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.guard import Watched
from tests.browser.hostile import TRIES
from tests.browser.hostile_surfaces import CONFIRM, PANEL, SURFACES, setup
from tests.browser.lab import SHOTS, NotebookPage
from tests.browser.watch import reopen, simulated

_RUN_S = 400.0
_ACT_MS = 60_000

# Cells are drawn in their order, and formulas after them: the last one's stands for all.
_LAST = "A formula $x^2$ to end with."
_DRAWN = """(n) => {
  const answers = document.querySelectorAll(".jp-OutputArea .jp-RenderedMarkdown");
  return answers.length === n && answers[n - 1].querySelector("mjx-container") !== null;
}"""


def _asking(text: str) -> str:
    return f"shared.simulator.text = {text!r}\nget_ipython().run_cell_magic('respond', '-e none', 'Hello')"


def _drawn(page: NotebookPage, n_answers: int) -> None:
    """Wait until every answer is drawn, the last one's formula too; a slow machine may take its time."""
    page.page.wait_for_function(_DRAWN, arg=n_answers, timeout=_RUN_S * 1000)


@pytest.mark.timeout(600)
def test_hostile_answers_do_nothing(notebook: OpenNotebook) -> None:
    """Streaming, at its end and opened again, none runs, fetches, links to a script or brings an element that could."""
    start = simulated(tokens_per_s=1000) + "\nshared.simulator.first_token_s = 0.0"
    page = notebook([start, *map(_asking, (*TRIES, _LAST))])
    watched = Watched(page.page)
    page.run_all(_RUN_S)
    _drawn(page, len(TRIES) + 1)
    page.screenshot("hostile-final")
    assert watched.harm() == []

    reopen(page)
    _drawn(page, len(TRIES) + 1)
    page.screenshot("hostile-reopened")
    assert watched.harm() == []


# Each took JupyterLab's reading of Markdown, or of formulas, the square of its length; some did not end in minutes.
_RUNS = ("*", "`", "$", "\\", "[", "<", "> ", "- ", "| a\n")


@pytest.mark.timeout(600)
def test_long_runs_of_marks_leave_the_page_awake(notebook: OpenNotebook) -> None:
    """The last answer's formula is drawn, so that the page has done with all before it."""
    answers = [f"x {piece * (50_000 // len(piece))}" for piece in _RUNS]
    page = notebook([simulated(tokens_per_s=None), *map(_asking, (*answers, _LAST))])
    page.run_all(_RUN_S)
    _drawn(page, len(answers) + 1)
    assert page.console_errors == []


# What the surfaces are filled with: a sample of the tries; ten at a time of all with COMETNB_HOSTILE=all.
_AT_ONCE = 10
_IN_ALL = os.environ.get("COMETNB_HOSTILE") == "all"
_PORTIONS = (
    {str(start): TRIES[start : start + _AT_ONCE] for start in range(0, len(TRIES), _AT_ONCE)}
    if _IN_ALL
    else {"sample": TRIES[3::11]}
)


# A person who lets every function run.
_ALLOW = (
    """() => setInterval(() => document.querySelector(".cometnb-question button:enabled")?.click(), 50)"""
)
_TABS = ("Request", "Code", "Events", "Usage", "Runs", "Compare", "Answer")


def _look_through_panel(page: NotebookPage) -> None:
    board = page.page.locator(".cometnb-board").last
    board.get_by_role("button", name="Compare", exact=True).click()
    board.locator(".cometnb-run").click()
    expect(board.locator(".cometnb-stop[aria-disabled=true]")).to_have_count(1, timeout=_ACT_MS)
    page.wait_idle()
    for name in _TABS:
        board.get_by_role("tab", name=re.compile(name)).click()
        page.wait_idle()
        if name == "Compare":
            board.get_by_role("button", name="Add settings", exact=True).click()
            board.get_by_role("button", name="Run all", exact=True).click()
            expect(board.get_by_role("button", name="Run all", exact=True)).to_be_visible(timeout=_ACT_MS)
            page.wait_idle()
            board.get_by_role("button", name="Differences", exact=True).click()
            page.wait_idle()
            page.screenshot("hostile-compare")


def _harm_of_export(page: NotebookPage) -> list[str]:
    """Return what acts in the HTML that nbconvert makes of the saved notebook, opened without a kernel."""
    html, _ = HTMLExporter().from_notebook_node(page.saved())  # type: ignore[no-untyped-call]
    file = page.file.with_suffix(".html")
    file.write_text(html, "utf-8")
    exported = page.page.context.new_page()
    watched = Watched(exported, ".jp-OutputArea-output")
    # Its own scripts are elsewhere; nothing leaves this machine.
    exported.route(re.compile("^https?:"), lambda route: route.abort())
    exported.goto(file.as_uri())
    SHOTS.mkdir(exist_ok=True)
    exported.screenshot(path=SHOTS / "hostile-exported.png")
    harm = watched.harm()
    exported.close()
    return harm


@pytest.mark.timeout(600)
@pytest.mark.parametrize("portion", _PORTIONS)
def test_no_surface_acts(notebook: OpenNotebook, portion: str) -> None:
    """Wherever a service, a tool or a file is shown, live, at its end, opened again and exported, words are words."""
    page = notebook([setup("\n\n".join(_PORTIONS[portion])), *SURFACES.values(), CONFIRM, PANEL])
    watched = Watched(page.page)
    page.page.evaluate(_ALLOW)
    page.run_all(_RUN_S)
    assert [name for at, name in enumerate(SURFACES, 1) if not page.outputs(at)] == []
    _look_through_panel(page)
    page.screenshot("hostile-surfaces")
    assert watched.harm() == []

    reopen(page)
    page.screenshot("hostile-surfaces-reopened")
    assert watched.harm() == []
    assert _harm_of_export(page) == []
