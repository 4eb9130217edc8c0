"""What the ledger's history teaches about a model's tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.ledger.calibration import Calibration, Factors, factors_of
from cometnb.ledger.history import recent_rows
from cometnb.ledger.store import Ledger
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from tests.ledger.attempts import an_attempt

_TEXT = "The sea rises and falls twice a day, and nobody has ever seen it wait for anybody. "


def _row(**fields: Any) -> dict[str, Any]:
    return {
        "backend": "api",
        "usage_source": "reported",
        "model": "m-2026",
        "model_requested": "m",
        "input_tokens": 120,
        "output_tokens": 500,
        "reasoning_tokens": 350,
        "input_estimate_tokens": 100,
        "output_estimate_tokens": 100,
    } | fields


def _ledger(place: str | Path, n_attempts: int = 6, usage: Any = None) -> Ledger:
    """A ledger that holds attempts whose input and visible output were half as long again as estimated."""
    ledger = Ledger(place)
    for number in range(n_attempts):
        attempt = an_attempt(number)
        raw = attempt.response.raw | {
            "output": [{"type": "message", "content": [{"type": "output_text", "text": _TEXT * 10}]}],
            "usage": usage or _usage(),
        }
        object.__setattr__(attempt, "response", Response(raw))
        object.__setattr__(attempt, "params", dict(attempt.params) | {"input": _TEXT * 10})
        ledger(attempt)
    return ledger


def _usage() -> dict[str, Any]:
    from cometnb.protocol.estimate import estimated_input_tokens, estimated_tokens

    sent, written = estimated_input_tokens({"input": _TEXT * 10}), estimated_tokens(_TEXT * 10)
    return {
        "input_tokens": round(sent * 1.5),
        "output_tokens": round(written * 1.5) + 1_000,
        "output_tokens_details": {"reasoning_tokens": 1_000},
    }


def test_factors_are_medians_of_reported_over_estimated() -> None:
    """By the name that was asked for and by the one that answered; reasoning is no visible output."""
    rows = [_row(), _row(), _row(), _row(input_tokens=110), _row(input_tokens=100_000)]
    expected = Factors(1.2, 1.5, 5, 5)
    assert factors_of(rows) == {"m": expected, "m-2026": expected}


def test_four_rows_teach_nothing() -> None:
    """Chance is not history."""
    assert factors_of([_row()] * 4)["m"] == Factors(1.0, 1.0, 4, 4)


@pytest.mark.parametrize(
    "fields",
    [
        {"backend": "simulator"},
        {"backend": "cassette"},
        {"usage_source": "estimated"},
        {"input_tokens": None, "output_tokens": None},
        {"input_estimate_tokens": None, "output_estimate_tokens": 3},
        {"input_estimate_tokens": 0, "output_estimate_tokens": 0},
        {"model": None, "model_requested": None},
    ],
)
def test_rows_that_cannot_teach_are_passed_over(fields: dict[str, Any]) -> None:
    """Simulated, estimated, unreported and tiny ones."""
    assert all(factors[:2] == (1.0, 1.0) for factors in factors_of([_row(**fields)] * 9).values())


@pytest.mark.parametrize(
    "fields", [{"previous_response_id": "resp_0"}, {"n_tool_calls": '{"web_search_call": 1}'}]
)
def test_input_that_was_not_all_sent_from_here_teaches_nothing(fields: dict[str, Any]) -> None:
    """The service added what nobody estimated; the output is as good as any."""
    assert factors_of([_row(**fields)] * 9)["m"] == Factors(1.0, 1.5, 0, 9)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), min_size=1, max_size=9))
def test_factors_stay_within_reason(pairs: list[tuple[int, int]]) -> None:
    """Whatever a gateway claims."""
    rows = [_row(input_tokens=said, input_estimate_tokens=estimated) for said, estimated in pairs]
    assert 0.4 <= factors_of(rows)["m"].input <= 2.5


@pytest.mark.parametrize("is_off", [True, False])
def test_it_learns_from_a_ledger(tmp_path: Path, is_off: bool) -> None:
    """In the background; until then the estimates stand."""
    ledger = _ledger("off" if is_off else tmp_path / "ledger.sqlite3")
    ledger.flush()
    calibration = Calibration()
    calibration.learn_from(lambda: recent_rows(ledger))
    assert calibration.wait(10.0)
    for name in ("gpt-5.4", "gpt-5.4-2026-03-05"):
        assert calibration.factors(name).input == pytest.approx(1.5, abs=0.02)
        assert calibration.factors(name).output == pytest.approx(1.5, abs=0.02)
    scaled = calibration.scaled(
        Usage({"input_tokens": 100, "output_tokens": 200, "total_tokens": 300}), "gpt-5.4"
    )
    assert (scaled.input_tokens, scaled.output_tokens, scaled.total_tokens) == (150, 300, 450)
    assert calibration.factors("another") == Factors()
    ledger.close()


def test_nothing_known_changes_nothing() -> None:
    """Without a ledger, without a model, without an estimate."""
    calibration = Calibration()
    usage = Usage({"input_tokens": 7, "output_tokens": 9, "total_tokens": 16})
    assert calibration.scaled(usage, None) == usage
    assert calibration.scaled(Usage({"input_tokens": 7}), "m") == Usage({"input_tokens": 7})
    assert not calibration.scaled(Usage(), "m")


def test_a_ledger_that_cannot_be_read_teaches_nothing(tmp_path: Path) -> None:
    """And costs no answer."""
    broken = tmp_path / "ledger.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    calibration = Calibration()
    calibration.learn_from(lambda: recent_rows(Ledger(broken)))
    assert calibration.wait(10.0)
    assert calibration.factors("m") == Factors()


def test_another_ledger_starts_anew() -> None:
    """What the first one taught is forgotten."""
    calibration = Calibration()
    ledger = _ledger("off")
    calibration.learn_from(lambda: recent_rows(ledger))
    assert calibration.wait(10.0)
    assert calibration.factors("gpt-5.4").n_input == 6
    calibration.learn_from(None)
    assert calibration.factors("gpt-5.4") == Factors()


def test_recent_rows_are_the_newest_ones(tmp_path: Path) -> None:
    """Newest first, once each, no more than asked for, and none without reported usage."""
    ledger = _ledger(tmp_path / "ledger.sqlite3")
    ledger(an_attempt(100, usage=None))
    times = [row["created_at_us"] for row in recent_rows(ledger, 4)]
    assert len(times) == 4
    assert times == sorted(times, reverse=True)
    ledger.flush()
    assert [row["created_at_us"] for row in recent_rows(ledger, 4)] == times
    assert {row["effort"] for row in recent_rows(ledger)} == {"low"}
    ledger.close()
