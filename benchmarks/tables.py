"""What a benchmark hands back, one table with its targets, and how it is written: Markdown for people, JSON to keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks.rounds import Cell, Rounds, Row

__all__ = ["Section", "Target", "number", "table"]


@dataclass(frozen=True, slots=True)
class Target:
    """One number to reach.

    Attributes
    ----------
    figure : str
    value : float or None
        None where it could not be measured.
    limit : float
    at_least : bool
        Whether `limit` is to be reached from above; else it is not to be passed.
    unit : str
    rival : str
        The best of those that do the same work otherwise; empty where there is none.
    ratio : float or None
        How many times as much that one takes.
    cause : str
        What holds the figure where it is; said where the target is missed.
    """

    figure: str
    value: float | None
    limit: float
    at_least: bool = False
    unit: str = "times"
    rival: str = ""
    ratio: float | None = None
    cause: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the value keeps its limit."""
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def outcome(self) -> str:
        """One word for people."""
        if self.value is None:
            return "not measured"
        return "reached" if self.is_reached else "MISSED"

    @property
    def bound(self) -> str:
        """The limit, with its unit."""
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g} {self.unit}"

    @property
    def measured(self) -> str:
        """The value, with its unit."""
        return "" if self.value is None else f"{number(self.value)} {self.unit}"

    def beside(self, rounds: Rounds, ours: str, rivals: Iterable[str]) -> Target:
        """Return the target with the best of `rivals`, and how many times as much as `ours` it takes."""
        best = rounds.best(rivals)
        # A label may say the size after the name.
        return replace(self, rival=best.partition(": ")[0], ratio=rounds.ratio(best, ours))

    def __str__(self) -> str:
        if self.value is None:
            return f"not measured: {self.figure} ({self.bound})"
        cause = f". {self.cause}" if self.cause and not self.is_reached else ""
        return f"{self.outcome}: {self.figure} is {self.measured} ({self.bound}){cause}"


@dataclass(frozen=True, slots=True)
class Section:
    """One table with its samples and targets.

    Attributes
    ----------
    title, note : str
    columns : tuple of str
    rows : list of tuple
        Text, or numbers that are written with three significant digits. A short one is filled up with nothing.
    samples : Mapping
        Every measurement behind the rows, in the unit that the note or the columns name.
    targets : list of Target
    picture : str
        The name of the file that draws it, without its ending; empty for none.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[Row]
    samples: Mapping[str, Sequence[float]]
    targets: list[Target] = field(default_factory=list)
    picture: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Section:
        """Return the section that `as_json` gave."""
        return cls(
            title=kept["title"],
            note=kept["note"],
            columns=tuple(kept["columns"]),
            rows=[tuple(row) for row in kept["rows"]],
            samples=kept["samples"],
            targets=[Target(**target) for target in kept["targets"]],
            picture=kept["picture"],
        )

    def as_json(self) -> dict[str, Any]:
        """Return it with every sample, as what JSON can hold."""
        return asdict(self)

    def as_markdown(self, level: int = 2) -> str:
        """Return it under a heading of this level."""
        pieces = [f"{'#' * level} {self.title}", self.note, table(self.columns, self.rows)]
        if self.picture:
            pieces.append(f"![{self.title}]({self.picture}.png)")
        if self.targets:
            pieces.append("\n".join(f"- {target}" for target in self.targets))
        return "\n\n".join(pieces)


def table(columns: Sequence[str], rows: Sequence[Row], *, n_text: int = 1) -> str:
    """Return a table in Markdown.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of tuple
    n_text : int
        How many columns from the left are text; the others are set to the right.
    """
    rule = ["---"] * n_text + ["---:"] * (len(columns) - n_text)
    filled = [[*map(_cell, row), *[""] * (len(columns) - len(row))] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(columns), rule, *filled])


def number(value: float) -> str:
    """Write three significant digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 or value == 0 else f"{value:#.3g}".removesuffix(".")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return value.replace("|", "\\|") if isinstance(value, str) else number(value)
