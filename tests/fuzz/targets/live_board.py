"""A panel's board: whatever the page sends it, and whatever a run tells it, the page gets what it can show."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cometnb.defaults import shared
from cometnb.panel.acts import ACTS
from cometnb.panel.board import Board
from cometnb.panel.history import Run
from cometnb.panel.panel import Panel
from cometnb.panel.presets import Presets
from cometnb.panel.tabs import TABS
from cometnb.panel.widgets import Part
from tests.fuzz.showing import check_sent, check_shown_html
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of
from tests.fuzz.targets.service_words import events_saying, response_saying
from tests.view.test_multiples import recorded

__all__ = ["TARGETS", "live_board"]

_LONGEST, _MOST_MESSAGES = 500, 12
_KEY = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
# These would ask the service.
_LEFT_OUT = ("run", "run_columns")


def live_board(data: bytes) -> None:
    """Take each line for a message of the page, or for what a run tells; nothing raises, and all of it can be sent."""
    lines = text_of(data).split("\n")[:_MOST_MESSAGES]
    rng = random.Random(data)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        comms = recorded(patch)
        patch.setattr("cometnb.panel.board.known_models", list)
        before = shared.options.backend
        shared.configure(backend="simulator", ledger="off")
        panel = Panel(f"Hi. {_KEY}", namespace={"f": len}, params={"user": lines[0][:_LONGEST]})
        panel.__dict__["presets"] = Presets(Path(folder))
        board = Board(panel)
        try:
            for line in lines:
                _touch(board, line, rng)
                _tell(board, line[:_LONGEST], rng)
                _check_state(board)
        finally:
            board.close()
            panel.close()
            shared.configure(backend=before, ledger=None)
        _check_messages(comms)


def _touch(board: Board, line: str, rng: random.Random) -> None:
    """Have the page send a message: the line itself if it is JSON, else one in which it stands."""
    parts: list[Part] = [board.deck, board.sheet, *(lane.head for lane in board.columns._lanes)]
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        text, op = line[:_LONGEST], rng.choice(sorted(ACTS))
        path = rng.choice(("instructions", "tools", "metadata", "temperature", "text.format", text))
        message = {"op": op, "name": text, "text": text, "path": path, "changes": {path: text}, "tab": text}
    if isinstance(message, Mapping) and message.get("op") in _LEFT_OUT:
        message = {**message, "op": "set"}
    rng.choice(parts)._handle_custom_msg(message, [])
    board.deck._handle_custom_msg({"op": "add_column"} if rng.random() < 0.2 else message, [])
    board.open_tab(rng.choice(TABS))


def _tell(board: Board, text: str, rng: random.Random) -> None:
    """Have runs tell what a service says."""
    panel = board.panel
    column = rng.randrange(len(panel.columns)) if panel.columns and rng.random() < 0.5 else None
    run = Run(len(panel.runs) + 1, panel.settings, text, request={"model": f"{text} {_KEY}"})
    panel._tell("started", run=run, column=column)
    said = f"{text} {_KEY} {text}"
    panel._tell("events", run=run, column=column, events=events_saying(said), waiting=said)
    response = response_saying(said, rng.choice(("completed", "failed", text)))
    run.finish(
        response if rng.random() < 0.8 else None, ValueError(said) if rng.random() < 0.4 else None, (said,)
    )
    panel._keep(column, run)


def _check_state(board: Board) -> None:
    """Check what a page gets that asks for the state: no key but where it was typed, and HTML that does nothing."""
    lanes = board.columns._lanes
    lives = [board.live, *(lane._live for lane in lanes)]
    for part in (board.deck, board.sheet, *(lane.head for lane in lanes), *lives):
        state = {name: value for name, value in part.get_state().items() if name not in ("_esm", "_css")}
        check_sent(state)
        typed = {name: state.pop(name, None) for name in ("values", "rows", "presets")}
        assert _KEY not in json.dumps(state), typed
    for live in lives:
        _check_answer(live.answer)


def _check_answer(news: Mapping[str, Any]) -> None:
    for name in ("blocks", "thoughts"):
        for html in news.get(name, ()):
            check_shown_html(html)
    for name in ("tail", "thought"):
        check_shown_html(news.get(name, ""))


def _check_messages(comms: list[Any]) -> None:
    for one in comms:
        for sent in getattr(one, "sent", []):
            check_sent(sent)
            content = sent.get("content")
            if isinstance(content, Mapping) and "op" not in content:
                _check_answer(content.get("answer", content))


def _seeds() -> Iterator[bytes]:
    yield b'{"op":"set","changes":{"temperature":0.5,"input":"Hi {{f}}"},"n":1,"view":1}'
    yield b'{"op":"set","changes":{"tools":["f",5,null],"schema":7,"images":"x","detail":[],"raw":"yes"}}'
    yield b'{"op":"set","changes":{"reasoning.effort":{"a":1},"reasoning":3,"text.format":[],"":0,".":1,"a..b":{}}}'
    yield b'{"op":"tab","tab":"code"}\n{"op":"form","form":"curl"}\n{"op":"form","form":"python"}\n{"op":"cell"}'
    yield b'{"op":"preset_save","name":"mine"}\n{"op":"preset_load","name":"mine"}\n{"op":"preset_rename","name":"a/b"}\n{"op":"preset_delete"}'
    yield b'{"op":"add_column"}\n{"op":"set","changes":{"user":null}}\n{"op":"differences"}\n{"op":"remove"}\n{"op":"share"}'
    yield b'{"op":"load","text":"cometnb1.x"}\n{"op":"load","text":"%%respond --chat a\\nHi"}\n{"op":"drop","path":"temperature"}'
    yield b"<img src=x onerror=alert(1)> \x1b[31m $x$ [a](javascript:x) ```\nx\xed\xa0\xbd\n\0"
    yield b'{"op":5}\n[]\n5\n{"op":"pick","id":[],"is_picked":true}\n{"op":"run_load","id":{}}\n{"op":"set","changes":[]}'
    yield b""


_TOKENS = (
    b'{"op":"set","changes":{"input":"', b'{"op":"add_column"}', b'"changes":', b'"metadata"', b'"text.format"', b'"instructions"',
    b'"tools"', b'"include"', b'"model"', b'"extra_body"', b'"max_output_tokens"', b"\n", b"\xed\xa0\x80", b"\\ud83d", b"\0", b"<",
    b"](", b"```", b"$", b"{{", b"}}", b"1e999", b"NaN", b"null", b"sk-Canary2x7Qm4", b'"is_raw"', b'"confirms"',
)  # fmt: skip

TARGETS = (Target("live_board", live_board, _seeds, tokens=_TOKENS, limit_s=20.0, n_tested=6),)
