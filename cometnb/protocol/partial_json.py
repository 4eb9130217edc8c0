"""JSON that is still being written: the value so far, and the rows that are already whole.

Every character is looked at once, in whatever pieces it comes, so the work is linear and the end is the same for any
chunking. Only what is certain is taken: a number may go on, and a key without a value says nothing yet.
"""

from __future__ import annotations

import json
import re
from typing import Any

from cometnb.protocol.depth import MOST_LEVELS
from cometnb.protocol.response import whole_text

__all__ = ["PartialJSON"]

_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r'[^"\\]*')
_WORD = re.compile(r"[-+.\w]*")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")

# What may come next, and what each structural character then means; anything else is no JSON.
_MOVES: dict[tuple[str, str], str] = {
    ("value", "{"): "open object",
    ("value", "["): "open array",
    ("first value", "{"): "open object",
    ("first value", "["): "open array",
    ("first value", "]"): "close",
    ("first key", "}"): "close",
    # A comma before the end is wrong, common, and harmless.
    ("key", "}"): "close",
    ("value", "]"): "close",
    ("colon", ":"): "to value",
    ("after", ","): "to next",
    ("after", "}"): "close",
    ("after", "]"): "close",
}


class PartialJSON:
    """The object or array in a text that comes in pieces; what stands before and after it is passed over.

    Attributes
    ----------
    is_complete : bool
        True once the object or array has been closed.
    fault : str or None
        What is wrong with the JSON and where, if something is; the value up to there stays.
    rows : list of dict
        The objects that have closed so far in the outermost array, or in the first array that is a property of the
        outermost object. Empty if there is none.

    Examples
    --------
    >>> partial = PartialJSON()
    >>> partial.feed('{"rows": [{"name": "Ada", "born": 1815}, {"name": "Gra')
    >>> partial.value
    {'rows': [{'name': 'Ada', 'born': 1815}, {'name': 'Gra'}]}
    >>> partial.rows
    [{'name': 'Ada', 'born': 1815}]
    """

    def __init__(self) -> None:
        self.is_complete = False
        self.fault: str | None = None
        self.rows: list[dict[str, Any]] = []
        self._root: dict[str, Any] | list[Any] | None = None
        self._stack: list[dict[str, Any] | list[Any]] = []
        self._rows_of: list[Any] | None = None
        self._keys: list[str] = []
        self._expected = "start"
        self._string: list[str] | None = None
        self._rest = ""
        self._n_read = 0

    @property
    def value(self) -> Any:
        """The object or array so far, with open texts, arrays and objects as they stand; None before it begins.

        It goes on growing with `feed`; copy it to keep what it is now.
        """
        if self._string is not None and self._expected != "key end":
            self._put(whole_text("".join(self._string)))
        return self._root

    def feed(self, text: str) -> None:
        """Take the next piece of the text, of any length."""
        text = self._rest + text
        at = 0
        while at < len(text) and not self._is_over():
            after = self._read_string(text, at) if self._string is not None else self._read(text, at)
            if after == at:
                break
            at = after
        # What comes after the end is not kept.
        self._rest = "" if self._is_over() else text[at:]
        self._n_read += at

    def _is_over(self) -> bool:
        return self.is_complete or self.fault is not None

    def _read(self, text: str, at: int) -> int:
        """Take one token and return where the next begins; `at` itself if it may go on."""
        if self._expected == "start":
            begins = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
            if not begins:
                return len(text)
            at = min(begins)
            self._expected = "value"
        at = _end(_SPACE, text, at)
        if at == len(text):
            return at
        letter = text[at]
        move = _MOVES.get((self._expected, letter))
        if move is not None:
            self._act(move, letter, at)
            return at + 1
        if letter == '"' and self._expected in ("value", "first value", "key", "first key"):
            self._expected = "key end" if self._expected.endswith("key") else "string end"
            self._string = []
            if self._expected == "string end":
                self._put("", is_new=True)
            return at + 1
        if self._expected in ("value", "first value"):
            return self._read_word(text, at)
        return self._stop(f"{letter!r} where {_WORDS[self._expected]} should be", at)

    def _read_word(self, text: str, at: int) -> int:
        end = _end(_WORD, text, at)
        if end - at > _LONGEST_WORD:
            return self._stop("a number that never ends", at)
        if end == len(text):
            return at
        try:
            value = json.loads(text[at:end])
        except ValueError:
            return self._stop(f"{text[at : end + 1][:20]!r} where a value should be", at)
        self._put(value, is_new=True)
        self._expected = "after"
        return end

    def _read_string(self, text: str, at: int) -> int:
        pieces = self._string if self._string is not None else []
        end = _end(_PLAIN, text, at)
        if end > at:
            pieces.append(text[at:end])
        if end == len(text):
            return end
        if text[end] == '"':
            self._close_string(whole_text("".join(pieces)))
            return end + 1
        piece, after = _escaped(text, end)
        if after > end:
            pieces.append(piece)
        elif len(text) - end > _LONGEST_ESCAPE:
            return self._stop(f"{text[end : end + 6]!r}, which is no escape", end)
        return after

    def _close_string(self, value: str) -> None:
        self._string = None
        if self._expected == "key end":
            self._keys[-1] = value
            self._expected = "colon"
        else:
            self._put(value)
            self._expected = "after"

    def _act(self, move: str, letter: str, at: int) -> None:
        if move.startswith("open"):
            self._open({} if letter == "{" else [], at)
        elif move == "close":
            self._close(letter, at)
        elif move == "to value":
            self._expected = "value"
        else:
            self._expected = "key" if isinstance(self._stack[-1], dict) else "value"

    def _open(self, container: dict[str, Any] | list[Any], at: int) -> None:
        if len(self._stack) == MOST_LEVELS:
            self._stop(f"more than {MOST_LEVELS} levels", at)
            return
        if self._root is None:
            self._root = container
        else:
            self._put(container, is_new=True)
        is_outer = not self._stack or (len(self._stack) == 1 and isinstance(self._stack[0], dict))
        if isinstance(container, list) and is_outer and self._rows_of is None:
            self._rows_of = container
        self._stack.append(container)
        self._keys.append("")
        self._expected = "first key" if isinstance(container, dict) else "first value"

    def _close(self, letter: str, at: int) -> None:
        container = self._stack[-1]
        if isinstance(container, dict) != (letter == "}"):
            self._stop(f"{letter!r} where {'}' if letter == ']' else ']'!r} should be", at)
            return
        self._stack.pop()
        self._keys.pop()
        self._expected = "after"
        if not self._stack:
            self.is_complete = True
        elif isinstance(container, dict) and self._stack[-1] is self._rows_of:
            self.rows.append(container)

    def _put(self, value: Any, *, is_new: bool = False) -> None:
        container = self._stack[-1]
        if isinstance(container, dict):
            container[self._keys[-1]] = value
        elif is_new:
            container.append(value)
        else:
            container[-1] = value

    def _stop(self, what: str, at: int) -> int:
        self.fault = f"{what}, at character {self._n_read + at + 1}"
        return at


_WORDS = {
    "key": "a key",
    "first key": "a key",
    "colon": "':'",
    "after": "',' or the end",
    "value": "a value",
    "first value": "a value",
}

_LONGEST_ESCAPE = 6
# No number has more digits; one that could go on for ever would be read again with every piece.
_LONGEST_WORD = 400


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _escaped(text: str, at: int) -> tuple[str, int]:
    r"""Return what the escape at `at` stands for and where it ends; `at` itself if it is not whole."""
    letter = text[at + 1 : at + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 2
    if letter == "u" and _HEX.match(text, at + 2):
        return chr(int(text[at + 2 : at + 6], 16)), at + 6
    return "", at
