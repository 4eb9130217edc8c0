"""A ledger that somebody else has made: nothing in it is run, nothing goes on without end, and nothing spoils one's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cometnb.errors import LedgerError
from cometnb.ledger import Ledger
from cometnb.ledger.storage.engine import read_only_engines, url_of
from tests.ledger.attempts import an_attempt

_ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)"


def _theirs(folder: Path, *statements: str) -> Path:
    path = folder / "theirs.sqlite3"
    with closing(Ledger(path)) as ledger:
        ledger(an_attempt(1))
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


def _refusal(path: Path, into: Path) -> str:
    """Return why a ledger's rows are not taken; one's own is as it was."""
    with closing(Ledger(into)) as mine:
        mine(an_attempt(2))
        with pytest.raises(LedgerError) as caught:
            mine.merge(path)
        assert mine.usage()["response_id"].tolist() == ["resp_2"]
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.fact


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE VIEW cometnb_attempts AS {_ENDLESS} SELECT kept.* FROM kept, t",  # noqa: S608 - the attack
        "CREATE TRIGGER act BEFORE INSERT ON kept BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIRTUAL TABLE cometnb_attempts USING fts5(attempt_id, created_at_us)",
    ],
)
def test_a_schema_that_acts_is_refused(tmp_path: Path, statement: str) -> None:
    """A view without end, a trigger, a virtual table: neither taken from, nor used, nor written to."""
    former = ["CREATE TABLE kept AS SELECT * FROM cometnb_attempts", "DROP TABLE cometnb_attempts"]
    if "TRIGGER" in statement:
        former, statement = [], statement.replace("kept", "cometnb_attempts")
    path = _theirs(tmp_path, *former, statement)
    before = path.read_bytes()
    assert "is none that cometnb has made: it has a" in _refusal(path, tmp_path / "mine.sqlite3")
    with closing(Ledger(path)) as theirs, pytest.raises(LedgerError, match="none that cometnb has made"):
        theirs.usage()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created_at_us", "'noon'"),
        ("created_at_us", "9223372036854775807"),
        ("cost_usd", "'free'"),
        ("cost_usd", "9e999"),
        ("input_tokens", "1.5"),
        ("input_tokens", "'<b>many</b>'"),
        ("attempt_id", "x'fffe'"),
        ("response_id", "x'fffe'"),
    ],
)
def test_a_value_that_is_none_is_not_taken(tmp_path: Path, name: str, value: str) -> None:
    """SQLite keeps anything in any column; in one's own ledger it would spoil every later frame."""
    path = _theirs(tmp_path, f"UPDATE cometnb_attempts SET {name} = {value}")  # noqa: S608
    fact = _refusal(path, tmp_path / "mine.sqlite3")
    assert f"has {name}=" in fact
    assert fact.isprintable()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cometnb_contexts SET model = CAST(x'fffe' AS TEXT)",
        "UPDATE cometnb_contexts SET model = x'fffe'",
        "UPDATE cometnb_contexts SET model = CAST(zeroblob(80000000) AS TEXT)",
        "ALTER TABLE cometnb_attempts DROP COLUMN output_tokens",
    ],
)
def test_shared_texts_and_columns_are_looked_at_too(tmp_path: Path, statement: str) -> None:
    """No text, one that is larger than memory may be, a column that is gone."""
    assert _refusal(_theirs(tmp_path, statement), tmp_path / "mine.sqlite3")


@pytest.mark.parametrize("version", ["'abc'", "x'00'", "1.5", "-1"])
def test_a_version_that_is_none_is_refused(tmp_path: Path, version: str) -> None:
    """Neither read nor brought up to date."""
    table = "CREATE TABLE cometnb_schema (version, applied_at_us)"
    row = f"INSERT INTO cometnb_schema VALUES ({version}, 1)"  # noqa: S608
    path = _theirs(tmp_path, "DROP TABLE cometnb_schema", table, row)
    assert "its version is" in _refusal(path, tmp_path / "mine.sqlite3")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cometnb_attempts SET created_at_us = 'noon'",
        "UPDATE cometnb_attempts SET cost_usd = 'free'",
        "UPDATE cometnb_attempts SET input_tokens = 'many'",
        "UPDATE cometnb_attempts SET attempt_id = x'fffe'",
    ],
)
def test_reading_a_spoilt_ledger_is_an_error_of_two_lines(tmp_path: Path, statement: str) -> None:
    """Whatever stands there; the file is left as it is."""
    with (
        closing(Ledger(_theirs(tmp_path, statement))) as theirs,
        pytest.raises(LedgerError, match="cannot be read") as caught,
    ):
        theirs.usage()
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("name", ["it's.sqlite3", 'say "x";--.sqlite3', "a?mode=memory#b%00.sqlite3"])
def test_a_files_name_is_no_part_of_a_statement_or_url(tmp_path: Path, name: str) -> None:
    """Quotes, question marks and per cents are letters."""
    path = tmp_path / name
    with closing(Ledger(path)) as ledger:
        ledger(an_attempt(1))
    with closing(Ledger(tmp_path / "mine.sqlite3")) as mine:
        assert mine.merge(path) == 1
    assert {one.name for one in tmp_path.iterdir()} >= {name, "mine.sqlite3"}


def test_no_extension_is_loaded_and_no_function_of_ours_called(tmp_path: Path) -> None:
    """By a schema, that is: what is read-only and from elsewhere has no way to run anything."""
    engine = read_only_engines(url_of(str(_theirs(tmp_path))))[0]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0
        with pytest.raises(Exception, match="not authorized"):
            connection.exec_driver_sql("SELECT load_extension('evil')")
    engine.dispose()
