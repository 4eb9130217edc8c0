"""Ledgers that were written apart come together: every row once, whoever takes from whom."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometnb.errors import LedgerError
from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt
from tests.ledger.conftest import Query
from tests.ledger.test_databases import recorded, talk

ATTEMPTS = [an_attempt(number, labels={"tag": f"t{number % 3}"}) for number in range(12)]
KINDS = ["sqlite", "postgresql"]


def ids(ledger: Ledger) -> list[str]:
    """Return a ledger's attempts, oldest first."""
    found: list[str] = ledger.usage()["response_id"].tolist()
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other_kind", KINDS)
def test_a_ledger_takes_anothers_rows(new_place: Callable[[str], str], kind: str, other_kind: str) -> None:
    """From and into each database: what was not there is added, and the frame is that of both."""
    mine, theirs = new_place(kind), new_place(other_kind)
    ledger = recorded(mine, *ATTEMPTS[:6])
    recorded(theirs, *ATTEMPTS[4:])
    assert ledger.merge(theirs) == 6
    assert ledger.merge(theirs) == 0
    assert ids(ledger) == [f"resp_{number}" for number in range(12)]
    assert len(Ledger(theirs).usage()) == 8
    pd.testing.assert_frame_equal(ledger.usage(), recorded(new_place(kind), *ATTEMPTS).usage())


@settings(max_examples=15)
@given(parts=st.lists(st.sets(st.integers(0, 11)), min_size=2, max_size=3))
def test_the_result_does_not_depend_on_who_takes_from_whom(
    tmp_path_factory: pytest.TempPathFactory, parts: list[set[int]]
) -> None:
    """Merging is idempotent and commutative, and adds what is not there yet."""
    folder = tmp_path_factory.mktemp("merge")

    def merged(order: list[set[int]]) -> pd.DataFrame:
        ledgers = []
        for part in order:
            ledger = Ledger(folder / f"{uuid.uuid4().hex}.sqlite3")
            # A ledger that has never had a row is made by reading it.
            ledger.usage()
            for number in part:
                ledger(ATTEMPTS[number])
            assert ledger.flush(timeout_s=30)
            ledgers.append(ledger)
        first, *others = ledgers
        had = set(order[0])
        for other, part in zip(others, order[1:], strict=True):
            assert first.merge(other) == len(part - had)
            assert first.merge(other) == 0
            had |= part
        frame = first.usage()
        for ledger in ledgers:
            ledger.close()
        return frame

    expected = merged(parts)
    assert len(expected) == len(set.union(*parts))
    pd.testing.assert_frame_equal(merged(parts[::-1]), expected)


def test_rows_that_wait_in_the_other_are_taken_too(tmp_path: Path) -> None:
    """Two ledgers in memory have nothing but rows that wait."""
    one, other = Ledger("off"), Ledger("off")
    for number in range(4):
        (one if number < 2 else other)(ATTEMPTS[number])
    assert one.merge(other) == 2
    assert one.merge(other) == one.merge(one) == 0
    disk = Ledger(tmp_path / "ledger.sqlite3")
    assert disk.merge(one) == 4
    assert one.merge(disk) == 0
    assert ids(disk) == ids(one) == ["resp_0", "resp_1", "resp_2", "resp_3"]


@pytest.mark.parametrize("other", ["{path}", "sqlite:///{path}", "{link}"])
def test_a_ledger_that_takes_from_itself_adds_nothing(tmp_path: Path, other: str) -> None:
    """By whichever name."""
    path, link = tmp_path / "ledger.sqlite3", tmp_path / "link.sqlite3"
    link.symlink_to(path)
    ledger = recorded(str(path), *ATTEMPTS[:2])
    assert ledger.merge(other.format(path=path, link=link)) == 0


def test_prompts_come_along_only_where_they_are_stored(stored: str, query: Query, tmp_path: Path) -> None:
    """Who keeps no prompts does not get any by merging."""
    recorded(stored, talk(1, "PROMPT", "ANSWER"), stores_text=True)
    without, kept = tmp_path / "without.sqlite3", tmp_path / "with.sqlite3"
    assert Ledger(without).merge(stored) == 1
    assert query(str(without), "SELECT count(*) FROM cometnb_contents") == [(0,)]
    ledger = Ledger(kept, stores_text=True)
    assert ledger.merge(stored) == 1
    assert ledger.search("answer")["prompt"].tolist() == ["PROMPT"]


def test_prompts_that_wait_come_along_only_where_they_are_stored() -> None:
    """The same for ledgers in memory."""
    source = Ledger("off", stores_text=True)
    source(talk(1, "PROMPT", "ANSWER"))  # type: ignore[arg-type]
    ledger = Ledger("off")
    assert ledger.merge(source) == 1
    with pytest.raises(LedgerError, match="storing them is off"):
        ledger.search("prompt")


@pytest.mark.parametrize("name", ["nothing.sqlite3", "notes.txt", "empty.sqlite3"])
def test_what_is_no_ledger_is_refused_and_not_made(tmp_path: Path, query: Query, name: str) -> None:
    """A mistyped name makes no file, and somebody's notes stay as they are."""
    path = tmp_path / name
    if name == "notes.txt":
        path.write_text("These are my notes. " * 100)
    elif name == "empty.sqlite3":
        query(str(path), "CREATE TABLE mine (a INTEGER)")
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(LedgerError, match=rf"no ledger at .*{name}|{name} cannot be read"):
        Ledger(tmp_path / "ledger.sqlite3").merge(path)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_newer_ledger_is_refused_by_its_version(stored: str, query: Query, tmp_path: Path) -> None:
    """Its columns may mean something else."""
    recorded(stored, an_attempt()).close()
    query(stored, "INSERT INTO cometnb_schema VALUES (99, 0)")
    with pytest.raises(LedgerError, match="schema version 99"):
        Ledger(tmp_path / "ledger.sqlite3").merge(stored)


def test_a_source_is_read_and_not_touched(tmp_path: Path) -> None:
    """The other's file is the same to the last byte; beside it, SQLite may leave an empty log."""
    folder = tmp_path / "theirs"
    theirs = recorded(str(folder / "ledger.sqlite3"), *ATTEMPTS)
    theirs.close()
    before = (folder / "ledger.sqlite3").read_bytes()
    assert Ledger(tmp_path / "mine.sqlite3").merge(folder / "ledger.sqlite3") == 12
    assert (folder / "ledger.sqlite3").read_bytes() == before
    logs = {"ledger.sqlite3-wal": 0, "ledger.sqlite3-shm": 32_768}
    beside = {path.name: path.stat().st_size for path in folder.iterdir() if path.suffix != ".sqlite3"}
    assert beside.items() <= logs.items()


def test_long_work_shows_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar on the error stream, as tqdm draws it; short work shows none."""
    theirs = recorded(str(tmp_path / "theirs.sqlite3"), *ATTEMPTS)
    Ledger(tmp_path / "short.sqlite3").merge(theirs)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("cometnb.ledger.storage.merging._BAR_AFTER_S", 0)
    Ledger(tmp_path / "long.sqlite3").merge(theirs)
    assert "Merging" in capsys.readouterr().err


def test_more_rows_than_one_batch_are_taken(stored: str, tmp_path: Path) -> None:
    """To the last one, and the frames agree."""
    attempts: list[Any] = [an_attempt(number) for number in range(4_500)]
    recorded(stored, *attempts)
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    assert ledger.merge(stored) == 4_500
    pd.testing.assert_frame_equal(ledger.usage(), Ledger(stored).usage())
