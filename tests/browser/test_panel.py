"""The panel in JupyterLab: moved by keyboard and mouse, run, stopped, compared, reloaded, in light and dark."""

from __future__ import annotations

import re

from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import NotebookPage, Theme
from tests.browser.watch import reopen, simulated, value

_DECK = ".cometnb-deck"
_ANSWER = ".cometnb-home .cometnb-live"
_LONG = "Some words of an answer. " * 800
_PANEL = "import cometnb\npanel = cometnb.panel('What is a mean?', temperature=0.2)\npanel"
_SET = "panel.params, panel.tools"
_OPEN = "import ipywidgets.widgets.widget as w\nlen(w._instances)"
_SOURCES = "window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.map((cell) => cell.source)"
_FITS = """() => {
  const board = document.querySelector(".cometnb-board");
  return board.clientWidth < 300 && board.scrollWidth <= board.clientWidth;
}"""
_ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"


def _open(
    notebook: OpenNotebook,
    *cells: str,
    text: str | None = "Fine.",
    pace: float | None = None,
    theme: Theme = "light",
) -> NotebookPage:
    page = notebook([simulated(text, pace), _PANEL, *cells], theme=theme)
    page.run_cell(0)
    page.run_cell(1)
    page.page.locator(_DECK).wait_for()
    return page


def _dial(page: NotebookPage, path: str) -> Locator:
    return page.page.locator(f'.cometnb-dial[data-path="{path}"]').first


def _key(page: NotebookPage, name: str) -> Locator:
    return page.page.locator(".cometnb-board").first.get_by_role("button", name=name, exact=True)


def _settle(page: NotebookPage) -> None:
    """Wait until the kernel has heard of every change."""
    expect(page.page.locator(f"{_DECK}[data-unheard]")).to_have_count(0)
    page.wait_idle()


def _tab(page: NotebookPage, name: str) -> None:
    page.page.get_by_role("tab", name=re.compile(name)).first.click()


def test_every_dial_moves_by_keyboard_and_mouse(notebook: OpenNotebook) -> None:
    """What is touched is set and sent, what is unset is not; the notebook around takes none of the keys."""
    page = _open(notebook, _SET)
    before = page.page.evaluate(_SOURCES)
    keyboard = page.page.keyboard
    _dial(page, "temperature").locator("input[type=range]").focus()
    for name in ("ArrowRight", "ArrowUp", "d", "d", "b"):
        keyboard.press(name)
    box = _dial(page, "top_p").locator("input[type=range]").bounding_box()
    assert box is not None
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    _dial(page, "max_output_tokens").locator("input[type=range]").press("Home")
    _dial(page, "reasoning.effort").get_by_role("radio", name="low").click()
    _dial(page, "text.verbosity").get_by_role("radio", name="low").press("ArrowRight")
    _dial(page, "tools").locator("input").fill("web_search")
    keyboard.press("Enter")
    _settle(page)
    expected = (
        "({'temperature': 0.4,\n  'top_p': 0.5,\n  'max_output_tokens': 16,\n"
        "  'reasoning': {'effort': 'low'},\n  'text': {'verbosity': 'medium'}},\n ['web_search'])"
    )
    assert value(page, 2) == expected
    _dial(page, "temperature").locator("input[type=range]").press("Delete")
    _dial(page, "top_p").locator(".cometnb-off").click()
    _dial(page, "max_output_tokens").locator("input[type=number]").fill("")
    _dial(page, "reasoning.effort").get_by_role("radio", name="low").click()
    _dial(page, "text.verbosity").get_by_role("radio", name="medium").press("Backspace")
    _key(page, "Remove web_search").click()
    expect(page.page.locator(f"{_DECK} .cometnb-dials .cometnb-dial:not(.cometnb-unset)")).to_have_count(0)
    _settle(page)
    assert value(page, 2) == "({}, [])"
    assert page.page.evaluate(_SOURCES) == before
    assert page.console_errors == []


def test_a_screen_reader_and_the_tab_key_find_their_way(notebook: OpenNotebook) -> None:
    """Each control has a name with its words; from the prompt the next stops are the instructions and the keys."""
    page = _open(notebook)
    slider = page.page.get_by_role("slider", name=re.compile("^temperature: Randomness"))
    expect(slider).to_have_attribute("aria-valuetext", "0.2")
    expect(page.page.get_by_role("slider", name=re.compile("^top_p"))).to_have_attribute(
        "aria-valuetext", "1 unless set"
    )
    expect(
        page.page.get_by_role("radiogroup", name=re.compile("^reasoning.effort: How hard"))
    ).to_be_visible()
    page.page.get_by_role("textbox", name=re.compile("^prompt")).focus()
    seen = []
    for _ in range(5):
        page.page.keyboard.press("Tab")
        seen.append(
            page.page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel")
        )
    assert [word.split("\n")[0].split(":")[0] for word in seen[1:]] == [
        "instructions",
        "RunCtrl ↵",
        "StopEsc",
        "Clear",
    ]
    tabs = page.page.locator(".cometnb-tabs").get_by_role("tab")
    tabs.first.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(page.page.get_by_role("tabpanel", name="request")).to_contain_text('"temperature": 0.2')


def test_a_narrow_page_cuts_nothing_off(notebook: OpenNotebook) -> None:
    """As a page of 1,200 pixels is at a zoom of 400 %: every control and all of its words are within the board."""
    page = _open(notebook)
    page.page.locator(f"{_DECK} summary", has_text="Advanced").click()
    page.page.set_viewport_size({"width": 400, "height": 900})
    page.page.wait_for_function(_FITS)


def test_it_runs_and_stops_in_mid_stream(notebook: OpenNotebook) -> None:
    """Ctrl+Enter in the prompt runs the panel and not the cell; Esc closes the connection, also in the middle."""
    page = _open(notebook, "panel.runs[-1].status, len(panel.runs)", text=_LONG, pace=80)
    count = page.page.locator(".jp-InputPrompt").nth(1).inner_text()
    _dial(page, "input").locator("textarea").press("End")
    page.page.keyboard.type(" And a median?")
    page.page.keyboard.press("Control+Enter")
    answer = page.page.locator(_ANSWER)
    expect(answer).to_contain_text("an answer. Some words", timeout=20_000)
    page.screenshot("panel-running")
    page.page.keyboard.press("Escape")
    expect(answer).to_contain_text("Interrupted")
    expect(_dial(page, "input").locator("textarea")).to_be_focused()
    assert page.page.locator(".jp-InputPrompt").nth(1).inner_text() == count
    page.wait_idle()
    assert value(page, 2) == "('interrupted', 1)"
    for name, words in (
        ("Request", "And a median?"),
        ("Code", "%%respond -t 0.2"),
        ("Events", "response.output_text.delta"),
        ("Usage", "input tokens"),
        ("Runs", "interrupted"),
    ):
        _tab(page, name)
        expect(page.page.locator(".cometnb-page")).to_contain_text(words)
        expect(answer).to_be_hidden()
    page.screenshot("panel-stopped")
    _tab(page, "Usage")
    expect(page.page.locator(".cometnb-usage")).to_have_css("display", "grid")
    _tab(page, "Answer")
    expect(answer).to_be_visible()
    _key(page, "Clear").click()
    expect(answer).not_to_contain_text("Some words")
    assert page.console_errors == []


def test_what_is_wrong_is_said_where_it_is(notebook: OpenNotebook) -> None:
    """Out of range and no JSON at once, at the control, and nothing is sent; a refusal with a way out."""
    page = _open(notebook, "shared.simulator.without = ('no_temperature',)", "len(panel.runs)")
    page.run_cell(2)
    temperature = _dial(page, "temperature")
    temperature.locator("input[type=number]").fill("7")
    expect(temperature).to_contain_text("from 0 to 2")
    assert page.page.locator('.cometnb-dial[data-path="metadata"]').count() == 0
    page.page.locator(f"{_DECK} summary", has_text="Advanced").click()
    _dial(page, "metadata").locator("textarea").fill('{"a": ')
    expect(_dial(page, "metadata")).to_contain_text("not JSON yet")
    page.page.keyboard.press("Control+Enter")
    expect(page.page.locator(_DECK)).to_contain_text("Nothing is sent. temperature: from 0 to 2.")
    expect(temperature.locator("input[type=range]")).to_be_focused()
    page.screenshot("panel-faults")
    _dial(page, "metadata").locator("textarea").fill('{"a": "b"}')
    temperature.locator("input[type=number]").fill("1.2")
    expect(page.page.locator(f"{_DECK} summary").first).to_have_text("Advanced · 1 set")
    page.page.locator(".cometnb-run").click()
    expect(temperature).to_contain_text("is not supported with this model")
    page.screenshot("panel-refused")
    expect(page.page.locator(".cometnb-note.cometnb-bad")).to_contain_text("Unsupported parameter")
    temperature.get_by_role("button", name="Drop").click()
    expect(temperature).to_have_class(re.compile("cometnb-unset"))
    page.page.locator(".cometnb-run").click()
    expect(page.page.locator(_ANSWER)).to_contain_text("Fine.")
    page.wait_idle()
    assert value(page, 3) == "2"


def test_presets_sharing_and_a_cell(notebook: OpenNotebook) -> None:
    """Saved, loaded, shared as a line and taken over again; a cell with these settings stands below, and runs."""
    page = _open(notebook, "panel.presets.own")
    _key(page, "Save, share").click()
    page.page.get_by_label("Name of the preset").fill("my way")
    _key(page, "Save").click()
    expect(page.page.locator(_DECK)).to_contain_text("Saved as my way.")
    page.page.get_by_label("Preset", exact=True).select_option("Quick and short")
    expect(_dial(page, "temperature")).to_have_class(re.compile("cometnb-unset"))
    page.page.get_by_label("Preset", exact=True).select_option("my way")
    number = _dial(page, "temperature").locator("input[type=number]")
    expect(number).to_have_value("0.2")
    _key(page, "Share").click()
    line = page.page.get_by_label("Settings as one line of text")
    expect(line).to_have_value(re.compile("^cometnb1[.]"))
    _dial(page, "temperature").locator(".cometnb-off").click()
    expect(number).to_have_value("")
    _key(page, "Load").click()
    expect(number).to_have_value("0.2")
    page.screenshot("panel-presets")
    _key(page, "Delete").click()
    expect(page.page.locator(_DECK)).to_contain_text("my way is deleted")
    page.wait_idle()
    assert value(page, 2) == "()"
    _key(page, "Insert cell").click()
    expect(page.page.locator(_DECK)).to_contain_text("The cell stands below.")
    assert page.page.evaluate(_SOURCES)[2] == "%%respond -t 0.2\nWhat is a mean?"
    assert page.page.evaluate(_ACTIVE) == 2
    page.run_cell(2)
    assert "Fine." in page.output_text(2)
    assert page.console_errors == []


def test_settings_are_compared_side_by_side(notebook: OpenNotebook) -> None:
    """Two columns stream at a time, each with its figures; differences by mark, not by colour alone; in the dark."""
    page = _open(notebook, text=None, pace=150, theme="dark")
    _key(page, "Compare").click()
    _dial(page, "temperature").locator("input[type=number]").fill("1.6")
    _key(page, "Add settings").click()
    columns = page.page.locator(".cometnb-column")
    expect(columns).to_have_count(2)
    expect(columns.last).to_contain_text("temperature=1.6")
    _key(page, "Run all").click()
    expect(columns.first).to_contain_text("simulator")
    for column in (columns.first, columns.last):
        expect(column).to_contain_text(re.compile(r"tokens out.*\$0\.\d+.* s"), timeout=20_000)
    _key(page, "Differences").click()
    expect(columns.last.locator("ins").first).to_have_css("text-decoration-line", "underline")
    expect(columns.last.locator("del").first).to_have_css("text-decoration-line", "line-through")
    page.screenshot("panel-compare")
    columns.first.get_by_role("button", name="Remove A").click()
    expect(columns).to_have_count(1)
    _tab(page, "Runs 2")
    expect(page.page.locator(".cometnb-page tbody tr")).to_have_count(2)
    expect(columns.first).to_be_hidden()
    for mark in page.page.locator(".cometnb-page input").all():
        mark.check()
    expect(page.page.locator(".cometnb-page .cometnb-diff-title")).to_contain_text("temperature: 0.2 → 1.6")
    assert page.console_errors == []


def test_shown_twice_reloaded_and_closed(notebook: OpenNotebook) -> None:
    """Both displays are in step, a reload in mid-stream goes on, and closing gives everything back."""
    page = _open(notebook, "panel", _OPEN, "panel.close()", text=_LONG, pace=60)
    page.run_cell(2)
    expect(page.page.locator(_DECK)).to_have_count(2)
    numbers = page.page.locator('.cometnb-dial[data-path="top_p"] input[type=number]')
    numbers.last.fill("0.7")
    expect(numbers.first).to_have_value("0.7")
    assert value(page, 3) == "5"
    page.page.locator(".cometnb-run").first.click()
    answers = page.page.locator(_ANSWER)
    expect(answers.last).to_contain_text("an answer. Some words", timeout=20_000)
    page.save()
    page.reload()
    expect(page.page.locator(_DECK)).to_have_count(2, timeout=30_000)
    expect(answers.first).to_contain_text("an answer. Some words")
    before = len(answers.first.inner_text())
    page.page.wait_for_function(f"document.querySelector('{_ANSWER}').innerText.length > {before + 50}")
    page.page.locator(".cometnb-stop").first.click()
    expect(answers.last).to_contain_text("Interrupted")
    expect(numbers.first).to_have_value("0.7")
    page.wait_idle()
    page.run_cell(4)
    expect(page.page.locator(_DECK)).to_have_count(0)
    assert value(page, 3) == "0"
    page.run_cell(1)
    expect(page.page.locator(_DECK)).to_have_count(1)
    page.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(page.page.locator(_DECK)).to_contain_text("has ended; run its cell again")


def test_the_file_reads_without_a_kernel(notebook: OpenNotebook) -> None:
    """It holds the settings and the last answer as text, no widget's state, and no word of a lost widget."""
    page = _open(notebook, text="A **fine** answer.")
    page.page.locator(".cometnb-run").click()
    expect(page.page.locator(_ANSWER)).to_contain_text("A fine answer.")
    expect(page.page.locator(_DECK)).to_contain_text("simulated")
    expect(page.page.locator(".cometnb-kept")).to_be_hidden()
    page.wait_idle()
    page.save()
    saved = page.saved()
    assert "widgets" not in saved.metadata
    kept, board = (output.data for output in saved.cells[1].outputs)
    assert "A **fine** answer." in kept["text/markdown"]
    assert "settings and its last answer stand above" in board["text/plain"]
    html, _ = HTMLExporter().from_notebook_node(saved)  # type: ignore[no-untyped-call]
    assert "<strong>fine</strong>" in html
    reopen(page)
    outputs = page.page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-child")
    expect(outputs.nth(0)).to_be_visible(timeout=30_000)
    expect(outputs.nth(1)).to_be_hidden()
    page.screenshot("panel-reopened")
