"""`respond_frame` and ``df.comet.respond`` with the kernel's shared session: budget, dry run, names, other tables."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cometnb
import cometnb.batch
from cometnb import defaults
from cometnb.defaults import Shared
from cometnb.errors import BudgetExceededError, CellError, ConfigError, ParamError
from tests.needs import ROOT

_PRICED: dict[str, Any] = {"model": "gpt-5.4", "reasoning": {"effort": "none"}}


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    """A kernel's shared things on the simulator, as after a restart."""
    made = Shared()
    monkeypatch.setattr(defaults, "shared", made)
    made.configure(backend="simulator")
    yield made
    made.configure()
    made.ledger.close()


@pytest.fixture
def rows() -> pd.DataFrame:
    """A frame of twelve different rows."""
    return pd.DataFrame({"text": [f"row {n}" for n in range(12)], "n": range(12)})


def test_rows_are_asked_with_the_shared_session(shared: Shared, rows: pd.DataFrame) -> None:
    """Its ledger has one row for each request, with the tag."""
    result = cometnb.respond_frame(rows, "Say {{text}}", tag="trial", **_PRICED)
    assert result["status"].tolist() == ["completed"] * 12
    usage = cometnb.usage()
    assert usage["tag"].tolist() == ["trial"] * 12
    assert set(usage["response_id"]) == set(result["response_id"])
    assert usage["cost_usd"].sum() == pytest.approx(result["cost_usd"].sum())
    assert shared.tally.n_attempts == 12


def test_expressions_see_the_callers_names(shared: Shared, rows: pd.DataFrame) -> None:
    """Local and global ones, from the accessor as from the function; a schema may be named, too."""
    greeting, shape = "Ahoy", "n int"
    for ask in (lambda **more: cometnb.respond_frame(rows, "{{greeting}} {{text}}", **more), None):
        if ask is not None:
            with pytest.raises(CellError, match="no column 'greeting'"):
                ask(namespace={})
    cometnb.respond_frame(rows.head(1), "{{greeting}} {{text}}", schema="shape")
    rows.head(1).comet.respond("{{greeting}} {{text}}")
    assert [body["input"] for body in shared.simulator.requests] == ["Ahoy row 0"] * 2
    assert (greeting, shape) == ("Ahoy", "n int")


def test_the_tables_own_columns_can_stand_in_front(shared: Shared, rows: pd.DataFrame) -> None:
    """What both have is the table's; the result's is prefixed."""
    rows["status"] = "open"
    rows.index = pd.Index([1] * 12)
    result = rows.comet.respond("Say {{text}}", keep_columns=True, **_PRICED)
    assert list(result.columns[:5]) == ["text", "n", "status", "answer", "error"]
    assert result["comet_status"].tolist() == ["completed"] * 12
    assert result["status"].tolist() == ["open"] * 12


def test_a_series_has_it_too(shared: Shared) -> None:
    """Its values are the column `value`, or that of its name."""
    series: Any = pd.Series(["x"])
    assert series.comet.respond("Say {{value}}")["status"].tolist() == ["completed"]


def test_polars_gets_polars_back(shared: Shared) -> None:
    """The same call, the same columns."""
    pl = pytest.importorskip("polars")
    result = cometnb.respond_frame(pl.DataFrame({"text": ["a", "b"]}), "{{text}}", schema="n int", **_PRICED)
    assert isinstance(result, pl.DataFrame)
    assert result["status"].to_list() == ["completed"] * 2
    assert result.schema["n"] == pl.Int64


def test_it_runs_beside_a_running_loop(shared: Shared, rows: pd.DataFrame) -> None:
    """As in a notebook's cell, where the kernel's loop is running."""

    async def cell() -> pd.DataFrame:
        result: pd.DataFrame = cometnb.respond_frame(rows, "Say {{text}}", **_PRICED)
        return result

    assert len(asyncio.run(cell())) == 12


def test_a_dry_run_says_what_it_would_cost(shared: Shared, rows: pd.DataFrame, tmp_path: Path) -> None:
    """By model, without those that are asked already, and without a request or a file."""
    rows["model"] = ["gpt-5.4", "gpt-5.5"] * 6
    rows.loc[3, "text"] = None
    rows.loc[5] = rows.loc[1]
    call: dict[str, Any] = {
        "row_options": {"model": "model"},
        "max_output_tokens": 100,
        "checkpoint": tmp_path / "rows.sqlite",
    }
    forecast = cometnb.respond_frame(rows, "Say {{text}}", dry_run=True, **call)
    assert shared.simulator.requests == []
    assert not (tmp_path / "rows.sqlite").exists()
    assert (forecast.n_rows, forecast.n_requests, forecast.n_duplicates, forecast.n_unsent) == (12, 10, 1, 1)
    assert forecast.by_model()["requests"].to_dict() == {"gpt-5.4": 6, "gpt-5.5": 4}
    assert 0 < forecast.cost_low_usd < forecast.cost_high_usd < math.inf
    result = cometnb.respond_frame(rows, "Say {{text}}", **call)
    assert forecast.cost_low_usd <= result["cost_usd"].sum() <= forecast.cost_high_usd
    again = cometnb.respond_frame(rows, "Say {{text}}", dry_run=True, **call)
    assert (again.n_requests, again.n_stored) == (0, 11)
    assert "11 are answered in the checkpoint" in str(again)


def test_a_budget_cuts_no_answer_short(shared: Shared, rows: pd.DataFrame) -> None:
    """Sixteen at once would each be given a small part of it; they wait for one another instead."""
    result = cometnb.respond_frame(rows, "Say {{text}}", budget=0.25, **_PRICED)
    assert result["status"].tolist() == ["completed"] * 12
    assert result["cost_usd"].sum() < 0.25
    assert cometnb.usage()["status"].tolist() == ["completed"] * 12


def test_rows_wait_for_the_kernels_budget_too(shared: Shared, rows: pd.DataFrame) -> None:
    """It is the same money."""
    shared.set_budget(cometnb.Budget(0.25))
    result = cometnb.respond_frame(rows, "Say {{text}}", **_PRICED)
    assert result["status"].tolist() == ["completed"] * 12
    assert set(cometnb.usage()["status"]) == {"completed"}


def test_a_budget_that_is_used_up_ends_the_batch(shared: Shared, rows: pd.DataFrame) -> None:
    """Never above it; the error has what is done, speaks of the batch, and so does `last_frame`."""
    with pytest.raises(BudgetExceededError, match="of 12 rows are answered") as caught:
        cometnb.respond_frame(rows, "Say {{text}}", budget=0.02, max_output_tokens=800, **_PRICED)
    frame = caught.value.frame  # type: ignore[attr-defined]
    n_done = (frame["status"] == "completed").sum()
    assert 1 <= n_done < 12
    assert frame["cost_usd"].sum() <= 0.02
    assert "for this batch" in caught.value.fact
    assert "budget=0.0" in caught.value.next_step
    assert "%comet" not in str(caught.value)
    assert cometnb.batch.last_frame() is frame


def test_no_money_is_spent_on_answers_cut_short(shared: Shared, rows: pd.DataFrame) -> None:
    """What is left at the end would be: once it is known how long answers are, such a row is not sent."""
    with pytest.raises(BudgetExceededError):
        cometnb.respond_frame(rows, "Say {{text}}", budget=0.02, **_PRICED)
    assert set(cometnb.usage()["status"]) <= {"completed", "refused_by_budget"}


def test_a_budget_needs_a_price(shared: Shared, rows: pd.DataFrame) -> None:
    """Unless it is told to do without."""
    shared.simulator.models = ["nobody-knows"]
    with pytest.raises(BudgetExceededError, match="allow_unpriced=True"):
        cometnb.respond_frame(rows, "Say {{text}}", budget=1, model="nobody-knows")
    result = cometnb.respond_frame(rows, "Say {{text}}", budget=1, model="nobody-knows", allow_unpriced=True)
    assert result["status"].tolist() == ["completed"] * 12
    assert result["cost_usd"].isna().all()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"budget": 0}, ParamError),
        ({"max_concurrency": 0}, ParamError),
        ({"rpm": -1}, ParamError),
        ({"schema": {"type": "integer", "minimum": 5, "maximum": 1}}, ParamError),
        ({"schema": {"type": "string", "pattern": 5}, "temperature": 3}, ParamError),
        ({"tools": ["no_such_tool"]}, ConfigError),
        ({"executor": object()}, ConfigError),
        ({"stop_after_errors": 0}, ParamError),
        ({"checkpoint": 3}, ParamError),
        ({"checkpoint": 3, "dry_run": True}, ParamError),
        ({"row_options": ["text"]}, ParamError),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(
    shared: Shared, rows: pd.DataFrame, settings: dict[str, Any], error: type[Exception]
) -> None:
    """Each with what to write instead."""
    with pytest.raises(error):
        cometnb.respond_frame(rows, "Say {{text}}", **settings)
    assert shared.simulator.requests == []


def test_another_session_has_its_own_service_and_ledger(shared: Shared, rows: pd.DataFrame) -> None:
    """And the batch's budget holds for it, too."""
    session = cometnb.Session(transport=cometnb.Simulator(text="Own."))
    result = cometnb.respond_frame(rows, "Say {{text}}", session=session, **_PRICED)
    assert result["answer"].tolist() == ["Own."] * 12
    with pytest.raises(BudgetExceededError):
        cometnb.respond_frame(rows, "Say {{text}}", session=session, budget=0.00001, **_PRICED)
    assert len(cometnb.usage()) == 0
    session.close()


def test_the_simulators_pace_is_left_as_it_was(shared: Shared, rows: pd.DataFrame) -> None:
    """Nobody watches one row of many stream; the next cell streams again."""
    before = shared.simulator.tokens_per_s
    cometnb.respond_frame(rows, "Say {{text}}", **_PRICED)
    assert shared.simulator.tokens_per_s == before is not None


def test_the_simulators_pace_is_left_as_it_was_by_two_at_once(shared: Shared) -> None:
    """Two threads ask; the first to begin is the first to end."""
    before = shared.simulator.tokens_per_s
    one, two = cometnb.batch._unpaced(shared), cometnb.batch._unpaced(shared)
    with ExitStack() as later:
        with one:
            later.enter_context(two)
        assert shared.simulator.tokens_per_s is None
    assert shared.simulator.tokens_per_s == before is not None


def test_a_budget_that_is_none_speaks_of_the_batchs_parameter(shared: Shared, rows: pd.DataFrame) -> None:
    """And not of the class behind it."""
    with pytest.raises(ParamError, match=r"^budget=-1 is no .*\n.*budget=0.50"):
        cometnb.respond_frame(rows, "Say {{text}}", budget=-1)


def test_one_tool_alone_is_a_list_of_it(shared: Shared, rows: pd.DataFrame) -> None:
    """A name is not taken for a list of letters."""
    cometnb.respond_frame(rows.head(1), "Say {{text}}", tools="web_search_preview", **_PRICED)
    assert shared.simulator.requests[-1]["tools"] == [{"type": "web_search_preview"}]


def test_a_dry_run_finds_a_checkpoint_in_the_home_folder(
    shared: Shared, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the run itself does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = {"checkpoint": "~/rows.sqlite", "progress": False, **_PRICED}
    cometnb.respond_frame(rows, "Say {{text}}", **settings)
    assert cometnb.respond_frame(rows, "Say {{text}}", dry_run=True, **settings).n_requests == 0


def test_without_a_run_there_is_no_last_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so."""
    monkeypatch.setattr(cometnb.batch, "_last", [])
    with pytest.raises(CellError, match="No respond_frame has run"):
        cometnb.batch.last_frame()


@pytest.mark.parametrize(
    "imports", ["import pandas, cometnb", "import cometnb, pandas", "import cometnb, polars, pandas"]
)
def test_the_accessor_is_there_whichever_is_imported_first(imports: str) -> None:
    """And pandas is loaded by its own loader, as if nobody had waited for it."""
    code = (
        f"{imports}; import json, sys; "
        "print(json.dumps([hasattr(pandas.DataFrame, 'comet'), hasattr(pandas.Series, 'comet'), "
        "type(pandas.__spec__.loader).__name__, type(pandas.__loader__).__name__, "
        "any('cometnb' in type(one).__module__ for one in sys.meta_path), 'cometnb.batch' in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [True, True, "SourceFileLoader", "SourceFileLoader", False, False]
