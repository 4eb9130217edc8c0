"""Rows that are taken out of the ledger for good."""

from __future__ import annotations

from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.database import Database
from cometnb.ledger.storage.queries import count_in
from cometnb.ledger.storage.statements import delete_rows
from cometnb.ledger.tables import CURRENT

__all__ = ["count_rows", "take_out"]


def count_rows(database: Database, selection: Selection) -> int:
    """Return how many rows are wanted.

    Raises
    ------
    LedgerError, MissingExtraError
        If the database cannot be read.
    """
    with database.reading() as connection:
        return count_in(connection, CURRENT, selection)


def take_out(database: Database, selection: Selection) -> int:
    """Delete the wanted rows with all that belongs to them alone, and return how many they were.

    Raises
    ------
    LedgerError, MissingExtraError
        If the database cannot be changed.
    """
    with database.changing("changed") as connection:
        n_deleted = delete_rows(connection, selection)
    if n_deleted:
        database.tidy()
    return n_deleted
