"""Errors in a notebook: two lines, three from the Python API, or all of it on request."""

from __future__ import annotations

import pytest

from cometnb.errors import CometError
from tests.magics.shells import Shell

_CALL = "import cometnb\n\ndef ask():\n    return cometnb.respond('Hi', temperature=5)\n\nask()"


def _shown(shell: Shell, capsys: pytest.CaptureFixture[str], cell: str) -> list[str]:
    """Run a cell that fails, and return the lines it showed."""
    capsys.readouterr()
    assert isinstance(shell.error(cell), CometError)
    return capsys.readouterr().out.strip().splitlines()


def test_a_magics_error_is_two_lines(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The fact and the next step: which cell it was is plain to see."""
    shown = _shown(shell, capsys, "%%respond -t 5\nHi")
    assert shown == [
        "ParamError: temperature=5 is above its maximum 2.",
        "Give temperature a number from 0 to 2.",
    ]


def test_an_error_of_the_api_says_where_it_was_raised(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """The third line is the innermost line of the user's own cell."""
    number = shell.ip.execution_count
    shown = _shown(shell, capsys, _CALL)
    assert shown[2:] == [f"In [{number}], line 4"]


def test_whole_tracebacks_on_request(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """``%config CometMagics.tracebacks`` turns them on for both ways of asking, and off again."""
    shell.run("%config CometMagics.tracebacks = True")
    assert any("Traceback" in line for line in _shown(shell, capsys, "%%respond -t 5\nHi"))
    assert any("Traceback" in line for line in _shown(shell, capsys, _CALL))
    shell.run("%config CometMagics.tracebacks = False")
    assert len(_shown(shell, capsys, "%%respond -t 5\nHi")) == 2


def test_unloading_brings_two_lines_back(shell: Shell) -> None:
    """The switch belongs to the extension."""
    shell.run("%config CometMagics.tracebacks = True")
    shell.run("%unload_ext cometnb")
    assert CometError.has_full_traceback is False
    shell.run("%load_ext cometnb")


def test_outside_of_a_notebook_an_error_has_no_place() -> None:
    """The two lines of the message, wherever it was raised."""
    assert CometError("A fact.", "A step.")._render_traceback_() == ["CometError: A fact.", "A step."]
