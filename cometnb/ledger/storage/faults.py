"""What a database that fails means, and what helps: one error in two lines, whichever database it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from cometnb.errors import LedgerError
from cometnb.ledger.place import shown_place

__all__ = ["FOREIGN", "explained", "is_forbidden"]

FOREIGN = "Ask whoever gave it to you, or take another: repr(cometnb.Ledger()) says where yours is."
"""The next step for a file that somebody else has made."""

_ELSEWHERE = 'take another place: cometnb.Ledger("usage.sqlite3") or COMETNB_LEDGER'
_BROKEN = (
    "Move {place} and its -wal and -shm files away; the next answer begins a new ledger, and "
    'cometnb.Ledger().merge("MOVED FILE") brings back what can still be read.'
)
_FULL = "Make room on the disk: the next answer, or Ledger.flush(), writes what waits."
_UNWRITABLE = f"See whether the disk has room and works, or {_ELSEWHERE}."
_FORBIDDEN = f"Allow writing there, or {_ELSEWHERE}."
_BUSY = "Close the program that holds it; the next answer, or Ledger.flush(), writes what waits."
# SQLite's codes are the last eight bits of its extended ones; PostgreSQL's are texts.
_NEXT_STEPS: Mapping[int | str, str] = {
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _BROKEN,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _FORBIDDEN,
    sqlite3.SQLITE_PERM: _FORBIDDEN,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    "25006": _FORBIDDEN,  # a standby, or a session that may only read
    "42501": f"Have the database's owner grant it, or {_ELSEWHERE}.",
    "53100": _FULL,
}
_FORBIDDING = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, "25006", "42501"}
)
# SQLite keeps any value in any column, also what no cometnb has written there.
_SPOILT = (ValueError, TypeError, OverflowError)
_OTHERWISE = f"Make it usable, or {_ELSEWHERE}."


@contextmanager
def explained(place: str, done: str) -> Iterator[None]:
    """Turn what a database or a disk raises inside the block into a LedgerError.

    Parameters
    ----------
    place : str
        Where the ledger is; shown without its password.
    done : str
        What cannot be done with it, as in "cannot be written".

    Raises
    ------
    LedgerError
        If a database or a disk fails inside the block, or a value is none that its column can have.
    """
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, *_SPOILT) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error
        raise LedgerError(
            f"The ledger {shown_place(place)} cannot be {done}: {shown_place(str(reason))}",
            _next_step(reason).format(place=shown_place(place)),
        ) from error


def is_forbidden(error: LedgerError) -> bool:
    """Return whether a ledger failed because it, or its folder, may not be written."""
    cause = error.__cause__
    if isinstance(cause, PermissionError):
        return True
    return _code(cause.orig if isinstance(cause, sa.exc.DBAPIError) else cause) in _FORBIDDING


def _code(reason: BaseException | None) -> int | str:
    code = getattr(reason, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else str(getattr(reason, "sqlstate", None))


def _next_step(reason: BaseException) -> str:
    return _BROKEN if isinstance(reason, _SPOILT) else _NEXT_STEPS.get(_code(reason), _OTHERWISE)
