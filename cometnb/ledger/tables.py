"""The ledger's tables in a database, and the numbered steps that bring an older one up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.rows import COLUMNS, READ_COLUMNS, Kind, microseconds
from cometnb.ledger.selection import Selection

__all__ = ["ATTEMPTS", "MIGRATIONS", "bring_up_to_date", "schema_version", "selected"]

_TYPES: dict[Kind, type[sa.types.TypeEngine[Any]]] = {
    Kind.TEXT: sa.Text,
    Kind.ID: sa.Text,
    Kind.COUNT: sa.BigInteger,
    Kind.NUMBER: sa.Double,
}


def _attempts(version: int) -> sa.Table:
    """Return the table of attempts as it was at a schema version."""
    columns = (column for column in COLUMNS if column.stored and column.version <= version)
    return sa.Table(
        "cometnb_attempts",
        sa.MetaData(),
        *(
            sa.Column(
                column.name,
                _TYPES[column.kind],
                primary_key=column.name == "attempt_id",
                nullable=column.name not in ("attempt_id", "created_at_us"),
            )
            for column in columns
        ),
        sa.Index("cometnb_attempts_created_at_us", "created_at_us"),
    )


def _create(connection: sa.Connection) -> None:
    _attempts(version=1).create(connection)


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_create,)
"""Step n brings a ledger of version n - 1 to version n; a step that was released never changes."""

ATTEMPTS = _attempts(version=len(MIGRATIONS))
"""One row per attempt, as the newest version has it."""

# One row per step that was taken, so that the file tells its own history.
_VERSIONS = sa.Table(
    "cometnb_schema",
    sa.MetaData(),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("applied_at_us", sa.BigInteger, nullable=False),
)


def schema_version(connection: sa.Connection, place: str) -> int:
    """Return the version of the ledger's tables; 0 where there are none.

    Raises
    ------
    LedgerError
        If the tables were made by a newer cometnb than this.
    """
    if not sa.inspect(connection).has_table(_VERSIONS.name):
        return 0
    version = connection.scalar(sa.select(sa.func.max(_VERSIONS.c.version))) or 0
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"The ledger {place} has schema version {version}; this cometnb knows up to {len(MIGRATIONS)}.",
            'pip install --upgrade cometnb, or use another ledger: cometnb.Ledger("usage.sqlite3")',
        )
    return version


def bring_up_to_date(connection: sa.Connection, place: str) -> None:
    """Take the steps that are missing, inside the connection's transaction.

    Raises
    ------
    LedgerError
        If the tables were made by a newer cometnb than this; nothing is changed then.
    """
    version = schema_version(connection, place)
    _VERSIONS.create(connection, checkfirst=True)
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        step(connection)
        connection.execute(
            sa.insert(_VERSIONS).values(version=number, applied_at_us=microseconds(datetime.now(UTC)))
        )


def selected(selection: Selection) -> sa.Select[Any]:
    """Return the query for the `READ_COLUMNS` of the rows that are wanted, in no particular order."""
    columns = ATTEMPTS.c
    query = sa.select(*(columns[column.name] for column in READ_COLUMNS))
    if selection.since_us is not None:
        query = query.where(columns["created_at_us"] >= selection.since_us)
    for names, values in selection.wanted:
        query = query.where(sa.or_(*(columns[name].in_(sorted(values)) for name in names)))
    return query
