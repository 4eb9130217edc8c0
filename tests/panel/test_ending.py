"""How the live view of a run ends that has no answer."""

from __future__ import annotations

import pytest

from cometnb.errors import ConnectionFailedError
from cometnb.panel.ending import ended
from cometnb.panel.history import Run
from cometnb.session.settings import Settings
from cometnb.view.feed import Feed
from cometnb.view.widget import LiveView


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "nothing came"),
        (ConnectionFailedError("No connection.", "Check it."), "No connection."),
        (TimeoutError(), "TimeoutError"),
        (ValueError("of sk-Canary2x7Qm4"), "of sk-***"),
    ],
)
def test_a_run_without_an_answer_ends_with_why(error: Exception | None, words: str) -> None:
    """In one line, also where an error has no words."""
    run = Run(1, Settings("Hi."))
    run.finish(None, error)
    assert ended(Feed(LiveView("")), run)["detail"] == words
