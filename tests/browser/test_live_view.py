"""The live view in JupyterLab: while an answer streams, when it is stopped, reloaded or shown twice, and afterwards."""

from __future__ import annotations

import itertools
import re
from typing import get_args

import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Theme
from tests.browser.watch import LIVE, LONG, ask, heights, reopen, simulated, value, watch, work

_ASK = "%%respond -e medium --reasoning.summary auto\nWhat is the mean of a sample?"
_PLAIN = "%%respond -e none\nHello"
_STOP = f"{LIVE} button"
_LAST_STATUS = "__import__('cometnb').usage().iloc[-1].status"
_ACTIVATE_FIRST = """() => {
  const [notebook] = window.jupyterapp.shell.widgets("main");
  window.jupyterapp.shell.activateById(notebook.id);
}"""
_MIXED = (
    "## A heading\n\nA paragraph with **bold** words and `code` in it, long enough for more than one line of the page "
    "so that the view has something to wrap and to measure while it grows.\n\n- one\n- two\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nfor n in range(3):\n    print(n)\n```\n\n> A quote.\n\n"
)


@pytest.mark.parametrize("theme", get_args(Theme))
def test_an_answer_is_drawn_while_it_streams(notebook: OpenNotebook, theme: Theme) -> None:
    """Reasoning, then formatted text, a status line and a Stop button; the browser has nothing to complain about."""
    page = notebook([simulated(_MIXED * 2, tokens_per_s=40), _ASK], theme=theme)
    ask(page)
    expect(page.page.locator(f"{LIVE} details")).to_be_visible()
    page.screenshot(f"live-{theme}-reasoning")
    expect(page.page.locator(f"{LIVE} h2")).to_have_count(2, timeout=60_000)
    page.page.locator(_STOP).press("Shift")
    page.screenshot(f"live-{theme}-streaming")
    assert page.page.locator(f"{LIVE} table").count() >= 1
    assert page.page.locator(f"{LIVE} pre .k").count() >= 1
    page.wait_idle()
    page.screenshot(f"live-{theme}-done")
    assert page.page.locator(LIVE).count() == 0
    assert page.console_errors == []


def test_reasoning_folds_away_when_text_begins(notebook: OpenNotebook) -> None:
    """It is open as long as there is nothing else to read; then one line of it stays, to be opened again."""
    page = notebook([simulated(_MIXED * 4), _ASK])
    ask(page)
    fold = page.page.locator(f"{LIVE} details")
    expect(fold).to_have_attribute("open", "")
    page.page.locator(f"{LIVE} h2").first.wait_for()
    expect(fold).not_to_have_attribute("open", "")
    assert fold.inner_text() == "Reasoning"


def test_the_status_line_says_what_goes_on(notebook: OpenNotebook) -> None:
    """Model, what it does, seconds, tokens so far and their pace."""
    page = notebook([simulated(LONG), _PLAIN])
    ask(page)
    expect(page.page.locator(".cometnb-status span")).to_have_text(
        re.compile(r"^gpt-5\.4 · writing · \d+ s · about \d\d+ tokens · \d+ tokens/s$"), timeout=20_000
    )
    page.interrupt()
    page.wait_idle()


def test_one_plain_display_is_left_and_saved(notebook: OpenNotebook) -> None:
    """It holds Markdown, plain text and the usage; no widget is in the file."""
    page = notebook([simulated(), _ASK])
    ask(page)
    page.wait_idle()
    page.save()
    saved = page.saved()
    (output,) = saved.cells[1].outputs
    assert output.output_type == "display_data"
    assert set(output.data) == {"text/markdown", "text/plain"}
    assert output.metadata["cometnb"]["usage"]["output_tokens"] > 0
    assert "widgets" not in saved.metadata
    assert "widget" not in page.file.read_text("utf-8")


def test_a_saved_answer_reads_well_without_a_kernel(notebook: OpenNotebook) -> None:
    """Opened again it is drawn in full, with its formulas and its usage line."""
    page = notebook([simulated(), _ASK])
    ask(page)
    page.wait_idle()
    reopen(page)
    page.page.locator("mjx-container").first.wait_for()
    page.screenshot("live-reopened")
    shown = page.output_text(1)
    assert "the simulator" in shown
    assert "tokens out" in shown
    assert page.page.locator(".jp-OutputArea table").count() == 1


def test_a_saved_answer_converts_to_a_page(notebook: OpenNotebook) -> None:
    """The HTML that nbconvert makes holds the text and the usage line, and nothing of the live view."""
    page = notebook([simulated(), _ASK])
    ask(page)
    page.wait_idle()
    page.save()
    html, _ = HTMLExporter().from_notebook_node(page.saved())  # type: ignore[no-untyped-call]
    assert "the simulator" in html
    assert "tokens out" in html
    assert "cometnb-live" not in html
    assert "widget-view+json" not in html


def test_the_stop_button_ends_an_answer(notebook: OpenNotebook) -> None:
    """The text stays, marked; the cell ends without an error, the row says interrupted, and other cells run."""
    page = notebook([simulated(LONG, tokens_per_s=40), _PLAIN, _LAST_STATUS, "6 * 7"])
    ask(page)
    page.wait_text(1, "an answer. Some words")
    page.page.locator(_STOP).click()
    page.wait_idle(timeout_s=20)
    page.screenshot("live-stopped")
    (output,) = page.outputs(1)
    assert output["data"]["text/markdown"].startswith("Some words of an answer.")
    assert "Interrupted" in output["data"]["text/markdown"]
    assert value(page, 2) == "'interrupted'"
    assert value(page, 3) == "42"


def test_an_interrupt_ends_an_answer(notebook: OpenNotebook) -> None:
    """The text stays, marked; the cell ends in an error of one line, and the row says interrupted."""
    page = notebook([simulated(LONG, tokens_per_s=40), _PLAIN, _LAST_STATUS])
    ask(page)
    page.wait_text(1, "an answer. Some words")
    page.interrupt()
    page.wait_idle(timeout_s=20)
    output, error = page.outputs(1)
    assert output["data"]["text/markdown"].startswith("Some words of an answer.")
    assert "Interrupted" in output["data"]["text/markdown"]
    assert len(error["traceback"]) == 1
    assert value(page, 2) == "'interrupted'"


def test_the_output_never_shrinks_while_it_streams(notebook: OpenNotebook) -> None:
    """Reasoning folds, lists and code close, tables begin: the output keeps its height or grows."""
    page = notebook([simulated(_MIXED * 4, tokens_per_s=120), _ASK])
    page.run_cell(0)
    watch(page, 1)
    page.start_cell(1)
    page.page.locator(LIVE).wait_for()
    expect(page.page.locator(f"{LIVE} blockquote")).to_have_count(3, timeout=60_000)
    seen = heights(page)
    page.wait_idle()
    print(f"heights to the end: {seen} {heights(page)[len(seen) :]}")  # noqa: T201  # shown with -s
    assert len(seen) > 5
    assert [(before, after) for before, after in itertools.pairwise(seen) if after < before] == []


def test_ten_thousand_deltas_leave_the_page_at_ease(notebook: OpenNotebook) -> None:
    """At 1,000 a second the answer is there at the end; the page's long tasks and layout shifts are told."""
    words = "Words and **more** words of an answer, with `code` in it, and then a few others to end.\n\n"
    page = notebook([simulated(words * 700, tokens_per_s=1000), _PLAIN, "_.usage.output_tokens >= 10_000"])
    page.run_cell(0)
    watch(page, 1)
    page.run_cell(1)
    done = work(page)
    tasks, shifts = done["longTasks"], done["shifts"]
    print(  # noqa: T201  # shown with -s
        f"{len(tasks)} long tasks, {sum(tasks):.0f} ms in all, longest {max(tasks, default=0):.0f} ms; "
        f"{len(shifts)} layout shifts, {sum(shifts):.3f} in all"
    )
    assert page.output_text(1).count("Words and more words") == 700
    assert value(page, 2) == "True"


def test_a_reload_loses_nothing(notebook: OpenNotebook) -> None:
    """In mid-stream: the answer goes on; when the cell ends the view has all of it, and the Response is bound."""
    page = notebook([simulated(_MIXED * 4, tokens_per_s=100), _PLAIN, "_.status, Out[2] is _", "%comet last"])
    ask(page)
    page.wait_text(1, "A quote.")
    page.save()
    page.reload()
    page.wait_idle()
    expect(page.page.locator(LIVE).first.locator("blockquote")).to_have_count(4, timeout=30_000)
    page.screenshot("live-reloaded")
    assert value(page, 2) == "('completed', True)"
    page.run_cell(3)
    page.wait_text(3, "tokens out")
    assert page.page.locator(".jp-CodeCell").nth(3).locator("blockquote").count() == 4


def test_a_restarted_kernel_leaves_what_had_come(notebook: OpenNotebook) -> None:
    """The words stay, the line below says that no more will come, and there is no Stop that nobody would hear."""
    page = notebook([simulated(LONG, tokens_per_s=40), _PLAIN, "%%respond --sweep effort=none,low\nHello"])
    for index, shown in ((1, LIVE), (2, ".cometnb-multiples-live")):
        page.run_cell(0)
        page.start_cell(index)
        view = page.page.locator(".jp-CodeCell").nth(index).locator(shown)
        expect(view).to_contain_text("an answer. Some words", timeout=30_000)
        page.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        expect(view).to_contain_text("The kernel has ended.")
        expect(view).to_contain_text("an answer. Some words")
        expect(view.get_by_role("button", name="Stop")).to_have_count(0)
        page.wait_idle()


def test_two_views_of_one_output_both_grow(notebook: OpenNotebook) -> None:
    """A new view of the output shows what came before it was made, and goes on like the first."""
    page = notebook([simulated(_MIXED * 8, tokens_per_s=60), _PLAIN])
    ask(page)
    page.wait_text(1, "A quote.")
    page.command("notebook:create-output-view")
    views = page.page.locator(LIVE)
    expect(views).to_have_count(2)
    for view in (views.first, views.last):
        expect(view.locator("h2")).to_have_count(4, timeout=60_000)
    page.screenshot("live-two-views")
    page.page.evaluate(_ACTIVATE_FIRST)
    page.wait_idle()
