"""What the next run is expected to cost: worked out elsewhere, a moment after the last change."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import cometnb
from cometnb.panel.expecting import Later, expected_words
from cometnb.panel.panel import Panel
from cometnb.session.settings import Settings


def _expected(panel: Panel, change: Any) -> str:
    """Make a change and wait for what is expected after it."""
    told = threading.Event()
    seen: list[tuple[str, str]] = []

    def note(news: Any) -> None:
        seen.append((news.new, threading.current_thread().name))
        told.set()

    panel.observe(note, "expected")
    change()
    assert told.wait(30)
    panel.unobserve(note, "expected")
    assert seen[-1][1] == "cometnb-panel-later"
    return seen[-1][0]


def test_a_change_is_followed_by_what_it_would_cost() -> None:
    """With the source of the price, and that nobody is billed for a simulated answer."""
    panel = Panel("Hi.")
    words = _expected(panel, lambda: panel.set("max_output_tokens", 100))
    assert "to 100 out" in words
    assert "$" in words
    assert "OpenAI's price of gpt-5.4" in words
    assert "Nobody is billed" in words
    words = _expected(panel, lambda: panel.set("model", "a-model-nobody-knows"))
    assert "$" not in words
    assert _expected(panel, lambda: panel.set("input", "")) == ""
    panel.close()


def test_what_is_not_evaluated_is_not_counted() -> None:
    """And the words say so."""
    panel = cometnb.panel("{{df}}")
    assert "comes on top" in expected_words(panel.request, panel.settings)
    assert expected_words({}, Settings()) == ""


class _Worker:
    """Counts what it was asked to do."""

    def __init__(self) -> None:
        self.n_done = 0
        self.done = threading.Event()

    def act(self) -> None:
        """Do it."""
        self.n_done += 1
        self.done.set()


def test_many_wishes_are_one_act() -> None:
    """Typing asks at every letter."""
    worker = _Worker()
    later = Later(worker.act, 0.05)
    for _ in range(50):
        later.ask()
    assert worker.done.wait(10)
    later.close()
    assert worker.n_done == 1


@pytest.mark.parametrize("is_closed", [True, False])
def test_nothing_is_done_for_nobody(is_closed: bool) -> None:
    """After closing, or when whoever asked is gone."""
    worker: Any = _Worker()
    done = worker.done
    later = Later(worker.act, 0.5)
    later.ask()
    if is_closed:
        later.close()
        later.ask()
    else:
        del worker
    assert not done.wait(0.8)
