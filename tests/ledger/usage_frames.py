"""Usage frames as `Ledger.usage` returns them, from the few values a test is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cometnb.ledger.rows import COLUMNS, Kind

__all__ = ["a_day_of_calls", "frame_of"]

_TEXT = pd.StringDtype("python")
_USUAL: dict[str, Any] = {
    "created_at": pd.Timestamp("2026-11-01 12:00", tz="UTC"),
    "backend": "api",
    "model_requested": "gpt-5.4",
    "model": "gpt-5.4",
    "status": "completed",
    "input_tokens": 100,
    "output_tokens": 50,
    "total_tokens": 150,
    "usage_source": "reported",
    "cost_usd": 0.5,
    "price_source": "a table",
    "ttft_s": 0.5,
    "duration_s": 2.0,
    "output_tokens_per_s": 25.0,
    "n_events": 10,
    "n_retries": 0,
}


def frame_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return a usage frame; each row's values are laid over those of a usual call, and None is "missing"."""
    whole = [{**_USUAL, **row} for row in rows]
    columns = {
        column.name: _column(column.kind, [row.get(column.name) for row in whole])
        for column in COLUMNS
        if column.shown
    }
    return pd.DataFrame(columns)


def _column(kind: Kind, values: list[Any]) -> Any:
    if kind is Kind.TIME:
        return pd.Series(
            pd.DatetimeIndex(values, tz="UTC") if values else pd.DatetimeIndex([], tz="UTC")
        ).dt.as_unit("ns")
    if kind is Kind.COUNT:
        return pd.array(values, dtype="Int64")
    if kind is Kind.NUMBER:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return pd.array(np.array(values, dtype=object), dtype=_TEXT)


def a_day_of_calls(n_rows: int = 200) -> pd.DataFrame:
    """Return calls of several models and efforts over some days; one model has no price, one call no tokens."""
    models, efforts = ("gpt-5.4", "claude-opus-4-6", "a-model-without-a-price"), ("low", "high", None)
    rows = [
        {
            "created_at": pd.Timestamp("2026-11-01", tz="UTC") + pd.Timedelta(hours=number),
            "model": models[number % 3],
            "effort": efforts[number % 2 + (number % 7 == 0)],
            "tag": "draft" if number % 2 else None,
            "notebook": f"work/{number % 20}.ipynb",
            "cell_id": f"c{number % 5}",
            "input_tokens": 100 + number,
            "cached_tokens": number % 50,
            "output_tokens": 50 + 3 * number,
            "reasoning_tokens": 3 * number if number % 2 else number,
            "cost_usd": None if number % 3 == 2 else 0.001 * number,
            "ttft_s": 0.2 + number / 50,
        }
        for number in range(n_rows - 1)
    ]
    return frame_of(
        *rows, {"input_tokens": None, "output_tokens": None, "usage_source": "none", "ttft_s": None}
    )
