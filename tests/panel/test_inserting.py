"""A panel as a cell below the one that runs, and ``%comet panel``."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cometnb.errors import CellError
from cometnb.panel.inserting import is_in_cell, place_below
from cometnb.panel.panel import Panel
from cometnb.panel.shipped import SHIPPED
from tests.magics.shells import Shell, shell_with_extension


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A shell in this process, with the extension."""
    with shell_with_extension() as one:
        yield one


def _shell(message: str | None) -> Any:
    asked: list[tuple[str, bool]] = []
    parent = {"header": {"msg_type": message}} if message else {}
    return SimpleNamespace(
        kernel=SimpleNamespace(get_parent=lambda channel: parent),
        set_next_input=lambda text, replace: asked.append((text, replace)),
        asked=asked,
    )


def test_a_running_cell_gets_one_below() -> None:
    """And is not replaced."""
    shell = _shell("execute_request")
    assert place_below(shell, "text")
    assert shell.asked == [("text", False)]


@pytest.mark.parametrize("message", ["comm_msg", None])
def test_a_buttons_handler_gets_the_text(message: str | None) -> None:
    """What is asked for there would travel with whichever cell runs next."""
    shell = _shell(message)
    assert not place_below(shell, "text")
    assert shell.asked == []
    assert not is_in_cell(None)


def test_outside_ipython_the_text_is_returned() -> None:
    """For whoever wants to paste it."""
    # Another test of this process may have left its shell as the one that runs.
    InteractiveShell.clear_instance()
    text = Panel("Say hello.", params={"temperature": 0.5}).insert_cell()
    assert text is not None
    assert text.startswith("%%respond")
    assert "-t 0.5" in text
    assert text.endswith("Say hello.")


def test_a_cell_of_a_panel_asks_the_same(shell: Shell) -> None:
    """What is put below is run, and sends what the panel sends."""
    asked: list[str] = []
    shell.ip.set_next_input = lambda text, replace=False: asked.append(text)
    shell.run("import cometnb\nname = 'Bob'\npanel = cometnb.panel('Greet {{name}}.', temperature=0.5)")
    shell.run("panel.set('reasoning.effort', 'low'); panel.insert_cell()")
    shell.run(asked[0])
    sent = shell.shared.simulator.requests[-1]
    assert sent == shell.ip.user_ns["panel"].filled()
    assert sent["input"] == "Greet Bob."


def test_the_notebooks_names_fill_the_prompt(shell: Shell) -> None:
    """A panel of a notebook needs to be told nothing."""
    shell.run("import cometnb\nname = 'Bob'\nanswer = cometnb.panel('Greet {{name}}.').run()")
    assert shell.shared.simulator.requests[-1]["input"] == "Greet Bob."


def test_comet_panel_opens_one(shell: Shell) -> None:
    """Empty, of a preset, or of the last call."""
    assert shell.run("%comet panel").result.settings.prompt == ""
    name = next(iter(SHIPPED))
    assert shell.run(f"%comet panel {name}").result.params == SHIPPED[name].settings.params
    assert isinstance(shell.error("%comet panel last"), CellError)
    shell.run("%%respond --temperature 0.5\nHello {there}.")
    panel = shell.run("%comet panel last").result
    assert panel.filled() == shell.shared.simulator.requests[-1]
    assert isinstance(shell.error("%comet panel nothing of this name"), CellError)


def test_a_panel_is_shown_as_the_lines_result(shell: Shell) -> None:
    """Where nobody's widgets show, as its card."""
    shell.run("import cometnb\ncometnb.panel('Say hello.')")
    result = shell.run("cometnb.panel('Say hello.')").result
    formatter = shell.ip.display_formatter
    assert formatter is not None
    data, _ = formatter.format(result)
    assert data["text/markdown"].startswith("| Panel |")
    assert data["text/plain"].startswith("Panel\n")
