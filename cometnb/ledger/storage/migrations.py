"""The numbered steps that bring an older ledger up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.rows import microseconds
from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.as_made import check_schema, foreign
from cometnb.ledger.storage.queries import rows_in
from cometnb.ledger.storage.statements import insert_rows
from cometnb.ledger.tables import SCHEMA_VERSION, VERSIONS, tables_of

__all__ = ["bring_up_to_date", "schema_version"]

# Any number will do, as long as nobody else's locks have it: the letters of "cometnb" as bytes.
_LOCK = int.from_bytes(b"cometnb")


def _create(connection: sa.Connection) -> None:
    tables_of(1).attempts.create(connection)


def _keep_texts_once(connection: sa.Connection) -> None:
    """Move the texts that repeat into a table of their own: reading a million rows then takes a third of the time."""
    old, new = tables_of(1), tables_of(2)
    former = "cometnb_attempts_1"
    connection.execute(sa.text(f"ALTER TABLE {old.attempts.name} RENAME TO {former}"))
    for table in (*new.shared, new.attempts, new.contents):
        table.create(connection)
    renamed = old.attempts.to_metadata(sa.MetaData(), name=former)
    for rows in rows_in(connection, old, Selection(), attempts=renamed):
        insert_rows(connection, new, rows)
    renamed.drop(connection)


_STEPS: tuple[Callable[[sa.Connection], None], ...] = (_create, _keep_texts_once)
assert len(_STEPS) == SCHEMA_VERSION  # noqa: S101 - a version without a step that leads to it


def schema_version(connection: sa.Connection, place: str) -> int:
    """Return the version of the ledger's tables; 0 where there are none.

    Parameters
    ----------
    connection : Connection
    place : str
        Where it is, as it may be shown.

    Raises
    ------
    LedgerError
        If the tables were made by a newer cometnb than this, or by none.
    """
    if not sa.inspect(connection).has_table(VERSIONS.name):
        return 0
    check_schema(connection, place)
    version = connection.scalar(sa.select(sa.func.max(VERSIONS.c.version))) or 0
    if type(version) is not int or version < 1:
        raise foreign(place, f"its version is {version!r:.40}")
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"The ledger {place} has schema version {version}; this cometnb knows up to {SCHEMA_VERSION}.",
            'pip install --upgrade cometnb, or use another ledger: cometnb.Ledger("usage.sqlite3")',
        )
    return version


def bring_up_to_date(connection: sa.Connection, place: str) -> None:
    """Take the steps that are missing, all or none, inside the connection's transaction.

    Step n brings a ledger of version n - 1 to version n; a step that was released never changes.

    Raises
    ------
    LedgerError
        If the tables were made by a newer cometnb than this; nothing is changed then.
    """
    if connection.dialect.name == "postgresql":
        # Two that create the same table at once are an error there, even with IF NOT EXISTS.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    version = schema_version(connection, place)
    VERSIONS.create(connection, checkfirst=True)
    for number, step in enumerate(_STEPS[version:], start=version + 1):
        step(connection)
        connection.execute(
            sa.insert(VERSIONS).values(version=number, applied_at_us=microseconds(datetime.now(UTC)))
        )
