"""The SQLite file behind a checkpoint: opened with all its checks, read and written; it knows nothing of jobs."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import cometnb
from cometnb.errors import BatchError

__all__ = ["CheckpointFile"]

_MAGIC = b"SQLite format 3\x00"
# "cmtb", so that a database of something else is told from a checkpoint.
_APPLICATION_ID = 0x636D7462
_VERSION = 1
_LOCK_WAIT_S = 1.0

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE jobs (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    record TEXT NOT NULL,
    n_failed INTEGER NOT NULL,
    run INTEGER NOT NULL
);
COMMIT;
"""

_WRITE = """
INSERT INTO jobs (key, state, record, n_failed, run) VALUES (:key, :state, :record, :state = 'failed', :run)
ON CONFLICT (key) DO UPDATE SET
    state = excluded.state, record = excluded.record, n_failed = n_failed + excluded.n_failed, run = excluded.run
"""

_READ = "SELECT state, record, n_failed, run = ? FROM jobs WHERE key = ?"


class CheckpointFile:
    """Rows by key in SQLite.

    Parameters
    ----------
    path : str or None
        None is a temporary file of SQLite's own.
    batch, title : str
        As for `Checkpoint`.

    Attributes
    ----------
    meta : dict of str to str

    Raises
    ------
    BatchError
    """

    def __init__(self, path: str | None, batch: str, title: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.meta: dict[str, str] = {}
        if path is not None:
            _check_place(path)
        self._connection = sqlite3.connect(
            path or "", timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._open(batch, title)
        except sqlite3.Error as error:
            self._connection.close()
            raise _refusal(path or "the temporary file", error) from error
        except BaseException:
            self._connection.close()
            raise
        self._run = int(self.meta["runs"])

    def read(self, key: str) -> tuple[str, str, int, bool] | None:
        """Return state, record, number of failures, and whether it is of this run; None if there is no such row."""
        try:
            with self._lock:
                row = self._connection.execute(_READ, (self._run, key)).fetchone()
        except sqlite3.Error as error:
            raise _refusal(self._path or "the temporary file", error) from error
        return None if row is None else (row[0], row[1], row[2], bool(row[3]))

    def write(self, rows: Sequence[tuple[str, str, str]]) -> str | None:
        """Write rows of (key, state, record) together; return why that was not possible, or None."""
        named = [{"key": key, "state": state, "record": text, "run": self._run} for key, state, text in rows]
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(_WRITE, named)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                return str(error)
        return None

    def counts(self) -> Counter[str]:
        """Return how many rows are in each state."""
        try:
            with self._lock:
                found = self._connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall()
        except sqlite3.Error as error:
            raise _refusal(self._path or "the temporary file", error) from error
        return Counter(dict(found))

    def close(self) -> None:
        """Close the file; its write-ahead log goes into it if there is room."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _open(self, batch: str, title: str) -> None:
        run = self._connection.execute
        # One process at a time; the lock goes with the process, also with one that is killed.
        run("PRAGMA locking_mode = EXCLUSIVE")
        is_new = not run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not is_new:
            self._check_kind()
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        if is_new:
            run(f"PRAGMA application_id = {_APPLICATION_ID}")
            run(f"PRAGMA user_version = {_VERSION}")
            self._connection.executescript(_SCHEMA)
        self.meta = dict(run("SELECT name, value FROM meta").fetchall())
        self._check_batch(batch, title)
        created_at = datetime.now(UTC).isoformat(timespec="seconds")
        begun = {"id": uuid.uuid4().hex, "created_at": created_at, "version": cometnb.__version__}
        self.meta = begun | {"batch": batch, "title": title} | {k: v for k, v in self.meta.items() if v}
        self.meta["runs"] = str(int(self.meta.get("runs", "0")) + 1)
        run("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(self.meta.items()))
        run("COMMIT")

    def _check_kind(self) -> None:
        kind = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if kind != _APPLICATION_ID:
            raise BatchError(f"{self._path} is an SQLite database, but no checkpoint.", _OTHER_FILE)
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise BatchError(
                f"The checkpoint {self._path} is of version {version}; this cometnb knows up to {_VERSION}.",
                "Update cometnb, or name another file.",
            )

    def _check_batch(self, batch: str, title: str) -> None:
        known = self.meta.get("batch", "")
        if not batch or not known or batch == known:
            return
        raise BatchError(
            f"The checkpoint {self._path} belongs to another batch: {self.meta.get('title') or known[:12]!r},"
            f" not {title or batch[:12]!r}.",
            "Name another file, or go back to the prompt and parameters it was begun with. Nothing was asked.",
        )


_OTHER_FILE = "Name another file for the checkpoint; this one is left as it is."


def _check_place(path: str) -> None:
    """Refuse what can be no checkpoint before SQLite touches it, and make a new file for its owner only."""
    try:
        if os.path.exists(path):  # noqa: PTH110  # a path as the user gave it
            with open(path, "rb") as file:  # noqa: PTH123
                start = file.read(len(_MAGIC))
            if start and start != _MAGIC:
                raise BatchError(f"{path} is no checkpoint: it is no SQLite database.", _OTHER_FILE)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BatchError(
            f"The checkpoint {path} cannot be opened: {error.strerror or error}.",
            "Name a file in a folder that exists and that you may write to.",
        ) from error


def _refusal(path: str, error: sqlite3.Error) -> BatchError:
    said = str(error)
    if "locked" in said or "busy" in said:
        return BatchError(
            f"The checkpoint {path} is in use by another run.",
            "Wait for that run or stop it (it may be another kernel), or name another file.",
        )
    if any(word in said for word in ("malformed", "not a database", "decode")):
        return BatchError(f"The checkpoint {path} is damaged: {said}.", _OTHER_FILE)
    return BatchError(
        f"The checkpoint {path} cannot be written: {said}.",
        "Name a file in a folder that you may write to, on a disk with room.",
    )
