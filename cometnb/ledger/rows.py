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
from cometnb.protocol.response import Response, whole_text
from cometnb.protocol.usage import Usage

__all__ = [
    "COLUMNS",
    "STORED_COLUMNS",
    "TOKENS",
    "Column",
    "Kind",
    "Row",
    "microseconds",
    "row_of",
    "stored_text",
]

TOKENS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)
"""The counts of tokens, by the names of their columns."""

Row: TypeAlias = dict[str, str | int | float | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a column of 64 bits can hold, in SQLite, in PostgreSQL and in pandas.
_LARGEST_COUNT = 2**63 - 1
_LONGEST_TEXT = 1_000
_LABELS = ("conversation", "notebook", "cell_id", "tag")


class Kind(Enum):
    """What a column holds; it decides the type on disk and the dtype in the frame.

    A TEXT is one of a few that come again and again, mostly together with the same others; a SOURCE says where a
    price is from, and changes with the day; an ID is a text that hardly any two rows share.
    """

    TEXT = "text"
    SOURCE = "source"
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
    *(Column(name, Kind.COUNT) for name in TOKENS),
    Column("usage_source"),
    Column("cost_usd", Kind.NUMBER, version=2),
    Column("price_source", Kind.SOURCE, version=2),
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
    # What built-in tools cost besides the tokens, and how many calls of each there were, as JSON.
    Column("tool_fees_usd", Kind.NUMBER, shown=False, version=2),
    Column("n_tool_calls", shown=False, version=2),
    # What was estimated of the input and of the visible output, as it came out: it teaches later estimates.
    Column("input_estimate_tokens", Kind.COUNT, shown=False, version=2),
    Column("output_estimate_tokens", Kind.COUNT, shown=False, version=2),
)
"""Every column; those that are shown stand in the order of the usage frame."""

STORED_COLUMNS: tuple[Column, ...] = tuple(column for column in COLUMNS if column.stored)
"""The columns that are on disk, and the keys of a row."""


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
        A value for every one of `STORED_COLUMNS`; None is "not reported", and also what others add later: the price
        and the estimates. There is no prompt and no answer in it, keys are masked, texts have at most 1,000
        characters, and the response is not kept alive.
    """
    response, params = attempt.response, attempt.params
    usage, usage_source = _usage(response)
    return {
        **{column.name: None for column in STORED_COLUMNS},
        "attempt_id": stored_text(attempt.attempt_id),
        "response_id": stored_text(response.id),
        "previous_response_id": stored_text(
            response.previous_response_id or params.get("previous_response_id")
        ),
        **{name: stored_text(attempt.labels.get(name)) for name in _LABELS},
        "backend": stored_text(attempt.backend),
        "model_requested": stored_text(params.get("model")),
        "model": stored_text(response.model),
        "effort": stored_text(_effort(params)),
        "service_tier": stored_text(response.service_tier),
        "status": stored_text(attempt.status),
        "error_code": stored_text(attempt.error_code),
        **{name: _count(getattr(usage, name)) for name in TOKENS},
        "usage_source": usage_source,
        "ttft_s": _seconds(attempt.ttft_s),
        "duration_s": _seconds(attempt.duration_s),
        "n_events": _count(attempt.n_events),
        "n_retries": _count(attempt.n_retries),
        "created_at_us": microseconds(attempt.created_at),
        "call_id": stored_text(attempt.call_id),
        "base_url": stored_text(_without_credentials(attempt.base_url)),
        "http_status": _count(attempt.http_status),
        "request_id": stored_text(response.request_id),
    }


def stored_text(value: Any, longest: int = _LONGEST_TEXT) -> str | None:
    """Return a text as it may be stored; None if it is empty or none.

    Parameters
    ----------
    value : object
    longest : int
        Characters at most; a longer text is cut and ends in "…".
    """
    if not isinstance(value, str) or not value:
        return None
    # Masked before it is cut, so that no half of a key is left. PostgreSQL takes no NUL, no encoding takes
    # half a surrogate pair, and one of the two would hold back every row behind it.
    text = whole_text(masked(value).replace("\0", "�"))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _usage(response: Response) -> tuple[Usage, str]:
    if any(_count(getattr(response.usage, name)) is not None for name in TOKENS):
        return response.usage, "reported"
    if not response.estimated_usage:
        return Usage(), "none"
    # Loaded by the few calls that were cut off.
    from cometnb.ledger import calibration

    name = response.model_requested or response.model
    return calibration.current.scaled(response.estimated_usage, name), "estimated"


def _effort(params: Mapping[str, Any]) -> Any:
    reasoning = params.get("reasoning")
    return reasoning.get("effort") if isinstance(reasoning, Mapping) else None


def _without_credentials(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _count(value: int | None) -> int | None:
    return value if value is not None and abs(value) <= _LARGEST_COUNT else None


def _seconds(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
