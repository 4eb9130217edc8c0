"""The board without a browser: what the page sends reaches the panel, and what the panel does reaches the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ipywidgets.widgets.widget import _instances

from cometnb.client.simulator import Simulator
from cometnb.panel.board import Board
from cometnb.panel.controls import CONTROLS
from cometnb.panel.panel import Panel
from cometnb.panel.widgets import Part

_LONG = "word " * 4000


def touch(part: Part, op: str, **more: Any) -> None:
    """Do what the page does when a key is pressed."""
    part._handle_custom_msg({"op": op, **more}, [])


def until(test: Callable[[], Any]) -> None:
    """Wait for what comes from another thread."""
    deadline_s = time.monotonic() + 10
    while not test():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def said(board: Board) -> str:
    """Return the last word to the reader."""
    return str(board.deck.told.get("words", ""))


def test_it_opens_with_what_the_panel_has(board: Board) -> None:
    """One comm for each of its four parts and one for the columns to come; every control is a row of the state."""
    assert board.deck.values == {"input": "Hello.", "temperature": 0.5}
    assert [row["path"] for row in board.deck.rows] == [control.path for control in CONTROLS]
    assert board.live.answer["phase"] == "idle"
    assert board.deck.layout is board.box.layout is None


def test_it_costs_five_comms_and_gives_all_back(panel: Panel) -> None:
    """Opened and closed any number of times; running and comparing does not leave one behind either."""
    before = set(_instances)
    for _ in range(3):
        board = Board(panel)
        assert len(set(_instances) - before) == 5
        board.columns.add_settings()
        panel.run()
        board.close()
        board.close()
        panel.remove_column(0)
    assert set(_instances) == before


def test_a_value_that_is_set_is_sent_and_one_that_is_taken_away_is_not(board: Board, panel: Panel) -> None:
    """By the widget's own trait, as code would."""
    board.deck.values = {"input": "Hello.", "reasoning.effort": "low"}
    assert dict(panel.params) == {"reasoning": {"effort": "low"}}
    assert panel.request["reasoning"] == {"effort": "low"}
    assert "temperature" not in panel.request


def test_what_the_page_changes_is_laid_over_what_the_panel_has(board: Board, panel: Panel) -> None:
    """Two hands at a time: what code has set meanwhile stays, and the page hears that it was heard."""
    heard: list[Any] = []
    board.deck.send = lambda content, buffers=None: heard.append(content)  # type: ignore[method-assign]  # its wire
    panel.set("top_p", 0.9)
    touch(board.deck, "set", changes={"temperature": None, "max_output_tokens": 50}, n=7, view=1)
    assert dict(panel.params) == {"top_p": 0.9, "max_output_tokens": 50}
    assert board.deck.values == {"input": "Hello.", "top_p": 0.9, "max_output_tokens": 50}
    assert heard == [{"op": "heard", "view": 1, "n": 7}]


def test_what_code_sets_is_shown(board: Board, panel: Panel) -> None:
    """Each of the panel's own fields has a control; a parameter no table knows gets one."""
    panel.prompt, panel.schema, panel.tools, panel.confirms = "Again.", "name, age int", ["f"], True
    panel.set("provider", {"order": ["a"]})
    values = board.deck.values
    assert (values["input"], values["schema"], values["tools"], values["confirms"]) == (
        "Again.",
        "name, age int",
        ["f"],
        True,
    )
    assert board.deck.rows[-1]["path"] == "provider"


def test_a_value_out_of_range_is_marked_and_nothing_is_sent(
    board: Board, panel: Panel, simulator: Simulator
) -> None:
    """The mark stands at its control, the words beside the keys."""
    touch(board.deck, "run", changes={"temperature": 3}, n=1, view=1)
    assert "above its maximum 2" in board.deck.marks["problems"]["temperature"]
    assert not board.deck.status["can_run"]
    assert "above its maximum 2" in said(board)
    assert panel.runs == ()


def test_before_the_first_run_the_board_reads_spent_nothing(board: Board) -> None:
    """The page puts the word "spent" in front."""
    assert board.deck.status["spent"] == "nothing"


def test_a_run_streams_into_the_live_view(board: Board, panel: Panel, simulator: Simulator) -> None:
    """A change that comes with the key is part of it; then the usage line, what was spent, and one run more."""
    simulator.text = "A **bold** answer."
    touch(board.deck, "run", changes={"temperature": 0.1}, n=1, view=1)
    until(lambda: panel.runs and not board.deck.status["running"])
    until(lambda: board.live.answer["phase"] == "done")
    assert panel.runs[0].params["temperature"] == 0.1
    assert "<strong>bold</strong>" in "".join(board.live.answer["blocks"])
    assert "tokens out" in board.live.answer["detail"]
    assert "simulated" in board.deck.status["spent"]
    until(lambda: board.sheet.pages["counts"]["runs"] == 1)


def test_stop_ends_a_run_in_mid_stream(board: Board, panel: Panel, simulator: Simulator) -> None:
    """What came is kept and shown."""
    simulator.text, simulator.tokens_per_s = _LONG, 200.0
    touch(board.deck, "run")
    until(lambda: "word word" in board.live.answer["tail"])
    touch(board.deck, "stop")
    until(lambda: board.live.answer["phase"] == "done")
    until(lambda: panel.runs)
    assert panel.runs[0].status == "interrupted"
    assert panel.runs[0].text.startswith("word word")


def test_clear_empties_the_answer_and_keeps_the_runs(board: Board, panel: Panel) -> None:
    """Settings and history stay."""
    panel.run()
    until(lambda: board.live.answer["phase"] == "done")
    touch(board.deck, "clear")
    assert board.live.answer["phase"] == "idle"
    assert board.live.answer["blocks"] == []
    assert len(panel.runs) == 1


def test_a_refused_parameter_is_marked_and_dropped_with_one_press(
    board: Board, panel: Panel, simulator: Simulator
) -> None:
    """With the service's own words at its control, and the error on the answer's page."""
    simulator.without = ("no_temperature",)
    touch(board.deck, "run")
    until(lambda: board.deck.marks["refused"])
    assert "not supported with this model" in board.deck.marks["refused"]["temperature"]
    until(lambda: board.sheet.pages["answer"])
    assert board.sheet.pages["answer"][-1]["is_bad"]
    touch(board.deck, "drop", path="temperature")
    assert board.deck.marks["refused"] == {}
    assert "temperature" not in board.deck.values


def test_presets_are_saved_chosen_renamed_and_deleted(board: Board, panel: Panel) -> None:
    """Under the name that was typed; one of the same name is replaced only where it was chosen."""
    touch(board.deck, "preset_save", name="mine")
    assert board.deck.presets["chosen"] == "mine"
    panel.set("temperature", 1.5)
    touch(board.deck, "preset_save", name="mine")
    touch(board.deck, "preset_save", name="other")
    touch(board.deck, "preset_save", name="mine")
    assert "choose it from the list" in said(board)
    panel.unset("temperature")
    touch(board.deck, "preset_load", name="mine")
    assert board.deck.values["temperature"] == 1.5
    touch(board.deck, "preset_rename", name="yours")
    assert board.deck.presets["own"] == ["other", "yours"]
    touch(board.deck, "preset_delete")
    assert board.deck.presets["own"] == ["other"]
    assert board.deck.presets["shipped"]


def test_settings_travel_as_one_line(board: Board, panel: Panel) -> None:
    """Shared from one board and loaded into it again; code in any form is taken, too."""
    touch(board.deck, "share")
    line = board.deck.told["text"]
    panel.unset("temperature")
    touch(board.deck, "load", text=line)
    assert board.deck.values["temperature"] == 0.5
    touch(board.deck, "load", text="%%respond -t 0.9\nHi {{x}}")
    assert board.deck.values == {"input": "Hi {{x}}", "temperature": 0.9}
    assert "look at it" in said(board)
    touch(board.deck, "load", text="%%respond --out x\nHi")
    assert said(board).startswith("Loaded. Left out, as no part of the request: --out.")
    touch(board.deck, "load", text="nothing of the kind")
    assert board.deck.told["is_bad"]


def test_a_wish_that_makes_no_sense_is_no_harm(board: Board, panel: Panel) -> None:
    """A page is another program; what it sends is not believed."""
    for message in (
        {"op": "fly"},
        {"op": "tab", "tab": "no"},
        {"op": "form", "form": 7},
        {"op": "pick"},
        {"op": 3},
    ):
        board.deck._handle_custom_msg(message, [])
    board.sheet._handle_custom_msg("text", [])
    touch(board.deck, "set", changes={"images": 5})
    assert board.deck.told["is_bad"]
    assert panel.images == []


def test_models_and_names_are_suggested(panel: Panel) -> None:
    """The simulator's models, found on a thread of their own; functions and types of the notebook."""

    def weather(city: str) -> str:
        return city

    weather.__module__ = "__main__"
    panel._names = {"weather": weather, "_hidden": weather, "n": 3}
    board = Board(panel)
    try:
        until(lambda: board.deck.offers.get("model"))
        assert "gpt-5.4-mini" in board.deck.offers["model"]
        board.bundle()
        assert board.deck.offers["tools"][0] == "weather"
        assert "web_search" in board.deck.offers["tools"]
    finally:
        board.close()


def test_a_board_that_opens_late_shows_the_last_answer(panel: Panel, simulator: Simulator) -> None:
    """Run in code first, shown afterwards."""
    simulator.text = "Early."
    panel.run()
    board = Board(panel)
    assert "Early." in "".join(board.live.answer["blocks"])
    assert "tokens out" in board.live.answer["detail"]
    board.close()


def test_values_are_set_from_many_threads(board: Board, panel: Panel) -> None:
    """Two pages change two parameters at a time; no change is lost to the other."""
    paths = ("temperature", "top_p")

    def turn(path: str) -> None:
        for step in range(50):
            touch(board.deck, "set", changes={path: step / 100}, n=step, view=1)

    threads = [threading.Thread(target=turn, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [board.deck.values[path] for path in paths] == [0.49, 0.49]
    assert board.deck.values == {"input": "Hello.", **panel.params}
