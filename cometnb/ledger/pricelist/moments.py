"""When a call was made: its price is that of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["aware", "since_epoch", "stamped"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No call is older than the first service of this kind; a smaller time stamp is a blank.
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)  # of a server's clock


def aware(at: datetime | None) -> datetime:
    """Return `at` in UTC, which it is taken to be in where it has no time zone; None is now."""
    if at is None:
        return datetime.now(UTC)
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar, in a zone whose time is beyond them
        return at.replace(tzinfo=UTC)


def since_epoch(microseconds: Any) -> datetime | None:
    """Return the moment so many microseconds after 1970-01-01 UTC; None where that is no moment."""
    if isinstance(microseconds, bool | str):
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds))
    except (TypeError, ValueError, OverflowError):
        return None


def stamped(seconds: Any) -> datetime | None:
    """Return the moment of a response's own time stamp; None for one that cannot be true, such as 0."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
    return moment if _EARLIEST <= moment <= datetime.now(UTC) + _AHEAD else None
