"""Structured answers in JupyterLab: rows that appear while they stream, and the one table that is left."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Theme
from tests.browser.watch import LIVE, ask, heights, reopen, simulated, value, watch

_PEOPLE = "%%respond -e none --schema '[name, born int, mood glad|sad]' --df people\nTwelve people"
_ONE = "%%respond -e none --schema 'name, born int, mood glad|sad'\nOne person"
_ROWS = f"{LIVE} tbody tr"
_HOSTILE = [
    "<img src=x onerror='window.testsRan = 1'>",
    "[click](javascript:window.testsRan=1)",
    "![x](data:image/png;base64,AAAA)",
    "<b>bold</b> **bold** _em_ `code` ~~gone~~",
    "a | b | c",
    "ends with \\",
    r"\(x\) \\(x\\) \[x\] \begin{align}x\end{align}",
    r"\(\href{javascript:window.testsRan=1}{x}\)",
    "from $5 to $6",
    "&lt;script&gt; &#60;b&#62;",
    "one more, so that the last of these is seen while it streams",
]
# What the table held after each change, to see that no row is lost on the way.
_COUNT = """(selector) => {
  window.testsRows = [];
  new MutationObserver(() => {
    const count = document.querySelectorAll(selector).length;
    if (document.querySelector(".cometnb-live") && window.testsRows.at(-1) !== count) window.testsRows.push(count);
  }).observe(document.querySelectorAll(".jp-CodeCell")[1], { childList: true, subtree: true });
}"""


@pytest.mark.parametrize("theme", get_args(Theme))
def test_rows_appear_while_they_stream(notebook: OpenNotebook, theme: Theme) -> None:
    """A table that grows by whole rows and never shrinks; no piece of JSON is seen."""
    page = notebook([simulated(tokens_per_s=60), _PEOPLE], theme=theme)
    page.run_cell(0)
    watch(page, 1)
    page.page.evaluate(_COUNT, _ROWS)
    page.start_cell(1)
    expect(page.page.locator(_ROWS).nth(7)).to_be_visible()
    page.screenshot(f"structured-{theme}-streaming")
    shown = page.page.locator(LIVE).inner_text()
    counts, grown = page.page.evaluate("window.testsRows"), heights(page)
    page.wait_idle()
    page.screenshot(f"structured-{theme}-done")
    assert counts == sorted(counts)
    assert len(counts) > 4
    assert grown == sorted(grown)
    assert shown.split()[:3] == ["name", "born", "mood"]
    assert "{" not in shown
    assert page.console_errors == []


def test_one_table_is_left(notebook: OpenNotebook) -> None:
    """In the page, in the file and without a kernel; the frame has the same rows."""
    page = notebook([simulated(tokens_per_s=400), _PEOPLE, "people.shape"])
    ask(page)
    page.wait_idle()
    assert value(page, 2) == "(12, 3)"
    reopen(page)
    (output,) = page.saved().cells[1].outputs
    assert set(output.data) == {"text/markdown", "text/plain"}
    lines = output.data["text/markdown"].split("\n")
    assert lines[:2] == ["| name | born | mood |", "| --- | --- | --- |"]
    assert sum(line.startswith("| ") for line in lines) == 14
    assert "widget" not in page.file.read_text("utf-8")
    assert page.page.locator(".jp-OutputArea table").count() == 1
    assert page.page.locator(".jp-OutputArea tbody tr").count() == 12
    page.screenshot("structured-reopened")


def test_cells_show_their_text_and_nothing_else(notebook: OpenNotebook) -> None:
    """While it streams and at the end: no markup, no image, no formula, no cell more than there are values."""
    answer = json.dumps({"rows": [{"name": words, "born": 1} for words in [*_HOSTILE, "last"]]})
    page = notebook(
        [simulated(answer, tokens_per_s=80), "%%respond -e none --schema '[name, born int]'\nPeople"]
    )
    ask(page)
    page.page.locator(_ROWS).nth(7).wait_for()
    streaming = page.page.locator(f"{LIVE} td:first-child").all_inner_texts()
    page.screenshot("structured-hostile-streaming")
    page.wait_idle()
    page.screenshot("structured-hostile-done")
    streaming = [words.replace("\u200c", "") for words in streaming]
    assert len(streaming) > 7
    assert streaming == _HOSTILE[: len(streaming)]
    area = page.page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea")
    left = [words.replace("\u200c", "") for words in area.locator("td:first-child").all_inner_texts()]
    assert left == [*_HOSTILE, "last"]
    assert area.locator("img, mjx-container, td b, td strong, td em, td a").count() == 0
    assert page.page.evaluate("window.testsRan") is None
    assert page.console_errors == []


def test_a_single_object_streams_as_json(notebook: OpenNotebook) -> None:
    """A block of code that grows; at the end it is laid out over lines."""
    page = notebook([simulated(tokens_per_s=8), _ONE])
    ask(page)
    expect(page.page.locator(f"{LIVE} pre")).to_contain_text('"name"')
    page.screenshot("structured-object-streaming")
    page.wait_idle()
    page.screenshot("structured-object-done")
    assert page.outputs(1)[0]["data"]["text/markdown"].startswith('```json\n{\n  "name": ')
    assert page.console_errors == []
