"""Answers while they stream: what is sent when, and what is left at the end."""

from __future__ import annotations

import io
from typing import Any

import pytest

from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.view import live
from cometnb.view.live import LiveAnswer, StillAnswer, TerminalAnswer


def _delta(text: str, kind: str = "response.output_text.delta") -> Event:
    return Event(kind, {"type": kind, "delta": text})


def _response(text: str, **raw: Any) -> Response:
    content = [{"type": "output_text", "text": text}]
    return Response({"status": "completed", "output": [{"type": "message", "content": content}], **raw})


class _Screen:
    """A front end that applies displays, updates and clears as JupyterLab does."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.sent_characters = 0
        self.n_messages = 0
        self._clear_next = False

    def publish(
        self, data: dict[str, str], metadata: Any = None, *, display_id: str = "", is_update: bool = False
    ) -> None:
        if self._clear_next:
            self.shown, self._clear_next = {}, False
        if is_update:
            assert display_id in self.shown
        self.shown[display_id or f"anonymous {len(self.shown)}"] = data["text/markdown"]
        self.sent_characters += len(data["text/markdown"])
        self.n_messages += 1

    def replace_all(self) -> None:
        self._clear_next = True

    @property
    def text(self) -> str:
        return "\n\n".join(self.shown.values())


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> _Screen:
    """The door to the front end, replaced by one that keeps what it shows."""
    one = _Screen()
    monkeypatch.setattr(live, "publish", one.publish)
    monkeypatch.setattr(live, "replace_all", one.replace_all)
    return one


def test_the_screen_always_reads_like_the_answer_so_far(screen: _Screen) -> None:
    """After every update all of the text that came is there, in order, once."""
    words = [f"word{number} " if number % 20 else f"word{number}.\n\n" for number in range(200)]
    answer = LiveAnswer()
    for at in range(0, 200, 10):
        answer.update([_delta(word) for word in words[at : at + 10]])
        assert screen.text.split() == "".join(words[: at + 10]).split()


def test_nothing_is_sent_twice_without_need(screen: _Screen) -> None:
    """A finished block is not sent again; what travels stays in proportion to the text."""
    answer = LiveAnswer()
    paragraph = "Some words of a paragraph that is not very long.\n\n"
    for _ in range(400):
        answer.update([_delta(paragraph)])
    assert screen.sent_characters < 8 * len(paragraph) * 400


def test_at_the_end_one_display_is_left(screen: _Screen) -> None:
    """All that streamed gives way to the whole answer."""
    answer = LiveAnswer()
    answer.update([_delta("One.\n\nTwo.\n\nThree " * 50)])
    answer.finish(_response("One."))
    assert len(screen.shown) == 1
    assert screen.text.startswith("One.\n\n*")


def test_while_nothing_comes_it_says_so(screen: _Screen) -> None:
    """The model, what it does and since when; the first text takes its place."""
    seconds = iter([0.0, 3.0, 4.0])
    answer = LiveAnswer("gpt-5.4", clock=lambda: next(seconds))
    answer.update([])
    assert screen.text == "gpt-5.4 · waiting for the answer · 3 s"
    answer.update([], waiting="http_429: trying again in 2.0 s")
    assert "trying again" in screen.text
    answer.update([_delta("Hello")])
    assert screen.text == "Hello"


def test_reasoning_is_told_from_waiting(screen: _Screen) -> None:
    """Once a reasoning item has been announced, the line says that."""
    answer = LiveAnswer("gpt-5.4")
    answer.update([Event("response.output_item.added", {"item": {"type": "reasoning"}})])
    answer.update([])
    assert "reasoning" in screen.text


def test_a_still_answer_shows_once(screen: _Screen) -> None:
    """Nothing while it comes, one display without times at the end."""
    answer = StillAnswer()
    answer.update([_delta("One")])
    assert screen.n_messages == 0
    answer.finish(_response("One"))
    assert screen.n_messages == 1


def _written(*updates: list[Event], response: Response | None = None) -> str:
    out = io.StringIO()
    answer = TerminalAnswer(out)
    for events in updates:
        answer.update(events)
    answer.finish(response or _response("whatever"))
    return out.getvalue()


def test_a_terminal_gets_text_as_it_comes_and_once() -> None:
    """The deltas, then the usage line; the text is not repeated."""
    written = _written([_delta("Hel")], [_delta("lo")], response=_response("Hello"))
    assert written == "Hello\n\nmodel not reported · usage not reported · cost not known\n"


def test_a_terminal_gets_whole_characters() -> None:
    """Half of one waits for its other half, and is replaced where none comes: a terminal takes UTF-8 only."""
    written = _written([_delta("a\ud83d"), _delta("\ude00b")], [_delta("c\ud83d")], response=_response("x"))
    assert written.startswith("a😀bc\ufffd\n")


def test_a_terminal_gets_a_half_of_what_did_not_stream_replaced() -> None:
    """The name of a tool is the service's."""
    call = {"type": "function_call", "name": "f\ud83d", "arguments": "{}", "call_id": "c"}
    assert "Tool call f\ufffd {}" in _written(response=Response({"output": [call]}))


def test_a_terminal_gets_what_did_not_stream() -> None:
    """A body that came whole is written at the end."""
    assert _written(response=_response("Whole")).startswith("\nWhole\n")


def test_a_terminal_tells_reasoning_from_text() -> None:
    """The summary first, its parts apart, then the text."""
    kind = "response.reasoning_summary_text.delta"
    part = Event("response.reasoning_summary_part.added", {})
    written = _written(
        [part, _delta("A.", kind), part, _delta("B.", kind), _delta("Text")], response=_response("Text")
    )
    assert written.startswith("Reasoning: A.\n\nB.\n\nText\n")


def test_a_terminal_is_not_driven_by_the_model() -> None:
    """Escape sequences do not reach it, not even split over deltas."""
    assert "\x1b" not in _written([_delta("a\x1b"), _delta("[2Jb")])


def test_a_note_is_shown_at_the_end() -> None:
    """What was settled before sending stands under the answer."""
    out = io.StringIO()
    TerminalAnswer(out).finish(_response("x"), notes=("effort is new.",))
    assert "[effort is new.]" in out.getvalue()


def test_a_terminal_gets_no_key() -> None:
    """Not even in pieces, in the reasoning, the text or what stands below; all that is none comes through."""
    key = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
    pieces = [_delta(piece) for piece in ("Not a des", "k-top, but s", "k-", *key[3:], ". It is", " s")]
    thought = [_delta(piece, "response.reasoning_text.delta") for piece in ("Is it ", key[:5], key[5:])]
    written = _written(thought, pieces, response=Response({"status": "completed", "model": key}))
    assert written.startswith("Reasoning: Is it sk-***\n\nNot a desk-top, but sk-***. It is s\n\nsk-***")
