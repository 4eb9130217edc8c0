"""The database that holds the ledger: opened when first needed, opened again when it was taken away."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from cometnb._extras import extra
from cometnb.errors import LedgerError
from cometnb.ledger.place import shown_place
from cometnb.ledger.rows import Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.tables import ATTEMPTS, MIGRATIONS, bring_up_to_date, schema_version, selected

__all__ = ["Database"]

_BUSY_TIMEOUT_S = 5.0
# Enough to make the cost of a round trip vanish, few enough that their objects die in the CPU's cache.
_ROWS_PER_FETCH = 4_000
_INSERTS = {
    "sqlite": sqlite.insert(ATTEMPTS).on_conflict_do_nothing(index_elements=["attempt_id"]),
    "postgresql": postgresql.insert(ATTEMPTS).on_conflict_do_nothing(index_elements=["attempt_id"]),
}


class Database:
    """The ledger's tables in SQLite or PostgreSQL, for any number of threads and processes at a time.

    Parameters
    ----------
    place : str
        An absolute path, or an SQLAlchemy URL.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._opening = threading.Lock()
        self._engine: sa.Engine | None = None
        self._file: tuple[int, int] | None = None

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, all or none; one whose `attempt_id` is there already is left as it is.

        Raises
        ------
        LedgerError
            If the database cannot be opened or written, or is of a newer cometnb.
        MissingExtraError
            If its driver is not installed.
        """
        with self._explained("written"):
            engine = self._opened()
            with _writing(engine).begin() as connection:
                connection.execute(_INSERTS[engine.dialect.name], list(rows))

    def read(self, selection: Selection) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield the wanted rows in batches, each row a tuple in the order of `READ_COLUMNS`.

        Raises
        ------
        LedgerError
            If the database cannot be opened or read, or is of a newer cometnb.
        MissingExtraError
            If its driver is not installed.
        """
        with self._explained("read"), self._opened().connect() as connection:
            # The driver's own tuples: SQLAlchemy's rows cost a third more and bring nothing.
            cursor = connection.execute(selected(selection)).cursor
            while batch := cursor.fetchmany(_ROWS_PER_FETCH):
                yield batch

    def close(self) -> None:
        """Close every connection; the next use opens the database again."""
        with self._opening:
            self._dispose()

    def forget(self) -> None:
        """Let go of connections that belong to the parent process, without closing them."""
        self._opening = threading.Lock()
        if self._engine is not None:
            self._engine.dispose(close=False)

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._file = None

    def _opened(self) -> sa.Engine:
        with self._opening:
            # A file that was deleted lives on behind an open connection, and rows would vanish into it.
            if self._engine is not None and self._file != _identity(self._engine.url):
                self._dispose()
            if self._engine is None:
                engine = self._connected()
                self._engine, self._file = engine, _identity(engine.url)
            return self._engine

    def _connected(self) -> sa.Engine:
        engine = _engine_for(self._place)
        try:
            with engine.connect() as connection:
                version = schema_version(connection, shown_place(self._place))
            if version < len(MIGRATIONS):
                _use_write_ahead_log(engine)
                with _writing(engine).begin() as connection:
                    bring_up_to_date(connection, shown_place(self._place))
        finally:
            # Connections from before the tables were there still have the old journal's settings.
            engine.dispose()
        return engine

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            reason = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
            raise LedgerError(
                f"The ledger {shown_place(self._place)} cannot be {done}: {shown_place(str(reason))}",
                'Make it usable, or take another place: cometnb.Ledger("usage.sqlite3") or COMETNB_LEDGER.',
            ) from error


def _engine_for(place: str) -> sa.Engine:
    url = sa.make_url(place) if "://" in place else sa.URL.create("sqlite", database=place)
    dialect = url.get_backend_name()
    if dialect not in _INSERTS:
        raise LedgerError(
            f"The ledger {shown_place(place)} is a {dialect} database; it can be SQLite or PostgreSQL.",
            "Use a path, sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE.",
        )
    if dialect == "postgresql":
        if url.drivername == dialect:
            url = url.set(drivername="postgresql+psycopg")
        with extra("postgres", "A ledger in PostgreSQL"):
            return sa.create_engine(url, pool_pre_ping=True)
    if path := _path_of(url):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _writing(engine: sa.Engine) -> sa.Engine:
    return engine.execution_options(cometnb_writes=True)


def _set_up(connection: Any, _record: object) -> None:
    # The driver would open transactions by itself, late and only for some statements; see `_begin`.
    connection.isolation_level = None
    # With a write-ahead log a crash can lose the last rows but never harm the file, and a row needs no fsync.
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads and then writes fails at once if another process wrote in between, whatever the
    # busy timeout; one that announces itself waits for its turn.
    writes = connection.get_execution_options().get("cometnb_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_write_ahead_log(engine: sa.Engine) -> None:
    """Ask SQLite for its write-ahead log; the file remembers it. Network drives cannot, and go on without."""
    if engine.dialect.name != "sqlite":
        return
    with suppress(sa.exc.OperationalError), engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()


def _path_of(url: sa.URL) -> Path | None:
    """Return the file of an SQLite URL; None for another database, and for one given as ``file:``."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _identity(url: sa.URL) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is no file."""
    path = _path_of(url)
    with suppress(OSError):
        if path is not None:
            status = path.stat()
            return status.st_dev, status.st_ino
    return None
