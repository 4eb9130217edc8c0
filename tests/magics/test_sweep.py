"""``%%respond --sweep``: the cell's result is the frame, shown as one display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

import cometnb
from cometnb.errors import CometError
from cometnb.ledger.audit import audit
from cometnb.magics.completion import offered
from cometnb.magics.kernel import Kernel
from tests.magics.shells import Shell


@pytest.fixture(autouse=True)
def _started() -> None:
    """No sweep of an earlier test is the last one."""
    cometnb.sweep.last = None


def frame_of(shell: Shell) -> pd.DataFrame:
    """Return the last cell's result."""
    found = shell.ip.user_ns["_"]
    assert isinstance(found, pd.DataFrame)
    return found


def test_the_frame_is_bound_and_shown_once(shell: Shell) -> None:
    """In ``_``, ``Out[n]`` and --out; one display with a table, and no second one of the frame."""
    result = shell.run(
        "%%respond --sweep model=gpt-5.4,gpt-5.4-mini effort=none,low --repeat 2 --out grid -n 40\nHello"
    )
    frame = frame_of(shell)
    assert (
        result.result is frame is shell.ip.user_ns["grid"] is shell.ip.user_ns["Out"][result.execution_count]
    )
    assert frame.columns[:3].tolist() == ["model", "effort", "repeat"]
    assert len(frame) == 8
    (display,) = shell.displays
    assert set(display["data"]) == {"text/html", "text/plain"}
    assert len(display["metadata"]["cometnb"]["runs"]) == 8
    assert shell.errors == []


def test_braces_are_filled_by_the_notebook_and_by_axes(shell: Shell) -> None:
    """In the body, in instructions, and in axes that are variables."""
    shell.ip.user_ns |= {"place": "Rome", "moods": {"kind": "gently", "terse": "briefly"}}
    shell.run(
        "%%respond -s 'Speak {{how}}.' --sweep how=moods city={{place}},Bern\nGreet {{city}} near {{place}}."
    )
    assert cometnb.sweep.last is not None
    bodies = [point.body for point in cometnb.sweep.last.grid.points]
    assert [body["instructions"] for body in bodies] == [
        "Speak gently.",
        "Speak gently.",
        "Speak briefly.",
        "Speak briefly.",
    ]
    assert frame_of(shell)["how"].tolist() == ["kind", "kind", "terse", "terse"]
    assert bodies[1]["input"] == "Greet Bern near Rome."


def test_repeat_alone_is_a_sweep(shell: Shell) -> None:
    """Of one point."""
    shell.run("%%respond --repeat 3 -e none\nHello")
    assert frame_of(shell)["repeat"].tolist() == [1, 2, 3]


def test_prompts_can_be_an_axis(shell: Shell) -> None:
    """From a variable; the body is empty then."""
    shell.ip.user_ns["asks"] = {"short": "Hello", "long": "Hello, dear simulator"}
    shell.run("%%respond --sweep prompt=asks\n\n")
    assert frame_of(shell)["prompt"].tolist() == ["short", "long"]


def test_attachments_and_schema_go_to_every_run(shell: Shell, tmp_path: Any) -> None:
    """As in any cell."""
    note = tmp_path / "note.txt"
    note.write_text("Remember the milk.")
    shell.run(f"%%respond --sweep effort=none,low --file {note} --schema 'name, age int'\nWho?")
    assert {"name", "age"} <= set(frame_of(shell).columns)
    assert cometnb.sweep.last is not None
    assert all("Remember the milk." in str(point.body["input"]) for point in cometnb.sweep.last.grid.points)


def test_a_dry_run_shows_the_grid_and_its_cost(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent."""
    before = shell.shared.tally.n_attempts
    shell.run("%%respond --sweep model=gpt-5.4,gpt-5.4-mini -n 50 --dry-run\nHello")
    assert "2 runs (2 models)\nExpected cost: $" in capsys.readouterr().out
    assert shell.shared.tally.n_attempts == before
    assert "cost_high_usd" in frame_of(shell).columns
    assert "cost_high_usd" in str(shell.displays[-1]["data"])


def test_quiet_shows_nothing(shell: Shell) -> None:
    """The frame is bound all the same."""
    shell.run("%%respond --sweep effort=none,low --quiet\nHello")
    assert shell.displays == []
    assert len(frame_of(shell)) == 2


def test_settings_stand_between_the_axes(shell: Shell, tmp_path: Any) -> None:
    """How many at once, and where answers are kept; --new asks what was cut short anew."""
    cell = f"%%respond --sweep effort=none,low max_concurrency=1 checkpoint={tmp_path / 'a.db'}\nHello"
    shell.run(cell)
    before = shell.shared.tally.n_attempts
    shell.run(cell)
    assert shell.shared.tally.n_attempts == before
    assert "2 of 2 are kept from before." in shell.displays[-1]["data"]["text/plain"]


def test_an_error_of_all_runs_is_raised_and_the_frame_bound(shell: Shell) -> None:
    """It says what each run came to."""
    shell.shared.simulator.fault = "401"
    error = shell.error("%%respond --sweep effort=none,low\nHello")
    assert isinstance(error, CometError)
    assert "error" in set(frame_of(shell)["status"])


@pytest.mark.parametrize(
    "line",
    [
        "--sweep effort=low,high --chat plan",
        "--sweep effort=low,high --from resp_1",
        "--sweep effort=low,high --background",
        "--sweep effort=low,high --no-stream",
        "--sweep effort=low,high --code",
        "--sweep effort=low,high --as curl",
        "--sweep effort=low,high --confirm",
        "--sweep effort=low,high --max-rounds 3",
        "--sweep effort=low,high --schema name --df",
        "--sweep model=a,b -m c",
        "--sweep effort=low,high -e low",
        "--sweep prompt=a,b",
        "--sweep effort=low,high max_runs=1",
        "--sweep temperature=0,9",
        "--sweep colour=red,blue",
        "--sweep",
    ],
)
def test_what_makes_no_sense_is_refused_in_two_lines(shell: Shell, line: str) -> None:
    """Before anything is sent."""
    before = shell.shared.tally.n_attempts
    error = shell.error(f"%%respond {line}\nHello")
    assert isinstance(error, CometError)
    assert error.next_step
    assert shell.shared.tally.n_attempts == before


def test_an_empty_prompt_is_refused(shell: Shell) -> None:
    """In plain words: it is nobody's axis."""
    assert str(shell.error("%%respond --sweep effort=low,high\n\n")) == "input is empty.\nWrite a prompt."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--sweep mo", {"model="}),
        ("--sweep eff", {"effort="}),
        ("--sweep model=gpt-5.4,gpt-5.4-m", {"gpt-5.4-mini"}),
        ("--sweep model=a effort=lo", {"low"}),
        ("--sweep effort=low,hi", {"high"}),
        ("--sweep verbosity=", {"low", "medium", "high"}),
        ("--sweep truncation=au", {"auto"}),
        ("--sweep max_c", {"max_concurrency="}),
        ("--sweep prompt=my_p", {"my_prompts"}),
        ("--sweep effort=low --rep", {"--repeat"}),
        ("--sweep effort=low --tag x te", set()),
    ],
)
def test_tab_knows_axes_and_their_values(shell: Shell, line: str, words: set[str]) -> None:
    """Names first, then values behind each comma, and variables that hold them."""
    shell.ip.user_ns["my_prompts"] = ["a", "b"]
    offer = offered(Kernel(shell.shared, shell.ip), [f"%%respond {line}"])
    assert offer is not None
    assert set(offer.words) == words


def test_an_audit_of_the_notebook_counts_every_run(shell: Shell, tmp_path: Path) -> None:
    """Each is a call of its own in the saved file, with its tokens and its cost."""
    shell.run("%%respond --sweep model=gpt-5.4,gpt-5.4-mini effort=none,low\nHello")
    (display,) = shell.displays
    output = nbformat.v4.new_output("display_data", display["data"], metadata=display["metadata"])
    cell = nbformat.v4.new_code_cell("%%respond --sweep …", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "sweep.ipynb")
    calls = audit([tmp_path / "sweep.ipynb"]).calls
    frame = frame_of(shell)
    assert sorted(calls["response_id"]) == sorted(frame["response_id"])
    assert calls["cost_usd"].sum() == pytest.approx(frame["cost_usd"].sum())
