"""Which rows are wanted: since when, before when, and of which notebook, model, tag, status and so on."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

from cometnb.errors import ParamError
from cometnb.ledger.rows import Row, microseconds

__all__ = ["Selection", "Since", "Wanted", "selection_of", "since_time"]

Since: TypeAlias = datetime | date | timedelta | str | None
Wanted: TypeAlias = str | Collection[str] | None

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE)
# A person asks for a model by the name they sent; the service may answer with a dated one.
_COLUMNS = {
    "notebook": ("notebook",),
    "model": ("model", "model_requested"),
    "tag": ("tag",),
    "status": ("status",),
    "backend": ("backend",),
    "conversation": ("conversation",),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are wanted.

    Attributes
    ----------
    since_us : int or None
        The first microsecond since 1970 UTC that counts; None is from the beginning.
    before_us : int or None
        The first microsecond since 1970 UTC that does not count any more; None is to the end.
    wanted : tuple of (tuple of str, frozenset of str)
        Each pair: one of these columns holds one of these values. All pairs must hold.
    """

    since_us: int | None = None
    wanted: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = ()
    before_us: int | None = None

    def takes(self, row: Row) -> bool:
        """Return whether a row in memory is wanted."""
        created_at_us = row["created_at_us"]
        if isinstance(created_at_us, int):
            if self.since_us is not None and created_at_us < self.since_us:
                return False
            if self.before_us is not None and created_at_us >= self.before_us:
                return False
        return all(any(row[name] in values for name in names) for names, values in self.wanted)


def selection_of(since: Since, before: Since = None, **filters: Wanted) -> Selection:
    """Return the selection for what a person asked.

    Parameters
    ----------
    since, before : datetime, date, timedelta, str or None
        The first moment that counts, and the first that does not any more; see `since_time`.
    **filters : str, collection of str or None
        By `notebook`, `model`, `tag`, `status`, `backend` or `conversation`; None does not filter.

    Raises
    ------
    ParamError
        If a moment cannot be read, or a filter is none, or neither text nor a collection of texts.
    """
    return Selection(
        _microseconds(since_time(since)),
        tuple((_columns(name), _values(name, value)) for name, value in filters.items() if value is not None),
        _microseconds(since_time(before, param="before")),
    )


def since_time(since: Since, now: datetime | None = None, param: str = "since") -> datetime | None:
    """Read a moment in the ways a person gives one.

    Parameters
    ----------
    since : datetime, date, timedelta, str or None
        A moment, a day, an age, or a text: ``2026-11-01``, ``2026-11-01 09:30``, ``today``, ``7d``, ``2h``
        (units s, m, h, d, w). Without a time zone it is local time.
    now : datetime, optional
        Aware; what an age and ``today`` count from. The clock's time if not given.
    param : str
        What an error calls it.

    Returns
    -------
    datetime or None
        Aware, UTC; None for None.

    Raises
    ------
    ParamError
        If it is none of these, an age is below zero, or the moment is outside the years 1 to 9999.
    """
    if since is None:
        return None
    now = now or datetime.now(UTC)
    try:
        moment = _moment(since, now)
        # pandas' NaT is a datetime that equals nothing, itself included.
        if moment is not None and moment == moment:  # noqa: PLR0124
            return _in_utc(moment)
    except (ValueError, OverflowError, OSError):
        pass
    raise ParamError(
        f"{param}={_shown(since)} is no moment, no day and no age from 0 up.",
        f'Use {param}="today", "7d", "2h", "2026-11-01", a datetime, a date or a timedelta.',
        param=param,
    )


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    # A clock that skips midnight has a day all the same: where `astimezone` takes the offset after the gap, and so
    # the last hour of the day before, the time stamp is the moment of the gap. Whole seconds, since it is a float; and
    # Python's own, since pandas takes a time without a zone for UTC.
    whole = datetime(*moment.timetuple()[:6], fold=moment.fold)  # noqa: DTZ001
    return datetime.fromtimestamp(whole.timestamp(), UTC).replace(microsecond=moment.microsecond)


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def _moment(since: Any, now: datetime) -> datetime | None:
    if isinstance(since, str):
        return _moment_in_text(since.strip(), now)
    if isinstance(since, timedelta):
        return now - since if since >= timedelta(0) else None
    if isinstance(since, datetime):
        return since
    return datetime.combine(since, time.min) if isinstance(since, date) else None


def _moment_in_text(text: str, now: datetime) -> datetime:
    if text.casefold() == "today":
        return datetime.combine(now.astimezone().date(), time.min)
    if age := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[age[2].lower()]: float(age[1])})
    return datetime.fromisoformat(text)


def _columns(name: str) -> tuple[str, ...]:
    if name not in _COLUMNS:
        raise ParamError(
            f"The ledger has no filter {name!r}.", f"It filters by {', '.join(_COLUMNS)}.", param=name
        )
    return _COLUMNS[name]


def _values(name: str, value: Any) -> frozenset[str]:
    values = (value,) if isinstance(value, str) else value
    if isinstance(values, Collection) and all(isinstance(entry, str) for entry in values):
        return frozenset(values)
    raise ParamError(
        f"{name}={_shown(value)} is neither a text nor a list of texts.",
        f'Use {name}="a" or {name}=["a", "b"].',
        param=name,
    )


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"
