"""``plot_reasoning``: the share of reasoning."""

from __future__ import annotations

import numpy as np
import pytest

from cometnb.ledger.plots import plot_reasoning
from tests.ledger.plots.drawing import drawn, legend, texts
from tests.ledger.usage_frames import frame_of


def test_reasoning_is_a_dot_for_each_model_and_effort() -> None:
    """At its share of the output, of the calls that report both."""
    frame = frame_of(
        {"effort": "low", "output_tokens": 100, "reasoning_tokens": 20},
        {"effort": "low", "output_tokens": 100, "reasoning_tokens": 40},
        {"effort": "high", "output_tokens": 100, "reasoning_tokens": 90},
        {"effort": "high", "output_tokens": 900, "reasoning_tokens": None},
    )
    ax = drawn(plot_reasoning(frame))
    dots = {str(line.get_label()): float(np.asarray(line.get_xdata())[0]) for line in ax.lines}
    assert dots["low"] == pytest.approx(0.3)
    assert dots["high"] == pytest.approx(0.9)
    assert legend(ax) == ["low", "high"]


def test_no_reasoning_reported_is_said() -> None:
    """It is no share of zero."""
    assert "no reasoning tokens reported" in texts(drawn(plot_reasoning(frame_of({}))))
