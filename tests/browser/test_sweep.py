"""A sweep in JupyterLab: answers that stream side by side, a Stop button, and the one table that stays."""

from __future__ import annotations

from typing import get_args

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Theme
from tests.browser.watch import heights, simulated, value, watch

_LIVE = ".cometnb-multiples-live"
_TABLE = ".jp-OutputArea .cometnb-multiples"
_TEXT = (
    "The **mean** of a sample is `sum(x) / n`.\n\n- It uses every value.\n- One *outlier* moves it.\n\n"
    "| sample | mean |\n|---|---|\n| 1, 2, 3 | 2 |\n\n```python\nstatistics.mean([1, 2, 3])\n```\n\n"
) * 4
_SWEEP = "%%respond --sweep model=gpt-5.4,gpt-5.4-mini effort=none,low,high max_concurrency=6\nWhat is the mean of a sample?"


@pytest.mark.parametrize("theme", get_args(Theme))
def test_answers_stream_side_by_side_and_one_table_stays(notebook: OpenNotebook, theme: Theme) -> None:
    """While it runs each cell of the grid grows; then a table is left that needs no widget and no kernel."""
    page = notebook([simulated(_TEXT, tokens_per_s=240), _SWEEP, "_.shape"], theme=theme)
    page.run_cell(0)
    watch(page, 1)
    page.start_cell(1)
    page.page.locator(_LIVE).wait_for()
    expect(page.page.locator(f"{_LIVE} td")).to_have_count(6)
    expect(page.page.locator(f"{_LIVE} td strong").nth(5)).to_be_visible(timeout=30_000)
    expect(page.page.locator(f"{_LIVE} td table").first).to_be_visible(timeout=30_000)
    page.screenshot(f"sweep-{theme}-streaming")
    assert "Expected cost" in page.page.locator(".cometnb-multiples-head").inner_text()
    page.wait_idle()
    page.page.locator(_TABLE).wait_for()
    page.screenshot(f"sweep-{theme}-done")
    grown = heights(page)
    assert grown[: grown.index(max(grown)) + 1] == sorted(grown[: grown.index(max(grown)) + 1])
    assert page.page.locator(_LIVE).count() == 0
    assert page.page.locator(f"{_TABLE} > table > tbody > tr > td").count() == 6
    assert value(page, 2) == "(6, 17)"
    page.save()
    (output,) = page.saved().cells[1].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert len(output.metadata["cometnb"]["runs"]) == 6
    assert "widget" not in page.file.read_text("utf-8")
    assert page.console_errors == []


def test_the_stop_button_keeps_what_is_done_and_a_new_run_goes_on(notebook: OpenNotebook) -> None:
    """The cell ends without an error, its frame says what has no answer, and the same cell asks only that."""
    count = (
        "import cometnb; f = cometnb.sweep.last.frame; sorted(set(f.status)), len(cometnb.usage(tag='stop'))"
    )
    sweep = "%%respond --sweep model=gpt-5.4,gpt-5.4-mini effort=none,low max_concurrency=1 --tag stop\nHello"
    page = notebook([simulated("Some words. " * 25, tokens_per_s=150), sweep, count, sweep, count])
    page.run_cell(0)
    page.start_cell(1)
    expect(page.page.locator(f"{_LIVE} td[data-state=done]")).to_have_count(1, timeout=30_000)
    page.page.locator(f"{_LIVE} button").click()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "(['completed', 'interrupted', 'not_answered'], 2)"
    page.run_cell(3)
    assert "1 of 4 are kept" in page.output_text(3)
    assert value(page, 4) == "(['completed'], 5)"
