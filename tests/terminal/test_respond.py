"""``%%respond`` in a terminal IPython, driven through a pseudo-terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.needs import ROOT

_TIMEOUT_S = 30


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """A terminal IPython with the extension loaded, on the simulator."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "TERM": "dumb"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--colors=NoColor", "--no-banner", "--no-confirm-exit"],
        env=env,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        dimensions=(50, 200),
    )
    child.expect_exact("In [1]:")
    _line(child, "%load_ext cometnb", 2)
    _line(child, "%comet simulator --tokens-per-s 60", 3)
    yield child
    child.close(force=True)


def _line(child: pexpect.spawn[str], text: str, following: int) -> str:
    child.sendline(text)
    child.expect_exact(f"In [{following}]:")
    return child.before or ""


def _ask(child: pexpect.spawn[str], options: str, prompt: str) -> None:
    child.sendline(f"%%respond {options}")
    child.expect_exact("...:")
    # Two empty lines end a cell.
    for line in (prompt, ""):
        child.sendline(line)
        child.expect_exact("...:")
    child.sendline("")


def test_text_comes_as_it_is_generated(terminal: pexpect.spawn[str]) -> None:
    """The beginning is on the screen before the end has come, the usage line is last, and nothing shows twice."""
    _ask(terminal, "-e none --text.verbosity low", "Hello")
    terminal.expect("no model was asked")
    beginning = terminal.before or ""
    assert "tokens in" not in beginning
    terminal.expect_exact("In [4]:")
    shown = terminal.before or ""
    assert "tokens in" in shown
    assert "Out[3]" not in shown
    assert (beginning + "no model was asked" + shown).count("no model was asked") == 1


def test_an_interrupt_keeps_the_text(terminal: pexpect.spawn[str]) -> None:
    """Ctrl-C ends the answer, says so in one line, and leaves what came in ``_``."""
    _ask(terminal, "-e none --text.verbosity high", "Hello")
    terminal.expect("no model was asked")
    terminal.sendintr()
    terminal.expect_exact("In [4]:")
    shown = terminal.before or ""
    assert "Interrupted" in shown
    assert "Traceback" not in shown
    assert "'interrupted'" in _line(terminal, "_.status", 5)
    assert "no model was asked" in _line(terminal, "Out[3].output_text", 6)


def test_an_error_is_two_lines(terminal: pexpect.spawn[str]) -> None:
    """No traceback, the fact and the next step."""
    _ask(terminal, "--temperature 3", "Hello")
    terminal.expect_exact("In [4]:")
    shown = terminal.before or ""
    assert "ParamError: temperature=3 is above its maximum 2." in shown
    assert "Traceback" not in shown
