"""``%comet`` and its subcommands."""

from __future__ import annotations

import pytest

from cometnb.errors import CellError, ConfigError
from cometnb.magics.comet import SUBCOMMANDS
from tests.magics.shells import Shell


def test_status_shows_settings_and_never_the_key(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backend, base URL, where the key came from, model, what was used, ledger."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    shell.run("%%respond -e low\nHi")
    shell.run("%comet")
    shown = capsys.readouterr().out
    assert "simulator" in shown
    assert "from COMETAPI_KEY" in shown
    assert "canary" not in shown
    assert "gpt-5.4 (default)" in shown
    assert "1 attempt" in shown or "attempts" in shown


def test_simulator_goes_on_and_off(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, off means the next cell says how to set one and how to go on without."""
    monkeypatch.delenv("COMETAPI_KEY", raising=False)
    shell.run("%comet simulator off")
    error = shell.error("%%respond\nHi")
    assert isinstance(error, ConfigError)
    assert "COMETAPI_KEY" in str(error)
    assert "%comet simulator" in str(error)
    shell.run("%comet simulator --tokens-per-s 1000 --seed 3")
    assert shell.run("%%respond\nHi").error_in_exec is None
    assert shell.shared.simulator.seed == 3


def test_usage_is_a_frame(shell: Shell) -> None:
    """The rows of this ledger, the most asked columns first, all of them on request."""
    shell.run("%%respond -e low --tag one\nHi")
    short = shell.run("%comet usage").result
    whole = shell.run("%comet usage today --all").result
    assert short["tag"].iloc[-1] == "one"
    assert len(whole.columns) > len(short.columns)
    assert whole["attempt_id"].notna().all()


def test_help_names_every_subcommand(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its help; %comet help respond shows the cell's options."""
    shell.run("%comet help")
    shown = capsys.readouterr().out
    assert all(name in shown and one.help in shown for name, one in SUBCOMMANDS.items())
    shell.run("%comet help respond")
    assert "--max-output-tokens" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "%comet usge",
        "%comet simulator fast",
        "%comet simulator --seed x",
        "%comet usage a b",
        "%comet help no",
        "%comet 'x",
    ],
)
def test_a_wrong_line_is_two_lines(shell: Shell, line: str) -> None:
    """It names the word and the next step."""
    error = shell.error(line)
    assert isinstance(error, CellError)
    assert len(str(error).splitlines()) == 2


def test_config_traits_are_settings(shell: Shell) -> None:
    """``%config CometMagics.model`` is the model of the next cell; None goes back."""
    shell.run("%config CometMagics.model = 'gpt-5.5'")
    shell.run("%%respond\nHi")
    assert shell.shared.simulator.requests[-1]["model"] == "gpt-5.5"
    shell.run("%config CometMagics.model = None")
    shell.run("%%respond\nHi")
    assert shell.shared.simulator.requests[-1]["model"] == "gpt-5.4"


def test_question_mark_shows_the_options(shell: Shell) -> None:
    """``%%respond?`` has the generated help."""
    assert "--reasoning.effort" in (shell.ip.find_cell_magic("respond").__doc__ or "")
