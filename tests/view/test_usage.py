"""The usage line says what is known and names what is not."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.response import Response, Timing
from cometnb.view.usage import usage_line


def _line(usage: Any, **settings: Any) -> str:
    timing = Timing(ttft_s=0.25, duration_s=2.0)
    return usage_line(Response({"model": "gpt-5.4", "usage": usage}, timing=timing), **settings)


def test_all_that_is_known() -> None:
    """Tokens in, cached, out, reasoning, that there is no price, and the times."""
    usage = {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 100},
        "total_tokens": 1500,
    }
    assert _line(usage) == (
        "gpt-5.4 · 1,200 tokens in (1,024 cached) · 300 tokens out (100 reasoning) · no price known"
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


def test_times_can_be_left_out() -> None:
    """Where outputs are compared between runs, nothing that differs is shown."""
    assert " s" not in _line({"input_tokens": 1, "output_tokens": 2}, with_times=False).replace("tokens", "")


def test_a_simulated_answer_says_so() -> None:
    """Nobody takes it for a real one."""
    response = Response({"model": "gpt-5.4"})
    response.backend = "simulator"
    assert usage_line(response).startswith("simulator · ")
