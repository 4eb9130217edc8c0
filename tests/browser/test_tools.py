"""Functions in a conversation, as a person meets them in JupyterLab: cards, buttons, interrupts, and what is saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, get_args

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import NotebookPage, Theme
from tests.browser.watch import LIVE, ask, heights, simulated, value, watch

_CARD = f"{LIVE} .cometnb-card"
_QUESTION = f"{LIVE} .cometnb-question"
# The function runs until a file is there, so that a test decides how long that is.
_TOOLS = """
import pathlib, time

def population(city: str) -> int:
    "People living in a city."
    return 2_873_000

def survey(city: str) -> str:
    "Asks everyone in a city."
    until_s = time.monotonic() + 30
    while not pathlib.Path({go!r}).exists() and time.monotonic() < until_s:
        time.sleep(0.05)
    return "All are *well* <b>there</b>."
"""
_ASK = "%%respond -e none --tools population\nWhat is the population of Rome?"
_CONFIRM = "%%respond -e none --tools population --confirm\nWhat is the population of Rome?"
_SURVEY = "%%respond -e none --tools survey --chat rome\nCall survey for Rome."
_GO_ON = "%%respond -e none --chat rome\nWhat did you find?"
_RESULT = "_.tool_results[0].output"
_LAST_OUTPUTS = "[i.get('output') for i in shared.simulator.requests[-1]['input'] if i.get('call_id')]"
_Way = Literal["button", "kernel"]


def _tools(
    go: str = "", text: str | None = "It has 2,873,000 people. " * 30, tokens_per_s: float = 60
) -> str:
    return simulated(text, tokens_per_s) + _TOOLS.format(go=go)


def _button(page: NotebookPage, label: str) -> Locator:
    return page.page.locator(f"{_QUESTION} button", has_text=label)


@pytest.mark.parametrize("theme", get_args(Theme))
def test_a_call_is_a_card_that_fills(notebook: OpenNotebook, theme: Theme) -> None:
    """Name and arguments, then that it runs, then the result with its time, as text."""
    go = f"go-{theme}"
    page = notebook([_tools(go), _SURVEY], theme=theme)
    page.run_cell(0)
    watch(page, 1)
    page.start_cell(1)
    card = page.page.locator(_CARD)
    expect(card.locator("strong")).to_have_text("survey")
    expect(card.locator("code")).to_have_text('{"city":"Rome"}')
    expect(card.locator(".cometnb-result")).to_have_text("running")
    expect(page.page.locator(".cometnb-status span")).to_contain_text("running survey")
    page.screenshot(f"tools-{theme}-running")
    page.file.with_name(go).touch()
    result = re.compile(r"^result, [\d,]+ ms: All are \*well\* <b>there</b>\.$")
    expect(card.locator(".cometnb-result")).to_have_text(result)
    page.wait_text(1, "2,873,000")
    page.screenshot(f"tools-{theme}-result")
    grown = heights(page)
    assert grown == sorted(grown)
    page.wait_idle()
    page.screenshot(f"tools-{theme}-done")
    assert page.console_errors == []


def test_call_and_result_are_saved_as_markdown(notebook: OpenNotebook) -> None:
    """One display, readable without a kernel; no widget is in the file."""
    page = notebook([_tools(text="It has many people.", tokens_per_s=200), _ASK])
    page.run_cell(0)
    page.run_cell(1)
    page.save()
    (output,) = page.saved().cells[1].outputs
    assert set(output.data) == {"text/markdown", "text/plain"}
    call, result, text, _ = output.data["text/markdown"].split("\n\n")
    assert call == '**Tool call** ` population ` ` {"city":"Rome"} `'
    assert re.fullmatch(r"→ ` 2873000 ` \*result, \d+ ms\*", result)
    assert text == "It has many people."
    assert "widget" not in page.file.read_text("utf-8")


@pytest.mark.parametrize("theme", get_args(Theme))
def test_a_person_allows_a_call(notebook: OpenNotebook, theme: Theme) -> None:
    """Nothing runs before the button is pressed; then it does, and the buttons are gone."""
    page = notebook([_tools(), _CONFIRM, _RESULT], theme=theme)
    ask(page)
    expect(_button(page, "Run")).to_be_visible()
    expect(_button(page, "Refuse")).to_be_visible()
    expect(page.page.locator(".cometnb-result")).to_have_count(0)
    expect(page.page.locator(".cometnb-status span")).to_contain_text("may population run?")
    page.screenshot(f"tools-{theme}-asks")
    _button(page, "Run").click()
    expect(page.page.locator(".cometnb-result")).to_have_text(re.compile(r"^result, [\d,]+ ms: 2873000$"))
    expect(page.page.locator(_QUESTION)).to_have_count(0)
    page.wait_idle()
    assert value(page, 2) == "'2873000'"
    assert page.console_errors == []


def test_a_person_refuses_a_call(notebook: OpenNotebook) -> None:
    """The model is told, the card says so, and the answer goes on."""
    page = notebook([_tools(), _CONFIRM, _RESULT])
    ask(page)
    _button(page, "Refuse").click()
    expect(page.page.locator(".cometnb-result")).to_have_text(re.compile("^refused"))
    page.screenshot("tools-refused")
    page.wait_idle()
    page.screenshot("tools-refused-done")
    assert "The user did not allow this call." in value(page, 2)
    assert "*refused*" in page.outputs(1)[0]["data"]["text/markdown"]


@pytest.mark.parametrize(("n_tabs", "result"), [(1, "'2873000'"), (2, "The user did not allow")])
def test_the_buttons_answer_to_the_keyboard(notebook: OpenNotebook, n_tabs: int, result: str) -> None:
    """From the cell that was run, Tab leads to them, and Enter presses without leaving for the editor."""
    page = notebook([_tools(), _CONFIRM, _RESULT])
    page.run_cell(0)
    page.page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.page.keyboard.press("Control+Enter")
    _button(page, "Run").wait_for()
    label = ["Run", "Refuse"][n_tabs - 1]
    for _ in _tabs(page, label):
        page.page.keyboard.press("Tab")
    page.screenshot(f"tools-keyboard-{label.lower()}")
    page.page.keyboard.press("Enter")
    expect(page.page.locator(_QUESTION)).to_have_count(0)
    page.wait_idle()
    assert result in value(page, 2)


def _tabs(page: NotebookPage, label: str) -> Iterator[int]:
    """Yield until the button has the focus; a person gives up sooner or later."""
    for n in range(12):
        if page.page.evaluate("document.activeElement?.textContent") == label:
            return
        yield n
    raise AssertionError(
        f"Tab does not lead to {label}: {page.page.evaluate('document.activeElement.outerHTML')}"
    )


def test_two_calls_are_asked_about_one_after_the_other(notebook: OpenNotebook) -> None:
    """The focus goes on to the next question and then to the cell; each answer is about its own call."""
    prompt = "%%respond -e none --tools population --confirm\nWhat is the population of Rome and Paris?"
    page = notebook([_tools(), prompt, "[r.output for r in _.tool_results]"])
    ask(page)
    expect(page.page.locator(_CARD)).to_have_count(2)
    _button(page, "Run").press("Enter")
    second = page.page.locator(_CARD).nth(1)
    expect(second.locator("button")).to_have_count(2)
    expect(second.locator(".cometnb-question")).to_be_focused()
    page.screenshot("tools-two-questions")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator(_QUESTION)).to_have_count(0)
    expect(page.page.locator(".jp-Cell").nth(1)).to_be_focused()
    page.wait_idle()
    page.screenshot("tools-two-done")
    assert re.match(r"\['2873000',\s+'The user did not allow", value(page, 2))


@pytest.mark.parametrize("way", get_args(_Way))
def test_a_slow_function_can_be_left(notebook: OpenNotebook, way: _Way) -> None:
    """The cell ends and says so; the conversation goes on, and the model learns that the call was cancelled."""
    page = notebook([_tools("never", text="I found nothing."), _SURVEY, _GO_ON, _LAST_OUTPUTS])
    ask(page)
    expect(page.page.locator(".cometnb-result")).to_have_text("running")
    if way == "button":
        page.page.locator(".cometnb-status button").click()
    else:
        page.interrupt()
    page.wait_idle(timeout_s=20)
    page.screenshot(f"tools-stopped-{way}")
    output, *errors = page.outputs(1)
    assert "Interrupted" in output["data"]["text/markdown"]
    assert [len(error["traceback"]) for error in errors] == ([] if way == "button" else [1])
    page.run_cell(2)
    assert "I found nothing." in page.output_text(2)
    assert "cancelled" in value(page, 3)
    assert page.console_errors == []


def test_a_question_ends_with_its_cell(notebook: OpenNotebook) -> None:
    """An interrupt while a person is asked: nothing ran, and a page that was reloaded shows no buttons."""
    page = notebook([_tools(), _CONFIRM.replace("--confirm", "--confirm --chat rome"), _GO_ON])
    ask(page)
    _button(page, "Run").wait_for()
    page.save()
    page.reload()
    page.interrupt()
    page.wait_idle(timeout_s=20)
    expect(page.page.locator(_CARD)).to_contain_text("no result")
    page.screenshot("tools-reloaded")
    expect(page.page.locator(_QUESTION)).to_have_count(0)
    page.run_cell(2)
    assert "2,873,000" in page.output_text(2)


@pytest.mark.parametrize("theme", get_args(Theme))
def test_a_cell_that_runs_again_replaces_its_turn(notebook: OpenNotebook, theme: Theme) -> None:
    """By the id JupyterLab gives it, whatever it says by then; the tree tells."""
    first = "%%respond -e none --chat plan\nFirst *question* <b>here</b>"
    second = "%%respond -e none --chat plan\nSecond question"
    page = notebook([simulated("Yes.", None), first, second, "%comet tree plan"], theme=theme)
    for index in (0, 1, 2):
        page.run_cell(index)
    edit = (
        "cell => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).sharedModel.setSource(cell)"
    )
    page.page.evaluate(edit, "%%respond -e none --chat plan\nAnother question")
    page.run_cell(1)
    page.run_cell(3)
    page.screenshot(f"tools-{theme}-tree")
    lines = page.output_text(3).splitlines()
    assert lines[0] == "plan: 1 turn, 2 beside it"
    told = "\n".join(lines)
    assert "First *question* <b>here</b> → Yes. (replaced)" in told
    assert "Second question → Yes. (stale: built on a replaced turn)" in told
    assert "Another question → Yes. (goes on here)" in told
    assert page.console_errors == []
