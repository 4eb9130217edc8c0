"""A ledger as the first version of cometnb wrote it: its tables, made by SQL, and rows in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ledger.attempts import EPOCH

__all__ = ["COLUMNS", "first_ledger", "first_row"]

_TEXTS = (
    "response_id", "previous_response_id", "conversation", "notebook", "cell_id", "tag", "backend",
    "model_requested", "model", "effort", "service_tier", "status", "error_code", "usage_source", "call_id",
    "base_url", "request_id",
)  # fmt: skip
_COUNTS = (
    "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "total_tokens",
    "n_events", "n_retries", "http_status",
)  # fmt: skip
_NUMBERS = ("ttft_s", "duration_s")

COLUMNS = ("attempt_id", "created_at_us", *_TEXTS, *_COUNTS, *_NUMBERS)
"""The columns of its one table."""

_TABLES = (
    "CREATE TABLE cometnb_attempts (attempt_id TEXT NOT NULL PRIMARY KEY, created_at_us BIGINT NOT NULL, "
    + ", ".join(f"{name} TEXT" for name in _TEXTS)
    + ", "
    + ", ".join(f"{name} BIGINT" for name in _COUNTS)
    + ", "
    + ", ".join(f"{name} DOUBLE PRECISION" for name in _NUMBERS)
    + ")",
    "CREATE INDEX cometnb_attempts_created_at_us ON cometnb_attempts (created_at_us)",
    "CREATE TABLE cometnb_schema (version INTEGER NOT NULL PRIMARY KEY, applied_at_us BIGINT NOT NULL)",
    "INSERT INTO cometnb_schema VALUES (1, 1790000000000000)",
)


def first_row(number: int) -> dict[str, Any]:
    """Return row `number`: every seventh is of a call that failed, and no two of thirteen are of one cell."""
    row = dict.fromkeys(COLUMNS) | {
        "attempt_id": f"{number:032x}",
        "created_at_us": int(EPOCH.timestamp()) * 1_000_000 + number,
        "response_id": f"resp_{number}",
        "notebook": "it's a notebook.ipynb",
        "cell_id": f"c{number % 13}",
        "tag": "a" if number % 2 else None,
        "backend": "api",
        "model_requested": "gpt-5.4",
        "model": "gpt-5.4-2026-03-05",
        "status": "completed",
        "input_tokens": 100 + number,
        "output_tokens": 10,
        "total_tokens": 110 + number,
        "usage_source": "reported",
        "ttft_s": 0.25,
        "duration_s": 2.0,
        "n_events": 12,
        "n_retries": 0,
        "call_id": f"call_{number}",
        "base_url": "https://api.cometapi.com/v1",
        "http_status": 200,
    }
    failed = {"status": "error", "error_code": "http_500", "model": None, "usage_source": "none"}
    nothing = dict.fromkeys((*_COUNTS[:6], "response_id", "ttft_s"))
    return row | failed | nothing if number % 7 == 6 else row


def first_ledger(place: str, query: Callable[..., Any], n_rows: int, more: tuple[str, ...] = ()) -> None:
    """Make such a ledger with `n_rows` rows; `more` are statements that follow."""
    rows = (first_row(number) for number in range(n_rows))
    values = [", ".join(_literal(row[name]) for name in COLUMNS) for row in rows]
    inserts = [
        f"INSERT INTO cometnb_attempts ({', '.join(COLUMNS)}) VALUES ({'), ('.join(values[first : first + 500])})"  # noqa: S608
        for first in range(0, n_rows, 500)
    ]
    query(place, *_TABLES, *inserts, *more)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
