"""Splits text into pieces of about the size of a model's tokens."""

from __future__ import annotations

import re

__all__ = ["count_tokens", "split_tokens"]

# A short word with its space, three digits, two letters of another script, a few signs, or white space.
_TOKEN = re.compile(
    r" ?[A-Za-z]{1,10}| ?\d{1,3}| ?_{1,4}| ?[^\W\d_]{1,2}| ?[^\s\w]{1,4}|\s{1,16}|.", re.DOTALL
)


def split_tokens(text: str) -> list[str]:
    """Return the tokens of `text`; joined they are `text` again."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Return how many tokens `text` has."""
    return len(_TOKEN.findall(text))
