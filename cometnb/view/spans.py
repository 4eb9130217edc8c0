"""Code spans and maths inside a run of Markdown text, found in linear time."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal

__all__ = ["Kind", "math_at", "spans"]

Kind = Literal["text", "code", "math", "display"]

_OPENER = re.compile(r"\\.|`+|\$\$|\$", re.DOTALL)
_BACKTICKS = re.compile(r"`+")

# What closes each opener of maths. Dollars are what JupyterLab reads; \( and \[ are what models like to write.
_MATH: dict[str, tuple[str, Kind]] = {
    "\\(": ("\\)", "math"),
    "\\[": ("\\]", "display"),
    "$$": ("$$", "display"),
    "$": ("$", "math"),
}


def spans(text: str) -> Iterator[tuple[Kind, str]]:
    """Yield (kind, content) for consecutive pieces of `text`.

    Code and maths come without their delimiters; `text` pieces come as they are, a backslash and what it escapes
    included.

    Parameters
    ----------
    text : str
        The content of one paragraph, heading or table cell: no span crosses its end.
    """
    runs = _runs_by_length(text)
    unclosed: set[str] = set()
    start = at = 0
    found: tuple[int, int, Kind] | None
    while opener := _OPENER.search(text, at):
        mark, at = opener.group(), opener.end()
        if mark[0] == "`":
            close = _next_run(runs, len(mark), at)
            found = None if close is None else (close, close + len(mark), "code")
        else:
            found = _math_end(text, mark, at, unclosed)
        if found is None:
            continue
        inner_end, end, kind = found
        if start < opener.start():
            yield "text", text[start : opener.start()]
        yield kind, text[at:inner_end]
        start = at = end
    if start < len(text):
        yield "text", text[start:]


def math_at(text: str, at: int, unclosed_from: dict[str, int]) -> tuple[Kind, str, int] | None:
    """Return the kind and the content of the formula that begins at a place, and where it ends; None for no formula.

    Parameters
    ----------
    text : str
    at : int
    unclosed_from : dict of str to int
        Empty for a new text. Of an opener that nothing closes its place is kept here: from there on it is not looked
        for again.
    """
    opener = _OPENER.match(text, at)
    if opener is None or at >= unclosed_from.get(opener.group(), len(text)):
        return None
    unclosed: set[str] = set()
    found = _math_end(text, opener.group(), opener.end(), unclosed)
    unclosed_from |= dict.fromkeys(unclosed, at)
    return None if found is None else (found[2], text[opener.end() : found[0]], found[1])


def _math_end(text: str, mark: str, at: int, unclosed: set[str]) -> tuple[int, int, Kind] | None:
    if mark not in _MATH or mark in unclosed:
        return None
    close, kind = _MATH[mark]
    end = text.find(close, at)
    if end < 0:
        unclosed.add(mark)
        return None
    inner = text[at:end]
    if mark == "$":
        after = text[end + 1 : end + 2]
        # "$5 and $10" is money: maths starts and ends without a space and no digit follows it.
        if not inner or inner[0].isspace() or inner[-1].isspace() or after.isdigit() or "\n\n" in inner:
            return None
    return end, end + len(close), kind


def _runs_by_length(text: str) -> dict[int, list[int]]:
    runs: dict[int, list[int]] = {}
    for run in _BACKTICKS.finditer(text):
        runs.setdefault(len(run.group()), []).append(run.start())
    return runs


def _next_run(runs: dict[int, list[int]], length: int, after: int) -> int | None:
    starts = runs.get(length, [])
    place = bisect_right(starts, after - 1)
    return starts[place] if place < len(starts) else None
