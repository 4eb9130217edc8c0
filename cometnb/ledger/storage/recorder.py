"""The side of the ledger that records: beside the user's work, never in its way, and nothing is lost."""

from __future__ import annotations

import atexit
import os
import warnings
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from cometnb.client.attempt import Attempt
from cometnb.errors import CometError, CometWarning
from cometnb.ledger.place import OFF, place_of, shown_place
from cometnb.ledger.rows import Row
from cometnb.ledger.storage.pricing import Pricing
from cometnb.ledger.storage.recording import Recorded
from cometnb.ledger.storage.writer import Writer
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    from cometnb.ledger.prices import Prices
    from cometnb.ledger.storage.database import Database

__all__ = ["Recorder", "tell"]

# For a database that does not take the rows, when the process ends: in all, and for each at least.
_CLOSE_S, _SHORTEST_CLOSE_S = 5.0, 0.1

_RECORDERS: weakref.WeakSet[Recorder] = weakref.WeakSet()


class Recorder:
    """What of a `Ledger` takes attempts and writes their rows.

    Parameters
    ----------
    url, prices, stores_text
        As for `Ledger`.
    """

    def __init__(
        self, url: str | Path | None = None, prices: Prices | None = None, stores_text: bool = False
    ) -> None:
        self._place = place_of(url)
        self._stores_text = stores_text
        self._pricing = Pricing(prices)
        self._kept: list[Row] = []
        self._writer: Writer[Recorded] = Writer(self._write, self._tell_outage)
        self._database: Database | None = None
        self._making = Lock()
        _RECORDERS.add(self)

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
            recorded = Recorded(attempt, stores_text=self._stores_text)
        except Exception as error:  # noqa: BLE001 - a row that cannot be made must not cost the answer
            tell(f"An attempt could not be recorded in the ledger: {type(error).__name__}: {error}")
            return
        if self._place == OFF:
            self._kept.append(recorded.completed())
        else:
            self._writer.put(recorded)

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

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Write what waits, and let go of the database. An attempt recorded later opens it again.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds, from 0 up, for a database that does not take the rows.
        """
        if not self._writer.stop(timeout_s):
            tell(
                f"{counted(self.n_waiting, 'row')} could not be written to the ledger {self.location}; "
                "what is not written ends with this process."
            )
        if self._database is not None:
            self._database.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}, {counted(self.n_waiting, 'row')} waiting>"

    def rows_in_memory(self) -> list[Row]:
        """Return the rows that are not in a database: those that wait, and all of them when the ledger is off.

        They may lack a price, and hold prompts and answers if those are stored.
        """
        return [*self._kept, *(recorded.completed() for recorded in self._writer.waiting())]

    def _write(self, batch: Sequence[Recorded]) -> None:
        rows = [recorded.completed() for recorded in batch]
        self._pricing.price(rows)
        self._add(rows)

    def _add(self, rows: Sequence[Row]) -> int:
        if not self._stores_text:
            rows = [{name: row[name] for name in row if name not in ("prompt", "answer")} for row in rows]
        database = self.database()
        if database is not None:
            return database.write(rows)
        known = {row["attempt_id"] for row in self._kept}
        new = [row for row in rows if row["attempt_id"] not in known]
        self._kept.extend(new)
        return len(new)

    def database(self) -> Database | None:
        """Return the database, made but not opened before it is used; None when the ledger is off.

        Raises
        ------
        LedgerError, MissingExtraError
            If its URL is of a kind that is not known, or its driver is not installed.
        """
        if self._place == OFF:
            return None
        with self._making:
            if self._database is None:
                # SQLAlchemy is loaded here and no earlier: on the writer's thread, or when somebody reads.
                from cometnb.ledger.storage.database import Database

                self._database = Database(self._place)
            return self._database

    def _tell_outage(self, error: Exception) -> None:
        # Whoever waits for long must not hold on to whole answers.
        for recorded in self._writer.waiting():
            recorded.completed()
        reason = str(error) if isinstance(error, CometError) else f"{type(error).__name__}: {error}"
        tell(
            f"{reason}\nThe rows stay in the memory of this process; they are written to {self.location} "
            "as soon as it can be, at the next answer or by Ledger.flush()."
        )

    def _forget_parent(self) -> None:
        self._making = Lock()
        self._writer.forget()
        if self._database is not None:
            self._database.forget()


def tell(text: str) -> None:
    """Warn with a `CometWarning`, and never raise."""
    # Where warnings are made errors there is still nobody to raise one to: this may be the writer's thread,
    # and an observer must not end the call it observes.
    with suppress(CometWarning):
        warnings.warn(text, CometWarning, stacklevel=3)


def _close_all() -> None:
    # All begin to write, side by side, and share one wait: a process that ends must not wait for each of many that
    # cannot be written, nor leave a healthy one unwritten behind a broken one.
    recorders, deadline_s = list(_RECORDERS), monotonic() + _CLOSE_S
    for recorder in recorders:
        recorder.flush(0.0)
    for recorder in recorders:
        recorder.close(max(_SHORTEST_CLOSE_S, deadline_s - monotonic()))


def _forget_all() -> None:
    for recorder in list(_RECORDERS):
        recorder._forget_parent()


atexit.register(_close_all)
# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
