"""A queue of rows and the thread that empties it; no row leaves before it is written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

__all__ = ["Writer"]

_Row = TypeVar("_Row")
_ROWS_PER_WRITE = 1_000


class Writer(Generic[_Row]):
    """Hands rows to `write` on a thread of its own, in order and in batches.

    Parameters
    ----------
    write : callable
        Takes a list of rows; writes all of them, or raises and has written none.
    on_outage : callable
        Told the error when writing begins to fail, and not again until it has worked in between.

    Notes
    -----
    After a failure the rows stay, and the next `put` or `flush` tries again.
    """

    def __init__(
        self, write: Callable[[Sequence[_Row]], None], on_outage: Callable[[Exception], None]
    ) -> None:
        self._write = write
        self._on_outage = on_outage
        self.forget()

    def forget(self) -> None:
        """Start empty: in a forked child the thread is gone, and the rows are the parent's to write."""
        self._changed = threading.Condition()
        self._trying = threading.Lock()
        self._rows: deque[_Row] = deque()
        self._n_put = self._n_written = 0
        # Every put and flush asks for a try; a try answers all that were asked before it began.
        self._n_asked = self._n_answered = 0
        self._thread: threading.Thread | None = None
        self._is_failing = False

    def put(self, row: _Row) -> None:
        """Queue a row and return at once."""
        with self._changed:
            self._rows.append(row)
            self._n_put += 1
            self._n_asked += 1
            self._start()
            self._changed.notify_all()

    def waiting(self) -> list[_Row]:
        """Return the rows that are not written yet, oldest first."""
        with self._changed:
            return list(self._rows)

    def flush(self, timeout_s: float) -> bool:
        """Wait until every row put so far is written, or trying failed, or `timeout_s` seconds have passed.

        Returns
        -------
        bool
            True if every row put so far is written.
        """
        with self._changed:
            target = self._n_put
            if self._n_written >= target:
                return True
            self._n_asked += 1
            mine = self._n_asked
            has_thread = self._start()
            self._changed.notify_all()
        if not has_thread:
            self._try()
        with self._changed:
            self._changed.wait_for(lambda: self._n_written >= target or self._n_answered >= mine, timeout_s)
            return self._n_written >= target

    def stop(self, timeout_s: float) -> bool:
        """Flush, then end the thread; a later `put` starts another. Returns what `flush` returns."""
        is_written = self.flush(timeout_s)
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        return is_written

    def _start(self) -> bool:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="cometnb-ledger", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                # An interpreter that is ending starts no threads; `flush` then writes by itself.
                self._thread = None
        return self._thread is not None

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._thread is not me or self._has_work())
                if self._thread is not me:
                    return
            self._try()

    def _has_work(self) -> bool:
        return bool(self._rows) and self._n_asked > self._n_answered

    def _try(self) -> None:
        # One at a time: a thread that was stopped may still be busy with these very rows.
        with self._trying:
            with self._changed:
                asked = self._n_asked
                batch = list(islice(self._rows, _ROWS_PER_WRITE))
            is_written = self._attempt(batch)
            with self._changed:
                if is_written:
                    for _ in batch:
                        self._rows.popleft()
                    self._n_written += len(batch)
                if not is_written or not self._rows:
                    self._n_answered = max(self._n_answered, asked)
                self._changed.notify_all()

    def _attempt(self, batch: list[_Row]) -> bool:
        try:
            if batch:
                self._write(batch)
        except Exception as error:  # noqa: BLE001
            # Whatever a disk or a driver does, the rows stay and the thread lives.
            if not self._is_failing:
                self._is_failing = True
                self._on_outage(error)
            return False
        self._is_failing = False
        return True
