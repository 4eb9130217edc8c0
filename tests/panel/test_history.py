"""The runs of a panel as a table, within bounds, and what differs between two."""

from __future__ import annotations

import pandas as pd
import pytest

import cometnb
from cometnb.client.simulator import Simulator
from cometnb.errors import CellError
from cometnb.panel import history
from cometnb.panel.difference import changes
from cometnb.panel.history import KEPT_RUNS, History, Run, flat, frame
from cometnb.panel.panel import Panel
from cometnb.protocol.response import Response
from cometnb.session.settings import Settings


def test_an_empty_history_has_its_columns() -> None:
    """With their dtypes."""
    table = Panel().history()
    assert len(table) == 0
    assert table.dtypes["started_at"] == "datetime64[ns, UTC]"
    assert table.dtypes["input_tokens"] == "Int64"
    assert table.dtypes["cost_usd"] == "float64"


def test_a_run_is_a_row(simulator: Simulator) -> None:
    """With its parameters by their paths, what it used and cost; what was not set is missing."""
    panel = cometnb.panel("Hi.", reasoning={"effort": "low"})
    panel.run()
    panel.set("temperature", 0.5)
    panel.run()
    simulator.fault = "400"
    panel.start().wait(10)
    table = panel.history()
    assert list(table["status"]) == ["completed", "completed", "error"]
    assert list(table["param.reasoning.effort"]) == ["low"] * 3
    assert pd.isna(table["param.temperature"][0])
    assert table["param.temperature"].dtype == "Float64"
    assert table["input_tokens"][0] > 0
    assert table["cost_usd"][0] > 0
    assert pd.isna(table["input_tokens"][2])
    assert pd.isna(table["cost_usd"][2])
    assert "Simulated" in table["error"][2]
    assert table["started_at"].is_monotonic_increasing


def test_values_of_many_kinds_have_a_column() -> None:
    """Lists, objects and switches pass into the table as they are."""
    runs = [
        Run(1, Settings("a", {"include": ["x"], "metadata": {}, "store": True})),
        Run(2, Settings("b", {"store": False, "metadata": {"k": "v"}})),
    ]
    table = frame(runs)
    assert list(table["param.store"]) == [True, False]
    assert table["param.include"][0] == ["x"]
    assert table["param.metadata.k"][1] == "v"


def test_flat_names_fields_by_path() -> None:
    """An empty object is a value."""
    assert flat({"a": {"b": {"c": 1}, "d": 2}, "e": {}}) == {"a.b.c": 1, "a.d": 2, "e": {}}


def test_the_newest_runs_are_kept() -> None:
    """As many as the bound says, and their numbers go on."""
    kept = History()
    for number in range(KEPT_RUNS + 5):
        kept.add(Run(number, Settings("Hi.")))
    assert [run.number for run in kept.runs] == list(range(5, KEPT_RUNS + 5))


def test_large_runs_leave_room_for_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of requests and answers is bounded; the newest is kept whatever its size."""
    monkeypatch.setattr(history, "KEPT_CHARACTERS", 1_000)
    kept = History()
    for number in range(4):
        run = Run(number, Settings("Hi."), request={"input": "x" * 300})
        run.finish(Response({"output": [{"text": "y" * 100}]}))
        kept.add(run)
    assert [run.number for run in kept.runs] == [2, 3]
    kept.add(Run(9, Settings("Hi."), request={"input": "x" * 5_000}))
    assert [run.number for run in kept.runs] == [9]


def test_two_runs_differ_in_settings_and_words() -> None:
    """The prompt is called as `set` calls it."""
    panel = cometnb.panel("Say one.", reasoning={"effort": "low", "summary": "auto"})
    panel.run()
    panel.prompt = "Say two."
    panel.unset("reasoning.summary")
    panel.set("tools", ["web_search_preview"])
    panel.run()
    found = panel.diff()
    assert {change.path: (change.before, change.after) for change in found.settings} == {
        "input": ("Say one.", "Say two."),
        "reasoning.summary": ("auto", None),
        "tools": (None, ("web_search_preview",)),
    }
    assert "input: 'Say one.' → 'Say two.'" in str(found)
    assert "{+two+}" in str(found)


def test_alike_runs_have_no_difference() -> None:
    """And the text says so."""
    settings = Settings("Hi.", {"temperature": 1})
    assert changes(settings, settings) == ()


def test_runs_that_are_not_there_are_named() -> None:
    """With what to do."""
    panel = Panel("Hi.")
    panel.run()
    with pytest.raises(CellError, match="There is no run -2; 1 are kept"):
        panel.diff()


def test_half_of_a_character_is_kept_in_no_column() -> None:
    """No CSV and no Arrow table could hold it."""
    settings = Settings(prompt="Hi \ud83d.", params={"user": "\ude00"})
    table = frame([Run(1, settings)])
    assert table["prompt"].tolist() == ["Hi \ufffd."]
    assert table["param.user"].tolist() == ["\ufffd"]
