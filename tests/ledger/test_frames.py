"""The usage frame: its columns, its dtypes, its order, and what it works out."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.ledger import Ledger
from cometnb.ledger.prices import Prices
from cometnb.protocol.response import Response
from tests.ledger.attempts import EPOCH, USAGE, an_attempt

COUNTS = {
    "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
    "total_tokens", "n_events", "n_retries",
}  # fmt: skip
NUMBERS = {"cost_usd", "ttft_s", "duration_s", "output_tokens_per_s"}
ORDER = [
    "created_at",
    "attempt_id",
    "response_id",
    "previous_response_id",
    "conversation",
    "notebook",
    "cell_id",
    "tag",
    "backend",
    "model_requested",
    "model",
    "effort",
    "service_tier",
    "status",
    "error_code",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "usage_source",
    "cost_usd",
    "price_source",
    "ttft_s",
    "duration_s",
    "output_tokens_per_s",
    "n_events",
    "n_retries",
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
COUNT_JSON = st.integers() | st.floats() | JSON
USAGE_JSON = JSON | st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["input_tokens", "output_tokens", "total_tokens", "prompt_tokens"], COUNT_JSON),
        "input_tokens_details": JSON | st.fixed_dictionaries({"cached_tokens": COUNT_JSON}),
        "output_tokens_details": JSON | st.fixed_dictionaries({"reasoning_tokens": COUNT_JSON}),
    },
)


def expected_dtype(name: str) -> str:
    """Return the dtype that DESIGN section 3 gives a column."""
    if name == "created_at":
        return "datetime64[ns, UTC]"
    return "Int64" if name in COUNTS else "float64" if name in NUMBERS else "string"


def has_the_right_shape(frame: pd.DataFrame) -> bool:
    """Tell whether a frame has the columns, their order, their dtypes, and an index from 0."""
    dtypes = [(name, str(dtype)) for name, dtype in frame.dtypes.items()]
    return dtypes == [(name, expected_dtype(name)) for name in ORDER] and list(frame.index) == list(
        range(len(frame))
    )


def recorded(place: Path | str, *attempts: Any) -> Ledger:
    """Return a ledger with these attempts."""
    ledger = Ledger(place)
    for attempt in attempts:
        ledger(attempt)
    return ledger


@pytest.fixture(params=["disk", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return a ledger's place: what holds for rows on disk must hold for rows in memory."""
    return tmp_path / "ledger.sqlite3" if request.param == "disk" else "off"


def test_an_empty_frame_has_all_columns(place: Path | str) -> None:
    """Code that works on a frame with rows works on one without."""
    frame = Ledger(place).usage()
    assert len(frame) == 0
    assert has_the_right_shape(frame)


def test_a_frame_with_rows_has_the_same_columns(place: Path | str) -> None:
    """Neither a full nor a bare row changes a dtype."""
    bare = an_attempt(1, response=Response({}), params={}, labels={}, ttft_s=None, http_status=None)
    assert has_the_right_shape(recorded(place, an_attempt(), bare).usage())
    assert has_the_right_shape(recorded("off", bare).usage())


def test_what_was_recorded_is_in_the_frame(place: Path | str) -> None:
    """The row says what the attempt said."""
    row = recorded(place, an_attempt(status="incomplete", n_retries=2)).usage().iloc[0]
    assert row["created_at"] == pd.Timestamp(EPOCH)
    assert (row["notebook"], row["cell_id"], row["tag"]) == ("a.ipynb", "c1", "test")
    assert (row["status"], row["backend"], row["effort"]) == ("incomplete", "api", "low")
    assert (row["input_tokens"], row["reasoning_tokens"], row["n_events"], row["n_retries"]) == (
        120,
        64,
        42,
        2,
    )


def test_what_was_not_reported_is_missing_and_not_zero(place: Path | str) -> None:
    """A missing count, text or time is `<NA>` or NaN."""
    row = recorded(place, an_attempt(usage=None, ttft_s=None, labels={})).usage().iloc[0]
    assert row["output_tokens"] is pd.NA
    assert row["tag"] is pd.NA
    assert row["usage_source"] == "none"
    assert pd.isna(row["ttft_s"])


def test_a_cost_is_shown_with_where_its_price_is_from(place: Path | str) -> None:
    """300 output tokens at $15 a million, 100 input at $2.50 and 20 cached at $0.25, times 0.8."""
    row = recorded(place, an_attempt()).usage().iloc[0]
    assert row["cost_usd"] == pytest.approx(0.8 * (300 * 15 + 100 * 2.5 + 20 * 0.25) / 1e6)
    assert row["price_source"].startswith("OpenAI's price of gpt-5.4 on 2026-11-01")
    assert row["price_source"].endswith("x 0.8")


def test_a_cost_nobody_knows_is_missing_with_the_reason(place: Path | str) -> None:
    """NaN is no zero."""
    unknown = an_attempt(response=Response({"model": "mine-7b", "usage": USAGE}), params={"model": "mine-7b"})
    frame = recorded(place, unknown, an_attempt(1, usage=None)).usage()
    assert frame["cost_usd"].isna().all()
    assert frame["price_source"].tolist() == ["no price known for mine-7b", "usage not reported"]


def test_rows_without_a_price_get_one_when_it_is_known(place: Path | str, tmp_path: Path) -> None:
    """What the user has put into the table by now prices what was written before."""
    table = tmp_path / "prices.toml"
    table.write_text("")
    ledger = Ledger(place, prices=Prices(table))
    for number in range(9):
        body = {"model": "mine-7b", "usage": {"input_tokens": 10 * number, "output_tokens": 7}}
        ledger(an_attempt(number, response=Response(body), params={"model": "mine-7b"}))
    assert ledger.usage()["cost_usd"].isna().all()
    table.write_text('[[price]]\nmodel = "mine-7b"\ninput = 1.0\noutput = 2.0\n')
    frame = ledger.usage()
    assert frame["cost_usd"].tolist() == pytest.approx([(10 * number + 14) / 1e6 for number in range(9)])
    assert frame["price_source"].str.startswith("your price table").all()


def test_the_newest_is_last(place: Path | str) -> None:
    """Attempts end in another order than they begin; the frame is sorted by when they began."""
    ledger = recorded(place, *(an_attempt(number) for number in (2, 0, 1)))
    assert ledger.usage()["response_id"].tolist() == ["resp_0", "resp_1", "resp_2"]


def test_the_rate_is_over_the_whole_attempt(place: Path | str) -> None:
    """300 tokens in 2 seconds are 150 a second; reasoning before the first delta counts on both sides."""
    assert recorded(place, an_attempt()).usage()["output_tokens_per_s"].tolist() == [150.0]


@pytest.mark.parametrize(
    "fields",
    [{"duration_s": 0.0}, {"usage": {"output_tokens": 0}}, {"usage": None}],
)
def test_a_rate_that_cannot_be_worked_out_is_missing(fields: dict[str, Any]) -> None:
    """No time, no span or no tokens give no rate, and no infinity."""
    assert recorded("off", an_attempt(**fields)).usage()["output_tokens_per_s"].isna().all()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tag": "b"}, ["resp_1"]),
        ({"tag": ["a", "b"]}, ["resp_0", "resp_1"]),
        ({"status": "failed"}, ["resp_2"]),
        ({"notebook": "n2"}, ["resp_1", "resp_2"]),
        ({"model": "gpt-5.4"}, ["resp_0", "resp_1"]),
        ({"model": "gpt-5.4-2026-03-05"}, ["resp_0", "resp_1", "resp_2"]),
        ({"notebook": "n2", "tag": "b"}, ["resp_1"]),
        ({"tag": "'; DROP TABLE cometnb_attempts; --"}, []),
        ({"since": EPOCH.replace(second=1)}, ["resp_1", "resp_2"]),
        ({"since": "2026-11-01T12:00:02Z", "status": "failed"}, ["resp_2"]),
        ({"since": "2026-11-02"}, []),
    ],
)
def test_filters_find_the_same_on_disk_and_in_memory(
    place: Path | str, filters: dict[str, Any], expected: list[str]
) -> None:
    """The database and the rows in memory answer alike, and an empty answer keeps its dtypes."""
    ledger = recorded(
        place,
        an_attempt(0, labels={"tag": "a", "notebook": "n1"}),
        an_attempt(1, labels={"tag": "b", "notebook": "n2"}),
        an_attempt(2, labels={"notebook": "n2"}, params={"model": "other"}, status="failed"),
    )
    frame = ledger.usage(**filters)
    assert frame["response_id"].tolist() == expected
    assert has_the_right_shape(frame)


def test_a_row_that_is_stored_and_waits_counts_once(tmp_path: Path) -> None:
    """A ledger that is off and is handed an attempt twice does not count it twice."""
    attempt = an_attempt()
    assert len(recorded("off", attempt, attempt).usage()) == 1
    assert len(recorded(tmp_path / "ledger.sqlite3", attempt, attempt).usage()) == 1


@given(usage=USAGE_JSON)
def test_any_usage_gives_a_row_and_a_frame(usage: object) -> None:
    """Whatever a gateway calls usage, the attempt is in the frame, and tokens are never below zero."""
    frame = recorded("off", an_attempt(usage=usage)).usage()
    assert has_the_right_shape(frame)
    assert (frame[sorted(COUNTS)].min().dropna() >= 0).all()


@given(usages=st.lists(USAGE_JSON, min_size=1, max_size=5))
def test_any_usage_comes_back_from_the_disk_as_it_went(
    tmp_path_factory: pytest.TempPathFactory, usages: list[object]
) -> None:
    """A frame read from SQLite equals the frame of the same rows in memory."""
    attempts = [an_attempt(number, usage) for number, usage in enumerate(usages)]
    stored = recorded(tmp_path_factory.getbasetemp() / f"{uuid.uuid4().hex}.sqlite3", *attempts)
    frame = stored.usage()
    stored.close()
    pd.testing.assert_frame_equal(frame, recorded("off", *attempts).usage())


def test_a_response_is_not_kept_alive_by_its_row() -> None:
    """A row is plain values: an answer of many megabytes can go."""
    ledger = recorded("off", an_attempt(response=Response({"usage": USAGE, "output": []})))
    assert {type(value) for value in ledger._kept[0].values()} <= {str, int, float, type(None)}
