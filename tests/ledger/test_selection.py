"""Reading what a person wants to see, and since when."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.ledger.rows import row_of
from cometnb.ledger.selection import selection_of, since_time
from tests.ledger.attempts import EPOCH, an_attempt

NOW = datetime(2026, 11, 15, 10, 30, tzinfo=UTC)


def local(*parts: int) -> datetime:
    """Return a local moment in UTC."""
    return datetime(*parts).astimezone(UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        (None, None),
        ("7d", NOW - timedelta(days=7)),
        ("2h", NOW - timedelta(hours=2)),
        (" 1.5 H ", NOW - timedelta(minutes=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("90s", NOW - timedelta(seconds=90)),
        ("2w", NOW - timedelta(days=14)),
        ("0d", NOW),
        ("2026-11-01T09:30:00Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01 09:30+02:00", datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
        ("2026-11-01", local(2026, 11, 1)),
        ("2026-11-01 09:30", local(2026, 11, 1, 9, 30)),
        (date(2026, 11, 1), local(2026, 11, 1)),
        (datetime(2026, 11, 1, 9), local(2026, 11, 1, 9)),  # noqa: DTZ001
        (datetime(2026, 11, 1, 9, 0, 0, 1), local(2026, 11, 1, 9) + timedelta(microseconds=1)),  # noqa: DTZ001
        (pd.Timestamp("2026-11-01 09:00"), local(2026, 11, 1, 9)),
        (datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=-5))), datetime(2026, 11, 1, 5, tzinfo=UTC)),
        (pd.Timestamp("2026-11-01", tz="UTC"), datetime(2026, 11, 1, tzinfo=UTC)),
        (timedelta(days=1), NOW - timedelta(days=1)),
        (pd.Timedelta("1h"), NOW - timedelta(hours=1)),
    ],
)
def test_a_moment_is_read(since: Any, moment: datetime | None) -> None:
    """A moment, a day, an age and their texts are all understood."""
    assert since_time(since, NOW) == moment


@pytest.mark.parametrize("text", ["today", "Today "])
def test_today_begins_at_local_midnight(text: str) -> None:
    """Today is the user's day, not that of Greenwich."""
    day = NOW.astimezone()
    assert since_time(text, NOW) == local(day.year, day.month, day.day)


@pytest.mark.parametrize(
    ("zone", "now", "begin"),
    [
        ("Africa/Cairo", "2026-04-24T09:00Z", "2026-04-23T22:00Z"),
        ("America/Havana", "2026-03-08T09:00Z", "2026-03-08T05:00Z"),
        ("Europe/Berlin", "2026-03-29T09:00Z", "2026-03-28T23:00Z"),
        ("Europe/Berlin", "2026-10-25T23:59Z", "2026-10-25T23:00Z"),
    ],
)
def test_a_day_without_a_midnight_takes_nothing_of_the_day_before(
    monkeypatch: pytest.MonkeyPatch, zone: str, now: str, begin: str
) -> None:
    """Where the clocks go forward at midnight, the day begins at one o'clock."""
    moment = datetime.fromisoformat(now)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        day = moment.astimezone().date()
        found = {since_time(since, moment) for since in ("today", day, f"{day}", f"{day} 00:00")}
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == {datetime.fromisoformat(begin)}


@pytest.mark.parametrize(
    "since",
    [
        "",
        "yesterweek",
        "7x",
        "-7d",
        "7",
        "2026-13-01",
        "9" * 400 + "d",
        7,
        True,
        7.5,
        b"7d",
        ["7d"],
        pd.NaT,
        timedelta(days=-1),
        timedelta.max,
    ],
)
def test_what_is_no_moment_is_two_lines(since: Any) -> None:
    """The first line names the value, the second what to write."""
    with pytest.raises(ParamError) as caught:
        selection_of(since)
    fact, next_step = str(caught.value).splitlines()
    assert fact.startswith("since=")
    assert '"7d"' in next_step
    assert caught.value.param == "since"


@given(since=st.text() | st.integers() | st.dates() | st.timedeltas() | st.datetimes())
def test_whatever_is_given_is_read_or_refused(since: Any) -> None:
    """There is no third way out, and a moment that was read is in UTC."""
    try:
        moment = since_time(since, NOW)
    except ParamError:
        return
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", [5, ["a", 5], b"a", {"a": 1}.values()])
def test_a_filter_that_is_no_text_is_refused(value: Any) -> None:
    """A filter by anything but texts would silently find nothing."""
    with pytest.raises(ParamError, match=r"tag=.*\n.*tag=\[") as caught:
        selection_of(None, tag=value)
    assert caught.value.param == "tag"


@pytest.mark.parametrize(
    ("filters", "is_taken"),
    [
        ({}, True),
        ({"tag": "test"}, True),
        ({"tag": "other"}, False),
        ({"tag": ["other", "test"]}, True),
        ({"tag": []}, False),
        ({"model": "gpt-5.4"}, True),
        ({"model": "gpt-5.4-2026-03-05"}, True),
        ({"notebook": "a.ipynb", "status": "failed"}, False),
    ],
)
def test_a_row_in_memory_is_taken_or_not(filters: dict[str, Any], is_taken: bool) -> None:
    """All filters must hold, each by any of its values."""
    assert selection_of(None, **filters).takes(row_of(an_attempt())) is is_taken


def test_the_first_moment_counts() -> None:
    """`since` is the first moment that is taken."""
    row = row_of(an_attempt())
    assert selection_of(EPOCH).takes(row)
    assert not selection_of(EPOCH + timedelta(microseconds=1)).takes(row)
