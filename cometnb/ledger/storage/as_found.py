"""A ledger that is read and not touched: neither made, nor brought up to date, nor written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.place import shown_place
from cometnb.ledger.storage.engine import file_of, read_only_engines, snapshot, url_of
from cometnb.ledger.storage.faults import explained
from cometnb.ledger.storage.migrations import schema_version
from cometnb.ledger.tables import Tables, tables_of

__all__ = ["reading_as_found"]


@contextmanager
def reading_as_found(place: str) -> Iterator[tuple[sa.Connection, Tables]]:
    """Give a transaction that reads, and the tables of the version that the ledger has.

    Parameters
    ----------
    place : str
        An absolute path, or an SQLAlchemy URL.

    Raises
    ------
    LedgerError
        If there is no ledger, it cannot be read, or it is of a newer cometnb.
    MissingExtraError
        If its driver is not installed.
    """
    with explained(place, "read"):
        engine = _reachable(place)
        try:
            with snapshot(engine).connect() as connection:
                version = schema_version(connection, shown_place(place))
                if not version:
                    raise _missing(place)
                yield connection, tables_of(version)
        finally:
            engine.dispose()


def _reachable(place: str) -> sa.Engine:
    """Return the first engine that gets at the tables."""
    url = url_of(place)
    path = file_of(url)
    if path is not None and not path.is_file():
        raise _missing(place)
    *firsts, last = read_only_engines(url)
    for engine in firsts:
        try:
            with engine.connect() as connection:
                schema_version(connection, shown_place(place))
            return engine
        except sa.exc.OperationalError:
            engine.dispose()
    return last


def _missing(place: str) -> LedgerError:
    return LedgerError(
        f"There is no ledger at {shown_place(place)}.",
        "Give the path or the URL of one: COMETNB_LEDGER or repr(cometnb.Ledger()) says where yours is.",
    )
