"""What is kept of an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.ledger.rows import COLUMNS, row_of
from cometnb.protocol.response import Response
from tests.ledger.attempts import USAGE, an_attempt

KEY = "sk-abcdefghijklmnop"


def test_a_row_has_a_value_for_every_stored_column() -> None:
    """The row and the table are of one shape."""
    assert set(row_of(an_attempt())) == {column.name for column in COLUMNS if column.stored}


def test_a_row_says_what_was_asked_and_what_answered() -> None:
    """The model that was asked for and the one that answered are two facts."""
    row = row_of(an_attempt())
    assert (row["model_requested"], row["model"], row["effort"]) == ("gpt-5.4", "gpt-5.4-2026-03-05", "low")


def test_a_row_has_the_tokens_as_reported() -> None:
    """Zero is kept apart from what was not reported."""
    row = row_of(an_attempt())
    assert (row["input_tokens"], row["cached_tokens"], row["cache_write_tokens"]) == (120, 20, 0)
    assert (row["output_tokens"], row["reasoning_tokens"], row["total_tokens"]) == (300, 64, 420)
    assert row["usage_source"] == "reported"


def test_an_attempt_without_an_answer_is_a_row_without_tokens() -> None:
    """A connection that failed used an unknown number of tokens, not none."""
    row = row_of(an_attempt(response=Response({}), status="error", error_code="connect", ttft_s=None))
    assert row["usage_source"] == "none"
    assert row["input_tokens"] is None
    assert row["ttft_s"] is None
    assert row["error_code"] == "connect"


@pytest.mark.parametrize("reasoning", [None, "high", {}, {"effort": None}, {"effort": 3}])
def test_an_effort_that_was_not_given_is_missing(reasoning: object) -> None:
    """Whatever stands in its place, an effort is a text or missing."""
    assert row_of(an_attempt(params={"model": "gpt-5.4", "reasoning": reasoning}))["effort"] is None


def test_the_continued_response_is_known_from_the_request_when_nothing_answered() -> None:
    """A failed turn still belongs to its conversation."""
    attempt = an_attempt(params={"previous_response_id": "resp_9"}, response=Response({}))
    assert row_of(attempt)["previous_response_id"] == "resp_9"


def test_neither_prompt_nor_answer_is_in_a_row() -> None:
    """Texts of the user and of the model are nobody's business."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": "ANSWER"}]}]
    attempt = an_attempt(
        params={"input": "PROMPT", "instructions": "PROMPT", "metadata": {"a": "PROMPT"}},
        response=Response({"output": output, "usage": USAGE}),
    )
    text = repr(row_of(attempt))
    assert "PROMPT" not in text
    assert "ANSWER" not in text


def test_a_key_is_masked_wherever_it_was_put() -> None:
    """A key pasted into a tag or sent back by a gateway does not reach the disk."""
    attempt = an_attempt(
        labels={"tag": f"my {KEY}", "notebook": KEY},
        response=Response({"id": KEY, "model": "x" * 990 + KEY}),
        error_code=KEY,
        base_url=f"https://user:{KEY}@host.test/v1?key={KEY}",
    )
    assert KEY[:12] not in repr(row_of(attempt))


def test_the_base_url_is_kept_without_credentials_and_query() -> None:
    """Where an attempt went is needed for its price, who went there is not."""
    row = row_of(an_attempt(base_url="https://user:word@host.test:8443/v1?token=word#word"))
    assert row["base_url"] == "https://host.test:8443/v1"


def test_a_very_long_text_is_cut() -> None:
    """What a gateway calls a model can be a page of HTML."""
    model = row_of(an_attempt(response=Response({"model": "m" * 100_000})))["model"]
    assert model == "m" * 999 + "…"


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d", "\udc00"])
def test_a_text_no_database_takes_is_made_storable(text: str) -> None:
    """One such row would hold back every row behind it."""
    tag = row_of(an_attempt(labels={"tag": text}))["tag"]
    assert isinstance(tag, str)
    assert tag.encode()
    assert "\0" not in tag


def test_a_count_beyond_64_bits_is_missing() -> None:
    """It is no count of tokens, and no database could hold it."""
    row = row_of(an_attempt(usage={"input_tokens": 2**63, "output_tokens": 2**63 - 1}))
    assert (row["input_tokens"], row["output_tokens"]) == (None, 2**63 - 1)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_no_number_is_missing(seconds: float) -> None:
    """NaN and infinity are no durations."""
    assert row_of(an_attempt(ttft_s=seconds))["ttft_s"] is None


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_kept_to_the_microsecond(moment: datetime) -> None:
    """A moment goes to whole microseconds and back without loss."""
    created_at_us = row_of(an_attempt(created_at=moment))["created_at_us"]
    assert isinstance(created_at_us, int)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=created_at_us) == moment
