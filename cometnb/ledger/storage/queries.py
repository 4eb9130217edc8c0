"""What is asked of the ledger's tables: rows for the frame, rows for another ledger, sums, texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from cometnb.ledger.rows import STORED_COLUMNS, Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.contexts import SHARED, Shared, Texts
from cometnb.ledger.tables import CURRENT, Tables

__all__ = [
    "FRAME_COLUMNS",
    "batches",
    "count_in",
    "frame_query",
    "has_contents",
    "holding",
    "known_ids",
    "rows_in",
    "shared_texts",
    "sums_query",
    "wanted",
]

# Enough to make the cost of a round trip vanish, few enough that their objects die in the CPU's cache and before the
# garbage collector looks at them.
_ROWS_PER_FETCH = 600
_IDS_PER_QUERY = 500

_SHARED_KINDS = frozenset(shared.kind for shared in SHARED)

FRAME_COLUMNS = tuple(
    column
    for column in STORED_COLUMNS
    if column.kind not in _SHARED_KINDS and (column.shown or column.name == "created_at_us")
)
"""The columns of its own that a row brings into the usage frame; the shared texts follow by its keys."""


def wanted(query: sa.Select[Any], tables: Tables, selection: Selection) -> sa.Select[Any]:
    """Return the query, limited to the rows of a selection."""
    attempts, contexts = tables.attempts.c, tables.contexts.c
    if selection.since_us is not None:
        query = query.where(attempts.created_at_us >= selection.since_us)
    if selection.before_us is not None:
        query = query.where(attempts.created_at_us < selection.before_us)
    if not selection.wanted:
        return query
    texts = attempts if tables.version == 1 else contexts
    holds = [
        sa.or_(*(texts[name].in_(sorted(values)) for name in names)) for names, values in selection.wanted
    ]
    if tables.version == 1:
        return query.where(*holds)
    return query.where(attempts.context_key.in_(sa.select(contexts.context_key).where(*holds)))


def batches(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows of a query in batches, as they come and never all at once."""
    if connection.dialect.name == "sqlite":
        # The driver's own tuples: SQLAlchemy's rows cost a third more and bring nothing.
        cursor = connection.execute(query).cursor
        assert cursor is not None  # noqa: S101 - a query has one
        try:
            while batch := cursor.fetchmany(_ROWS_PER_FETCH):
                yield batch
        finally:
            # Left behind by an error, it may come to its end after its connection.
            with suppress(sqlite3.ProgrammingError):
                cursor.close()
    else:
        # A cursor of the server's: the driver alone would fetch all rows before it gave out the first.
        with connection.execute(query, execution_options={"yield_per": 10 * _ROWS_PER_FETCH}) as result:
            yield from result.partitions()


def frame_query(selection: Selection) -> sa.Select[Any]:
    """Return the query for `FRAME_COLUMNS` and the keys of `SHARED` of the wanted rows, in no particular order."""
    columns = CURRENT.attempts.c
    keys = (columns[shared.key] for shared in SHARED)
    query = sa.select(*(columns[column.name] for column in FRAME_COLUMNS), *keys)
    return wanted(query, CURRENT, selection)


def shared_texts(connection: sa.Connection, tables: Tables, selection: Selection) -> list[dict[Any, Texts]]:
    """Return, for each of `SHARED`, the texts of the wanted rows by their key."""
    return [
        _texts_by_key(connection, tables, selection, shared, table)
        for shared, table in zip(SHARED, tables.shared, strict=True)
    ]


def _texts_by_key(
    connection: sa.Connection, tables: Tables, selection: Selection, shared: Shared, table: sa.Table
) -> dict[Any, Texts]:
    key = table.c[shared.key]
    query = sa.select(key, *(table.c[name] if name in table.c else sa.null() for name in shared.names))
    if selection != Selection():
        used = wanted(sa.select(tables.attempts.c[shared.key]), tables, selection)
        query = query.where(key.in_(used))
    return {row[0]: tuple(row[1:]) for batch in batches(connection, query) for row in batch}


def rows_in(
    connection: sa.Connection,
    tables: Tables,
    selection: Selection,
    *,
    attempts: sa.Table | None = None,
    with_contents: bool = False,
) -> Iterator[list[Row]]:
    """Yield the wanted rows whole, in batches, from tables of whichever version.

    Parameters
    ----------
    connection : Connection
        In a transaction that sees one state of the ledger throughout.
    tables : Tables
    selection : Selection
    attempts : Table, optional
        The table of attempts, if it has another name by now.
    with_contents : bool
        Whether the rows bring ``prompt`` and ``answer``, where they were stored.

    Yields
    ------
    list of dict
        Each with a value for every column of this version; what a later one brought is missing.
    """
    table = tables.attempts if attempts is None else attempts
    names = [column.name for column in table.c]
    query = sa.select(*table.c)
    texts = [] if tables.version == 1 else shared_texts(connection, tables, selection)
    if with_contents and tables.version > 1:
        names += ["prompt", "answer"]
        query = query.add_columns(tables.contents.c.prompt, tables.contents.c.answer).outerjoin(
            tables.contents, tables.contents.c.attempt_id == table.c.attempt_id
        )
    for batch in batches(connection, wanted(query, tables, selection)):
        rows = [dict(zip(names, values, strict=True)) for values in batch]
        for shared, by_key in zip(SHARED, texts, strict=False):
            for row in rows:
                row.update(zip(shared.names, by_key.get(row.pop(shared.key), shared.nothing), strict=True))
        yield rows


def sums_query(selection: Selection) -> sa.Select[Any]:
    """Return the query for the sums of the known costs and fees, and how many rows, known costs and unknown fees."""
    columns, contexts = CURRENT.attempts.c, CURRENT.contexts.c
    with_tools = sa.select(contexts.context_key).where(contexts.n_tool_calls.is_not(None))
    has_unknown_fee = sa.and_(columns.tool_fees_usd.is_(None), columns.context_key.in_(with_tools))
    query: Any = sa.select(
        sa.func.sum(columns.cost_usd),
        sa.func.sum(columns.tool_fees_usd),
        sa.func.count(),
        sa.func.count(columns.cost_usd),
        sa.func.sum(sa.case((has_unknown_fee, 1), else_=0)),
    )
    return wanted(query, CURRENT, selection)


def known_ids(connection: sa.Connection, attempt_ids: Sequence[Any]) -> set[Any]:
    """Return which of these attempts are there."""
    column = CURRENT.attempts.c.attempt_id
    found: set[Any] = set()
    # A database takes so many parameters and no more.
    for first in range(0, len(attempt_ids), _IDS_PER_QUERY):
        asked = attempt_ids[first : first + _IDS_PER_QUERY]
        found.update(connection.scalars(sa.select(column).where(column.in_(asked))))
    return found


def count_in(connection: sa.Connection, tables: Tables, selection: Selection) -> int:
    """Return how many rows are wanted, from tables of whichever version."""
    query: Any = sa.select(sa.func.count()).select_from(tables.attempts)
    return int(connection.scalar(wanted(query, tables, selection)) or 0)


def has_contents(connection: sa.Connection) -> bool:
    """Return whether any prompt or answer is stored."""
    return connection.scalar(sa.select(sa.exists(sa.select(CURRENT.contents.c.attempt_id)))) is True


def holding(text: str, selection: Selection) -> sa.Select[Any]:
    """Return the query for the stored prompts and answers that hold a text, oldest first.

    Parameters
    ----------
    text : str
        Found as it stands, whatever its case.
    selection : Selection

    Returns
    -------
    Select
        Of ``created_at_us, attempt_id, model, model_requested, status, prompt, answer``.
    """
    attempts, contexts, contents = CURRENT.attempts.c, CURRENT.contexts.c, CURRENT.contents.c
    query = (
        sa.select(
            attempts.created_at_us,
            attempts.attempt_id,
            contexts.model,
            contexts.model_requested,
            contexts.status,
            contents.prompt,
            contents.answer,
        )
        .join_from(CURRENT.contents, CURRENT.attempts, contents.attempt_id == attempts.attempt_id)
        .join(CURRENT.contexts, contexts.context_key == attempts.context_key)
        .where(sa.or_(_holds(contents.prompt, text), _holds(contents.answer, text)))
        .order_by(attempts.created_at_us, attempts.attempt_id)
    )
    return wanted(query, CURRENT, selection)


def _holds(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    return column.icontains(text, autoescape=True)
