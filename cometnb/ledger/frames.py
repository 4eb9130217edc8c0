"""The usage frame: what was used, one row per attempt, always with the same columns and dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cometnb.ledger.rows import COLUMNS, READ_COLUMNS, Kind

__all__ = ["usage_frame"]

# The same on every machine: without a storage named, pandas takes pyarrow where it happens to be installed.
_TEXT = pd.StringDtype("python")


def usage_frame(
    stored: Iterable[Sequence[tuple[Any, ...]]], waiting: Sequence[tuple[Any, ...]]
) -> pd.DataFrame:
    """Build the usage frame.

    Parameters
    ----------
    stored : iterable of sequences of tuples
        Rows in batches, each row in the order of `READ_COLUMNS`.
    waiting : sequence of tuples
        More such rows; one that is stored as well, or comes twice, counts once.

    Returns
    -------
    DataFrame
        See `Ledger.usage`. Sorted by `created_at`, newest last, index 0 to n - 1.
    """
    seen: dict[Any, Any] = {}
    batches = [*(_arrays(batch, seen) for batch in stored), _arrays(waiting, seen)]
    columns = {
        column.name: _joined([batch[position] for batch in batches], column.kind)
        for position, column in enumerate(READ_COLUMNS)
    }
    frame = pd.DataFrame(columns, copy=False)
    if waiting:
        frame = frame.drop_duplicates("attempt_id")
    if not frame["created_at_us"].is_monotonic_increasing:
        frame = frame.sort_values("created_at_us", kind="stable")
    frame = frame.reset_index(drop=True).assign(
        created_at=_created_at,
        cost_usd=np.nan,
        price_source=lambda rows: pd.array(["no price known"] * len(rows), dtype=_TEXT),
        output_tokens_per_s=_output_tokens_per_s,
    )
    return frame[[column.name for column in COLUMNS if column.shown]]


def _arrays(batch: Sequence[tuple[Any, ...]], seen: dict[Any, Any]) -> list[Any]:
    """Turn rows into one array per column, so that their Python objects can go at once.

    `seen` holds every text that repeats, once: a million rows would hold as many copies of the model's name.
    """
    values: Iterable[tuple[Any, ...]] = zip(*batch, strict=True) if batch else ((),) * len(READ_COLUMNS)
    return [
        _array(
            map(seen.setdefault, cells, cells) if column.kind is Kind.TEXT else cells, column.kind, len(batch)
        )
        for column, cells in zip(READ_COLUMNS, values, strict=True)
    ]


def _array(cells: Iterable[Any], kind: Kind, n_rows: int) -> Any:
    if kind is Kind.COUNT:
        return pd.array(list(cells), dtype="Int64")
    objects = np.fromiter(cells, dtype=object, count=n_rows)
    return objects.astype(np.float64) if kind is Kind.NUMBER else objects


def _joined(arrays: list[Any], kind: Kind) -> Any:
    if kind is Kind.COUNT:
        return pd.concat([pd.Series(array) for array in arrays], ignore_index=True).array
    joined = np.concatenate(arrays)
    return joined if kind is Kind.NUMBER else pd.array(joined, dtype=_TEXT)


def _created_at(rows: pd.DataFrame) -> pd.Series[Any]:
    moments = pd.to_datetime(rows["created_at_us"].to_numpy(np.int64), unit="us", utc=True).as_unit("ns")
    return pd.Series(moments, index=rows.index)


def _output_tokens_per_s(rows: pd.DataFrame) -> pd.Series[Any]:
    tokens = rows["output_tokens"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    # Over the whole attempt: reasoning is generated before the first delta, and it is part of the tokens.
    seconds = rows["duration_s"].to_numpy(np.float64)
    is_known = (tokens > 0) & (seconds > 0)
    rates = np.divide(tokens, seconds, out=np.full(len(rows), np.nan), where=is_known)
    return pd.Series(rates, index=rows.index)
