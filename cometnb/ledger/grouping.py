"""Rows of a usage frame in groups: which columns it must have, and what each group comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from cometnb.errors import ParamError
from cometnb.ledger.rows import TOKENS

__all__ = ["checked", "has", "is_real", "is_told_elsewhere", "model_of", "numbered", "summed"]

_TEXT = pd.StringDtype("python")
_MEDIANS = ("ttft_s", "duration_s", "output_tokens_per_s")
_COLUMNS = {
    "n_attempts": "Int64",
    "n_completed": "Int64",
    **dict.fromkeys(TOKENS, "Int64"),
    "n_unreported": "Int64",
    "reasoning_share": "float64",
    "cost_usd": "float64",
    "n_unpriced": "Int64",
    "n_estimated": "Int64",
    "simulated_cost_usd": "float64",
    "n_simulated": "Int64",
    "n_simulated_unpriced": "Int64",
    **dict.fromkeys(_MEDIANS, "float64"),
}
_NEEDED = ("backend", "model", "status", "error_code", *TOKENS, "usage_source", "cost_usd", *_MEDIANS)

# Where nothing reached the service, it had nothing to report.
_UNSENT_STATUS, _UNSENT_CODES = "refused_by_budget", ("cassette", "connect", "connect_timeout")
_LARGEST_COUNT = 2**63 - 1

_Mask: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"


def checked(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return `frame` if it has the columns of a usage frame that are summed up, and those of these names.

    Raises
    ------
    ParamError
        If one is missing; it names it.
    """
    missing = [name for name in (*_NEEDED, *names) if name not in frame.columns]
    if not missing:
        return frame
    raise ParamError(
        f"This is no usage frame: it has no column {missing[0]!r}.",
        "Pass cometnb.usage(), or what %comet usage --all returned.",
        param="frame",
    )


def is_real(frame: pd.DataFrame) -> _Mask:
    """Tell for each row whether it is no simulated one; a row that does not say who answered counts as real."""
    return ~has(frame["backend"], "simulator")


def is_told_elsewhere(frame: pd.DataFrame) -> _Mask:
    """Tell for each row without usage whether another row of the same response has it.

    A response in the background is begun in one row, perhaps listened to in others, and billed once.
    """
    is_silent = has(frame["usage_source"], "none")
    if "response_id" not in frame.columns:
        return np.zeros(len(frame), dtype=np.bool_)
    ids = frame["response_id"]
    asked = ids[is_silent].dropna().unique()
    told = ids[~is_silent & has(ids, *asked)].unique() if len(asked) else ()
    return is_silent & has(ids, *told) if len(told) else np.zeros(len(frame), dtype=np.bool_)


def model_of(frame: pd.DataFrame) -> pd.Series[Any]:
    """Return for each row the model that answered, or the one that was asked where none did."""
    return frame["model"].where(frame["model"].notna(), frame["model_requested"])


def has(values: pd.Series[Any], *wanted: str) -> _Mask:
    """Tell for each value whether it is one of those wanted; a missing one is not."""
    return values.isin(wanted).to_numpy(np.bool_)


def numbered(values: pd.Series[Any], name: str) -> tuple[Any, pd.Index[Any]]:
    """Number the values from 0 on, the missing ones under a label of their own, such as "(no tag)".

    Returns
    -------
    codes : ndarray of int64
        For each value the place of its label.
    labels : Index of "string"
        Called `name`.
    """
    codes, labels = pd.factorize(values)
    texts = [str(label) for label in labels]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append(f"(no {name.removesuffix('_id')})")
    return codes, pd.Index(pd.array(texts, dtype=_TEXT), name=name)


def summed(frame: pd.DataFrame, codes: Any, labels: pd.Index[Any]) -> pd.DataFrame:
    """Return what each group of rows comes to.

    Parameters
    ----------
    frame : DataFrame
        A usage frame.
    codes : ndarray of int64
        For each row the place of its group in `labels`.
    labels : Index
        Becomes the index.

    Returns
    -------
    DataFrame
        See `by_model`.
    """
    checked(frame)
    numbers = {name: _counts(frame[name]) for name in TOKENS}
    reasoning, output = (
        numbers[name].to_numpy(np.float64, na_value=np.nan) for name in ("reasoning_tokens", "output_tokens")
    )
    has_both = ~np.isnan(reasoning) & ~np.isnan(output)
    cost = frame["cost_usd"].to_numpy(np.float64, na_value=np.nan)
    is_money, is_known, is_elsewhere = is_real(frame), np.isfinite(cost), is_told_elsewhere(frame)
    is_unknown = ~is_known & ~is_elsewhere
    with np.errstate(invalid="ignore", divide="ignore"):
        share = _sums(codes, labels, reasoning, has_both) / _sums(codes, labels, output, has_both)
    is_unreported = (numbers["input_tokens"].isna() | numbers["output_tokens"].isna()).to_numpy(np.bool_)
    columns: dict[str, Any] = {
        "n_attempts": _counted(codes, labels, np.full(len(frame), True)),
        "n_completed": _counted(codes, labels, has(frame["status"], "completed")),
        **_token_sums(codes, labels, numbers),
        "n_unreported": _counted(codes, labels, is_unreported & ~_is_unsent(frame) & ~is_elsewhere),
        "reasoning_share": np.where(np.isfinite(share), share, np.nan),
        "cost_usd": _known_sums(codes, labels, cost, is_money & is_known),
        "n_unpriced": _counted(codes, labels, is_money & is_unknown),
        "n_estimated": _counted(codes, labels, has(frame["usage_source"], "estimated")),
        "simulated_cost_usd": _known_sums(codes, labels, cost, ~is_money & is_known),
        "n_simulated": _counted(codes, labels, ~is_money),
        "n_simulated_unpriced": _counted(codes, labels, ~is_money & is_unknown),
        **_medians(codes, labels, frame),
    }
    return pd.DataFrame(columns, index=labels).astype(_COLUMNS)


def _counted(codes: Any, labels: pd.Index[Any], mask: _Mask) -> Any:
    return np.bincount(codes[mask], minlength=len(labels))


def _sums(codes: Any, labels: pd.Index[Any], values: Any, mask: _Mask) -> Any:
    return np.bincount(codes[mask], weights=values[mask], minlength=len(labels))


def _known_sums(codes: Any, labels: pd.Index[Any], values: Any, mask: _Mask) -> Any:
    """Return sums that are NaN for a group without any value."""
    return np.where(_counted(codes, labels, mask) > 0, _sums(codes, labels, values, mask), np.nan)


def _token_sums(codes: Any, labels: pd.Index[Any], numbers: Mapping[str, pd.Series[Any]]) -> dict[str, Any]:
    """Return each column's sums as Int64; <NA> where nothing is known, or more than 64 bits would be needed."""
    sums = {}
    for name, values in numbers.items():
        is_there = values.notna().to_numpy(np.bool_)
        counts = values.to_numpy(np.int64, na_value=0)
        whole = np.zeros(len(labels), dtype=np.int64)
        # Exact, where weights of bincount would be rounded to 53 bits.
        grouped = pd.Series(counts).groupby(codes).sum()
        whole[grouped.index.to_numpy(np.int64)] = grouped.to_numpy(np.int64)
        size = np.bincount(codes, weights=np.abs(counts.astype(np.float64)), minlength=len(labels))
        is_lost = (_counted(codes, labels, is_there) == 0) | (size >= _LARGEST_COUNT)
        sums[name] = pd.arrays.IntegerArray(whole, is_lost)
    return sums


def _medians(codes: Any, labels: pd.Index[Any], frame: pd.DataFrame) -> dict[str, Any]:
    medians = {}
    for name in _MEDIANS:
        values = frame[name].to_numpy(np.float64, na_value=np.nan)
        medians[name] = (
            pd.Series(values).groupby(codes).median().reindex(range(len(labels))).to_numpy(np.float64)
        )
    return medians


def _counts(values: pd.Series[Any]) -> pd.Series[Any]:
    return values if str(values.dtype) == "Int64" else values.astype("Int64")


def _is_unsent(frame: pd.DataFrame) -> _Mask:
    return has(frame["status"], _UNSENT_STATUS) | has(frame["error_code"], *_UNSENT_CODES)
