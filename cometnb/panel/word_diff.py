"""Two texts word by word: what was kept, removed and added, as data that whoever shows it has to escape."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Piece", "word_diff"]

# A number and a word with an apostrophe are read as one.
_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:['’]\w+)*|\s+|[^\w\s]")
# `SequenceMatcher` takes the product of both lengths, and this is some hundredths of a second.
_MOST_PAIRS = 40_000
_MOST_LEVELS = 24
# How many tokens in a row are looked for: in a long text hardly a single word stands once.
_WIDTHS = (1, 7)

_Kind = Literal["kept", "removed", "added"]
_Spans: TypeAlias = tuple[int, int, int, int]


class Piece(NamedTuple):
    """A stretch of text.

    Attributes
    ----------
    kind : str
        ``kept`` is in both texts, ``removed`` in the first only, ``added`` in the second only.
    text : str
        Never empty.
    """

    kind: _Kind
    text: str


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Return how one text becomes another.

    The kept and removed pieces joined are `before`, the kept and added ones `after`, whatever the texts are. Words,
    or rows of words, that stand once in both are matched first, then what lies between them: the time grows with the length of the texts
    and not with its square. A stretch that has too little in common is one removed and one added piece.

    Parameters
    ----------
    before, after : str

    Returns
    -------
    tuple of Piece
        Two neighbours are never of one kind; where both stand, what was removed stands before what was added.

    Examples
    --------
    >>> [tuple(piece) for piece in word_diff("The cat sat.", "The dog sat.")]
    [('kept', 'The '), ('removed', 'cat'), ('added', 'dog'), ('kept', ' sat.')]
    """
    first, second = _TOKEN.findall(before), _TOKEN.findall(after)
    changes = _changes(first, second)
    return tuple(_tidied(changes))


def _changes(first: Sequence[str], second: Sequence[str]) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for start, end, other_start, other_end in _differing(first, second):
        pieces += _piece("kept", first[at:start])
        pieces += _piece("removed", first[start:end])
        pieces += _piece("added", second[other_start:other_end])
        at = end
    return pieces + _piece("kept", first[at:])


def _piece(kind: _Kind, tokens: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(tokens))] if tokens else []


def _differing(first: Sequence[str], second: Sequence[str]) -> Iterator[_Spans]:
    """Yield the stretches that differ, in order."""
    # A stack instead of recursion, the next stretch on top.
    todo: list[tuple[_Spans, int]] = [((0, len(first), 0, len(second)), 0)]
    while todo:
        spans, level = todo.pop()
        start, end, other_start, other_end = _trimmed(first, second, spans)
        if start == end and other_start == other_end:
            continue
        inner = (start, end, other_start, other_end)
        if start == end or other_start == other_end:
            yield inner
        elif (end - start) * (other_end - other_start) <= _MOST_PAIRS:
            yield from _matched(first, second, inner)
        else:
            anchors = _anchors(first, second, inner) if level < _MOST_LEVELS else []
            if not anchors:
                yield inner
            todo += [(between, level + 1) for between in reversed(list(_between(inner, anchors)))]


def _trimmed(first: Sequence[str], second: Sequence[str], spans: _Spans) -> _Spans:
    """Leave out what both begin and end with."""
    start, end, other_start, other_end = spans
    while start < end and other_start < other_end and first[start] == second[other_start]:
        start, other_start = start + 1, other_start + 1
    while start < end and other_start < other_end and first[end - 1] == second[other_end - 1]:
        end, other_end = end - 1, other_end - 1
    return start, end, other_start, other_end


def _matched(first: Sequence[str], second: Sequence[str], spans: _Spans) -> Iterator[_Spans]:
    start, end, other_start, other_end = spans
    # Without `autojunk`, which takes every word that stands often for no word at all.
    matcher = SequenceMatcher(None, first[start:end], second[other_start:other_end], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield start + i, start + j, other_start + k, other_start + m


def _anchors(first: Sequence[str], second: Sequence[str], spans: _Spans) -> list[tuple[int, int]]:
    """Return places to hold on to: words that stand once in each stretch, or else a few words in a row that do."""
    for width in _WIDTHS:
        pairs = _once_in_both(first, second, spans, width)
        if pairs:
            return _longest_rising(pairs)
    return []


def _once_in_both(
    first: Sequence[str], second: Sequence[str], spans: _Spans, width: int
) -> list[tuple[int, int]]:
    start, end, other_start, other_end = spans
    keys = [tuple(first[place : place + width]) for place in range(start, end - width + 1)]
    other_keys = [tuple(second[place : place + width]) for place in range(other_start, other_end - width + 1)]
    counts, other_counts = Counter(keys), Counter(other_keys)
    places = {key: place for place, key in enumerate(other_keys, other_start) if other_counts[key] == 1}
    return [
        (place, places[key]) for place, key in enumerate(keys, start) if counts[key] == 1 and key in places
    ]


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of pairs, which rise in the first place, that rises in the second, too."""
    ends: list[int] = []
    last_of_length: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        length = bisect_left(ends, other)
        before.append(last_of_length[length - 1] if length else -1)
        ends[length : length + 1] = [other]
        last_of_length[length : length + 1] = [number]
    chain: list[tuple[int, int]] = []
    number = last_of_length[-1] if last_of_length else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _between(spans: _Spans, anchors: list[tuple[int, int]]) -> Iterator[_Spans]:
    if not anchors:
        return
    start, end, other_start, other_end = spans
    for place, other in anchors:
        yield start, place, other_start, other
        start, other_start = place + 1, other + 1
    yield start, end, other_start, other_end


def _tidied(pieces: list[Piece]) -> Iterator[Piece]:
    """Join neighbours, and count white space between two changes to both: words are read, not the gaps."""
    marked = [
        (
            "changed"
            if piece.kind != "kept" or (piece.text.isspace() and _is_inside(pieces, place))
            else "kept",
            piece,
        )
        for place, piece in enumerate(pieces)
    ]
    for is_kept, group in groupby(marked, key=lambda one: one[0] == "kept"):
        inside = [piece for _, piece in group]
        if is_kept:
            yield Piece("kept", "".join(piece.text for piece in inside))
            continue
        removed = "".join(piece.text for piece in inside if piece.kind != "added")
        added = "".join(piece.text for piece in inside if piece.kind != "removed")
        if removed:
            yield Piece("removed", removed)
        if added:
            yield Piece("added", added)


def _is_inside(pieces: list[Piece], place: int) -> bool:
    return 0 < place < len(pieces) - 1 and "\n" not in pieces[place].text
