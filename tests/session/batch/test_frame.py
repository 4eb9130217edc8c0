"""A prompt over a frame against the simulator: order, index, identical rows, tools, resuming, stopping."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cometnb.client.simulator import Simulator
from cometnb.errors import AuthenticationError, BatchError, BatchInterruptedError, CellError
from cometnb.session.batch.frame import FrameBatch
from cometnb.session.batch.limits import Limits
from cometnb.session.batch.rows import Asking
from cometnb.session.session import Session
from cometnb.session.structured import schema_of
from cometnb.session.tools import Toolbox

Make = Callable[..., FrameBatch]


class Echo(Simulator):
    """Answers with the prompt, and keeps what it was asked; `hook` is called with each prompt first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.prompts: list[str] = []
        self.hook: Callable[[str], object] = lambda prompt: None

    def handle(self, request: Any) -> Any:
        """Answer one request."""
        if request.method == "POST":
            prompt = json.loads(request.body)["input"]
            self.prompts.append(prompt)
            self.hook(prompt)
            self.text = prompt
        return super().handle(request)


@pytest.fixture
def echo() -> Echo:
    """A service that answers with the prompt."""
    return Echo()


@pytest.fixture
def make(echo: Echo) -> Iterator[Make]:
    """Makes a batch over a frame on that service."""
    session = Session(transport=echo)

    def made(frame: pd.DataFrame, prompt: str = "{{text}}", **settings: Any) -> FrameBatch:
        of_batch = {
            name: settings.pop(name) for name in ("schema", "toolbox", "namespace") if name in settings
        }
        return FrameBatch(frame, Asking(prompt, **settings), session=session, **{"namespace": {}, **of_batch})

    yield made
    session.close()


_INDEXES = [
    pd.Index([7, 7, 3, 7, 1]),
    pd.MultiIndex.from_product([["a"], [1, 2, 3, 4, 5]], names=["x", "y"]),
    pd.date_range("2026-01-01", periods=5, tz="Europe/Paris", name="day"),
    pd.RangeIndex(5, 0, -1),
]


@pytest.mark.parametrize("index", _INDEXES, ids=["duplicates", "levels", "moments", "range"])
def test_index_and_order_are_the_frames(make: Make, index: pd.Index[Any]) -> None:
    """Whatever order the answers come in."""
    frame = pd.DataFrame({"text": list("edcba")}, index=index)
    result = make(frame).run()
    pd.testing.assert_index_equal(result.index, index)
    assert result["answer"].tolist() == list("edcba")
    assert list(frame.columns) == ["text"]


def test_an_empty_frame_asks_nothing(make: Make, echo: Echo) -> None:
    """And has the columns of any other."""
    result = make(pd.DataFrame({"text": []}), schema=schema_of("n int")).run()
    assert (len(result), str(result["n"].dtype), echo.prompts) == (0, "Int64", [])


def test_identical_rows_are_asked_once(make: Make, echo: Echo) -> None:
    """However many they are, and wherever they stand."""
    result = make(pd.DataFrame({"text": ["a", "b"] * 40})).run()
    assert sorted(echo.prompts) == ["a", "b"]
    assert result["source"].value_counts().to_dict() == {"duplicate": 78, "asked": 2}
    assert result["answer"].tolist() == ["a", "b"] * 40


def test_an_error_in_one_row_is_that_rows(make: Make, echo: Echo) -> None:
    """It is not sent; the others are."""
    frame = pd.DataFrame({"text": ["a", None, "c"], "n": [1, 2, 0]})
    result = make(frame, "{{text}}{{6 // n}}").run()
    assert result["status"].tolist() == ["completed", "not_sent", "not_sent"]
    assert "missing" in result["error"][1]
    assert "ZeroDivisionError" in result["error"][2]
    assert echo.prompts == ["a6"]


def test_a_refused_row_stops_nothing(make: Make, echo: Echo) -> None:
    """The service's word on one request is its row's error."""
    frame = pd.DataFrame({"text": list("abc"), "order": ["", "400", ""]})
    result = make(frame, row_options={"metadata.simulate": "order"}).run()
    assert result["status"].tolist() == ["completed", "error", "completed"]
    assert result["error"][1].startswith("BadRequestError")


def test_what_meets_every_row_ends_the_batch(make: Make) -> None:
    """A key that is not valid is told once, with what had been done."""
    batch = make(pd.DataFrame({"text": list("abc")}), params={"metadata": {"simulate": "401"}})
    with pytest.raises(AuthenticationError, match="0 of 3 rows are answered") as caught:
        batch.run()
    assert len(caught.value.frame) == 3  # type: ignore[attr-defined]


def test_functions_are_run_for_every_row(make: Make, echo: Echo) -> None:
    """On this machine, by their name and arguments; the answer is the last round's."""
    called: list[str] = []

    def population(city: str) -> int:
        """People living in a city."""
        called.append(city)
        return 5

    echo.handle = super(Echo, echo).handle  # type: ignore[method-assign]
    batch = make(
        pd.DataFrame({"text": ["Rome", "Oslo"]}),
        "What is the population of {{text}}?",
        params={"reasoning": {"effort": "none"}},
        toolbox=Toolbox([population]),
    )
    result = batch.run()
    assert sorted(called) == ["Oslo", "Rome"]
    assert result["status"].tolist() == ["completed"] * 2
    assert result["answer"].str.contains("5").all()


def test_a_second_run_asks_only_what_is_missing(make: Make, echo: Echo, tmp_path: Path) -> None:
    """Rows may be added, and their order may change."""
    file = tmp_path / "rows.sqlite"
    make(pd.DataFrame({"text": list("ab")})).run(checkpoint=file)
    result = make(pd.DataFrame({"text": list("cba")})).run(checkpoint=file)
    assert echo.prompts[2:] == ["c"]
    assert result["source"].tolist() == ["asked", "checkpoint", "checkpoint"]
    assert result["answer"].tolist() == list("cba")
    assert (result["cost_usd"] > 0).all()


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Say {{text}}"},
        {"params": {"temperature": 0.5}},
        {"params": {"model": "gpt-5.5"}},
        {"schema": schema_of("n int")},
        {"missing": ""},
        {"row_options": {"user": "text"}},
    ],
)
def test_a_checkpoint_of_another_batch_is_refused(
    make: Make, echo: Echo, tmp_path: Path, other: dict[str, Any]
) -> None:
    """Before anything is paid: prompt, parameters, model, schema, what stands for missing values."""
    file = tmp_path / "rows.sqlite"
    frame = pd.DataFrame({"text": ["a"]})
    make(frame).run(checkpoint=file)
    with pytest.raises(BatchError, match="belongs to another batch"):
        make(frame, **other).run(checkpoint=file)
    assert echo.prompts == ["a"]


def test_a_checkpoint_of_another_service_is_refused(make: Make, echo: Echo, tmp_path: Path) -> None:
    """What one has answered is not taken for another's words, and the other is asked nothing."""
    file, frame = tmp_path / "rows.sqlite", pd.DataFrame({"text": ["a"]})
    make(frame).run(checkpoint=file)
    other = Session(api_key="sk-made-up-key", base_url="http://127.0.0.1:9/v1")
    with closing(other), pytest.raises(BatchError, match="belongs to"):
        FrameBatch(frame, Asking("{{text}}"), session=other, namespace={}).run(checkpoint=file)
    assert echo.prompts == ["a"]


def test_an_interrupt_keeps_what_is_done(make: Make, echo: Echo, tmp_path: Path) -> None:
    """In the error's frame and in the file; the next run goes on from there."""
    import _thread

    file = tmp_path / "rows.sqlite"
    echo.hook = lambda prompt: _thread.interrupt_main() if len(echo.prompts) == 30 else None
    echo.first_token_s = 0.01
    frame = pd.DataFrame({"text": [f"row {n}" for n in range(200)]})
    with pytest.raises(BatchInterruptedError, match=r"of 200 rows are answered") as caught:
        make(frame).run(checkpoint=file, limits=Limits(4))
    so_far = caught.value.frame
    assert isinstance(caught.value, KeyboardInterrupt)
    n_done = int((so_far["status"] == "completed").sum())
    assert 20 <= n_done < 200
    assert (so_far["status"] == "not_answered").any()
    assert "holds is not asked again" in caught.value.next_step
    echo.first_token_s = 0.0
    result = make(frame).run(checkpoint=file)
    assert (result["source"] == "checkpoint").sum() == n_done
    assert result["answer"].tolist() == frame["text"].tolist()


def test_an_interrupt_without_a_file_says_how_to_have_one(make: Make, echo: Echo) -> None:
    """What is done is in the frame all the same."""
    import _thread

    echo.hook = lambda prompt: _thread.interrupt_main() if len(echo.prompts) == 5 else None
    echo.first_token_s = 0.02
    with pytest.raises(KeyboardInterrupt, match="checkpoint="):
        make(pd.DataFrame({"text": [f"row {n}" for n in range(100)]})).run(limits=Limits(2))


def test_requests_are_made_as_there_is_room(make: Make, echo: Echo) -> None:
    """A prompt is not filled in long before it is sent: a large frame needs no room for all of them."""
    made: list[int] = []
    most_ahead = threading.Event()

    def seen(text: str) -> str:
        made.append(1)
        if len(made) - len(echo.prompts) > 60:
            most_ahead.set()
        return text

    frame = pd.DataFrame({"text": [f"row {n}" for n in range(300)]})
    make(frame, "{{seen(text)}}", namespace={"seen": seen}).run(limits=Limits(8))
    assert len(echo.prompts) == 300
    assert not most_ahead.is_set()


def test_all_of_it_can_be_looked_at_before(make: Make) -> None:
    """Body, key and error of each row, without a request."""
    batch = make(pd.DataFrame({"text": ["a", "a", None]}), params={"model": "gpt-5.5"})
    first, second, third = batch.requests()
    assert first.body == {"model": "gpt-5.5", "input": "a"}
    assert first.key == second.key
    assert isinstance(third.error, CellError)
    assert batch.title == "{{text}} (gpt-5.5 on the simulator)"


def test_the_bar_is_shown_where_somebody_watches(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows, cost and errors; and nothing where nobody does."""
    frame = pd.DataFrame({"text": ["a", None, "c"]})
    make(frame).run()
    assert capsys.readouterr().err == ""
    make(frame).run(is_watched=True)
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "1 failed" in shown
    assert "$" in shown
