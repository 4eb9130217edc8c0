"""``%comet record`` and ``%comet replay``, in a shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cometnb.errors import CassetteMissError, CellError, ConfigError
from cometnb.magics.comet import comet
from cometnb.magics.completion import offered
from cometnb.magics.kernel import Kernel
from tests.client.cassette.recordings import lines_of
from tests.magics.shells import Shell

_CELL = "%%respond\nSay hello."


@pytest.fixture
def taped(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell with the simulator's answer to one cell in calls.jsonl, and the recording stopped."""
    monkeypatch.chdir(tmp_path)
    shell.run("%comet record calls.jsonl")
    shell.run(_CELL)
    shell.run("%comet record stop")
    yield shell
    shell.shared.deck.take_out()


def _shown(shell: Shell) -> str:
    return str(shell.displays[-1]["data"]["text/plain"])


def test_what_is_recorded_is_replayed(taped: Shell) -> None:
    """The same text and usage, marked as a replay that costs nothing, with what the recording would have."""
    first = taped.ip.user_ns["_"]
    taped.run("%comet replay calls.jsonl")
    taped.run(_CELL)
    again = taped.ip.user_ns["_"]
    assert (again.output_text, again.usage) == (first.output_text, first.usage)
    last_line = _shown(taped).splitlines()[-1]
    assert last_line.startswith("cassette · gpt-5.4 · ")
    assert "$0.00, replayed ($0.00" in last_line
    assert last_line.endswith("if it had been billed)")


def test_each_step_says_where_calls_go(taped: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """And how to go back."""
    said = []
    for line in ("replay calls.jsonl", "replay", "record stop", "record calls.jsonl --auto", "replay stop"):
        capsys.readouterr()
        taped.run(f"%comet {line}")
        said.append(capsys.readouterr().out.strip())
    assert said == [
        "Calls are answered from calls.jsonl (1 call): no key, no network, no cost. %comet replay stop ends it.",
        "calls.jsonl: calls are answered from it, fast pace; 0 played so far",
        "calls.jsonl: calls are answered from it, fast pace; 0 played so far\nCalls go to the simulator again.",
        (
            "Calls are answered from calls.jsonl (1 call); the rest goes to the simulator and is added."
            " %comet record stop ends it."
        ),
        (
            "calls.jsonl: calls are answered from it or else added to it, fast pace; 0 played, 0 recorded so far\n"
            "Calls go to the simulator again."
        ),
    ]


def test_status_shows_the_cassette(taped: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """With what it has done so far; no key is missing."""
    taped.run("%comet replay calls.jsonl --pace instant")
    taped.run(_CELL)
    capsys.readouterr()
    taped.run("%comet")
    out = capsys.readouterr().out
    assert (
        "backend      cassette calls.jsonl: calls are answered from it, instant pace; 1 played so far" in out
    )
    assert "none needed" in out
    assert "replayed for nothing" in out


def test_a_miss_is_two_lines(taped: Shell) -> None:
    """And stops a run of all cells."""
    taped.run("%comet replay calls.jsonl")
    error = taped.error("%%respond -t 0.2\nSay hello.")
    assert isinstance(error, CassetteMissError)
    assert "temperature: not recorded, asked 0.2" in str(error)


def test_auto_adds_what_is_not_there(taped: Shell) -> None:
    """A row each says who answered."""
    taped.run("%comet replay calls.jsonl --auto")
    taped.run(_CELL)
    taped.run("%%respond\nSay goodbye.")
    assert list(taped.shared.ledger.usage()["backend"]) == ["simulator", "cassette", "simulator"]
    assert len(lines_of(Path("calls.jsonl"), "request")) == 2


def test_a_recording_is_not_replaced_by_accident(taped: Shell) -> None:
    """Calls go where they went before, and --new is what replaces it."""
    error = taped.error("%comet record calls.jsonl")
    assert isinstance(error, ConfigError)
    assert "--new" in str(error)
    assert taped.shared.options.backend == "simulator"
    taped.run("%comet record calls.jsonl --new")
    assert lines_of(Path("calls.jsonl"), "request") == []


def test_recording_again_begins_from_what_is_behind(taped: Shell) -> None:
    """From one cassette to the next, the simulator is still the simulator."""
    taped.run("%comet replay calls.jsonl")
    taped.run("%comet record other.jsonl")
    taped.run(_CELL)
    taped.run("%comet record more.jsonl")
    assert taped.ip.user_ns["_"].backend == "simulator"
    taped.run("%comet record stop")
    assert taped.shared.options.backend == "simulator"


def test_the_setting_is_the_same(taped: Shell) -> None:
    """``%config`` takes what the environment takes."""
    taped.run("%config CometMagics.backend = 'cassette:calls.jsonl'")
    taped.run(_CELL)
    assert taped.ip.user_ns["_"].backend == "cassette"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("replay", "No cassette is in use"),
        ("record stop", "No cassette is in use"),
        ("replay a b", "does not know 'b'"),
        ("replay a --new", "does not know '--new'"),
        ("replay calls.jsonl --pace slow", "--pace 'slow' is not one of: fast, real, instant"),
        ("record a --auto --new", "Give one of them"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(taped: Shell, line: str, words: str) -> None:
    """With what may be written."""
    error = taped.error(f"%comet {line}")
    assert isinstance(error, CellError)
    assert words in str(error)


def test_tab_completes_files_and_words(taped: Shell) -> None:
    """Those of the folder first."""
    kernel = Kernel(taped.shared, taped.ip)
    offers = {text: offered(kernel, [f"%comet {text}"]) for text in ("replay ca", "replay s", "replay --", "replay x --pace r")}  # fmt: skip
    words = {text: offer.words for text, offer in offers.items() if offer is not None}
    assert words["replay ca"] == ("calls.jsonl",)
    assert words["replay s"] == ("stop",)
    assert set(words["replay --"]) == {"--pace", "--auto"}
    assert words["replay x --pace r"] == ("real",)


@pytest.mark.parametrize(
    "line", ["record 'a\0b'", "replay 'a\0b'", "replay ~nobody-of-this-name/x", "replay \ud800"], ids=range(4)
)
def test_a_name_that_no_cassette_can_have_is_two_lines(shell: Shell, line: str) -> None:
    """Not a traceback of Python's."""
    with pytest.raises((ConfigError, CellError, CassetteMissError)):
        comet(Kernel(shell.shared, shell.ip), line)
