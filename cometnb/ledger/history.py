"""The newest attempts whose usage was reported, from the ledger and from what still waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cometnb.ledger.store import Ledger

__all__ = ["recent_rows"]

_TEXTS = ("backend", "model", "model_requested", "effort", "usage_source")
_OWN = (
    "attempt_id",
    "created_at_us",
    "previous_response_id",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "input_estimate_tokens",
    "output_estimate_tokens",
)


def recent_rows(ledger: Ledger, limit: int = 2_000) -> list[Mapping[str, Any]]:
    """Return the newest rows whose usage the service reported, newest first.

    Parameters
    ----------
    ledger : Ledger
    limit : int
        How many at most.

    Returns
    -------
    list of Mapping
        ``attempt_id created_at_us previous_response_id backend model model_requested effort usage_source
        n_tool_calls`` and the counts ``input_tokens output_tokens reasoning_tokens input_estimate_tokens
        output_estimate_tokens``; None is not known.

    Raises
    ------
    LedgerError
        If the ledger cannot be read.
    """
    rows: dict[Any, Mapping[str, Any]] = {row["attempt_id"]: row for row in ledger.rows_in_memory()}
    database = ledger.database()
    if database is not None:
        query = _newest(limit)
        names = [column.name for column in query.selected_columns]
        with database.reading() as connection:
            found = [dict(zip(names, values, strict=True)) for values in connection.execute(query)]
        rows |= {row["attempt_id"]: row for row in found}
    reported = [row for row in rows.values() if row.get("usage_source") == "reported"]
    reported.sort(key=lambda row: row.get("created_at_us") or 0, reverse=True)
    return reported[:limit]


def _newest(limit: int) -> Any:
    import sqlalchemy as sa

    from cometnb.ledger.tables import CURRENT

    attempts, contexts = CURRENT.attempts.c, CURRENT.contexts.c
    return (
        sa.select(*(attempts[name] for name in _OWN), *(contexts[name] for name in (*_TEXTS, "n_tool_calls")))
        .join_from(CURRENT.attempts, CURRENT.contexts, contexts.context_key == attempts.context_key)
        .where(contexts.usage_source == "reported")
        .order_by(attempts.created_at_us.desc())
        .limit(limit)
    )
