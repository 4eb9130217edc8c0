"""What a board sends to the page holds no API key, except in the controls in which it was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.panel.board import Board
from cometnb.panel.card import card
from cometnb.panel.panel import Panel
from cometnb.panel.tabs import CODE_FORMS, TABS
from tests.panel.test_board import touch, until

_LOOKS_LIKE_ONE = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
_OF_A_GATEWAY = "gateway.Canary-1+4f9d27c6b08e"
_KEYS = pytest.mark.parametrize("key", [_LOOKS_LIKE_ONE, _OF_A_GATEWAY])


@pytest.fixture(autouse=True)
def _in_force() -> Any:
    shared.configure(api_key=_OF_A_GATEWAY)
    yield
    shared.configure(api_key=None)


def _state(board: Board) -> str:
    """Return all that the widgets of a board hold for a page, without what is typed in the controls."""
    heads = [lane.head for lane in board.columns._lanes]
    lives = [board.live, *(lane._live for lane in board.columns._lanes)]
    states = [part.get_state() for part in (board.deck, board.sheet, *heads, *lives)]
    del states[0]["values"]
    code = {name: state.pop(name) for state in states for name in ("_esm", "_css") if name in state}
    assert code
    return json.dumps(states, default=str)


@_KEYS
def test_no_tab_holds_a_key(board: Board, panel: Panel, simulator: Simulator, key: str) -> None:
    """Neither of the prompt, nor of a parameter, nor of the answer that repeats them, in whatever form of code."""
    simulator.text = f"You said {_LOOKS_LIKE_ONE}."
    panel.prompt = f"Use {key}."
    panel.set("instructions", f"Or {key}.")
    panel.set("metadata", {"note": key})
    panel.run()
    panel.set("instructions", f"Rather {key}, twice: {key}.")
    panel.run()
    until(lambda: board.live.answer["phase"] == "done")
    for run in panel.runs:
        touch(board.sheet, "pick", id=run.run_id, is_picked=True)
    for tab in TABS:
        touch(board.sheet, "tab", tab=tab)
        for form in CODE_FORMS if tab == "code" else ():
            touch(board.sheet, "form", form=form)
            assert "Canary" not in _state(board)
        assert "Canary" not in _state(board)
    assert "Canary" in json.dumps(board.deck.values)


@_KEYS
def test_what_is_shortened_holds_no_half_of_a_key(board: Board, panel: Panel, key: str) -> None:
    """Wherever the line ends: it is masked first."""
    for n_before in range(20, 60):
        panel.settings = Panel("x" * n_before + f" {key}", {}, params={}).settings
        panel.run()
        panel.set("user", "x" * n_before + f" {key}")
        panel.run()
    touch(board.sheet, "tab", tab="runs")
    assert key[:12] not in _state(board)
    assert key[:12] not in str(panel.diff())


@_KEYS
def test_columns_hold_no_key(board: Board, panel: Panel, simulator: Simulator, key: str) -> None:
    """Their heads, their answers, and how these differ: word by word, no key would be known for one."""
    simulator.text = f"Now {_LOOKS_LIKE_ONE}."
    panel.add_column(key, user=key)
    panel.add_column(user=f"other {key}")
    touch(board.sheet, "tab", tab="compare")
    panel.run_columns()
    simulator.text = f"Then {_LOOKS_LIKE_ONE}."
    panel.run_columns()
    until(lambda: not board.deck.status["running"])
    board.draw()
    assert "Canary" not in _state(board)
    assert "Canary" not in str(panel.diff(0, -1)) + card(panel)["text/plain"] + card(panel)["text/markdown"]


def test_a_mark_and_a_word_to_the_reader_hold_no_key(board: Board, panel: Panel) -> None:
    """Why a value cannot be sent names the value; what went wrong may name anything."""
    touch(board.deck, "set", changes={"truncation": _LOOKS_LIKE_ONE}, n=1, view=1)
    assert board.deck.marks["problems"]
    board.say(f"KeyError: {_OF_A_GATEWAY}", is_bad=True)
    assert "Canary" not in _state(board)
