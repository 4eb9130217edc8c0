"""The usage frame: what was used, one row per attempt, always with the same columns and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cometnb.ledger.rows import COLUMNS, Kind, Row
from cometnb.ledger.storage.contexts import SHARED, Shared, Texts, key_of, texts_of
from cometnb.ledger.storage.missing_prices import price_missing
from cometnb.ledger.storage.pricing import Pricing
from cometnb.ledger.storage.queries import FRAME_COLUMNS

__all__ = ["usage_frame"]

# The same on every machine: without a storage named, pandas takes pyarrow where it happens to be installed.
_TEXT = pd.StringDtype("python")
_SHOWN = [column.name for column in COLUMNS if column.shown]
_ID, _TIME = (
    [column.name for column in FRAME_COLUMNS].index(name) for name in ("attempt_id", "created_at_us")
)


def usage_frame(
    stored: Iterable[Sequence[Sequence[Any]]],
    texts: Sequence[Mapping[Any, Texts]] | None,
    rows: Sequence[Row],
    pricing: Pricing,
) -> pd.DataFrame:
    """Build the usage frame.

    Parameters
    ----------
    stored : iterable of sequences of tuples
        Rows in batches, each row the values of `FRAME_COLUMNS` and its keys of `SHARED`.
    texts : sequence of Mapping, optional
        For each of `SHARED`, the texts that belong to a key; None where nothing is stored.
    rows : sequence of dict
        More rows, whole; one that is stored as well, or comes twice, counts once.
    pricing : Pricing
        Knows what rows cost that were written without a price.

    Returns
    -------
    DataFrame
        See `Ledger.usage`. Sorted by `created_at`, newest last, index 0 to n - 1.
    """
    known = [dict(by_key) for by_key in texts] if texts is not None else [{} for _ in SHARED]
    waiting = _columns([_with_keys(row, known) for row in rows])
    arrays = _joined([*map(_columns, stored), waiting])
    taken = _in_order(arrays[_TIME][0], arrays[_ID] if rows else None)
    if taken is not None:
        arrays = [_taken(array, taken) for array in arrays]
    moments = arrays[_TIME][0]
    columns = {column.name: _wrapped(array) for column, array in zip(FRAME_COLUMNS, arrays, strict=False)}
    by_kind = [
        _coded(keys[0], by_key, shared)
        for keys, by_key, shared in zip(arrays[len(FRAME_COLUMNS) :], known, SHARED, strict=True)
    ]
    for shared, (each, codes) in zip(SHARED, by_kind, strict=True):
        columns |= _spread(shared, each, codes)
    price_missing(columns, *by_kind[0], pricing)
    columns["created_at"] = pd.to_datetime(moments, unit="us", utc=True).as_unit("ns")
    columns["output_tokens_per_s"] = _output_tokens_per_s(columns)
    return pd.DataFrame({name: columns[name] for name in _SHOWN}, copy=False)


def _in_order(moments: Any, attempt_ids: Any) -> Any:
    """Return the positions of the rows that count, oldest first; None if that is all of them as they are."""
    if attempt_ids is None and (np.diff(moments) >= 0).all():
        return None
    order = np.argsort(moments, kind="stable")
    return order if attempt_ids is None else order[~pd.Series(attempt_ids[order]).duplicated().to_numpy()]


def _columns(batch: Sequence[Sequence[Any]]) -> list[Any]:
    """Turn rows into one array per column and one per key, so that their Python objects can go at once."""
    kinds = [*(column.kind for column in FRAME_COLUMNS), *[Kind.COUNT] * len(SHARED)]
    values: Iterable[tuple[Any, ...]] = zip(*batch, strict=True) if batch else ((),) * len(kinds)
    return [_ARRAYS[kind](cells) for cells, kind in zip(values, kinds, strict=True)]


def _objects(cells: tuple[Any, ...]) -> Any:
    return np.fromiter(cells, np.object_, len(cells))


def _floats(cells: tuple[Any, ...]) -> Any:
    # Several times as fast as np.array, which first looks at every value to find out what it is.
    return np.fromiter(cells, np.float64, len(cells))


def _counts(cells: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return whole numbers, and where they are missing."""
    n_cells = len(cells)
    try:
        return np.fromiter(cells, np.int64, n_cells), np.zeros(n_cells, dtype=np.bool_)
    except TypeError:
        known = [0 if cell is None else cell for cell in cells]
    is_missing = np.fromiter([cell is None for cell in cells], np.bool_, n_cells)
    return np.fromiter(known, np.int64, n_cells), is_missing


_ARRAYS: Mapping[Kind, Callable[[tuple[Any, ...]], Any]] = {
    Kind.ID: _objects,
    Kind.NUMBER: _floats,
    Kind.COUNT: _counts,
}


def _joined(batches: Sequence[list[Any]]) -> list[Any]:
    """Put the columns of all batches together."""
    return [
        tuple(map(np.concatenate, zip(*parts, strict=True)))
        if isinstance(parts[0], tuple)
        else np.concatenate(parts)
        for parts in zip(*batches, strict=True)
    ]


def _taken(array: Any, positions: Any) -> Any:
    return tuple(part[positions] for part in array) if isinstance(array, tuple) else array[positions]


def _wrapped(array: Any) -> Any:
    if isinstance(array, tuple):
        return pd.arrays.IntegerArray(*array)
    return pd.array(array, dtype=_TEXT) if array.dtype == object else array


def _with_keys(row: Row, known: list[dict[Any, Texts]]) -> tuple[Any, ...]:
    keys = []
    for shared, by_key in zip(SHARED, known, strict=True):
        texts = texts_of(row, shared.names)
        keys.append(key_of(shared.names, texts))
        by_key[keys[-1]] = texts
    return (*(row.get(column.name) for column in FRAME_COLUMNS), *keys)


def _coded(keys: Any, by_key: Mapping[Any, Texts], shared: Shared) -> tuple[list[Texts], Any]:
    """Return the texts that occur, and which of them each row has."""
    codes, used = pd.factorize(keys)
    return [by_key.get(key, shared.nothing) for key in used.tolist()], codes


def _spread(shared: Shared, texts: list[Texts], codes: Any) -> dict[str, Any]:
    """Give every row its texts."""
    by_name = zip(*texts, strict=True) if texts else ((),) * len(shared.names)
    return {
        name: pd.array(np.array(each, dtype=object), dtype=_TEXT).take(codes)
        for name, each in zip(shared.names, by_name, strict=True)
        if name in _SHOWN
    }


def _output_tokens_per_s(columns: Mapping[str, Any]) -> Any:
    tokens = columns["output_tokens"].to_numpy(np.float64, na_value=np.nan)
    # Over the whole attempt: reasoning is generated before the first delta, and it is part of the tokens.
    seconds = columns["duration_s"]
    is_known = (tokens > 0) & (seconds > 0)
    return np.divide(tokens, seconds, out=np.full(len(tokens), np.nan), where=is_known)
