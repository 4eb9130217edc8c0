"""What is different between two runs: their settings, their answers, and what they used."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from cometnb.panel.history import Run, flat
from cometnb.panel.packing import without_key
from cometnb.panel.word_diff import Piece, word_diff
from cometnb.session.settings import Settings

__all__ = ["Change", "Difference", "changes", "difference"]

_MARKS = {"kept": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}


class Change(NamedTuple):
    """A setting that differs; None is "not set".

    Attributes
    ----------
    path : str
        As for `Panel.set`; ``input`` is the prompt.
    before, after : object
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What is different between two runs.

    Attributes
    ----------
    before, after : Run
    settings : tuple of Change
        Empty if both were asked alike.
    words : tuple of Piece
        How the one answer becomes the other, with keys of the API masked: cut into words, none would be known for
        one. It is text of a model: escape it before it becomes HTML.
    """

    before: Run
    after: Run
    settings: tuple[Change, ...]
    words: tuple[Piece, ...]

    @property
    def is_same_answer(self) -> bool:
        """True if both answered the same text."""
        return all(piece.kind == "kept" for piece in self.words)

    def __str__(self) -> str:
        lines = [f"Run {self.before.number} → run {self.after.number}"]
        lines += [f"  {path}: {_shown(before)} → {_shown(after)}" for path, before, after in self.settings]
        lines += [] if self.settings else ["  the same settings"]
        words = "".join(f"{_MARKS[kind][0]}{text}{_MARKS[kind][1]}" for kind, text in self.words)
        return "\n".join([*lines, "", "The same answer." if self.is_same_answer else words])

    __repr__ = __str__


def difference(before: Run, after: Run) -> Difference:
    """Return what is different between two runs."""
    words = word_diff(without_key(before.text), without_key(after.text))
    return Difference(before, after, changes(before.settings, after.settings), words)


def changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """Return which settings differ, parameters field by field."""
    first, second = _by_path(before), _by_path(after)
    paths = dict.fromkeys([*first, *second])
    return tuple(
        Change(path, first.get(path), second.get(path))
        for path in paths
        if first.get(path) != second.get(path)
    )


def _by_path(settings: Settings) -> dict[str, Any]:
    own = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name != "params"}
    own["input"] = own.pop("prompt")
    given = {name: value for name, value in own.items() if value not in ("", (), None, False)}
    return {**given, **flat(settings.params)}


def _shown(value: Any) -> str:
    text = "not set" if value is None else without_key(repr(value))
    return text if len(text) <= 80 else f"{text[:79]}…"
