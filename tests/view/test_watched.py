"""The live view's traffic: what is new is sent, what was sent stays in the state."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.session.turn_stream import ASKED, CALLED
from cometnb.view import watched
from cometnb.view.watched import WatchedAnswer
from cometnb.view.widget import LiveView


class _Page:
    """A front end: what it was sent, and what it shows by applying that as live.js does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.displays: list[dict[str, Any]] = []
        self.blocks: list[str] = []
        self.thoughts: list[str] = []
        self.tail = self.thought = ""

    def take(self, message: dict[str, Any], buffers: Any = None) -> None:
        self.messages.append(message)
        self.blocks += message.get("blocks", [])
        self.thoughts += message.get("thoughts", [])
        self.tail = message.get("tail", self.tail)
        self.thought = message.get("thought", self.thought)

    def publish(self, data: dict[str, Any], metadata: Any = None, **_: Any) -> None:
        self.displays.append(data)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> _Page:
    """The doors to the front end, replaced by one that keeps what comes."""
    one = _Page()
    monkeypatch.setattr(LiveView, "send", lambda self, content, buffers=None: one.take(content))
    monkeypatch.setattr(watched, "publish", one.publish)
    monkeypatch.setattr(watched, "replace_all", one.displays.clear)
    return one


def _delta(text: str, kind: str = "response.output_text.delta") -> Event:
    return Event(kind, {"type": kind, "delta": text})


def _answer(text: str) -> Response:
    content = [{"type": "output_text", "text": text}]
    return Response({"status": "completed", "output": [{"type": "message", "content": content}]})


def test_a_block_travels_once(page: _Page) -> None:
    """Finished blocks are sent in one message each; the tail is what is open."""
    answer = WatchedAnswer("gpt-5.4")
    answer.update([_delta("One.\n\nTwo.\n\nThr")])
    answer.update([_delta("ee")])
    assert "".join(page.blocks) == "<p>One.</p>\n<p>Two.</p>\n"
    assert page.tail == "<p>Three</p>\n"
    assert "blocks" not in page.messages[-1]


def test_the_state_is_what_a_new_page_needs(page: _Page) -> None:
    """A page that asks after a reload gets all that the first one has, and knows what it may skip."""
    answer = WatchedAnswer("gpt-5.4")
    for piece in ("One.\n\n", "Two", " more."):
        answer.update([_delta(piece)])
    state = answer._view.get_state()["answer"]
    assert (state["blocks"], state["tail"]) == (page.blocks, page.tail)
    assert state["n"] == page.messages[-1]["n"] == len(page.messages)


def test_one_update_is_one_message(page: _Page) -> None:
    """Text, reasoning, cards and status travel together."""
    answer = WatchedAnswer()
    call = {"type": "function_call", "name": "f", "arguments": "{}"}
    answer.update(
        [
            _delta("Why", "response.reasoning_summary_text.delta"),
            Event("response.output_item.added", {"item": call}),
            _delta("Text"),
        ]
    )
    (message,) = page.messages
    assert {"thought", "cards", "tail", "n_deltas", "phase"} <= set(message)


def test_nothing_new_is_no_message(page: _Page) -> None:
    """The page's own clock runs without messages."""
    answer = WatchedAnswer()
    answer.update([])
    answer.update([], waiting="http_429: trying again in 2.0 s")
    answer.update([], waiting="http_429: trying again in 2.0 s")
    assert [message["detail"] for message in page.messages] == ["http_429: trying again in 2.0 s"]


def test_a_refusal_is_text_with_a_word_before_it(page: _Page) -> None:
    """The reader sees at once that it is one."""
    answer = WatchedAnswer()
    answer.update([_delta("I will", "response.refusal.delta")])
    answer.update([_delta(" not.", "response.refusal.delta")])
    assert page.tail == "<p><strong>Refused.</strong> I will not.</p>\n"


def test_at_the_end_one_native_display_is_left(page: _Page) -> None:
    """It holds Markdown and plain text."""
    answer = WatchedAnswer()
    answer.update([_delta("One")])
    answer.finish(_answer("One"))
    (display,) = page.displays
    assert set(display) == {"text/markdown", "text/plain"}


def test_an_ended_view_can_still_be_asked_for(page: _Page) -> None:
    """A page that was reloaded in mid-stream asks when the cell has ended, and finds all of it, finished."""
    answer = WatchedAnswer()
    answer.update([_delta("One.\n\nTwo")])
    answer.finish(_answer("One.\n\nTwo"))
    state = answer._view.get_state()["answer"]
    assert "".join(state["blocks"]) == "<p>One.</p>\n<p>Two</p>\n"
    assert (state["tail"], state["phase"]) == ("", "done")
    assert "usage not reported" in state["detail"]


def test_only_the_latest_views_stay_open(page: _Page) -> None:
    """However many cells run."""
    answers = [WatchedAnswer() for _ in range(5)]
    for answer in answers:
        answer.finish(_answer("x"))
    assert [answer._view.comm is not None for answer in answers] == [False, False, False, True, True]


def test_a_view_that_the_display_does_not_replace_is_finished_in_place(page: _Page) -> None:
    """After a reload, and in a copy of the cell, which asks for nothing: the view is told the end and stays."""
    answer = WatchedAnswer()
    answer.update([_delta("One.\n\nTwo")])
    answer.finish(_answer("One.\n\nTwo"))
    assert page.messages[-1]["phase"] == "done"
    assert page.blocks == ["<p>One.</p>\n", "<p>Two</p>\n"]
    assert page.tail == ""
    assert answer._view.comm is not None


def test_stop_is_passed_on(page: _Page) -> None:
    """The button's message calls what ends the call; other messages do nothing."""
    pressed: list[bool] = []
    answer = WatchedAnswer(on_stop=lambda: pressed.append(True))
    for content in ({"op": "stop", "n": 0}, {"op": "stop"}, {"op": "dance"}, "stop"):
        answer._view._handle_custom_msg(content, [])
    assert pressed == [True]
    assert answer._view.can_stop
    assert not WatchedAnswer()._view.can_stop


def test_a_late_stop_ends_no_later_answer(page: _Page) -> None:
    """A wish that has waited behind a cell is about the answer that was there when the button was pressed."""
    pressed: list[bool] = []
    view = LiveView("gpt-5.4", lambda: pressed.append(True))
    late = {"op": "stop", "n": view.answer["n"]}
    view.clear("gpt-5.4")
    view._handle_custom_msg(late, [])
    assert pressed == []
    view._handle_custom_msg({"op": "stop", "n": view.answer["n"]}, [])
    assert pressed == [True]


def test_the_model_s_words_are_sanitised_before_they_travel(page: _Page) -> None:
    """Text, reasoning and their tails alike."""
    answer = WatchedAnswer()
    hostile = "<img src=x onerror=alert(1)> [x](javascript:alert(1))\n\n"
    answer.update([_delta(hostile * 2), _delta(hostile * 2, "response.reasoning_text.delta")])
    sent = "".join([*page.blocks, *page.thoughts, page.tail, page.thought])
    assert "<img" not in sent
    assert "href=" not in sent


_CALL = {"type": "function_call", "name": "f", "call_id": "a", "arguments": "{}"}


def _asked(kind: str = ASKED) -> list[Event]:
    raw = {"name": "f", "call_id": "a", "arguments": "{}"}
    return [Event("response.output_item.done", {"item": _CALL, "output_index": 0}), Event(kind, raw)]


def test_a_question_has_buttons_and_its_answer_is_passed_on(page: _Page) -> None:
    """With the call's id, once; only a plain yes lets it run, and nothing answers what nobody asks."""
    given: list[tuple[str, bool]] = []
    answer = WatchedAnswer(on_permit=lambda call_id, is_allowed: given.append((call_id, is_allowed)))
    for yes in (True, False, "yes", None):
        answer.update(_asked())
        asks = page.messages[-1]["cards"][0]["asks"]
        for content in ({"asks": "a"}, {"asks": 7}, {}, {"asks": asks}, {"asks": asks}):
            answer._view._handle_custom_msg({"op": "permit", "yes": yes} | content, [])
    assert given == [("a", True), ("a", False), ("a", False), ("a", False)]
    assert page.messages[0]["phase"] == "may f run?"
    assert answer.asks
    assert not WatchedAnswer().asks


def test_a_late_yes_answers_no_later_question(page: _Page) -> None:
    """A page says it again until it is heard, and some services give the calls of every round the same ids."""
    given: list[bool] = []
    answer = WatchedAnswer(on_permit=lambda call_id, is_allowed: given.append(is_allowed))
    answer.update(_asked())
    late = {"op": "permit", "asks": page.messages[-1]["cards"][0]["asks"], "yes": True}
    answer._view._handle_custom_msg(late, [])
    answer.update(_asked())
    answer._view._handle_custom_msg(late, [])
    assert given == [True]


@pytest.mark.parametrize("kind", [ASKED, CALLED])
def test_an_ended_view_asks_nothing(page: _Page, kind: str) -> None:
    """A page that asks for it after an interrupt is shown a card without buttons, and nothing that still runs."""
    answer = WatchedAnswer(on_permit=lambda call_id, is_allowed: None)
    answer.update(_asked(kind))
    answer.finish(Response({"status": "completed", "output": [_CALL]}, status="interrupted"))
    (card,) = answer._view.get_state()["answer"]["cards"]
    assert card == {"title": "f", "text": "{}", "result": "no result"}


def test_no_key_travels(page: _Page) -> None:
    """It may stand in the text, the thoughts, a function's name, the reason of a wait, and a service's error."""
    key = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
    answer = WatchedAnswer(key)
    for kind in (ASKED, CALLED):
        answer.update([Event(kind, {"name": key, "call_id": "a", "arguments": "{}"})], waiting=f"for {key}")
    answer.update([Event("response.output_item.added", {"item": {"type": key}})])
    answer.update([_delta(f"Text {key}. "), _delta(f"Thought {key}.", "response.reasoning_text.delta")])
    answer.finish(Response({"status": "failed", "model": key, "error": {"message": key}}), (key,))
    told = str([page.messages, page.displays, answer._view.get_state()["answer"]])
    assert "Canary" not in told
    assert "sk-***" in told
