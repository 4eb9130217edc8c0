"""The process that row 8 measures: it records attempts in one of several ways and prints the seconds as JSON.

``python -m benchmarks.recorder WAY PATH N``; the ways in tens say "ready" and wait for a line before they begin.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable

from benchmarks.attempts import an_attempt
from cometnb.ledger import Ledger
from cometnb.ledger.rows import STORED_COLUMNS, row_of

__all__: list[str] = []

_LONGEST_WAIT_S = 60.0
_NAMES = [column.name for column in STORED_COLUMNS]
_CREATE = f"CREATE TABLE IF NOT EXISTS flat (attempt_id TEXT PRIMARY KEY, {', '.join(n for n in _NAMES if n != 'attempt_id')})"
_INSERT = f"INSERT INTO flat ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608


def _flat(path: str, n_rows: int) -> dict[str, list[float]]:
    connection = _connected(path)
    taken_s = []
    for number in range(n_rows):
        row = row_of(an_attempt(number))
        start_s = time.perf_counter()
        connection.execute(_INSERT, [row[name] for name in _NAMES])
        connection.commit()
        taken_s.append(time.perf_counter() - start_s)
    return {"flat": taken_s}


def _ledger(path: str, n_rows: int) -> dict[str, list[float]]:
    ledger = Ledger(path)
    # Loading SQLAlchemy and the list of prices is paid once, while the first answer is read.
    ledger(an_attempt(0))
    assert ledger.flush(_LONGEST_WAIT_S)
    call_s, whole_s = [], []
    for number in range(n_rows):
        attempt = an_attempt(number)
        start_s = time.perf_counter()
        ledger(attempt)
        call_s.append(time.perf_counter() - start_s)
        assert ledger.flush(_LONGEST_WAIT_S)
        whole_s.append(time.perf_counter() - start_s)
    attempts = [an_attempt(number) for number in range(1_000)]
    start_s = time.perf_counter()
    for attempt in attempts:
        ledger(attempt)
    assert ledger.flush(_LONGEST_WAIT_S)
    return {"whole": whole_s, "call": call_s, "together": [(time.perf_counter() - start_s) / 1_000]}


def _flat_in_tens(path: str, n_rows: int) -> None:
    rows = [row_of(an_attempt(number)) for number in range(n_rows)]
    _wait()
    connection = _connected(path)
    for first in range(0, n_rows, 10):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, [[row[name] for name in _NAMES] for row in rows[first : first + 10]])
        connection.commit()


def _ledger_in_tens(path: str, n_rows: int) -> None:
    attempts = [an_attempt(number) for number in range(n_rows)]
    _wait()
    ledger = Ledger(path)
    for number, attempt in enumerate(attempts):
        ledger(attempt)
        if number % 10 == 9:
            assert ledger.flush(_LONGEST_WAIT_S)
    assert ledger.flush(_LONGEST_WAIT_S)


def _count(path: str, _n_rows: int) -> int:
    with sqlite3.connect(path) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        table = "flat" if "flat" in tables else "cometnb_attempts"
        return int(connection.execute(f"SELECT count(DISTINCT attempt_id) FROM {table}").fetchone()[0])  # noqa: S608


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LONGEST_WAIT_S)
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(_CREATE)
    connection.commit()
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # SQLite does not wait its busy timeout for this switch: of two that ask at once for a new file, one fails.
    last_s = time.monotonic() + _LONGEST_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > last_s:
                raise
            time.sleep(0.001)
        else:
            return


def _wait() -> None:
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()


_WAYS: dict[str, Callable[[str, int], object]] = {
    "flat": _flat,
    "ledger": _ledger,
    "flat-tens": _flat_in_tens,
    "ledger-tens": _ledger_in_tens,
    "count": _count,
}

if __name__ == "__main__":
    print(json.dumps(_WAYS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
