"""What the ledger holds and what still waits, together: as a frame, and as a sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import fsum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.frames import usage_frame
from cometnb.ledger.rows import Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.spent import Spent
from cometnb.ledger.storage.as_found import reading_as_found
from cometnb.ledger.storage.database import Database
from cometnb.ledger.storage.faults import is_forbidden
from cometnb.ledger.storage.pricing import Pricing
from cometnb.ledger.storage.queries import batches, frame_query, known_ids, rows_in, shared_texts, sums_query
from cometnb.ledger.tables import CURRENT, Tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_frame", "read_spent"]


def read_frame(
    database: Database | None, selection: Selection, rows: Sequence[Row], pricing: Pricing
) -> pd.DataFrame:
    """Return the usage frame.

    Parameters
    ----------
    database : Database or None
        None is a ledger that is nowhere but in memory.
    selection : Selection
    rows : sequence of dict
        The wanted rows that wait in memory.
    pricing : Pricing

    Raises
    ------
    LedgerError
        If the database cannot be read.
    MissingExtraError
        If its driver is not installed.
    """
    if database is None:
        return usage_frame((), None, rows, pricing)
    try:
        with database.reading() as connection:
            return _frame(connection, CURRENT, selection, rows, pricing)
    except LedgerError as error:
        # A ledger that may not be written can still be read as it was left.
        if is_forbidden(error):
            with suppress(LedgerError), reading_as_found(database.place) as (connection, tables):
                return _frame(connection, tables, selection, rows, pricing)
        raise


def _frame(
    connection: sa.Connection, tables: Tables, selection: Selection, rows: Sequence[Row], pricing: Pricing
) -> pd.DataFrame:
    if tables.version < CURRENT.version:
        older = [row for batch in rows_in(connection, tables, selection) for row in batch]
        return usage_frame((), None, [*older, *rows], pricing)
    texts = shared_texts(connection, tables, selection)
    return usage_frame(batches(connection, frame_query(selection)), texts, rows, pricing)


def read_spent(database: Database | None, selection: Selection, rows: Sequence[Row]) -> Spent:
    """Return the sum of the wanted rows.

    Parameters
    ----------
    database, selection
        As in `read_frame`.
    rows : sequence of dict
        The wanted rows that wait in memory, priced; one that has been written meanwhile counts once.

    Raises
    ------
    LedgerError, MissingExtraError
        As `read_frame`.
    """
    if database is None:
        return _summed(rows)
    with database.reading() as connection:
        usd, fees_usd, n_attempts, n_priced, n_unknown_fees = connection.execute(sums_query(selection)).one()
        written = known_ids(connection, [row["attempt_id"] for row in rows])
    waiting = _summed(row for row in rows if row["attempt_id"] not in written)
    return Spent(
        (usd or 0.0) + waiting.usd,
        n_attempts + waiting.n_attempts,
        n_attempts - n_priced + waiting.n_unpriced,
        (fees_usd or 0.0) + waiting.fees_usd,
        int(n_unknown_fees or 0) + waiting.n_unknown_fees,
    )


def _summed(rows: Iterable[Row]) -> Spent:
    unique = {row["attempt_id"]: row for row in rows}.values()
    known = [cost for row in unique if isinstance(cost := row["cost_usd"], float)]
    fees = [fee for row in unique if isinstance(fee := row["tool_fees_usd"], float)]
    n_unknown = sum(row["tool_fees_usd"] is None and row["n_tool_calls"] is not None for row in unique)
    return Spent(fsum(known), len(unique), len(unique) - len(known), fsum(fees), n_unknown)
