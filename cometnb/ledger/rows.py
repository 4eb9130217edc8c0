"""What is kept of an attempt: the columns, declared once, and the row that is read from an attempt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from cometnb.client.attempt import Attempt
from cometnb.errors import masked
from cometnb.protocol.response import whole_text

__all__ = ["COLUMNS", "READ_COLUMNS", "Column", "Kind", "Row", "microseconds", "row_of"]

Row: TypeAlias = dict[str, str | int | float | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a column of 64 bits can hold, in SQLite, in PostgreSQL and in pandas.
_LARGEST_COUNT = 2**63 - 1
_LONGEST_TEXT = 1_000
_TOKENS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)


class Kind(Enum):
    """What a column holds; it decides the type on disk and the dtype in the frame.

    A TEXT is one of a few that come again and again; an ID is a text that hardly any two rows share.
    """

    TEXT = "text"
    ID = "id"
    COUNT = "count"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the ledger.

    Attributes
    ----------
    name : str
        The same on disk and in the frame.
    kind : Kind
        What it holds.
    stored : bool
        Whether it is on disk; a column that is not stored is worked out when the frame is built.
    shown : bool
        Whether the usage frame has it.
    version : int
        The schema version that brought it.
    """

    name: str
    kind: Kind = Kind.TEXT
    stored: bool = True
    shown: bool = True
    version: int = 1


COLUMNS: tuple[Column, ...] = (
    Column("created_at", Kind.TIME, stored=False),
    Column("attempt_id", Kind.ID),
    Column("response_id", Kind.ID),
    Column("previous_response_id", Kind.ID),
    Column("conversation"),
    Column("notebook"),
    Column("cell_id"),
    Column("tag"),
    Column("backend"),
    Column("model_requested"),
    Column("model"),
    Column("effort"),
    Column("service_tier"),
    Column("status"),
    Column("error_code"),
    *(Column(name, Kind.COUNT) for name in _TOKENS),
    Column("usage_source"),
    Column("cost_usd", Kind.NUMBER, stored=False),
    Column("price_source", stored=False),
    Column("ttft_s", Kind.NUMBER),
    Column("duration_s", Kind.NUMBER),
    Column("output_tokens_per_s", Kind.NUMBER, stored=False),
    Column("n_events", Kind.COUNT),
    Column("n_retries", Kind.COUNT),
    # Microseconds since 1970 in UTC: a whole number sorts, compares and converts alike in every database.
    Column("created_at_us", Kind.COUNT, shown=False),
    Column("call_id", Kind.ID, shown=False),
    Column("base_url", shown=False),
    Column("http_status", Kind.COUNT, shown=False),
    Column("request_id", Kind.ID, shown=False),
)
"""Every column; those that are shown stand in the order of the usage frame."""

READ_COLUMNS: tuple[Column, ...] = tuple(
    column for column in COLUMNS if column.stored and (column.shown or column.name == "created_at_us")
)
"""The columns that are fetched to build the usage frame."""


def microseconds(moment: datetime) -> int:
    """Return the microseconds from 1970-01-01 UTC to `moment`; one without a time zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def row_of(attempt: Attempt) -> Row:
    """Return what is kept of an attempt, as plain values.

    Parameters
    ----------
    attempt : Attempt
        A finished attempt, whatever its end.

    Returns
    -------
    dict
        A value for every stored column of `COLUMNS`. None is "not reported". There is no prompt and no answer
        in it, keys are masked, texts have at most 1,000 characters, and the response is not kept alive.
    """
    response, params = attempt.response, attempt.params
    tokens = {name: _count(getattr(response.usage, name)) for name in _TOKENS}
    is_reported = any(count is not None for count in tokens.values())
    return {
        "attempt_id": _text(attempt.attempt_id),
        "response_id": _text(response.id),
        "previous_response_id": _text(response.previous_response_id or params.get("previous_response_id")),
        **{name: _text(attempt.labels.get(name)) for name in ("conversation", "notebook", "cell_id", "tag")},
        "backend": _text(attempt.backend),
        "model_requested": _text(params.get("model")),
        "model": _text(response.model),
        "effort": _text(_effort(params)),
        "service_tier": _text(response.service_tier),
        "status": _text(attempt.status),
        "error_code": _text(attempt.error_code),
        **tokens,
        "usage_source": "reported" if is_reported else "none",
        "ttft_s": _seconds(attempt.ttft_s),
        "duration_s": _seconds(attempt.duration_s),
        "n_events": _count(attempt.n_events),
        "n_retries": _count(attempt.n_retries),
        "created_at_us": microseconds(attempt.created_at),
        "call_id": _text(attempt.call_id),
        "base_url": _text(_without_credentials(attempt.base_url)),
        "http_status": _count(attempt.http_status),
        "request_id": _text(response.request_id),
    }


def _effort(params: Mapping[str, Any]) -> Any:
    reasoning = params.get("reasoning")
    return reasoning.get("effort") if isinstance(reasoning, Mapping) else None


def _without_credentials(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    # Masked before it is cut, so that no half of a key is left. PostgreSQL takes no NUL, no encoding takes
    # half a surrogate pair, and one of the two would hold back every row behind it.
    text = whole_text(masked(value).replace("\0", "�"))
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _count(value: int | None) -> int | None:
    return value if value is not None and abs(value) <= _LARGEST_COUNT else None


def _seconds(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
