"""``%comet`` and its subcommands."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pytest

from cometnb.client.server import running_server
from cometnb.errors import CellError, CometError, ConfigError
from cometnb.magics import completion
from cometnb.magics.comet import SUBCOMMANDS
from cometnb.magics.extension import CometMagics
from cometnb.magics.kernel import Kernel
from cometnb.session.doctor import COSTS
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


def test_a_fault_that_is_none_is_refused_at_once(shell: Shell) -> None:
    """The error lists what there is, and the fault in force stays."""
    shell.run("%comet simulator --fault cut:at=9")
    for line in ("nosuch", "rounds=999", '""'):
        error = shell.error(f"%comet simulator --fault {line}")
        assert isinstance(error, ConfigError)
        assert "--fault 429" in error.next_step
    assert "cut" in str(shell.error("%comet simulator --fault nosuch"))
    assert shell.shared.simulator.fault == "cut:at=9"


def test_the_status_says_which_fault_is_on(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Until it is ended."""
    shell.run("%comet simulator --fault 429:times=1")
    shell.run("%comet")
    assert "with --fault 429:times=1" in capsys.readouterr().out
    shell.run("%comet simulator --fault none")
    shell.run("%comet")
    assert "--fault" not in capsys.readouterr().out


def test_a_single_attempt_without_usage_is_one(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The status counts it in the singular."""
    shell.run("%comet reset")
    shell.shared.simulator.fault = "400"
    shell.error("%%respond\nHi")
    shell.run("%comet")
    shown = capsys.readouterr().out
    assert "1 attempt, usage not reported" in shown
    assert "1 of 1 attempt came without usage" in shown


def test_config_says_what_is_not_set(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """In words: neither a gap nor None."""
    shell.run("%config CometMagics.prices = None")
    shell.run("%comet config")
    shown = capsys.readouterr().out
    assert "price_ratio  not set (default)" in shown
    assert "  (default)" not in shown


def test_help_names_every_subcommand(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its help; %comet help respond shows the cell's options."""
    shell.run("%comet help")
    shown = capsys.readouterr().out
    assert all(name in shown and one.help in shown for name, one in SUBCOMMANDS.items())
    shell.run("%comet help respond")
    assert "--max-output-tokens" in capsys.readouterr().out


def test_help_is_no_wider_than_an_output(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """A long usage is broken between its options; put together again it is the usage."""
    shell.run("%comet help")
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 104
    assert f"%comet plot {SUBCOMMANDS['plot'].usage}\n" in shown.replace("\n" + " " * 8, " ")


@pytest.mark.parametrize(
    "line",
    [
        "%comet usge",
        "%comet simulator fast",
        "%comet simulator --seed x",
        "%comet help no",
        "%comet 'x",
        "%comet last",
        "%comet last one",
        "%comet code perl",
        "%comet reset all",
        "%comet config model",
        "%comet models nothing-like-it",
        "%comet doctor now",
        "%comet key",
        "%comet key sk-canary1234567",
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


def test_last_shows_the_answer_again(shell: Shell) -> None:
    """The same display, and the Response is ``_`` and ``Out[n]`` again; the line has no value of its own to show."""
    shell.shared.simulator.text = "Hello **there**."
    shell.run("%%respond --quiet\nHi")
    answer = shell.ip.user_ns["_"]
    shell.run("1 + 1")
    assert shell.ip.user_ns["_"] == 2
    number = shell.ip.execution_count
    shell.run("%comet last")
    (display,) = shell.displays
    assert display["data"]["text/markdown"].startswith("Hello **there**.")
    assert display["metadata"]["cometnb"]["response_id"] == answer.id
    assert shell.ip.user_ns["_"] is answer
    assert shell.ip.user_ns["Out"][number] is answer


def test_reset_forgets_calls_and_keeps_settings(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The last answer, the sum and the fault are gone; backend, model and ledger are not."""
    shell.run("%config CometMagics.model = 'gpt-5.5'")
    shell.run("%%respond -e low --tag kept\nHi")
    shell.run("%comet simulator --fault 429")
    shell.run("%comet reset")
    assert shell.shared.simulator.fault is None
    assert isinstance(shell.error("%comet last"), CellError)
    capsys.readouterr()
    shell.run("%comet")
    shown = capsys.readouterr().out
    assert "no calls yet" in shown
    assert "gpt-5.5" in shown
    assert "simulator" in shown
    assert "kept" in shell.run("%comet usage").result["tag"].tolist()


def test_models_are_listed_and_filtered(shell: Shell) -> None:
    """All names, or those that hold every part, whatever their letters' case."""
    every = shell.run("%comet models").result
    assert "gpt-5.4" in every
    some = shell.run("%comet models GPT-5.4 mini").result
    assert some == ["gpt-5.4-mini"]


def test_config_shows_values_and_sources(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every trait with its value and where that came from, how to change it, and never the key."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    monkeypatch.setenv("COMETNB_LIVE", "off")
    shell.run("%config CometMagics.model = 'gpt-5.5'")
    shell.run("%comet config")
    shown = capsys.readouterr().out
    names = {
        name for name in CometMagics.class_trait_names(config=True) if name in CometMagics.class_own_traits()
    }
    assert [name for name in names if name not in shown] == []
    assert "gpt-5.5 (given in this kernel)" in shown
    assert "off (COMETNB_LIVE)" in shown
    assert "from COMETAPI_KEY" in shown
    assert "%config CometMagics.model" in shown
    assert "canary" not in shown


def test_doctor_shows_a_table(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """On the simulator everything is looked at, for nothing, and its calls are rows under their own tag."""
    shell.run("%comet doctor")
    shown = shell.displays[-1]["data"]
    assert shown["text/markdown"].startswith("| state |")
    assert "previous_response_id" in shown["text/plain"]
    assert "skipped" not in shown["text/plain"]
    assert "--spend" not in capsys.readouterr().out
    assert shell.shared.ledger.usage(tag="doctor").shape[0] >= 3


def test_doctor_spends_nothing_unasked(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the models are asked for; what the rest would take is said, and said first where it is wanted."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    with running_server() as server:
        shell.shared.configure(backend="api", base_url=server.base_url)
        shell.run("%comet doctor")
        assert server.requests == []
        shown = capsys.readouterr().out
        assert "%comet doctor --spend" in shown
        assert COSTS in shown
        shell.run("%comet doctor --spend")
        assert len(server.requests) == 3
        assert capsys.readouterr().out.startswith(COSTS)
    assert "canary" not in json.dumps(shell.displays)


def test_doctor_without_a_key_is_a_finding(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is missing instead of failing."""
    monkeypatch.delenv("COMETAPI_KEY", raising=False)
    monkeypatch.delenv("COMETAPI_API_KEY", raising=False)
    shell.run("%comet simulator off")
    assert shell.run("%comet doctor").error_in_exec is None
    assert "COMETAPI_KEY" in shell.displays[-1]["data"]["text/plain"]


def test_a_key_in_a_line_is_refused_and_not_repeated(shell: Shell) -> None:
    """It would be saved with the notebook."""
    error = shell.error("%comet key sk-canary1234567")
    assert "saved with the notebook" in str(error)
    assert "canary" not in str(error)


def test_words_are_read_off_the_usage() -> None:
    """What Tab offers after a subcommand is what its help shows in small letters; an option's values after it."""
    simulator = SUBCOMMANDS["simulator"]
    assert simulator.words == ("on", "off", "--tokens-per-s", "--seed", "--fault")
    assert simulator.values == {"--tokens-per-s": (), "--seed": (), "--fault": ("none",)}
    assert SUBCOMMANDS["code"].words == ("python", "httpx", "curl", "json", "cell")
    assert SUBCOMMANDS["budget"].words == ("off", "--per", "--allow-unpriced")
    assert SUBCOMMANDS["budget"].values == {"--per": ("kernel", "day", "chat")}
    assert SUBCOMMANDS["plot"].words[:5] == ("cost", "tokens", "reasoning", "latency", "timeline")


@pytest.mark.parametrize("name", ["usage", "cost", "plot", "prices", "budget"])
def test_what_money_is_asked_with_runs_on_an_empty_ledger(shell: Shell, name: str) -> None:
    """A kernel that has not called anything yet is no error."""
    shell.shared.configure(ledger="off")
    line = "plot cost" if name == "plot" else name
    assert shell.run(f"%comet {line}").error_in_exec is None


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%comet budget 0.5 --per ", ["kernel", "day", "chat"]),
        ("%comet cost --by e", ["effort"]),
        ("%comet cost --by=n", ["notebook"]),
        ("%comet plot re", ["reasoning"]),
        ("%comet usage --status comp", ["completed"]),
        ("%comet usage --status completed,fai", ["failed"]),
        ("%comet usage --backend s", ["simulator"]),
        ("%comet usage --model gpt-5.4-m", ["gpt-5.4-mini"]),
        ("%comet usage --tag dr", ["draft", "drama"]),
        ("%comet usage to", ["today"]),
        ("%comet prices gpt-5.4-n", ["gpt-5.4-nano"]),
        ("%comet prices --f", ["--fetch"]),
        ("%comet usage --all --al", []),
        ("%comet usage --tag draft --ta", ["--tag"]),
    ],
)
def test_tab_knows_what_may_stand_there(shell: Shell, typed: str, offered: list[str]) -> None:
    """Values of filters and options, models, times, tags that were typed in this kernel; one switch stands once."""
    for tag in ("draft", "drama"):
        shell.run(f"%%respond --tag {tag} --dry-run\nHi")
    offer = completion.offered(Kernel(shell.shared, shell.ip), [typed])
    assert offer is not None
    assert sorted(offer.words) == sorted(offered)


_ESCAPE = "\x1b[2J\x9b31m"
_LINES = (
    *(f"{name} x{_ESCAPE}" for name in SUBCOMMANDS if name != "record"),
    f"nobody{_ESCAPE}",
    f"chats load nothing{_ESCAPE}",
    f"record {_ESCAPE}.jsonl",
    "record stop",
    f"replay {_ESCAPE}.jsonl",
    f"budget 1 --per {_ESCAPE}",
    f"simulator --seed {_ESCAPE}",
    f"'{_ESCAPE}",
    *("", "config", "tree", "chats", "last", "code", "code cell", "cost --by tag"),
    "budget 1 --per chat --allow-unpriced",
    f"chats drop n{_ESCAPE}",
)


def test_no_line_drives_a_terminal(
    shell: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is typed, and whatever was asked and answered before, is told without control characters."""
    monkeypatch.chdir(tmp_path)
    shell.shared.simulator.text = f"An{_ESCAPE} answer"
    shell.run(f"%%respond --chat n{_ESCAPE} --tag t{_ESCAPE}\nA {_ESCAPE}question")
    capsys.readouterr()
    for line in _LINES:
        told = ""
        before = len(shell.displays)
        with warnings.catch_warnings(record=True) as warned:
            try:
                shell.ip.run_line_magic("comet", line)
            except CometError as error:
                told = str(error)
        captured = capsys.readouterr()
        plain = "".join(one["data"].get("text/plain", "") for one in shell.displays[before:])
        said = "".join((captured.out, captured.err, told, plain, *(str(one.message) for one in warned)))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said), line
    shell.ip.run_line_magic("comet", "budget off")
