"""``plot_latency``: the time to the first token."""

from __future__ import annotations

import numpy as np

from cometnb.ledger.plots import plot_latency
from cometnb.ledger.plots.canvas import words_of
from tests.ledger.plots.drawing import drawn, legend
from tests.ledger.usage_frames import a_day_of_calls, frame_of


def test_latency_is_a_dot_for_each_measured_call() -> None:
    """Those without a time or a length are counted and not drawn."""
    frame = frame_of({"ttft_s": 1.0, "output_tokens": 200}, {"ttft_s": None}, {"output_tokens": 0})
    ax = drawn(plot_latency(frame))
    offsets = np.concatenate([np.asarray(dots.get_offsets()) for dots in ax.collections])
    assert offsets.tolist() == [[200.0, 1.0]]
    assert "2 not measured" in words_of(ax)


def test_latency_may_be_against_the_input() -> None:
    """The axis says which length it is."""
    assert "input" in drawn(plot_latency(a_day_of_calls(), "input_tokens")).get_xlabel()


def test_simulated_times_are_drawn_only_where_nothing_was_measured() -> None:
    """They say nothing of a service."""
    both = frame_of({"model": "real"}, {"model": "played", "backend": "simulator"})
    assert legend(drawn(plot_latency(both))) == ["real"]
    ax = drawn(plot_latency(both[both["backend"] == "simulator"]))
    assert "simulated" in ax.get_title(loc="left")
