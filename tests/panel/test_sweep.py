"""``cometnb.sweep``: what it returns, says and keeps, and what another run of it asks."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cometnb
from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.errors import (
    AuthenticationError,
    BatchError,
    BudgetExceededError,
    ModelNotFoundError,
    ParamError,
)
from cometnb.ledger.budget import Budget
from cometnb.panel.sweep_cost import expected
from cometnb.panel.swept import Sweep
from cometnb.session.sweep import grid_of
from cometnb.session.sweep_frame import Result
from cometnb.session.sweep_run import SweepRun
from cometnb.view.multiples_live import StillMultiples
from tests.needs import ROOT

TOPIC = "rain"


@pytest.fixture(autouse=True)
def _started() -> Iterator[None]:
    """No sweep of an earlier test is the last one."""
    cometnb.sweep.last = None
    yield
    shared.set_budget(None)


def last() -> Sweep:
    """Return the last sweep."""
    assert cometnb.sweep.last is not None
    return cometnb.sweep.last


def asked() -> int:
    """Return how many calls this kernel has made."""
    return shared.tally.n_attempts


def test_it_returns_the_frame_and_keeps_the_responses() -> None:
    """In one order; found by the values of their axes."""
    frame = cometnb.sweep("Hello", model=["gpt-5.4", "gpt-5.4-mini"], effort=["none", "low"], repeat=2)
    assert isinstance(frame, pd.DataFrame)
    assert [one and one.id for one in last().responses] == frame["response_id"].tolist()
    found = last().find(model="gpt-5.4-mini", effort="low")
    assert [one.id for one in found] == frame["response_id"].tolist()[-2:]
    assert last().is_complete
    assert repr(last()) == "<Sweep of 8 runs (2 models × 2 efforts × 2 repeats), 8 done>"
    for wrong in ({"model": "gpt"}, {"colour": "red"}):
        with pytest.raises(ParamError) as caught:
            last().find(**wrong)
        assert "gpt-5.4-mini" in caught.value.next_step or "effort" in caught.value.next_step


def test_braces_are_filled_where_it_is_called(simulator: Simulator) -> None:
    """From the names around it, those of a function first."""
    who = "Ann"
    cometnb.sweep("{{who}} on {{TOPIC}}: {{tone}}", tone=["kind", "terse"])
    sent = [run.point.body["input"] for run in last().grid.runs]
    assert sent == [f"{who} on rain: kind", f"{who} on rain: terse"]


def test_a_frame_can_be_saved(tmp_path: Path) -> None:
    """Nothing hangs on it that a file cannot hold."""
    frame = cometnb.sweep("Hello", effort=["none", "low"])
    assert frame.attrs == {}
    frame.to_json(tmp_path / "frame.json", orient="table")
    assert len(frame.copy()) == 2


def test_a_dry_run_says_what_it_costs_and_asks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """For the whole grid and by model; a model of no known price is said."""
    before = asked()
    frame = cometnb.sweep(
        "Hello", model=["gpt-5.4", "gpt-5.4-mini", "nobody-1"], max_output_tokens=100, repeat=2, dry_run=True
    )
    said = capsys.readouterr().out
    assert said.startswith("6 runs (3 models × 2 repeats)\nExpected cost: $")
    assert "and 2 runs of no known price" in said
    assert "gpt-5.4-mini: 2 runs, $" in said
    assert "nobody-1: 2 runs, no price known" in said
    assert asked() == before
    assert list(frame.columns) == ["model", "repeat", "input_tokens", "cost_low_usd", "cost_high_usd"]
    assert frame["cost_high_usd"].isna().tolist() == [False] * 4 + [True] * 2


def test_the_expected_cost_is_the_sum_over_the_runs() -> None:
    """Whatever the grid: the whole is its models' parts."""
    grid = grid_of(
        "Hello", {"model": ["gpt-5.4", "gpt-5.4-mini"], "max_output_tokens": [16, 64]}, model="x", repeat=3
    )
    found = expected(grid.runs, shared)
    assert found.whole.n_runs == 12
    assert found.whole.high_usd == pytest.approx(sum(band.high_usd for band in found.by_model.values()))
    assert found.whole.high_usd == pytest.approx(sum(one.cost_high_usd for one in found.forecasts.values()))
    assert 0 < found.whole.low_usd < found.whole.high_usd


def test_a_complete_sweep_is_asked_anew() -> None:
    """Who runs it again wants new answers."""
    first = cometnb.sweep("Again", effort=["none", "low"])
    second = cometnb.sweep("Again", effort=["none", "low"])
    assert set(first["response_id"]).isdisjoint(second["response_id"])


def test_a_sweep_that_was_cut_short_goes_on_with_what_is_missing(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Points that failed are asked again, the others are kept, and that is said; unless all is to be new."""
    simulator.models = ["gpt-5.4"]
    first = cometnb.sweep("Cut", model=["gpt-5.4", "gpt-5.4-mini"], repeat=2)
    assert first["status"].tolist() == ["completed", "completed", "error", "error"]
    assert "2 runs have no answer; the same sweep run again asks only them." in last().notes
    simulator.models = []
    before = asked()
    second = cometnb.sweep("Cut", model=["gpt-5.4", "gpt-5.4-mini"], repeat=2)
    assert asked() - before == 2
    assert second["response_id"].tolist()[:2] == first["response_id"].tolist()[:2]
    assert "2 of 4 are kept from before." in last().notes
    assert second["status"].tolist() == ["completed"] * 4


def test_it_can_be_asked_anew_altogether(simulator: Simulator) -> None:
    """Also what would be kept."""
    simulator.models = ["gpt-5.4"]
    cometnb.sweep("Fresh", model=["gpt-5.4", "gpt-5.4-mini"])
    before = asked()
    cometnb.sweep("Fresh", model=["gpt-5.4", "gpt-5.4-mini"], fresh=True)
    assert asked() - before == 2


def test_a_checkpoint_keeps_what_is_done(tmp_path: Path) -> None:
    """A larger sweep asks only what is new; a file that is no checkpoint is left alone."""
    cometnb.sweep("Kept", effort=["none"], repeat=2, checkpoint=tmp_path / "sweep.db")
    before = asked()
    frame = cometnb.sweep("Kept", effort=["none", "low"], repeat=2, checkpoint=tmp_path / "sweep.db")
    assert asked() - before == 2
    assert (frame["status"] == "completed").all()
    (tmp_path / "other").write_text("mine")
    with pytest.raises(BatchError):
        cometnb.sweep("Kept", effort=["none"], checkpoint=tmp_path / "other")
    assert (tmp_path / "other").read_text() == "mine"


def test_a_checkpoint_serves_another_kernel(tmp_path: Path) -> None:
    """What a process that has ended was answered is not asked again."""
    code = (
        "import sys, cometnb; from cometnb.defaults import shared; shared.configure(backend='simulator');"
        "cometnb.sweep('Kept', effort=['none'], repeat=2, checkpoint=sys.argv[1]); print(shared.tally.n_attempts)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "sweep.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "2"
    before = asked()
    frame = cometnb.sweep("Kept", effort=["none", "low"], repeat=2, checkpoint=tmp_path / "sweep.db")
    assert asked() - before == 2
    assert (frame["status"] == "completed").all()


def test_an_interrupt_keeps_what_is_done(simulator: Simulator) -> None:
    """The error says how much; the frame is in `last`, and another run goes on."""
    simulator.text, simulator.tokens_per_s = "Some words. " * 100, 300.0
    timer = threading.Timer(1.2, _interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt, match=r"of 6 runs are kept in\s+cometnb.sweep.last. Run it again"):
        cometnb.sweep("Stop", effort=["none", "low"], repeat=3, max_concurrency=2)
    timer.join()
    frame = last().frame
    assert len(frame) == 6
    assert {"interrupted", "not_answered"} & set(frame["status"])
    assert "Stopped." in last().notes
    simulator.text, simulator.tokens_per_s = "Done.", None
    assert (cometnb.sweep("Stop", effort=["none", "low"], repeat=3)["status"] == "completed").all()


def _interrupt() -> None:
    import _thread

    _thread.interrupt_main()


def test_its_budget_stops_it_with_what_is_done() -> None:
    """The runs that fit are answered; the rest is not asked, and the reason is said."""
    frame = cometnb.sweep("Dear", effort=["none"], repeat=10, max_output_tokens=200, budget=0.006)
    done = int(frame["status"].isin(["completed", "incomplete"]).sum())
    assert 0 < done < 10
    assert frame["cost_usd"].sum() <= 0.006
    assert any("Stopped: " in note and "$0.006" in note for note in last().notes)
    assert shared.budget is None


def test_the_kernels_budget_holds_too() -> None:
    """If not even one run fits, the sweep says so as an error; `last` has its rows."""
    shared.set_budget(Budget(0.000_001))
    with pytest.raises(BudgetExceededError):
        cometnb.sweep("Poor", effort=["none", "low"], max_output_tokens=200)
    assert set(last().frame["status"]) <= {"refused_by_budget", "not_answered"}


def test_a_wrong_key_is_an_error_and_not_a_frame_of_errors(simulator: Simulator) -> None:
    """Nothing could be asked."""
    simulator.fault = "401"
    with pytest.raises(AuthenticationError):
        cometnb.sweep("Key", effort=["none", "low"])


def test_no_answer_at_all_is_an_error(simulator: Simulator) -> None:
    """A run of all cells stops there; `last` has a row for each run."""
    simulator.models = ["gpt-5.4"]
    with pytest.raises(ModelNotFoundError):
        cometnb.sweep("None", model=["a", "b"])
    assert last().frame["status"].tolist() == ["error", "error"]


def test_interrupting_twice_is_interrupting(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses again while it stops gets the same end: what came is kept."""
    simulator.text, simulator.tokens_per_s = "Some words. " * 100, 300.0
    stop, finish = SweepRun.stop, StillMultiples.finish

    def pressed_while_it_streams(view: StillMultiples, events: object, ended: object) -> None:
        if events:
            signal.raise_signal(signal.SIGINT)

    def pressed_at_stop(run: SweepRun) -> None:
        signal.raise_signal(signal.SIGINT)
        stop(run)

    def pressed_at_end(view: StillMultiples, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
        signal.raise_signal(signal.SIGINT)
        finish(view, results, notes)

    monkeypatch.setattr(StillMultiples, "update", pressed_while_it_streams)
    monkeypatch.setattr(SweepRun, "stop", pressed_at_stop)
    monkeypatch.setattr(StillMultiples, "finish", pressed_at_end)
    with pytest.raises(KeyboardInterrupt, match="of 2 runs are kept"):
        cometnb.sweep("Twice", effort=["none", "low"])
    assert "Stopped." in last().notes


def test_a_display_that_breaks_loses_nothing(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep is stopped, what came is kept and shown, and the reason is raised."""

    def broken(view: StillMultiples, events: object, ended: object) -> None:
        raise OSError("The page is gone.")

    finished: list[object] = []
    monkeypatch.setattr(StillMultiples, "update", broken)
    monkeypatch.setattr(StillMultiples, "finish", lambda view, results, notes=(): finished.append(results))
    with pytest.raises(OSError, match="The page is gone"):
        cometnb.sweep("Broken", effort=["none", "low"])
    assert [len(last().frame)] == [len(results) for results in finished if isinstance(results, tuple)] == [2]


def test_sweeps_leave_no_thread_and_no_task() -> None:
    """However many a kernel runs: the session's loop is one thread, and idle afterwards."""

    def left() -> tuple[int, int]:
        n_tasks = sum(isinstance(one, asyncio.Task) and not one.done() for one in gc.get_objects())
        return threading.active_count(), n_tasks

    cometnb.sweep("Hello", effort=["none", "low"])
    n_threads, _ = left()
    for _ in range(5):
        cometnb.sweep("Hello", effort=["none", "low"])
    # The loop ends a call's task a moment after its answer.
    until_s = time.monotonic() + 10
    while left() > (n_threads, 0) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert left() <= (n_threads, 0)


def test_rows_of_the_usage_frame_have_its_tag(tmp_path: Path) -> None:
    """So that what a sweep cost can be asked for."""
    shared.configure(ledger=str(tmp_path / "usage.sqlite"))
    cometnb.sweep("Tag", effort=["none", "low"], tag="tuning")
    assert len(cometnb.usage(tag="tuning")) == 2


def test_it_runs_as_many_at_once_as_it_may(simulator: Simulator) -> None:
    """Four streams of half a second each, four at once, take little more than one."""
    simulator.first_token_s = 0.4
    simulator.text = "Done."
    started_s = time.monotonic()
    frame = cometnb.sweep("Wide", effort=["none"], repeat=4, max_concurrency=4)
    assert time.monotonic() - started_s < frame["duration_s"].sum()
    with pytest.raises(ParamError):
        cometnb.sweep("Wide", effort=["none"], max_concurrency=0)


def test_prompts_may_be_given_by_name() -> None:
    """As the parameter that a list of prompts would be."""
    assert cometnb.sweep(prompt=["One", "Two"])["prompt"].tolist() == ["One", "Two"]


@pytest.mark.parametrize(
    ("wrong", "words"), [({"budget": -1}, "budget=-1"), ({"checkpoint": 5}, "checkpoint=5")]
)
def test_a_limit_or_a_file_that_is_none_is_named(wrong: dict[str, Any], words: str) -> None:
    """In the words of the call, before anything is asked."""
    with pytest.raises(ParamError) as caught:
        cometnb.sweep("Hi", effort=["none", "low"], **wrong)
    assert words in caught.value.fact
    assert len(str(caught.value).splitlines()) == 2
