"""The rows of another ledger, taken over in pieces, with a sign of life if it takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from cometnb.ledger.place import OFF, shown_place
from cometnb.ledger.rows import Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.as_found import reading_as_found
from cometnb.ledger.storage.as_made import checked
from cometnb.ledger.storage.engine import file_of, url_of
from cometnb.ledger.storage.queries import count_in, rows_in

__all__ = ["Source", "add_all", "is_same", "opened_source"]

Source: TypeAlias = tuple[Iterator[list[Row]], int]
"""Rows in batches, and how many there are."""

# Short work needs no bar.
_BAR_AFTER_S = 1.0


def is_same(place: str, other: str) -> bool:
    """Return whether two places are one ledger, as far as their names tell."""
    if place == other:
        return True
    paths = [file_of(url_of(each)) for each in (place, other) if each != OFF]
    resolved = [path.resolve() for path in paths if path is not None]
    return len(resolved) == 2 and resolved[0] == resolved[1]


@contextmanager
def opened_source(place: str, *, with_contents: bool) -> Iterator[Source]:
    """Open another ledger to take its rows from; it is not changed.

    Parameters
    ----------
    place : str
        An absolute path, or an SQLAlchemy URL.
    with_contents : bool
        Whether prompts and answers come along.

    Raises
    ------
    LedgerError
        If there is no ledger, it cannot be read, it is of a newer cometnb, or a row is none.
    MissingExtraError
        If its driver is not installed.
    """
    with reading_as_found(place) as (connection, tables):
        rows = rows_in(connection, tables, Selection(), with_contents=with_contents)
        yield checked(rows, shown_place(place)), count_in(connection, tables, Selection())


def add_all(source: Source, add: Callable[[Sequence[Row]], int]) -> int:
    """Add every row, batch by batch.

    Parameters
    ----------
    source : Source
    add : callable
        Takes rows and returns how many of them are new.

    Returns
    -------
    int
        How many were new.
    """
    from tqdm.auto import tqdm

    rows, n_rows = source
    n_added = 0
    with tqdm(total=n_rows, desc="Merging", unit=" rows", delay=_BAR_AFTER_S, leave=False) as bar:
        for batch in rows:
            n_added += add(batch)
            bar.update(len(batch))
    return n_added
