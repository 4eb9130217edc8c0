"""API keys out of JSON values, texts at any depth and the names of fields, and out of text that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cometnb.errors import KEY_START, masked

__all__ = ["KeylessText", "keyless", "open_length", "settled"]

# Made by the service for itself, of random letters: what looks like a key in it is none, and must come back as it was.
_SEALED = "encrypted_content"
_LONGEST_ESCAPE = len(r"\u0022")
# The end of a text that may be the beginning of a key.
_BEGINNING = re.compile(KEY_START + r"(?:s|sk|sk-[A-Za-z0-9_\-]*)\Z")


class KeylessText:
    """Takes keys out of text that comes in pieces: holds back what may be the beginning of one."""

    def __init__(self) -> None:
        self._before = ""  # a key begins at the beginning of a word, or behind an escape
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece, and return what can be shown by now."""
        text = self._held + text
        n_held = min(open_length(self._before + text), len(text))
        self._held = text[len(text) - n_held :]
        return self._without(text[: len(text) - n_held])

    def rest(self) -> str:
        """Return what was held back: nothing more comes."""
        text, self._held = self._held, ""
        return self._without(text)

    def _without(self, text: str) -> str:
        shown, self._before = settled(self._before, text, masked)
        return shown


def keyless(value: Any, *secrets: str | None) -> Any:
    """Return a JSON value with every API key in it replaced by ``sk-***``.

    Parameters
    ----------
    value : object
        JSON; tuples become lists. It is not changed.
    *secrets : str or None
        Keys known to the caller; they are hidden even if they do not look like a key.
    """
    if isinstance(value, str):
        return masked(value, *secrets)
    if isinstance(value, Mapping):
        return {
            masked(name, *secrets): inner if name == _SEALED else keyless(inner, *secrets)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [keyless(inner, *secrets) for inner in value]
    return value


def settled(before: str, text: str, hide: Callable[[str], str]) -> tuple[str, str]:
    """Take keys out of a piece of text in which none is cut off.

    Parameters
    ----------
    before : str
        What was returned for the piece before; empty for the first.
    text : str
    hide : callable
        Takes keys out of a whole text.

    Returns
    -------
    tuple of str
        The piece without keys, and what of it decides whether a key begins in the next one.
    """
    hidden = hide(before + text)[len(before) :]
    # No key begins in what is settled, whatever it looks like without the word that it ends; no escape has an s.
    return hidden, (before + hidden)[-_LONGEST_ESCAPE:].replace("s", "x")


def open_length(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a key."""
    found = _BEGINNING.search(text)
    return len(found[0]) if found is not None else 0
