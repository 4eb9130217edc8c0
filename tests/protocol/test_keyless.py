"""API keys out of JSON values."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import masked
from cometnb.protocol.keyless import KeylessText, keyless

_KEY = "sk-canary-0123456789abcdef"


def test_a_key_is_hidden_at_any_depth() -> None:
    """In texts and names, in lists and tuples; numbers and None stay what they are."""
    given = {"a": [f"x {_KEY}", {_KEY: (1, None, True, f'{{"b": "\\n{_KEY}"}}')}]}
    assert keyless(given) == {"a": ["x sk-***", {"sk-***": [1, None, True, '{"b": "\\nsk-***"}']}]}
    assert _KEY in given["a"][0]


def test_a_known_key_is_hidden_whatever_its_form() -> None:
    """A gateway's key may look like anything."""
    assert keyless({"a": "token gw_0123456789"}, "gw_0123456789") == {"a": "token sk-***"}


def test_what_the_service_sealed_comes_back_as_it_was() -> None:
    """Random letters may look like a key, and the service takes its reasoning back only whole."""
    item = {"type": "reasoning", "encrypted_content": f"gAAAA_{_KEY}=="}
    assert keyless([item]) == [item]


@given(st.text("sk-aZ9 .\\n", max_size=40), st.lists(st.integers(0, 60), max_size=6))
def test_text_in_pieces_is_masked_like_the_whole(around: str, cuts: list[int]) -> None:
    """However it is cut, a key is taken out, and nothing else."""
    text = f"{around} {_KEY} {around}{_KEY}."
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    keyless_text = KeylessText()
    shown = "".join(keyless_text.feed(text[start:end]) for start, end in pairwise(places))
    assert shown + keyless_text.rest() == masked(text)


def test_what_cannot_become_a_key_is_shown_at_once() -> None:
    """Only the end that may be the beginning of one waits."""
    keyless_text = KeylessText()
    assert [keyless_text.feed(piece) for piece in ("This is", " s", "k", "ill: a des", "k-top.")] == [
        "This is",
        " ",
        "",
        "skill: a des",
        "k-top.",
    ]
