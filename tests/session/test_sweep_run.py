"""A sweep on its way, and the frame it becomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.simulator import Simulator
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.limits import Limits
from cometnb.session.session import Session
from cometnb.session.structured import schema_of
from cometnb.session.sweep import COLUMNS, grid_of
from cometnb.session.sweep_frame import Result, frame_of
from cometnb.session.sweep_run import SweepRun

Swept = Callable[..., tuple[SweepRun, pd.DataFrame]]


@pytest.fixture
def attempts() -> list[Attempt]:
    """Every attempt of the test."""
    return []


@pytest.fixture
def swept(attempts: list[Attempt]) -> Swept:
    """Run a grid to its end on a simulator of its own, and return the run and its frame."""

    def run(simulator: Simulator, *, stop_at: int = 0, **given: Any) -> tuple[SweepRun, pd.DataFrame]:
        settings = {name: given.pop(name) for name in ("repeat", "schema", "namespace") if name in given}
        how = {name: given.pop(name) for name in ("kept", "checkpoint", "till") if name in given}
        limits = Limits(given.pop("max_concurrency", 4))
        session = Session(transport=simulator, observers=[attempts.append], max_retries=0)
        grid = grid_of(given.pop("prompt", "Hello"), given, model="gpt-5.4", **settings)
        one = SweepRun(session, grid, limits=limits, **how)
        n_ended = 0
        for _, ended in one.batches(0.005):
            n_ended += len(ended)
            if stop_at and n_ended >= stop_at:
                one.ask_to_stop()
        session.close()
        return one, frame_of(grid, one.results)

    return run


def test_a_frame_has_a_row_per_run_and_fitting_dtypes(swept: Swept) -> None:
    """Axes first; every column is there, whatever came."""
    _, frame = swept(
        Simulator(), model=["gpt-5.4", "gpt-5.4-mini"], temperature=[0, None], effort=["none"], repeat=2
    )
    assert list(frame.columns) == [
        "model",
        "temperature",
        "effort",
        *(name for name in COLUMNS if name != "model"),
    ]
    kinds = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert kinds["temperature"] == "Int64"
    assert kinds["model"] == kinds["answer"] == kinds["error"] == "string"
    assert {kinds[name] for name in COLUMNS if name.endswith("_tokens")} == {"Int64"}
    assert {kinds[name] for name in ("cost_usd", "ttft_s", "duration_s", "output_tokens_per_s")} == {
        "float64"
    }
    assert frame["model"].tolist() == ["gpt-5.4"] * 4 + ["gpt-5.4-mini"] * 4
    assert frame["repeat"].tolist() == [1, 2] * 4
    assert frame["temperature"].isna().sum() == 4
    assert (frame["status"] == "completed").all()
    assert (frame["output_tokens"] > 0).all()


def test_repeats_are_calls_of_their_own(swept: Swept, attempts: list[Attempt]) -> None:
    """Nothing is asked once for several rows."""
    _, frame = swept(Simulator(), repeat=5)
    assert len(attempts) == 5
    assert frame["response_id"].nunique() == 5


def test_a_point_that_fails_does_not_stop_the_rest(swept: Swept) -> None:
    """Its row has the error, and no figures."""
    run, frame = swept(Simulator(models=["gpt-5.4"]), model=["gpt-5.4", "gpt-none"], repeat=2)
    assert frame["status"].tolist() == ["completed"] * 2 + ["error"] * 2
    assert frame["error"].isna().tolist() == [True, True, False, False]
    assert frame["output_tokens"].isna().tolist() == [False, False, True, True]
    assert run.error is None
    assert [result.is_done for result in run.results] == [True, True, False, False]


def test_where_no_run_can_be_made_the_sweep_ends(swept: Swept, attempts: list[Attempt]) -> None:
    """One unknown model for all of them is not asked ten times."""
    run, frame = swept(Simulator(models=["gpt-5.4"]), model=["gpt-none"], repeat=10, max_concurrency=1)
    assert run.error is not None
    assert len(attempts) == 1
    assert frame["status"].tolist() == ["error"] + ["not_answered"] * 9


def test_what_had_come_of_a_stopped_run_is_kept(swept: Swept) -> None:
    """Done, interrupted, and not asked; each row says which."""
    slow = Simulator(text="Some words. " * 60, tokens_per_s=400)
    run, frame = swept(slow, repeat=4, max_concurrency=1, stop_at=1, effort=["none"])
    assert run.is_stopped
    assert frame["status"].iloc[0] == "completed"
    assert set(frame["status"].iloc[1:]) <= {"interrupted", "not_answered"}
    assert "not_answered" in set(frame["status"])


def test_an_attempt_cut_off_is_a_row_of_its_own() -> None:
    """What the observers were told of it is its answer so far."""
    slow = Simulator(text="Some words. " * 200, tokens_per_s=200)
    attempts: list[Attempt] = []
    session = Session(transport=slow, observers=[attempts.append])
    grid = grid_of("Hello", {"effort": ["none"]}, model="gpt-5.4", repeat=2)
    run = SweepRun(session, grid, limits=Limits(1))
    for events, _ in run.batches(0.005):
        if sum(len(some) for some in events.values()):
            run.ask_to_stop()
    for attempt in attempts:
        run.watch(attempt)
    run.stop()
    session.close()
    assert [result.status for result in run.results] == ["interrupted", "not_answered"]
    assert frame_of(grid, run.results)["answer"].iloc[0] == run.results[0].response.output_text  # type: ignore[union-attr]


def test_kept_answers_are_not_answered_again(swept: Swept, attempts: list[Attempt]) -> None:
    """They stand in the frame beside the new ones."""
    first, before = swept(Simulator(), effort=["low", "high"], repeat=2)
    kept = {first.key_of(one.run): one.response for one in first.results[:3]}
    attempts.clear()
    again, frame = swept(Simulator(), effort=["low", "high"], repeat=2, kept=kept)
    assert again.n_kept == 3
    assert len(attempts) == 1
    assert frame["response_id"].tolist()[:3] == before["response_id"].tolist()[:3]


def test_a_checkpoint_serves_a_later_sweep_over_a_larger_grid(
    swept: Swept, attempts: list[Attempt], tmp_path: Path
) -> None:
    """Only what is missing is asked, and who is asked is part of what is kept."""
    with Checkpoint(tmp_path / "sweep.db") as checkpoint:
        swept(Simulator(), effort=["low"], repeat=2, checkpoint=checkpoint)
    attempts.clear()
    with Checkpoint(tmp_path / "sweep.db") as checkpoint:
        run, frame = swept(Simulator(), effort=["low", "high"], repeat=2, checkpoint=checkpoint)
    assert run.n_kept == 2
    assert len(attempts) == 2
    assert (frame["status"] == "completed").all()


def test_answers_with_a_schema_are_columns(swept: Swept) -> None:
    """In its dtypes; one that does not fit is missing there, and its error says why."""
    text = json.dumps({"name": "Ann", "age": 3, "status": "well"})
    schema = schema_of("name, age int, status")
    _, frame = swept(Simulator(text=text), schema=schema, effort=["none", "low"])
    assert frame["name"].tolist() == ["Ann", "Ann"]
    assert str(frame["age"].dtype) == "Int64"
    assert frame["parsed.status"].tolist() == ["well", "well"]
    _, frame = swept(Simulator(text="no JSON"), schema=schema, effort=["none", "low"])
    assert frame["age"].isna().all()
    assert frame["error"].str.contains("JSON").all()


def test_a_schema_of_rows_is_one_column(swept: Swept) -> None:
    """Each answer has several rows."""
    text = json.dumps({"rows": [{"name": "Ann"}, {"name": "Bob"}]})
    _, frame = swept(Simulator(text=text), schema=schema_of("[name]"), effort=["none"])
    assert frame["parsed"].tolist() == [[{"name": "Ann"}, {"name": "Bob"}]]


def test_functions_run_in_every_run_that_offers_them(swept: Swept) -> None:
    """And in no other."""
    called: list[str] = []

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        called.append(city)
        return "rain"

    _, frame = swept(Simulator(), prompt="Call weather.", tools=[[], [weather]], namespace={})
    assert (frame["status"] == "completed").all()
    assert len(called) == 1


def test_a_grid_that_was_not_answered_is_a_frame() -> None:
    """All rows missing, in the same dtypes."""
    grid = grid_of("Hello", {"effort": ["low", "high"]}, model="gpt-5.4")
    frame = frame_of(grid, [Result(run) for run in grid.runs])
    assert frame["status"].tolist() == ["not_answered"] * 2
    assert frame["model"].tolist() == ["gpt-5.4"] * 2
    assert frame[["answer", "error", "total_tokens", "cost_usd"]].isna().all(axis=None)
