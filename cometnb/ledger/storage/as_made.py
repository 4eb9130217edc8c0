"""Whether a ledger is one that cometnb has made: a file from somebody else can hold anything under the same names."""

from __future__ import annotations

import math
from collections.abc import Iterator

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.rows import STORED_COLUMNS, Kind, Row
from cometnb.ledger.storage.faults import FOREIGN

__all__ = ["check_schema", "checked", "foreign"]

_NAMES = "cometnb_"
_STRANGE = sa.text(
    "SELECT type || ' ' || name FROM sqlite_master WHERE substr(tbl_name, 1, :n) = :names"
    " AND (type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%')"
)
_ALLOWED: dict[Kind, tuple[type, ...]] = {Kind.COUNT: (int,), Kind.NUMBER: (float, int)}
_TYPES = {column.name: (type(None), *_ALLOWED.get(column.kind, (str,))) for column in STORED_COLUMNS}
_TEXTS = (type(None), str)
_NEEDED = ("attempt_id", "created_at_us")
_NUMBERS = tuple(column.name for column in STORED_COLUMNS if column.kind is Kind.NUMBER)
# What a table's moments can be: nanoseconds of 64 bits.
_LONGEST_US = (2**63 - 1) // 1_000


def check_schema(connection: sa.Connection, place: str) -> None:
    """Refuse a file in which a view stands for a table, or a table acts by itself: it could go on without end.

    Raises
    ------
    LedgerError
        As it is such a file.
    """
    if connection.dialect.name != "sqlite":
        return
    strange = connection.scalar(_STRANGE, {"n": len(_NAMES), "names": _NAMES})
    if strange is not None:
        raise foreign(place, f"it has a {strange!s:.60}")


def checked(batches: Iterator[list[Row]], place: str) -> Iterator[list[Row]]:
    """Yield rows that hold what their columns can have; one that does not ends it.

    Raises
    ------
    LedgerError
        At such a row.
    """
    known: set[tuple[type, ...]] = set()
    for rows in batches:
        for row in rows:
            kinds = tuple(map(type, row.values()))
            # Few combinations come again and again.
            if kinds not in known:
                _check_types(row, place)
                known.add(kinds)
            _check_values(row, place)
        yield rows


def _check_types(row: Row, place: str) -> None:
    for name, value in row.items():
        if type(value) not in _TYPES.get(name, _TEXTS) or (value is None and name in _NEEDED):
            raise _spoilt(row, name, place)


def _check_values(row: Row, place: str) -> None:
    for name in _NUMBERS:
        value = row.get(name)
        if value is not None and not math.isfinite(float(value)):
            raise _spoilt(row, name, place)
    if abs(int(row["created_at_us"] or 0)) > _LONGEST_US:
        raise _spoilt(row, "created_at_us", place)


def _spoilt(row: Row, name: str, place: str) -> LedgerError:
    return foreign(place, f"a row ({row.get('attempt_id')!r:.40}) has {name}={row[name]!r:.40}")


def foreign(place: str, why: str) -> LedgerError:
    """Return the error that says why a file is no ledger that cometnb has made."""
    return LedgerError(f"The ledger {place} is none that cometnb has made: {why}.", FOREIGN)
