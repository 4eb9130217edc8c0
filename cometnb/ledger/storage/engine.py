"""A database opened for the ledger: SQLite as it serves many writers best, or PostgreSQL; never another."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from cometnb._extras import extra
from cometnb.errors import LedgerError
from cometnb.ledger.place import shown_place
from cometnb.ledger.storage.statements import DIALECTS

__all__ = [
    "engine_for",
    "file_of",
    "read_only_engines",
    "snapshot",
    "url_of",
    "use_write_ahead_log",
    "writing",
]

_BUSY_TIMEOUT_S = 5.0
_LONGEST_TEXT_BYTES = 64_000_000
# A server that does not answer must not hold up the end of the process.
_CONNECT_TIMEOUT_S = 5


def url_of(place: str) -> sa.URL:
    """Return the URL of a path or a URL.

    Raises
    ------
    LedgerError
        If it is neither SQLite nor PostgreSQL.
    """
    url = sa.make_url(place) if "://" in place else sa.URL.create("sqlite", database=place)
    dialect = url.get_backend_name()
    if dialect not in DIALECTS:
        raise LedgerError(
            f"The ledger {shown_place(place)} is a {dialect} database; it can be SQLite or PostgreSQL.",
            "Use a path, sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE.",
        )
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def engine_for(url: sa.URL) -> sa.Engine:
    """Return an engine that reads and writes; the folder of a file is made.

    Raises
    ------
    MissingExtraError
        If the driver is not installed.
    OSError
        If the folder cannot be made.
    """
    if url.get_backend_name() == "postgresql":
        return _postgresql(url)
    if path := file_of(url):
        path.parent.mkdir(parents=True, exist_ok=True)
    return _sqlite(url)


def read_only_engines(url: sa.URL) -> list[sa.Engine]:
    """Return engines that change nothing, in the order in which to try them.

    A write-ahead log wants a file beside the database's, also of who only reads; where none can be made, what the
    log had not handed over when it was last closed in order cannot be seen.
    """
    path = file_of(url)
    if path is None:
        return [engine_for(url)]
    ways = ({"mode": "ro"}, {"mode": "ro", "immutable": "1"})
    name = f"file:{quote(str(path.absolute()))}"
    engines = [_sqlite(sa.URL.create("sqlite", database=name, query={**way, "uri": "true"})) for way in ways]
    for engine in engines:
        sa.event.listen(engine, "connect", _set_bounds)
    return engines


def _postgresql(url: sa.URL) -> sa.Engine:
    given = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_S}
    with extra("postgres", "A ledger in PostgreSQL"):
        return sa.create_engine(url, pool_pre_ping=True, connect_args=given)


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin)
    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """Return the engine for transactions that write."""
    return engine.execution_options(cometnb_writes=True)


def snapshot(engine: sa.Engine) -> sa.Engine:
    """Return the engine for transactions that see one state of the ledger throughout."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def use_write_ahead_log(engine: sa.Engine) -> None:
    """Ask SQLite for its write-ahead log; the file remembers it. Network drives cannot, and go on without."""
    if engine.dialect.name != "sqlite":
        return
    with suppress(sa.exc.OperationalError), engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()


def file_of(url: sa.URL) -> Path | None:
    """Return the file of an SQLite URL; None for another database, and for one given as ``file:``."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _set_up(connection: Any, _record: object) -> None:
    # The driver would open transactions by itself, late and only for some statements; see `_begin`.
    connection.isolation_level = None
    # A schema that somebody else made may call none of the functions of this program.
    connection.execute("PRAGMA trusted_schema = OFF")
    # SQLite's own knows the letters A to Z.
    connection.create_function("lower", 1, _lower, deterministic=True)
    # With a write-ahead log a crash can lose the last rows but never harm the file, and a row needs no fsync.
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA synchronous = NORMAL")


def _set_bounds(connection: Any, _record: object) -> None:
    # Somebody else's file may hold one text as large as the memory.
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_TEXT_BYTES)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads and then writes fails at once if another process wrote in between, whatever the
    # busy timeout; one that announces itself waits for its turn.
    writes = connection.get_execution_options().get("cometnb_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
