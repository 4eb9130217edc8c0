"""The page: the last result of every row, kept as JSON and written as Markdown with a summary at its top."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rounds import Row
from benchmarks.tables import Section, Target, number, table

__all__ = ["Measured", "kept", "page", "save"]

_FILE = "latest.json"
# The documentation shows what stands below the mark on a page of its own.
_ABOUT = (
    "Written by `make bench`. What is measured, and how, and how fair that is:"
    " [docs/benchmarks.md](../../docs/benchmarks.md).\n\n<!-- figures -->"
)
_COLUMNS = ("row", "figure", "target", "measured", "best rival", "that takes", "")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave for one row of the table of numbers to reach.

    Attributes
    ----------
    row : int
    day : str
        ISO 8601, UTC.
    machine : str
    load : float
        The machine's load average when the row was begun; 0 is a quiet machine.
    taken_s : float
        How long it took.
    versions : Mapping
        From a package of the environment that cometnb runs in to its version.
    rivals : Mapping
        From the name of a rival's environment to what is in it, or "not installed".
    sections : list of Section
    """

    row: int
    day: str
    machine: str
    load: float
    taken_s: float
    versions: Mapping[str, str]
    rivals: Mapping[str, str]
    sections: list[Section]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Measured:
        """Return what `as_json` gave."""
        return cls(**{**value, "sections": [Section.of(each) for each in value["sections"]]})

    def as_json(self) -> dict[str, Any]:
        """Return it with every sample, as what JSON can hold."""
        fields = {name: getattr(self, name) for name in ("row", "day", "machine", "load", "taken_s")}
        sections = [section.as_json() for section in self.sections]
        return fields | {"versions": dict(self.versions), "rivals": dict(self.rivals), "sections": sections}


def kept(folder: Path) -> dict[int, Measured]:
    """Return what earlier runs left in a folder, by row; nothing where there is no file of this kind."""
    try:
        rows = json.loads((folder / _FILE).read_text("utf-8")).get("rows", [])
    except FileNotFoundError:
        return {}
    return {measured.row: measured for measured in map(Measured.of, rows)}


def save(rows: Mapping[int, Measured], folder: Path) -> None:
    """Write the JSON and the page of these rows into a folder; the pictures are drawn elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = [rows[row] for row in sorted(rows)]
    text = json.dumps({"rows": [measured.as_json() for measured in ordered]}, indent=1)
    (folder / _FILE).write_text(text + "\n", "utf-8")
    (folder / "latest.md").write_text(page(ordered), "utf-8")


def page(rows: Iterable[Measured]) -> str:
    """Return the whole page."""
    rows = list(rows)
    pieces = ["# Benchmarks", _ABOUT, _summary(rows)]
    for measured in rows:
        pieces += [section.as_markdown() for section in measured.sections]
        pieces.append(_footing(measured))
    return "\n\n".join(pieces) + "\n"


def _summary(rows: Iterable[Measured]) -> str:
    summed: list[Row] = [
        (
            str(measured.row),
            target.figure,
            target.bound,
            target.measured,
            target.rival,
            _taken(target),
            target.outcome,
        )
        for measured in rows
        for section in measured.sections
        for target in section.targets
    ]
    return f"{table(_COLUMNS, summed, n_text=len(_COLUMNS))}\n\n{_counted(rows)}"


def _taken(target: Target) -> str:
    return "" if target.ratio is None else f"{number(target.ratio)} times as much"


def _counted(rows: Iterable[Measured]) -> str:
    targets = [target for measured in rows for section in measured.sections for target in section.targets]
    outcomes = Counter(target.outcome for target in targets)
    counted = ", ".join(f"{n_targets} {outcome.lower()}" for outcome, n_targets in outcomes.items())
    return f"Of {len(targets)} targets: {counted}. A target that is missed has a sentence below on what holds it."


def _footing(measured: Measured) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in measured.versions.items())
    others = "; ".join(
        version if name in version else f"{name}: {version}" for name, version in measured.rivals.items()
    )
    return (
        f"*Row {measured.row}: {measured.day}, in {measured.taken_s:.0f} s, load average {measured.load:.1f} at its"
        f" start, on {measured.machine}. {versions}{f'. In environments of their own: {others}' * bool(others)}.*"
    )
