"""``%comet usage``: the table with its filters, what was said, and what the calls cost where no widget shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cometnb.errors import CellError, CometError, LedgerError
from cometnb.ledger.store import Ledger
from tests.magics.shells import Shell


@pytest.fixture
def ledger(shell: Shell, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of this test's own."""
    shell.shared.tally.clear()
    shell.shared.configure(ledger=str(tmp_path / "usage.sqlite3"))
    yield shell.shared.ledger
    shell.shared.configure(ledger=None)


def _ask(shell: Shell, *lines: str) -> None:
    for line in lines:
        assert shell.run(f"%%respond --quiet {line}\nHi").error_in_exec is None


def test_the_table_has_the_columns_one_looks_at(shell: Shell, ledger: Ledger) -> None:
    """Or every column, on request; one row an attempt, times to the second."""
    _ask(shell, "-e low --tag one")
    short = shell.run("%comet usage").result
    whole = shell.run("%comet usage today --all").result
    assert short["tag"].tolist() == ["one"]
    assert short["created_at"].iloc[0].microsecond == 0
    assert len(whole.columns) == 29
    assert set(short.columns) < set(whole.columns)
    assert whole["attempt_id"].notna().all()


def test_rows_are_chosen_by_what_they_are_of(shell: Shell, ledger: Ledger) -> None:
    """Model, tag, status and backend, one or several; and since when."""
    _ask(shell, "--tag one", "--tag two -m gpt-5.4-mini", "--tag two")
    shell.run("%%respond --tag three -m no-such-model\nHi")

    def tags(line: str) -> list[str]:
        return list(shell.run(f"%comet usage {line}").result["tag"])

    assert tags("--tag two") == ["two", "two"]
    assert tags("--tag two --model gpt-5.4-mini") == ["two"]
    assert tags("--tag one --tag three") == ["one", "three"]
    assert tags("--status=error") == ["three"]
    assert tags("1h --backend simulator --status completed") == ["one", "two", "two"]
    assert tags("--backend api") == []
    assert tags("--notebook elsewhere.ipynb") == []


def test_a_search_needs_stored_texts(shell: Shell, ledger: Ledger) -> None:
    """They are not stored by default, and the error says how to have them stored."""
    _ask(shell, "--tag one")
    error = shell.error("%comet usage --search Hi")
    assert isinstance(error, LedgerError)
    assert "COMETNB_STORE_TEXT" in str(error)


def test_a_search_finds_what_was_said(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In prompts and answers, whatever their case; with --all beside everything else of the row."""
    monkeypatch.setenv("COMETNB_STORE_TEXT", "on")
    shell.shared.configure(ledger=str(tmp_path / "texts.sqlite3"))
    shell.shared.simulator.text = "It eats VOLES."
    shell.run("%%respond --tag bird\nWhat does a red kite eat?")
    shell.run("%%respond --tag other -m gpt-5.4-mini\nWhat is a comet?")
    found = shell.run('%comet usage --search "red KITE"').result
    assert found["prompt"].tolist() == ["What does a red kite eat?"]
    assert shell.run("%comet usage --search=voles --model gpt-5.4-mini").result["prompt"].tolist() == [
        "What is a comet?"
    ]
    whole = shell.run("%comet usage --search kite --all").result
    assert whole["tag"].tolist() == ["bird"]
    assert whole["answer"].tolist() == ["It eats VOLES."]


@pytest.mark.parametrize(
    "line",
    [
        "a b",
        "yesteryear",
        "--search",
        "--search ' '",
        "--tag",
        "--status done",
        "--everything",
        "--live --all",
        "--live today",
        "--live --tag one",
        "--live --search x",
    ],
)
def test_a_wrong_word_is_two_lines(shell: Shell, ledger: Ledger, line: str) -> None:
    """They name the word, and the next step."""
    error = shell.error(f"%comet usage {line}")
    assert isinstance(error, CometError)
    assert len(str(error).splitlines()) == 2


def test_live_takes_no_filters(shell: Shell) -> None:
    """It is about this kernel, and says so instead of leaving a filter aside."""
    error = shell.error("%comet usage --live --tag one")
    assert isinstance(error, CellError)
    assert "what this kernel spends" in str(error)


def test_where_nobody_watches_live_is_one_table(shell: Shell, ledger: Ledger) -> None:
    """Three forms of the same figures, no widget, no update, no time of day: two runs show the same."""
    shell.run("%comet usage --live")
    assert "no calls yet" not in shell.displays[-1]["data"]["text/plain"]
    assert "attempts  0" in shell.displays[-1]["data"]["text/plain"]
    _ask(shell, "-e low", "-e high")
    n_displays = len(shell.displays)
    for _ in range(2):
        shell.run("%comet usage --live")
    first, second = shell.displays[n_displays:]
    assert first["data"] == second["data"]
    assert set(first["data"]) == {"text/html", "text/markdown", "text/plain"}
    shown = first["data"]["text/plain"]
    assert "simulated  $0." in shown
    assert "as if billed" in shown
    assert "reasoning (" in shown
    assert shell.shared._watchers == []


def test_live_asks_no_database(shell: Shell, ledger: Ledger) -> None:
    """What is shown of the calls so far and of the budget is in this kernel's memory."""
    shell.run("%comet budget 0.50")
    _ask(shell, "-e low")
    ledger.flush()
    asked: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", see)
    try:
        shell.run("%comet usage --live")
        assert asked == []
        shell.run("%comet usage")
        assert asked
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", see)
        shell.run("%comet budget off")
    shown = shell.displays[0]["data"]["text/plain"]
    assert re.search("attempts +1", shown)
    assert re.search(r"budget +\$0\.49", shown)


def test_the_table_tells_what_a_budget_leaves(shell: Shell, ledger: Ledger) -> None:
    """Of the kind of money that calls would now take."""
    shell.run("%comet budget 0.50")
    shell.run("%comet usage --live")
    assert "$0.5000 left of simulated $0.50 for this kernel" in shell.displays[-1]["data"]["text/plain"]
    shell.run("%comet budget off")
    shell.run("%comet usage --live")
    assert "budget" not in shell.displays[-1]["data"]["text/plain"]
