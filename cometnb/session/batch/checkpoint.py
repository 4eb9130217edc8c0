"""A file that keeps what a batch was answered, so that nothing is asked twice: after a stop, a crash, a dead kernel.

It is an SQLite database. An answer that `save` has returned for outlives the process, whatever ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from cometnb.errors import BatchError, ParamError
from cometnb.options import user_path
from cometnb.protocol.exchange import encoded
from cometnb.protocol.keyless import keyless
from cometnb.session.batch.checkpoint_file import CheckpointFile

__all__ = ["ANSWERED", "BEGUN", "FAILED", "LOST", "Checkpoint", "Stored", "place_of"]

ANSWERED, FAILED, LOST, BEGUN = "answered", "failed", "lost", "begun"
"""States of a job: the answer is there; the service answered with an error; the answer did not arrive, though the
service may have made it; the service works on it under an id."""

_MOST_TOGETHER = 256
# Between two tries at a disk that is full: each of them writes all that is waiting.
_TRY_AGAIN_S = 1.0

_Write = tuple[tuple[str, str, str], "Future[None]"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a checkpoint knows of a job.

    Attributes
    ----------
    state : str
        ``answered``, ``failed``, ``lost`` or ``begun``.
    record : dict
        Of `response_record` or `error_record`; of one that is begun, its ``response_id``.
    n_failed : int
        How often the service has answered it with an error.
    is_of_this_run : bool
        It was kept since the file was opened.
    """

    state: str
    record: dict[str, Any]
    n_failed: int
    is_of_this_run: bool


def place_of(path: str | os.PathLike[str]) -> str:
    """Return where a checkpoint's file is, with the home folder for ``~``.

    Raises
    ------
    ParamError
        If it is no path.
    """
    try:
        return str(user_path(path))
    except TypeError as error:
        raise ParamError(
            f"checkpoint={path!r} is no path of a file.",
            'Give one such as checkpoint="rows.sqlite".',
            param="checkpoint",
        ) from error


class Checkpoint:
    """Answers by key, in a file or for this run only.

    Parameters
    ----------
    path : str or path, optional
        An SQLite file, made if there is none, for its owner to read only. None keeps what is needed to ask nothing
        twice in this run in a temporary file.
    batch : str
        What the answers belong to, such as the fingerprint of prompt, parameters and schema. A file that was begun
        for another batch is refused. Empty takes any file.
    title : str
        The batch in words, for that error.

    Attributes
    ----------
    id : str
        Of this file, 32 hex digits.
    meta : dict of str to str
        ``id``, ``batch``, ``title``, ``created_at``, ``version``, ``runs``.
    trouble : str or None
        Why answers are not in the file at the moment: the disk is full. They are kept in memory and written later.

    Raises
    ------
    BatchError
        Before anything is asked: it is no checkpoint, belongs to another batch, is in use, cannot be written, or
        was written by a newer cometnb.

    Notes
    -----
    One process has it open at a time. Commits are written before `save` returns (write-ahead log, synchronous
    "normal"): a process that is killed loses nothing; a power cut may take the last answers, which are then
    asked again. Failed jobs are kept, too, so that the same question is not asked again in the same run.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, batch: str = "", title: str = ""
    ) -> None:
        self.path = None if path is None else place_of(path)
        self.trouble: str | None = None
        self._file = CheckpointFile(self.path, batch, title)
        self.meta = self._file.meta
        self.id = self.meta["id"]
        self._unsaved: dict[str, tuple[str, str, str]] = {}
        self._writes: SimpleQueue[_Write | None] = SimpleQueue()
        self._failed_s = 0.0
        self._is_closed, self._closing = False, threading.Lock()
        self._thread = threading.Thread(target=self._work, name="cometnb-checkpoint", daemon=True)
        self._thread.start()

    def get(self, key: str) -> Stored | None:
        """Return what is known of a job; None if it was never kept."""
        waiting = self._unsaved.get(key)
        found = self._file.read(key)
        if waiting is not None:
            n_failed = (found[2] if found else 0) + (waiting[1] == FAILED)
            return Stored(waiting[1], json.loads(waiting[2]), n_failed, is_of_this_run=True)
        if found is None:
            return None
        state, text, n_failed, is_of_this_run = found
        try:
            record = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise BatchError(
                f"The checkpoint {self.path} is damaged: a record is no JSON object.", "Name another file."
            )
        return Stored(state, record, n_failed, is_of_this_run)

    def put(self, key: str, state: str, record: Mapping[str, Any]) -> None:
        """Keep what became of a job, and wait until it is kept."""
        self._send(key, state, record).result()

    async def save(self, key: str, state: str, record: Mapping[str, Any]) -> None:
        """Keep what became of a job; the loop goes on meanwhile, and jobs that end together are written together."""
        await asyncio.wrap_future(self._send(key, state, record))

    def counts(self) -> Counter[str]:
        """Return how many jobs are kept in each state."""
        return self._file.counts()

    @property
    def n_unsaved(self) -> int:
        """Answers that are in memory only, because the file could not take them."""
        return len(self._unsaved)

    def close(self) -> None:
        """Write what is left and close the file."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._writes.put(None)
        self._thread.join()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, key: str, state: str, record: Mapping[str, Any]) -> Future[None]:
        done: Future[None] = Future()
        write = (key, state, encoded(keyless(record)).decode()), done
        with self._closing:
            if self._is_closed:
                # Else whoever waits for it would wait for ever.
                done.set_exception(
                    BatchError(f"The checkpoint {self.path} is closed.", "Run the batch again.")
                )
            else:
                self._writes.put(write)
        return done

    def _work(self) -> None:
        """Write until told to end; what came meanwhile goes together."""
        while True:
            write = self._writes.get()
            writes = [] if write is None else [write]
            while write is not None and len(writes) < _MOST_TOGETHER and not self._writes.empty():
                write = self._writes.get()
                writes += [] if write is None else [write]
            self._write([row for row, _ in writes], is_last=write is None)
            for _, done in writes:
                # Nobody may wait any more.
                if done.set_running_or_notify_cancel():
                    done.set_result(None)
            if write is None:
                return

    def _write(self, rows: list[tuple[str, str, str]], *, is_last: bool) -> None:
        if self.trouble is not None and not is_last and time.monotonic() - self._failed_s < _TRY_AGAIN_S:
            self._unsaved |= {row[0]: row for row in rows}
            return
        waiting = self._unsaved | {row[0]: row for row in rows}
        if not waiting:
            return
        self.trouble = self._file.write(list(waiting.values()))
        self._failed_s = time.monotonic()
        self._unsaved = {} if self.trouble is None else waiting
