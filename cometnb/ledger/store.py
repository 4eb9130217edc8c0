"""The ledger a person holds: what it recorded, as a frame, a sum, a file, and together with another's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cometnb.errors import CometError, ParamError
from cometnb.ledger.place import OFF, place_of
from cometnb.ledger.selection import Since, Wanted, selection_of
from cometnb.ledger.spent import Spent
from cometnb.ledger.storage.recorder import Recorder, tell
from cometnb.options import user_path
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ledger"]


class Ledger(Recorder):
    """One row for every attempt, written once, beside the user's work and never in its way.

    Parameters
    ----------
    url : str, Path or None, optional
        A path, an SQLAlchemy URL (SQLite or PostgreSQL), or ``off``: rows are then kept in memory until the
        process ends. None takes what `COMETNB_LEDGER` says, otherwise ``ledger.sqlite3`` in the user's data
        folder.
    prices : Prices, optional
        What rows are priced with when they are written; the environment's (`COMETNB_PRICES`) if not given.
    stores_text : bool
        Whether prompts and answers are stored, too, for `search`. Keys in them are masked, each has at most 100,000
        characters, and images and files are left out.

    Raises
    ------
    ConfigError
        If `url` is blank, or neither a text nor a Path.

    Notes
    -----
    A ledger is an observer: ``Client(observers=[Ledger()])``. Neither prompts nor answers are stored unless that
    is asked for. If its place cannot be written, one `CometWarning` says why; the rows stay in memory and are
    written as soon as it can be.

    Examples
    --------
    >>> from cometnb import Ledger
    >>> ledger = Ledger("off")
    >>> len(ledger.usage("today"))
    0
    """

    def usage(
        self,
        since: Since = None,
        *,
        notebook: Wanted = None,
        model: Wanted = None,
        tag: Wanted = None,
        status: Wanted = None,
        backend: Wanted = None,
        conversation: Wanted = None,
    ) -> pd.DataFrame:
        """Return what was used, one row per attempt, newest last.

        Parameters
        ----------
        since : datetime, date, timedelta, str or None
            The earliest attempt: a moment, a day, an age, or a text such as ``2026-11-01``, ``today``, ``7d``
            or ``2h``. Without a time zone it is local time. None is from the beginning.
        notebook, model, tag, status, backend, conversation : str, list of str or None
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
            NaN where not known: ``cost_usd`` (US dollars; ``price_source`` says where the price is from, or why
            there is none), ``ttft_s duration_s`` (seconds), ``output_tokens_per_s`` (output tokens over the
            duration). Cached and cache-write tokens are part of the input, reasoning tokens of the output.

        Raises
        ------
        ParamError
            If `since` or a filter cannot be read.
        LedgerError
            If the ledger cannot be read and this process holds no row that waits for it. If it does, they are
            the frame, and a `CometWarning` says so.
        """
        selection = selection_of(
            since,
            notebook=notebook,
            model=model,
            tag=tag,
            status=status,
            backend=backend,
            conversation=conversation,
        )
        from cometnb.ledger.storage.reading import read_frame

        self.flush()
        # Taken before the database is read: one written in between is met twice, and the frame drops one.
        waiting = self.rows_in_memory()
        rows = [row for row in waiting if selection.takes(row)]
        try:
            return read_frame(self.database(), selection, rows, self._pricing)
        except CometError as error:
            if not waiting:
                raise
            tell(
                f"The usage frame holds only {counted(len(rows), 'row')}, of those that wait in this process. {error.fact}"
            )
            return read_frame(None, selection, rows, self._pricing)

    def spent(
        self,
        since: Since = None,
        *,
        backend: Wanted = "api",
        conversation: Wanted = None,
        notebook: Wanted = None,
        model: Wanted = None,
        tag: Wanted = None,
        status: Wanted = None,
    ) -> Spent:
        """Return what was spent, rows that are not written yet included.

        Parameters
        ----------
        since, conversation, notebook, model, tag, status
            As in `usage`.
        backend : str, list of str or None
            Only attempts of this backend, or one of these: the API's, so that the sum is money. Simulated calls are
            priced as if they had been billed, and None would add the two up.

        Returns
        -------
        Spent
            ``usd`` and ``fees_usd`` are sums of what is known; ``n_unpriced`` says how many of the ``n_attempts``
            are not in ``usd``: no price was known when they were written, or no usage was reported.

        Raises
        ------
        ParamError
            If `since` or a filter cannot be read.
        LedgerError
            If the ledger cannot be read.
        """
        selection = selection_of(
            since,
            backend=backend,
            conversation=conversation,
            notebook=notebook,
            model=model,
            tag=tag,
            status=status,
        )
        from cometnb.ledger.storage.reading import read_spent

        waiting = self.rows_in_memory()
        self._pricing.price(waiting)
        return read_spent(self.database(), selection, [row for row in waiting if selection.takes(row)])

    def search(self, text: str, since: Since = None, **filters: Wanted) -> pd.DataFrame:
        """Return the stored prompts and answers that hold a text, whatever its case.

        Parameters
        ----------
        text : str
            As it stands; not a pattern.
        since, **filters
            As in `usage`.

        Returns
        -------
        DataFrame
            Newest last: ``created_at`` datetime64[ns, UTC], and "string" with ``<NA>``: ``attempt_id model status
            prompt answer``. `model` is the one that answered, or was asked for.

        Raises
        ------
        ParamError
            If there is nothing to look for, or `since` or a filter cannot be read.
        LedgerError
            If the ledger holds no prompts and answers because storing them is off, or cannot be read.
        """
        from cometnb.ledger.storage.searching import search

        self.flush()
        selection = selection_of(since, None, **filters)
        return search(self.database(), text, selection, self.rows_in_memory(), stores_text=self._stores_text)

    def export(self, path: str | Path, since: Since = None, **filters: Wanted) -> int:
        """Write the usage frame to a file.

        Parameters
        ----------
        path : str or Path
            Ending in ``.csv`` or ``.parquet`` (needs the extra ``parquet``). A file that is there is replaced, once
            the new one is whole.
        since, **filters
            As in `usage`.

        Returns
        -------
        int
            Rows written.

        Raises
        ------
        ParamError
            If the file's ending is neither, or `since` or a filter cannot be read.
        MissingExtraError
            If Parquet is wanted and pyarrow is not installed.
        LedgerError
            If the ledger cannot be read, or the file not be written.
        """
        from cometnb.ledger.storage.exporting import export, exporter_of

        write = exporter_of(Path(path))
        return export(self.usage(since, **filters), user_path(path), write)

    def merge(self, other: Ledger | str | Path) -> int:
        """Add another ledger's rows to this one; doing so twice adds nothing.

        Parameters
        ----------
        other : Ledger, str or Path
            A ledger, or the path or URL of one. It is only read, also if an older cometnb wrote it.

        Returns
        -------
        int
            Rows added. A row that both have is left as it is here.

        Raises
        ------
        LedgerError
            If one of them cannot be read or written, or `other` is no ledger. What was added until then stays, and
            merging again goes on from there.

        Notes
        -----
        Prompts and answers come along only if this ledger stores them. Work of more than a second shows a progress
        bar.
        """
        from cometnb.ledger.storage.merging import add_all, is_same, opened_source

        if isinstance(other, Ledger):
            other.flush()
        place = other._place if isinstance(other, Ledger) else place_of(other)
        if other is self or (place != OFF and is_same(place, self._place)):
            return 0
        n_added = self._add(other.rows_in_memory()) if isinstance(other, Ledger) else 0
        if isinstance(other, Ledger) and place == OFF:
            return n_added
        with opened_source(place, with_contents=self._stores_text) as source:
            return n_added + add_all(source, self._add)

    def delete(self, *, before: Since, dry_run: bool = False, **filters: Wanted) -> int:
        """Take old rows out of the ledger, with their prompts and answers. There is no way back.

        Parameters
        ----------
        before : datetime, date, timedelta or str
            Rows from before this moment go: ``"90d"``, ``"2026-01-01"``; see `usage`. All of a filter:
            ``before="0d"``.
        dry_run : bool
            Only count.
        **filters
            As in `usage`: only rows that these take, too.

        Returns
        -------
        int
            Rows that were deleted, or would be.

        Raises
        ------
        ParamError
            If `before` is None, or it or a filter cannot be read.
        LedgerError
            If the ledger cannot be changed.
        """
        if before is None:
            raise ParamError(
                "before is missing: deleting everything is not a default.",
                'Say before when: delete(before="90d")',
                param="before",
            )
        selection = selection_of(None, before, **filters)
        self.flush()
        database = self.database()
        if database is None:
            left = [row for row in self._kept if not selection.takes(row)]
            n_deleted = len(self._kept) - len(left)
            self._kept = self._kept if dry_run else left
            return n_deleted
        from cometnb.ledger.storage.deleting import count_rows, take_out

        return count_rows(database, selection) if dry_run else take_out(database, selection)
