"""What changes the ledger's tables: rows that are added, rows that are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from cometnb.ledger.rows import Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.contexts import SHARED, key_of, texts_of
from cometnb.ledger.storage.queries import wanted
from cometnb.ledger.tables import CURRENT, Tables

__all__ = ["DIALECTS", "delete_rows", "insert_rows"]

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

DIALECTS = frozenset(_INSERTS)
"""The databases that a ledger can be in, as SQLAlchemy names them."""


def insert_rows(connection: sa.Connection, tables: Tables, rows: Sequence[Row]) -> int:
    """Add rows; one whose `attempt_id` is there already is left as it is.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    tables : Tables
        Of version 2 or later.
    rows : sequence of dict
        What is missing in one is not known. With ``prompt`` or ``answer`` in it, these are kept, too.

    Returns
    -------
    int
        How many were added.
    """
    if not rows:
        return 0
    texts: list[dict[int, dict[str, Any]]] = [{} for _ in SHARED]
    attempts: list[dict[str, Any]] = []
    names = [column.name for column in tables.attempts.c]
    for row in rows:
        keys = {}
        for shared, table, seen in zip(SHARED, tables.shared, texts, strict=True):
            key = keys[shared.key] = key_of(shared.names, texts_of(row, shared.names))
            if key not in seen:
                seen[key] = {column.name: row.get(column.name) for column in table.c} | {shared.key: key}
        attempts.append({name: row.get(name) for name in names} | keys)
    contents = [
        {name: row.get(name) for name in ("attempt_id", "prompt", "answer")}
        for row in rows
        if (row.get("prompt"), row.get("answer")) != (None, None)
    ]
    # Everybody in the same order: two that wait for each other's keys would never end.
    for table, seen in zip(tables.shared, texts, strict=True):
        _insert(connection, table, [seen[key] for key in sorted(seen)])
    n_added = _insert(
        connection, tables.attempts, sorted(attempts, key=itemgetter("created_at_us", "attempt_id"))
    )
    if contents:
        _insert(connection, tables.contents, sorted(contents, key=itemgetter("attempt_id")))
    return n_added


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> int:
    keys = [*table.primary_key.columns]
    insert = _INSERTS[connection.dialect.name](table).on_conflict_do_nothing(index_elements=keys)
    if connection.dialect.name == "sqlite":
        return int(connection.execute(insert, rows).rowcount)
    # Many rows go there in one statement, of which the driver does not say how many are new.
    return len(connection.execute(insert.returning(*keys), rows).all())


def delete_rows(connection: sa.Connection, selection: Selection) -> int:
    """Take the wanted rows out, with their prompts and answers, and the texts that no row has any more.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    selection : Selection
        Which rows.

    Returns
    -------
    int
        How many were taken out.
    """
    attempts, contents = CURRENT.attempts, CURRENT.contents
    if connection.dialect.name == "postgresql":
        # Whoever adds a row adds its texts first, and so waits here: texts that are in use are not taken away.
        connection.execute(sa.text(f"LOCK TABLE {CURRENT.contexts.name} IN SHARE ROW EXCLUSIVE MODE"))
    chosen = wanted(sa.select(attempts.c.attempt_id), CURRENT, selection)
    connection.execute(sa.delete(contents).where(contents.c.attempt_id.in_(chosen)))
    n_deleted = connection.execute(sa.delete(attempts).where(attempts.c.attempt_id.in_(chosen))).rowcount
    for shared, table in zip(SHARED, CURRENT.shared, strict=True):
        used = sa.select(attempts.c[shared.key]).distinct()
        connection.execute(sa.delete(table).where(table.c[shared.key].not_in(used)))
    return int(n_deleted)
