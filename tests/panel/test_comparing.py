"""Columns: one prompt with different settings side by side."""

from __future__ import annotations

import asyncio
import itertools
import signal
import threading
import time
from typing import Any

import pytest

from cometnb.client.simulator import Simulator
from cometnb.errors import CellError, ParamError
from cometnb.panel.comparing import Column
from cometnb.panel.panel import Panel
from cometnb.session.settings import Settings

_STALLS = {"simulate": "stall"}


def test_columns_differ_in_what_was_set_for_them() -> None:
    """Everything else is the panel's."""
    panel = Panel("Hi.", params={"top_p": 0.5, "temperature": 1})
    panel.add_column(temperature=0)
    place = panel.add_column("no temperature")
    panel.set_in_column(place, "temperature", None)
    panel.set_in_column(place, "reasoning.effort", "low")
    first, second = panel.run_columns()
    assert (first.request["temperature"], first.request["top_p"]) == (0, 0.5)
    assert "temperature" not in second.request
    assert second.request["reasoning"] == {"effort": "low"}
    assert [column.title for column in panel.columns] == ["temperature=0", "no temperature"]
    assert {run.label for run in panel.runs} == {"temperature=0", "no temperature"}
    assert {run.status for run in panel.runs} == {"completed"}


def test_the_prompt_is_filled_in_once() -> None:
    """All columns are asked the same, whatever evaluating it does."""
    numbers = itertools.count(1)
    panel = Panel("Number {{next(numbers)}}", {"numbers": numbers})
    for effort in ("low", "medium", "high"):
        panel.add_column(reasoning={"effort": effort})
    runs = panel.run_columns()
    assert [run.request["input"] for run in runs] == ["Number 1"] * 3


def test_a_column_that_fails_does_not_stop_the_others(simulator: Simulator) -> None:
    """Neither one the service refuses nor one that cannot be sent."""
    simulator.without = ["temperature"]
    panel = Panel("Hi.")
    panel.add_column(top_p=1)
    panel.add_column(temperature=0)
    panel.add_column(temperature=9)
    good, refused, unsent = panel.run_columns()
    assert good.status == "completed"
    assert "Unsupported parameter" in str(refused.error)
    assert isinstance(unsent.error, ParamError)
    assert panel.error is None
    assert list(panel.comparison()["status"]) == ["completed", "error", "error"]


def test_columns_stream_at_the_same_time(simulator: Simulator) -> None:
    """And stop stops all of them."""
    panel = Panel("Hi.", params={"metadata": _STALLS})
    for temperature in (0, 0.5, 1):
        panel.add_column(temperature=temperature)
    texts: dict[int, int] = {}
    all_have = threading.Event()

    def watcher(kind: str, column: int | None = None, **details: Any) -> None:
        if kind == "events" and column is not None:
            texts[column] = texts.get(column, 0) + len(details["events"])
            if len(texts) == 3:
                all_have.set()

    panel.watch(watcher)
    runs = panel.start_columns()
    assert all_have.wait(20)
    deadline_s = time.monotonic() + 20
    while simulator.open_streams < 3:
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    assert panel.running
    panel.stop()
    assert panel.wait(10)
    assert [run.status for run in runs] == ["interrupted"] * 3
    assert (simulator.open_streams, panel.running) == (0, False)


def test_columns_can_be_awaited() -> None:
    """Without holding the loop."""
    panel = Panel("Hi.")
    panel.add_column(temperature=0)
    panel.add_column(temperature=1)
    runs = asyncio.run(panel.arun_columns())
    assert [run.status for run in runs] == ["completed", "completed"]


def test_two_columns_are_compared_word_by_word() -> None:
    """Their settings, too."""
    panel = Panel("Hi.")
    panel.add_column(temperature=0)
    panel.add_column(temperature=1)
    with pytest.raises(CellError, match="not run yet"):
        panel.diff_columns()
    panel.run_columns()
    found = panel.diff_columns()
    assert [tuple(change) for change in found.settings] == [("temperature", 0, 1)]
    assert "".join(piece.text for piece in found.words if piece.kind != "added") == panel.columns[0].run.text


def test_the_panels_own_answer_stays() -> None:
    """A comparison has answers of its own."""
    panel = Panel("Hi.")
    response = panel.run()
    panel.add_column(temperature=0)
    panel.run_columns()
    assert panel.response is response


def test_a_schema_and_functions_hold_in_every_column() -> None:
    """They belong to the prompt."""
    panel = Panel("Two cities.", schema="[name]")
    panel.add_column(text={"verbosity": "low"})
    (run,) = panel.run_columns()
    assert run.request["text"]["verbosity"] == "low"
    assert run.request["text"]["format"]["type"] == "json_schema"
    assert run.response is not None
    assert list(run.response.to_frame().columns) == ["name"]


def test_columns_are_edited_by_place() -> None:
    """A place that is not there is named."""
    panel = Panel("Hi.")
    panel.add_column("a", temperature=0)
    panel.name_column(0, "")
    panel.unset_in_column(0, "temperature")
    assert panel.columns[0].title == "as set"
    with pytest.raises(CellError, match="no column 3"):
        panel.set_in_column(3, "temperature", 0)
    panel.remove_column(0)
    assert panel.columns == ()
    with pytest.raises(CellError, match="no columns"):
        panel.run_columns()


def test_a_column_lays_its_values_over_settings() -> None:
    """None takes one away."""
    column = Column({"temperature": None, "reasoning.effort": "low"})
    settings = column.settings(Settings("Hi.", {"temperature": 1, "reasoning": {"summary": "auto"}}))
    assert settings.params == {"reasoning": {"summary": "auto", "effort": "low"}}


def test_every_column_that_ends_is_kept() -> None:
    """They end at the same time, each on its own thread; none overwrites the other."""
    panel = Panel("Hi.", params={"store": False})
    for place in range(12):
        panel.add_column(temperature=place / 10)
    runs = panel.run_columns()
    assert {run.number for run in panel.runs} == {run.number for run in runs} == set(range(1, 13))
    assert not panel.running


def test_an_interrupt_stops_all_columns(simulator: Simulator) -> None:
    """Each keeps its text."""
    panel = Panel("Hi.", params={"metadata": _STALLS})
    panel.add_column(temperature=0)
    panel.add_column(temperature=1)

    def interrupt() -> None:
        deadline_s = time.monotonic() + 20
        while simulator.open_streams < 2 and time.monotonic() < deadline_s:
            time.sleep(0.005)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        panel.run_columns()
    assert [run.status for run in panel.runs] == ["interrupted"] * 2
    assert (simulator.open_streams, panel.running) == (0, False)
