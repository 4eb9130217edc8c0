"""The process that row 9 measures: it fills a ledger, or reads one, and prints the seconds as JSON.

``python -m benchmarks.reader WAY PATH N``
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time

from benchmarks.attempts import rows_of_a_year
from cometnb.ledger import Ledger
from cometnb.ledger.rows import COLUMNS, STORED_COLUMNS

__all__: list[str] = []

_NAMES = [column.name for column in STORED_COLUMNS]
_SUMMED = ["input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_usd"]


def _fill(way: str, path: str, n_rows: int) -> None:
    if way == "flat":
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE flat ({', '.join(_NAMES)})")
        insert = f"INSERT INTO flat VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608
        for rows in rows_of_a_year(n_rows):
            connection.executemany(insert, [[row[name] for name in _NAMES] for row in rows])
        connection.commit()
        connection.close()
        return
    from cometnb.ledger.storage.database import Database

    database = Database(path)
    unknown = {"cost_usd": None, "price_source": None} if way == "unpriced" else {}
    for rows in rows_of_a_year(n_rows):
        database.write([row | unknown for row in rows])
    database.close()


def _read_flat(path: str) -> dict[str, float]:
    import pandas as pd

    shown = ", ".join(column.name for column in COLUMNS if column.shown and column.stored)
    with sqlite3.connect(path) as connection:
        start_s = time.process_time()
        frame = pd.read_sql(f"SELECT created_at_us, {shown} FROM flat ORDER BY created_at_us", connection)  # noqa: S608
    read_s = time.process_time()
    frame.groupby("model")[_SUMMED].sum()
    return _parts(start_s, read_s)


def _read_ledger(path: str) -> dict[str, float]:
    from cometnb.ledger.summaries import by_model

    ledger = Ledger(path)
    # What is loaded once is not what is measured.
    by_model(ledger.usage("1s"))
    start_s = time.process_time()
    frame = ledger.usage()
    read_s = time.process_time()
    by_model(frame)
    return _parts(start_s, read_s)


def _parts(start_s: float, read_s: float) -> dict[str, float]:
    end_s = time.process_time()
    return {"frame": read_s - start_s, "by model": end_s - read_s, "together": end_s - start_s}


if __name__ == "__main__":
    way, path, n_rows = sys.argv[1:]
    if way.startswith("fill-"):
        _fill(way.removeprefix("fill-"), path, int(n_rows))
        print(json.dumps(None))
    else:
        print(json.dumps(_read_flat(path) if way == "flat" else _read_ledger(path)))
