"""The ledger a person holds: an observer that records every attempt, and the way to what it recorded."""

from __future__ import annotations

import atexit
import os
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from cometnb.client.attempt import Attempt
from cometnb.errors import CometError, CometWarning
from cometnb.ledger.place import OFF, place_of, shown_place
from cometnb.ledger.rows import READ_COLUMNS, Row, row_of
from cometnb.ledger.selection import Selection, Since, Wanted, selection_of
from cometnb.ledger.writer import Writer

if TYPE_CHECKING:
    import pandas as pd

    from cometnb.ledger.database import Database

__all__ = ["Ledger"]

_LEDGERS: weakref.WeakSet[Ledger] = weakref.WeakSet()


class Ledger:
    """One row for every attempt, written once, beside the user's work and never in its way.

    Parameters
    ----------
    url : str, Path or None, optional
        A path, an SQLAlchemy URL (SQLite or PostgreSQL), or ``off``: rows are then kept in memory until the
        process ends. None takes what `COMETNB_LEDGER` says, otherwise ``ledger.sqlite3`` in the user's data
        folder.

    Raises
    ------
    ConfigError
        If `url` is blank.

    Notes
    -----
    A ledger is an observer: ``Client(observers=[Ledger()])``. Neither prompts nor answers are stored. If its
    place cannot be written, one `CometWarning` says why; the rows stay in memory and are written as soon as
    it can be.

    Examples
    --------
    >>> ledger = Ledger("off")
    >>> len(ledger.usage("today"))
    0
    """

    def __init__(self, url: str | Path | None = None) -> None:
        self._place = place_of(url)
        self._kept: list[Row] = []
        self._writer = Writer(self._write, self._tell_outage)
        self._database: Database | None = None
        self._making = Lock()
        _LEDGERS.add(self)

    @property
    def location(self) -> str:
        """Where the rows go: a path, a URL without its password, or ``off``."""
        return shown_place(self._place)

    @property
    def n_waiting(self) -> int:
        """Rows that are recorded and not yet written; 0 when the ledger is off."""
        return len(self._writer.waiting())

    def __call__(self, attempt: Attempt) -> None:
        """Record an attempt. Returns at once and never raises."""
        try:
            row = row_of(attempt)
        except Exception as error:  # noqa: BLE001 - a row that cannot be made must not cost the answer
            _warn(f"An attempt could not be recorded in the ledger: {type(error).__name__}: {error}")
            return
        if self._place == OFF:
            self._kept.append(row)
        else:
            self._writer.put(row)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything recorded so far is written.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds, from 0 up.

        Returns
        -------
        bool
            True if everything recorded so far is written, also when the ledger is off and nothing has to be.
        """
        return self._writer.flush(timeout_s)

    def close(self) -> None:
        """Write what waits, and let go of the database. An attempt recorded later opens it again."""
        if not self._writer.stop(timeout_s=5.0):
            _warn(
                f"{self.n_waiting} rows could not be written to the ledger {self.location}; "
                "they end with this process."
            )
        if self._database is not None:
            self._database.close()

    def usage(
        self,
        since: Since = None,
        *,
        notebook: Wanted = None,
        model: Wanted = None,
        tag: Wanted = None,
        status: Wanted = None,
    ) -> pd.DataFrame:
        """Return what was used, one row per attempt, newest last.

        Parameters
        ----------
        since : datetime, date, timedelta, str or None
            The earliest attempt: a moment, a day, an age, or a text such as ``2026-11-01``, ``today``, ``7d``
            or ``2h``. Without a time zone it is local time. None is from the beginning.
        notebook, model, tag, status : str, list of str or None
            Only attempts with this value, or one of these. A model is found by the name that was asked for
            and by the name that answered.

        Returns
        -------
        DataFrame
            Shape (attempts, 29), always these columns. ``created_at`` datetime64[ns, UTC]. Texts, pandas'
            "string" with ``<NA>``: ``attempt_id response_id previous_response_id conversation notebook
            cell_id tag backend model_requested model effort service_tier status error_code usage_source
            price_source``. Int64 with ``<NA>`` where nothing was reported: ``input_tokens cached_tokens
            cache_write_tokens output_tokens reasoning_tokens total_tokens n_events n_retries``. float64 with
            NaN where not known: ``cost_usd`` (US dollars), ``ttft_s duration_s`` (seconds),
            ``output_tokens_per_s`` (output tokens over the duration). Cached and
            cache-write tokens are part of the input, reasoning tokens of the output.

        Raises
        ------
        ParamError
            If `since` or a filter cannot be read.
        LedgerError
            If the ledger cannot be read and this process holds no row that waits for it. If it does, they are
            the frame, and a `CometWarning` says so.
        """
        selection = selection_of(since, notebook=notebook, model=model, tag=tag, status=status)
        from cometnb.ledger.frames import usage_frame

        self.flush()
        # Taken before the database is read: one written in between is met twice, and the frame drops one.
        waiting = [*self._kept, *self._writer.waiting()]
        wanted = [
            tuple(row[column.name] for column in READ_COLUMNS) for row in waiting if selection.takes(row)
        ]
        try:
            return usage_frame(self._read(selection), wanted)
        except CometError as error:
            if not waiting:
                raise
            _warn(
                f"The usage frame holds only the {len(wanted)} rows that wait in this process. {error.fact}"
            )
            return usage_frame((), wanted)

    def __repr__(self) -> str:
        return f"<Ledger {self.location}, {self.n_waiting} rows waiting>"

    def _write(self, rows: Sequence[Row]) -> None:
        self._opened().write(rows)

    def _read(self, selection: Selection) -> Iterator[Sequence[tuple[Any, ...]]]:
        return iter(()) if self._place == OFF else self._opened().read(selection)

    def _opened(self) -> Database:
        with self._making:
            if self._database is None:
                # SQLAlchemy is loaded here and no earlier: on the writer's thread, or when somebody reads.
                from cometnb.ledger.database import Database

                self._database = Database(self._place)
            return self._database

    def _tell_outage(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, CometError) else f"{type(error).__name__}: {error}"
        _warn(
            f"{reason}\nThe rows stay in the memory of this process; they are written to {self.location} "
            "as soon as it can be, at the next answer or by Ledger.flush()."
        )

    def _forget_parent(self) -> None:
        self._making = Lock()
        self._writer.forget()
        if self._database is not None:
            self._database.forget()


def _warn(text: str) -> None:
    # Where warnings are made errors there is still nobody to raise one to: this may be the writer's thread,
    # and an observer must not end the call it observes.
    with suppress(CometWarning):
        warnings.warn(text, CometWarning, stacklevel=3)


def _close_all() -> None:
    for ledger in list(_LEDGERS):
        ledger.close()


def _forget_all() -> None:
    for ledger in list(_LEDGERS):
        ledger._forget_parent()


atexit.register(_close_all)
# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
