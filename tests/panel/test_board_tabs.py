"""The tabs of a board: what each shows, only while it is open, and columns side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cometnb.client.simulator import Simulator
from cometnb.panel.board import Board
from cometnb.panel.panel import Panel
from tests.panel.test_board import touch, until


def shown(board: Board, tab: str) -> Any:
    """Open a tab as a person does, and return what it shows."""
    touch(board.sheet, "tab", tab=tab)
    assert board.sheet.tab == tab
    return board.sheet.pages[tab]


def test_only_the_open_tab_travels(board: Board) -> None:
    """Beside it there are the counts that stand on the tabs."""
    shown(board, "code")
    assert set(board.sheet.pages) == {"counts", "code"}


def test_the_request_follows_what_is_set(board: Board, panel: Panel) -> None:
    """As JSON, as it would be sent."""
    shown(board, "request")
    panel.set("top_p", 0.3)
    until(lambda: json.loads(board.sheet.pages["request"]["text"]).get("top_p") == 0.3)


@pytest.mark.parametrize(
    ("form", "words"), [("cell", "%%respond -t 0.5"), ("python", "respond("), ("curl", "curl"), ("json", "{")]
)
def test_code_in_any_form(board: Board, form: str, words: str) -> None:
    """The form is chosen by a key."""
    shown(board, "code")
    touch(board.sheet, "form", form=form)
    assert board.sheet.pages["code"]["form"] == form
    assert words in board.sheet.pages["code"]["text"]


def test_code_that_cannot_be_written_says_why(board: Board, panel: Panel) -> None:
    """The expression has nothing to stand for."""
    panel.prompt = "Hi {{nobody}}"
    shown(board, "code")
    touch(board.sheet, "form", form="python")
    assert "nobody" in board.sheet.pages["code"]["problem"]


def test_expressions_are_evaluated_only_when_the_form_is_pressed(board: Board, panel: Panel) -> None:
    """Once for each press; a change, a run or a redraw evaluates nothing."""
    seen: list[int] = []

    def count() -> int:
        seen.append(1)
        return len(seen)

    panel._names = {"count": count}
    panel.prompt = "Hi {{count()}}"
    shown(board, "code")
    touch(board.sheet, "form", form="json")
    assert '"Hi 1"' in board.sheet.pages["code"]["text"]
    board.draw_page()
    panel.set("top_p", 0.4)
    board.draw_page()
    assert "once more" in board.sheet.pages["code"]["problem"]
    assert len(seen) == 1
    touch(board.sheet, "form", form="json")
    assert '"Hi 2"' in board.sheet.pages["code"]["text"]


def test_events_of_one_kind_in_a_row_are_one_line(board: Board, panel: Panel, simulator: Simulator) -> None:
    """However many there were, the page gets few lines, each with its place in time."""
    assert shown(board, "events")["lines"] == []
    simulator.text = "word " * 500
    response = panel.run()
    until(lambda: board.sheet.pages["events"]["lines"])
    touch(board.sheet, "tab", tab="answer")
    lines = shown(board, "events")["lines"]
    assert len(lines) < 20
    assert sum(int(line["n"].replace(",", "")) for line in lines) == len(response.events_frame())
    assert all(0 <= line["start"] <= 1 and line["start"] + line["share"] <= 1.001 for line in lines)


def test_usage_says_what_the_service_reported(board: Board, panel: Panel) -> None:
    """Tokens with their share, cost with its source, times and ids."""
    assert shown(board, "usage")["figures"] == []
    response = panel.run()
    touch(board.sheet, "tab", tab="answer")
    figures = {figure["name"]: figure for figure in shown(board, "usage")["figures"]}
    assert figures["output tokens"]["words"] == f"{response.usage.output_tokens:,}"
    assert response.cost.source in figures["cost"]["words"]
    assert figures["response"]["words"] == response.id


def test_runs_are_listed_loaded_and_compared(board: Board, panel: Panel, simulator: Simulator) -> None:
    """Newest first; a third mark takes the first one away."""
    for temperature, text in ((0.1, "The cat sat."), (0.9, "The dog sat."), (1.1, "A dog sat.")):
        simulator.text = text
        panel.set("temperature", temperature)
        panel.run()
    lines = shown(board, "runs")["lines"]
    assert [line["number"] for line in lines] == ["3", "2", "1"]
    assert lines[0]["settings"] == "temperature=1.1"
    for line in lines:
        touch(board.sheet, "pick", id=line["id"], is_picked=True)
    page = board.sheet.pages["runs"]
    assert page["picked"] == [lines[1]["id"], lines[2]["id"]]
    assert page["diff"]["title"] == "Run 1 → run 2 · temperature: 0.1 → 0.9"
    assert ["removed", "cat"] in page["diff"]["words"]
    assert ["added", "dog"] in page["diff"]["words"]
    touch(board.sheet, "run_load", id=lines[2]["id"])
    assert panel.params["temperature"] == 0.1


def test_columns_hold_what_was_set_when_they_were_added(board: Board, panel: Panel) -> None:
    """What is changed or set afterwards does not reach them; each says in what it differs."""
    touch(board.deck, "add_column")
    assert board.sheet.tab == "compare"
    touch(board.deck, "add_column", changes={"temperature": 1.5, "reasoning.effort": "low"})
    panel.set("top_p", 0.2)
    touch(board.sheet, "run_columns")
    until(lambda: all(column.run is not None and column.run.is_done for column in panel.columns))
    first, second = (column.run.request for column in panel.columns if column.run is not None)
    assert (first["temperature"], first.get("reasoning"), first.get("top_p")) == (0.5, None, None)
    assert (second["temperature"], second["reasoning"], second.get("top_p")) == (1.5, {"effort": "low"}, None)
    heads = [lane.head.column for lane in board.columns._lanes]
    assert [head["label"] for head in heads] == ["A", "B"]
    assert heads[0]["settings"] == "temperature=0.5  reasoning.effort=not set"
    until(lambda: board.columns._lanes[1].head.column["diff"])
    assert "tokens out" in board.columns._lanes[1]._live.answer["detail"]


def test_a_column_is_removed_by_its_own_key(board: Board, panel: Panel) -> None:
    """The others keep their answers."""
    for temperature in (0.1, 0.2, 0.3):
        touch(board.deck, "add_column", changes={"temperature": temperature})
    panel.run_columns()
    head = board.columns._lanes[1].head
    head._handle_custom_msg({"op": "remove"}, [])
    assert [column.label for column in panel.columns] == ["A", "C"]
    assert [lane.head.column["label"] for lane in board.columns._lanes] == ["A", "C"]
    assert all(lane._live.answer["blocks"] for lane in board.columns._lanes)


def test_the_tab_and_comparing_are_one(board: Board, panel: Panel) -> None:
    """Code can open the comparison, and sees that a person has."""
    panel.comparing = True
    assert board.sheet.tab == "compare"
    touch(board.sheet, "tab", tab="answer")
    assert panel.comparing is False
