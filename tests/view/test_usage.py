"""The usage line says what is known and names what is not."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.recorded import Recorded
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage
from cometnb.view.usage import usage_line


def _line(usage: Any, **settings: Any) -> str:
    timing = Timing(ttft_s=0.25, duration_s=2.0)
    return usage_line(Response({"model": "gpt-5.4", "usage": usage}, timing=timing), **settings)


def test_all_that_is_known() -> None:
    """Tokens in, cached, out, reasoning, what they cost, and the times."""
    usage = {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 100},
        "total_tokens": 1500,
    }
    assert _line(usage) == (
        "gpt-5.4 · 1,200 tokens in (1,024 cached) · 300 tokens out (100 reasoning) · $0.0052"
        " · first after 0.25 s · 2.0 s · 150 tokens/s"
    )


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (None, "usage not reported"),
        ({}, "usage not reported"),
        ({"input_tokens": 3}, "tokens out not reported"),
        ({"output_tokens": 3}, "tokens in not reported"),
        ({"input_tokens": 1, "output_tokens": 3}, "reasoning not reported"),
    ],
)
def test_what_is_missing_is_named(usage: Any, words: str) -> None:
    """Not reported is said, and is not shown as zero."""
    line = _line(usage)
    assert words in line
    assert "0 tokens" not in line


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 3},
        {"output_tokens": 3},
        {"total_tokens": 3},
        {"input_tokens": 3, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 5}},
    ],
)
def test_a_price_that_is_known_is_not_said_to_be_missing(usage: Any) -> None:
    """It is the tokens that are not known, or cannot be right."""
    assert "cost not known" in _line(usage)
    assert "no price known" not in _line(usage)


def test_rounds_that_were_reported_and_one_that_was_cut_off_are_both_said() -> None:
    """The tokens that were estimated are not left out beside those that were not."""
    response = Response({"model": "gpt-5.4", "usage": {"input_tokens": 10, "output_tokens": 20}})
    response.estimated_usage = Usage({"input_tokens": 30, "output_tokens": 5})
    line = usage_line(response, with_times=False)
    assert "10 tokens in · 20 tokens out" in line
    assert "and about 30 in and 5 out (estimated)" in line


def test_a_round_of_unknown_cost_does_not_hide_what_the_others_cost() -> None:
    """One that the service refused reports nothing; the one before it was paid."""
    whole = Response({"model": "gpt-5.4", "usage": {"input_tokens": 100_000, "output_tokens": 0}})
    whole.rounds = (Response(whole.raw), Response({}, status="error"))
    assert usage_line(whole, with_times=False).endswith("$0.25 + 1 round of unknown cost")


def _cost_part(model: str, usage: Any = None, **attributes: Any) -> str:
    reported = {
        "input_tokens": 1_000_000,
        "output_tokens": 1000,
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    response = Response(
        {"model": model, "usage": reported if usage is None else usage, **attributes.pop("raw", {})}
    )
    for name, value in attributes.items():
        setattr(response, name, value)
    return usage_line(response).split(" · ")[-1]


def test_a_model_without_a_price_says_so() -> None:
    """It is not shown as free."""
    assert _cost_part("house-model-1") == "no price known"


def test_where_no_usage_is_known_no_cost_is() -> None:
    """The price may well be; the tokens are not."""
    assert _cost_part("gpt-5.4-mini", {}) == "cost not known"


def test_a_simulated_answer_shows_what_it_would_cost() -> None:
    """At CometAPI's price, and in words that nobody takes for a bill: 0.8 of $0.75 and of $0.0045."""
    assert _cost_part("gpt-5.4-mini", backend="simulator") == "$0.60 if it were billed"


def test_an_estimate_says_so() -> None:
    """An answer that was cut off has no usage; its tokens and cost are about right."""
    guess = Usage({"input_tokens": 1_000_000, "output_tokens": 2})
    response = Response({"model": "gpt-5.4-mini"}, status="interrupted")
    response.estimated_usage = guess
    assert "about 1,000,000 tokens in and 2 out (estimated) · about $0.75" in usage_line(response)


def test_fees_of_built_in_tools_stand_apart() -> None:
    """They are not in the cost of the tokens."""
    searched = {"output": [{"type": "web_search_call"}, {"type": "web_search_call"}]}
    assert _cost_part("gpt-5.4-mini", raw=searched) == "$0.75 + $0.020 for 2 web searches"


def test_times_can_be_left_out() -> None:
    """Where outputs are compared between runs, nothing that differs is shown."""
    assert " s" not in _line({"input_tokens": 1, "output_tokens": 2}, with_times=False).replace("tokens", "")


def test_a_simulated_answer_says_so() -> None:
    """Nobody takes it for a real one."""
    response = Response({"model": "gpt-5.4"})
    response.backend = "simulator"
    assert usage_line(response).startswith("simulator · ")


def test_a_replay_shows_what_the_recording_cost_and_took() -> None:
    """Its own times say nothing of the service."""
    response = Response({"model": "gpt-5.4", "usage": {"input_tokens": 10, "output_tokens": 80}})
    response.backend = "cassette"
    response.recorded = Recorded(backend="api", ttft_s=0.5, duration_s=2.0, cost_usd=0.0031)
    assert usage_line(response) == (
        "cassette · gpt-5.4 · 10 tokens in · 80 tokens out (reasoning not reported) · $0.00, replayed"
        " ($0.0031 when recorded) · first after 0.50 s · 2.0 s · 40 tokens/s · times as recorded"
    )
    response.recorded = Recorded(backend="simulator", cost_usd=0.0031)
    assert usage_line(response).endswith("$0.00, replayed ($0.0031 if it had been billed)")
