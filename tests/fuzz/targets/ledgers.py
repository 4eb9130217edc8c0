"""Ledgers somebody else may have written: SQLite files with any bytes, and tables with any values in them."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from cometnb.errors import CometError, CometWarning
from cometnb.ledger import Ledger
from cometnb.ledger.rows import STORED_COLUMNS
from tests.fuzz.looking import check_error, check_text
from tests.fuzz.target import Target
from tests.ledger.attempts import an_attempt

__all__ = ["TARGETS", "ledger_file", "ledger_values"]

_COLUMNS = [column.name for column in STORED_COLUMNS]
_FRAME_COLUMNS = 29
_TOKENS = (
    b"CREATE TABLE",
    b"CREATE VIEW",
    b"cometnb_attempts",
    b"SQLite format 3\0",
    b"cometnb_schema",
    b"\0" * 64,
)
_JSON_TOKENS = tuple(f'"{name}": '.encode() for name in _COLUMNS)


def ledger_file(data: bytes) -> None:
    """Take a file for another ledger, and for one's own: it is read or refused, and never changed by being read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "other.sqlite3"
        path.write_bytes(data)
        _use(path, Path(folder))


def ledger_values(data: bytes) -> None:
    """Put any values into the tables of a ledger, which SQLite does not hold to their types."""
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "other.sqlite3"
        path.write_bytes(_whole())
        with closing(sqlite3.connect(path)) as connection:
            for row in rows if isinstance(rows, list) else []:
                if isinstance(row, dict):
                    _overwrite(connection, row)
            connection.commit()
        _use(path, Path(folder))


def _overwrite(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    for name, value in row.items():
        for table in (
            "cometnb_attempts",
            "cometnb_contexts",
            "cometnb_price_sources",
            "cometnb_contents",
            "cometnb_schema",
        ):
            try:
                # Only names of columns that are there get so far.
                known = {one[1] for one in connection.execute(f"PRAGMA table_info({table})")}
                if name in known:
                    connection.execute(f'UPDATE {table} SET "{name}" = ? WHERE rowid % 2', [_plain(value)])  # noqa: S608
            except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                continue


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes(str(value), "utf-8", "surrogatepass")
    return json.dumps(value) if isinstance(value, list) else value


def _use(path: Path, folder: Path) -> None:
    before = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CometWarning)
        mine = Ledger(folder / "mine.sqlite3", stores_text=True)
        for attempt in (lambda: mine.merge(path), lambda: mine.merge(path)):
            _tried(attempt)
        assert path.read_bytes() == before, "a merge changes the other ledger"
        _read(mine, folder)
        theirs = Ledger(path)
        _read(theirs, folder)
        for ledger in (mine, theirs):
            ledger.close()


def _read(ledger: Ledger, folder: Path) -> None:
    for look in (
        lambda: _check_frame(ledger.usage()),
        lambda: ledger.spent("30d", backend=None),
        lambda: ledger.usage("2h", model="gpt-5.4"),
        lambda: ledger.search("comet"),
        lambda: ledger.export(folder / "usage.csv"),
        lambda: ledger.delete(before="900d"),
    ):
        _tried(look)


def _check_frame(frame: Any) -> None:
    assert frame.shape[1] == _FRAME_COLUMNS
    assert frame.created_at.is_monotonic_increasing
    check_text(frame.to_string())


def _tried(act: Any) -> None:
    try:
        act()
    except CometError as error:
        check_error(error)


@cache
def _whole() -> bytes:
    """Return a small ledger as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        ledger = Ledger(path, stores_text=True)
        for number in range(6):
            ledger(an_attempt(number, attempt_id=f"{number:032x}", call_id=f"{number:032x}"))
        assert ledger.flush(timeout_s=60)
        ledger.close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA page_size = 512")
            connection.execute("VACUUM")
        return path.read_bytes()


def _other(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "other.sqlite3"
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return path.read_bytes()


_VERSIONS = "CREATE TABLE cometnb_schema (version INTEGER, applied_at_us BIGINT)"


def _files() -> Iterator[bytes]:
    yield _whole()
    yield b""
    yield b"no database"
    yield _other("CREATE TABLE other (a)")
    yield _other(_VERSIONS, "INSERT INTO cometnb_schema VALUES (2, 0)")
    yield _other(_VERSIONS, "INSERT INTO cometnb_schema VALUES ('two', 0)")
    yield _other(_VERSIONS, "INSERT INTO cometnb_schema VALUES (-5, 0)")
    yield _other(_VERSIONS, "INSERT INTO cometnb_schema VALUES (99, 0)")


def _values() -> Iterator[bytes]:
    row = {
        "created_at_us": 1, "input_tokens": "many", "cost_usd": "x", "model": 5, "version": 2, "n_events": -1,
        "prompt": None, "attempt_id": "a", "status": [1], "duration_s": 1e308, "n_tool_calls": "{}", "answer": "x",
    }  # fmt: skip
    for name, value in row.items():
        yield json.dumps([{name: value}]).encode()
    yield json.dumps([row]).encode()
    yield json.dumps([dict.fromkeys(_COLUMNS, 0)]).encode()
    yield json.dumps([dict.fromkeys(_COLUMNS)]).encode()
    yield json.dumps([dict.fromkeys(_COLUMNS, 2**62)]).encode()
    yield json.dumps([dict.fromkeys(_COLUMNS, 0.5)]).encode()


TARGETS = (
    Target("ledger_file", ledger_file, _files, tokens=_TOKENS, limit_s=10.0, n_tested=6),
    Target("ledger_values", ledger_values, _values, tokens=_JSON_TOKENS, limit_s=10.0, n_tested=6),
)
