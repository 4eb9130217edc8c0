"""The page of figures: rows are kept until they are measured anew, and a missed target stays to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pictures import draw
from benchmarks.report import Measured, kept, page, save
from benchmarks.tables import Section, Target


def _target(value: float | None) -> Target:
    return Target("the time", value, 3.0, unit="s", rival="theirs", ratio=2.5, cause="The disk is slow")


def _measured(row: int, *, value: float | None = 2.0, picture: str = "") -> Measured:
    section = Section(
        title=f"Row {row}",
        note="A note.",
        columns=("contender", "CPU s"),
        rows=[("cometnb", value), ("theirs", 5.0), ("another", "not measured: not installed here")],
        samples={"cometnb": [2.0], "theirs": [5.0]},
        targets=[_target(value)],
        picture=picture,
    )
    return Measured(
        row, "2026-01-01", "a machine", 0.5, 1.0, {"Python": "3"}, {"theirs": "theirs 1"}, [section]
    )


def test_rows_measured_earlier_are_kept(tmp_path: Path) -> None:
    """A run of one row leaves the others as they were."""
    save({1: _measured(1), 7: _measured(7)}, tmp_path)
    save({**kept(tmp_path), 7: _measured(7, value=1.0)}, tmp_path)
    assert kept(tmp_path) == {1: _measured(1), 7: _measured(7, value=1.0)}


def test_nothing_is_kept_where_nothing_was_measured(tmp_path: Path) -> None:
    """The first run makes the folder."""
    assert kept(tmp_path / "new") == {}
    save({1: _measured(1)}, tmp_path / "new")
    assert list(kept(tmp_path / "new")) == [1]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (2.0, "- reached: the time is 2.00 s (at most 3 s)\n"),
        (4.0, "- MISSED: the time is 4.00 s (at most 3 s). The disk is slow\n"),
        (None, "- not measured: the time (at most 3 s)\n"),
    ],
)
def test_a_target_says_how_it_stands(value: float | None, line: str) -> None:
    """A missed one says what holds it, and one that was not measured is not called missed."""
    assert line in page([_measured(1, value=value)])


def test_the_summary_names_the_best_rival() -> None:
    """Figure, target, measured, rival, ratio and outcome stand in one row."""
    row = "| 1 | the time | at most 3 s | 2.00 s | theirs | 2.50 times as much | reached |"
    assert row in page([_measured(1)])


def test_the_page_says_on_what_it_was_measured() -> None:
    """Versions, the machine and what else it was doing."""
    foot = "load average 0.5 at its start, on a machine. Python 3. In environments of their own: theirs 1."
    assert foot in page([_measured(1)])


def test_a_picture_is_small_and_has_a_ground(tmp_path: Path) -> None:
    """A page of any colour can show it: a PNG's pixels in the corner are white and not transparent."""
    from PIL import Image

    draw(_measured(1, picture="client-cpu").sections, tmp_path)
    file = tmp_path / "client-cpu.png"
    with Image.open(file) as image:
        assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert file.stat().st_size < 100_000


def test_the_same_figures_make_the_same_picture(tmp_path: Path) -> None:
    """A result that did not change is no change of the file."""
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        draw(_measured(1, picture="imports").sections, folder)
        made.append((folder / "imports.png").read_bytes())
    assert made[0] == made[1]
