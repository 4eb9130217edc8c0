"""Code spans and maths are found, and nothing of the text is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.view.spans import spans

_MARKS = {"math": ("$", "\\("), "display": ("$$", "\\[")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a `b` c", [("text", "a "), ("code", "b"), ("text", " c")]),
        ("``a`b``", [("code", "a`b")]),
        ("`open", [("text", "`open")]),
        ("\\`not code`", [("text", "\\`not code`")]),
        ("$x$ and $$y$$", [("math", "x"), ("text", " and "), ("display", "y")]),
        ("\\(x\\) \\[y\\]", [("math", "x"), ("text", " "), ("display", "y")]),
        ("$5 and $10", [("text", "$5 and $10")]),
        ("it costs $5", [("text", "it costs $5")]),
        ("`$` then $a$", [("code", "$"), ("text", " then "), ("math", "a")]),
        ("", []),
    ],
)
def test_finds_code_and_maths(text: str, expected: list[tuple[str, str]]) -> None:
    """Backticks of one length close each other, dollars and LaTeX brackets are maths, money is not."""
    assert list(spans(text)) == expected


@given(st.text(alphabet="`$\\()[] ab1\n", max_size=60))
def test_keeps_every_character_between_the_marks(text: str) -> None:
    """What is left out of the pieces is delimiters only."""
    at = 0
    for _, content in spans(text):
        found = text.index(content, at)
        assert set(text[at:found]) <= set("`$\\()[]")
        at = found + len(content)
    assert set(text[at:]) <= set("`$\\()[]")
