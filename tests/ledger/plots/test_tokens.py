"""``plot_tokens``: each token once."""

from __future__ import annotations

from cometnb.ledger.plots import plot_tokens
from cometnb.ledger.plots.canvas import words_of
from tests.ledger.plots.drawing import drawn, legend, widths
from tests.ledger.usage_frames import a_day_of_calls, frame_of


def test_every_token_is_drawn_once() -> None:
    """Cached ones are part of the input, reasoning of the output."""
    frame = frame_of({"input_tokens": 100, "cached_tokens": 30, "output_tokens": 50, "reasoning_tokens": 20})
    ax = drawn(plot_tokens(frame))
    assert dict(zip(legend(ax), widths(ax), strict=True)) == {
        "input": 70,
        "cached input": 30,
        "output": 30,
        "reasoning": 20,
    }


def test_a_part_that_was_not_reported_is_in_its_whole() -> None:
    """Nobody said that it was cached, or reasoning."""
    ax = drawn(plot_tokens(frame_of({"input_tokens": 100, "output_tokens": 50})))
    assert dict(zip(legend(ax), widths(ax), strict=True)) == {"input": 100, "output": 50}


def test_a_part_larger_than_its_whole_is_drawn_as_all_of_it() -> None:
    """A service may report nonsense; a bar does not go below zero."""
    frame = frame_of({"input_tokens": 10, "cached_tokens": 30, "output_tokens": 5, "reasoning_tokens": 9})
    ax = drawn(plot_tokens(frame))
    assert dict(zip(legend(ax), widths(ax), strict=True)) == {"cached input": 10, "reasoning": 5}


def test_calls_without_tokens_are_counted() -> None:
    """The bars miss theirs."""
    ax = drawn(plot_tokens(a_day_of_calls()))
    assert "1 without reported tokens" in words_of(ax)
