"""What a benchmark hands back, and how it is written: Markdown for people, JSON for comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Section", "Target", "as_json", "as_markdown"]


@dataclass(frozen=True, slots=True)
class Target:
    """One number to reach.

    Attributes
    ----------
    figure : str
    value, limit : float
    at_least : bool
        Whether `limit` is to be reached from above; else it is not to be passed.
    unit : str
    """

    figure: str
    value: float
    limit: float
    at_least: bool = False
    unit: str = "times"

    @property
    def is_reached(self) -> bool:
        """Whether the value keeps its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return (
            f"{'reached' if self.is_reached else 'MISSED'}: {self.figure} is {self.value:.3g} {self.unit}"
            f" ({bound} {self.limit:g})"
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One table with its samples and targets.

    Attributes
    ----------
    title, note : str
    columns : tuple of str
    rows : list of tuple
        Text, or numbers that are written with three significant digits.
    samples : Mapping
        Every measurement behind the rows, in the unit that the note or the columns name.
    targets : list of Target
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float, ...]]
    samples: Mapping[str, Sequence[float]]
    targets: list[Target]


def as_markdown(sections: Sequence[Section], versions: Mapping[str, str]) -> str:
    """Return the whole report."""
    pieces = ["# Benchmarks", ", ".join(f"{name} {version}" for name, version in versions.items()) + "."]
    for section in sections:
        pieces += [f"## {section.title}", section.note, _table(section)]
        pieces += ["\n".join(f"- {target}" for target in section.targets)] * bool(section.targets)
    return "\n\n".join(pieces) + "\n"


def as_json(sections: Sequence[Section], versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the same with every sample."""
    return {
        "versions": dict(versions),
        "sections": [
            asdict(section)
            | {"targets": [asdict(target) | {"is_reached": target.is_reached} for target in section.targets]}
            for section in sections
        ],
    }


def _table(section: Section) -> str:
    rule = ["---"] + ["---:"] * (len(section.columns) - 1)
    rows = [[cell if isinstance(cell, str) else _number(cell) for cell in row] for row in section.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [section.columns, rule, *rows])


def _number(value: float) -> str:
    """Write three significant digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
