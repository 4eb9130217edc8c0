"""The database that holds the ledger: opened when first needed, opened again when it was taken away."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from cometnb.ledger.place import shown_place
from cometnb.ledger.rows import Row
from cometnb.ledger.storage.engine import (
    engine_for,
    file_of,
    snapshot,
    url_of,
    use_write_ahead_log,
    writing,
)
from cometnb.ledger.storage.faults import explained
from cometnb.ledger.storage.migrations import bring_up_to_date, schema_version
from cometnb.ledger.storage.statements import insert_rows
from cometnb.ledger.tables import CURRENT, SCHEMA_VERSION

__all__ = ["Database"]


class Database:
    """The ledger's tables in SQLite or PostgreSQL, for any number of threads and processes at a time.

    Parameters
    ----------
    place : str
        An absolute path, or an SQLAlchemy URL.

    Attributes
    ----------
    place : str
        The same.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._opening = threading.Lock()
        self._engine: sa.Engine | None = None
        self._file: tuple[int, int] | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows, all or none; one whose `attempt_id` is there already is left as it is.

        Returns
        -------
        int
            How many were added.

        Raises
        ------
        LedgerError
            If the database cannot be opened or written, or is of a newer cometnb.
        MissingExtraError
            If its driver is not installed.
        """
        with self.changing("written") as connection:
            return insert_rows(connection, CURRENT, rows)

    @contextmanager
    def changing(self, done: str) -> Iterator[sa.Connection]:
        """Give a transaction that writes: all of the block is done, or none of it.

        Parameters
        ----------
        done : str
            What an error says cannot be done, as in "cannot be written".

        Raises
        ------
        LedgerError, MissingExtraError
            As `write`.
        """
        with explained(self.place, done), writing(self._opened()).begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a transaction that reads, and sees one state of the ledger throughout.

        Raises
        ------
        LedgerError
            If the database cannot be opened or read, or is of a newer cometnb.
        MissingExtraError
            If its driver is not installed.
        """
        with explained(self.place, "read"), snapshot(self._opened()).connect() as connection:
            yield connection

    def tidy(self) -> None:
        """Give the room of deleted rows back to the disk, and leave nothing of them in the file.

        SQLite only; PostgreSQL does so by itself. Somebody else's long transaction puts it off to the next time.
        """
        engine = self._opened()
        if engine.dialect.name != "sqlite":
            return
        with suppress(sa.exc.OperationalError), engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()

    def close(self) -> None:
        """Close every connection; the next use opens the database again."""
        with self._opening:
            self._dispose()

    def forget(self) -> None:
        """Let go of connections that belong to the parent process, without closing them."""
        self._opening = threading.Lock()
        if self._engine is not None and self._finalizer is not None:
            self._finalizer.detach()
            self._engine.dispose(close=False)
        self._engine = self._file = self._finalizer = None

    def _dispose(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._engine = self._file = self._finalizer = None

    def _opened(self) -> sa.Engine:
        with self._opening:
            # A file that was deleted lives on behind an open connection, and rows would vanish into it.
            if self._engine is not None and self._file != _identity(self._engine.url):
                self._dispose()
            if self._engine is None:
                engine = self._connected()
                self._engine, self._file = engine, _identity(engine.url)
                # Who forgets a ledger closes its connections.
                self._finalizer = weakref.finalize(self, engine.dispose)
            return self._engine

    def _connected(self) -> sa.Engine:
        engine = engine_for(url_of(self.place))
        try:
            with engine.connect() as connection:
                version = schema_version(connection, shown_place(self.place))
            if version < SCHEMA_VERSION:
                use_write_ahead_log(engine)
                with writing(engine).begin() as connection:
                    bring_up_to_date(connection, shown_place(self.place))
        finally:
            # Connections from before the tables were there still have the old journal's settings.
            engine.dispose()
        return engine


def _identity(url: sa.URL) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is no file."""
    path = file_of(url)
    with suppress(OSError):
        if path is not None:
            status = path.stat()
            return status.st_dev, status.st_ino
    return None
