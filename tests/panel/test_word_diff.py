"""Two texts word by word: whatever they are, both can be put together again."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.panel.word_diff import word_diff

_WORDS = st.lists(
    st.sampled_from(["a", "b", "the", "cat", "\n", " ", ".", "é", "\u0301", "\x00"]), max_size=60
)


def _sides(before: str, after: str) -> tuple[str, str]:
    pieces = word_diff(before, after)
    first = "".join(piece.text for piece in pieces if piece.kind != "added")
    second = "".join(piece.text for piece in pieces if piece.kind != "removed")
    return first, second


@given(st.text(), st.text())
def test_any_two_texts_can_be_put_together_again(before: str, after: str) -> None:
    """Kept and removed is the one, kept and added the other."""
    assert _sides(before, after) == (before, after)


@given(_WORDS, _WORDS)
def test_texts_of_few_words_can_be_put_together_again(before: list[str], after: list[str]) -> None:
    """Words that stand often are where matching goes wrong."""
    first, second = "".join(before), "".join(after)
    assert _sides(first, second) == (first, second)


@given(_WORDS, _WORDS)
def test_pieces_alternate(before: list[str], after: list[str]) -> None:
    """None is empty, no two neighbours are of one kind, and removed stands before added."""
    pieces = word_diff("".join(before), "".join(after))
    kinds = [piece.kind for piece in pieces]
    assert all(piece.text for piece in pieces)
    assert all(one != other for one, other in pairwise(kinds))
    assert ("added", "removed") not in set(pairwise(kinds))


@given(st.text())
def test_a_text_is_the_same_as_itself(text: str) -> None:
    """One kept piece, or none."""
    assert [tuple(piece) for piece in word_diff(text, text)] == ([("kept", text)] if text else [])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("The cat sat.", "The cat sat on it.", [("kept", "The cat sat"), ("added", " on it"), ("kept", ".")]),
        ("one two three", "one 2 3", [("kept", "one "), ("removed", "two three"), ("added", "2 3")]),
        ("", "new", [("added", "new")]),
        ("old", "", [("removed", "old")]),
    ],
)
def test_whole_words_change(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    """A reader sees words, not letters, and no kept space between two changed words."""
    assert [tuple(piece) for piece in word_diff(before, after)] == expected


def test_long_answers_are_compared_closely() -> None:
    """50 kB in which every hundredth word differs: little is called changed, whatever stands often."""
    random.seed(1)
    words = [random.choice(["the", "a", "of", f"word{random.randrange(2000)}"]) for _ in range(9_000)]
    other = [word if place % 100 else f"new{place}" for place, word in enumerate(words)]
    pieces = word_diff(" ".join(words), " ".join(other))
    kept = sum(len(piece.text) for piece in pieces if piece.kind == "kept")
    assert kept > 0.95 * len(" ".join(words))
    assert sum(piece.kind == "added" for piece in pieces) == 90


def test_a_number_and_a_contraction_are_one_word() -> None:
    """What is read as one changes as one: 0.2 becomes 1.5, not a 0 a 1 and a 2 a 5."""
    pieces = [tuple(piece) for piece in word_diff("It's 0.2 or 1,000.", "It's 1.5 or 1,500.")]
    assert [text for kind, text in pieces if kind == "removed"] == ["0.2", "1,000"]
    assert [text for kind, text in pieces if kind == "added"] == ["1.5", "1,500"]
    assert [text for kind, text in word_diff("I can't.", "I don't.") if kind == "added"] == ["don't"]
