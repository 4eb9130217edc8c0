"""Prompts and answers that were stored, found again by what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cometnb.errors import LedgerError, ParamError
from cometnb.ledger.rows import Row
from cometnb.ledger.selection import Selection
from cometnb.ledger.storage.database import Database
from cometnb.ledger.storage.faults import explained
from cometnb.ledger.storage.queries import batches, has_contents, holding

__all__ = ["search"]

_TEXT = pd.StringDtype("python")
_COLUMNS = ("created_at", "attempt_id", "model", "status", "prompt", "answer")


def search(
    database: Database | None, text: object, selection: Selection, rows: Sequence[Row], *, stores_text: bool
) -> pd.DataFrame:
    """Return what `Ledger.search` returns.

    Parameters
    ----------
    database : Database or None
        None is a ledger that is nowhere but in memory.
    text : str
    selection : Selection
    rows : sequence of dict
        Rows that wait in memory, wanted or not.
    stores_text : bool
        Whether prompts and answers are stored now.

    Raises
    ------
    ParamError
        If there is nothing to look for.
    LedgerError
        If nothing is stored and storing is off, or the database cannot be read or holds what cannot be.
    """
    if not isinstance(text, str) or not text.strip():
        raise ParamError(
            "There is no text to look for.",
            'Give a part of a prompt or an answer: search("comet")',
            param="text",
        )
    needle = text.strip()
    found = [_hit(row) for row in rows if selection.takes(row) and _holds(row, needle.lower())]
    has_any = any(row.get("prompt") or row.get("answer") for row in rows)
    if database is not None:
        with database.reading() as connection:
            has_any = has_any or has_contents(connection)
            found += [
                tuple(hit) for batch in batches(connection, holding(needle, selection)) for hit in batch
            ]
    if not has_any and not stores_text:
        raise LedgerError(
            "No prompts and answers are in this ledger: storing them is off.",
            "Turn it on for the calls to come: COMETNB_STORE_TEXT=on, or cometnb.Ledger(stores_text=True).",
        )
    if database is None:
        return _frame(found)
    # A value that its column cannot have is the ledger's fault, here as while it is read.
    with explained(database.place, "read"):
        return _frame(found)


def _holds(row: Row, needle: str) -> bool:
    return any(needle in str(row.get(name) or "").lower() for name in ("prompt", "answer"))


def _hit(row: Row) -> tuple[Any, ...]:
    names = ("created_at_us", "attempt_id", "model", "model_requested", "status", "prompt", "answer")
    return tuple(row.get(name) for name in names)


def _frame(found: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    # One that was written while this was looked up is met twice.
    hits = sorted({hit[1]: hit for hit in found}.values(), key=lambda hit: hit[:2])
    texts = [(hit[1], hit[2] or hit[3], *hit[4:]) for hit in hits]
    moments = pd.to_datetime(pd.Series([hit[0] for hit in hits], dtype="int64"), unit="us", utc=True)
    frame = pd.DataFrame(texts, columns=list(_COLUMNS[1:])).astype(_TEXT)
    frame.insert(0, "created_at", moments.astype("datetime64[ns, UTC]"))
    return frame
