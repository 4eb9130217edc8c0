"""Tokens of the simulator."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator.tokens import count_tokens, split_tokens


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    """Nothing is lost or changed by splitting."""
    tokens = split_tokens(text)
    assert "".join(tokens) == text
    assert all(tokens)
    assert count_tokens(text) == len(tokens)


def test_a_plain_sentence_has_a_token_for_each_word_and_sign() -> None:
    """English comes out close to what a real tokenizer counts."""
    assert split_tokens("Hello, world in 2026!") == ["Hello", ",", " world", " in", " 202", "6", "!"]
