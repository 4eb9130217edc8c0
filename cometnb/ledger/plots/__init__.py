"""Plots of a usage frame, of a sweep and of one answer; each takes a frame and returns matplotlib's Axes."""

from __future__ import annotations

from cometnb.ledger.plots.cost import plot_cost
from cometnb.ledger.plots.heat import plot_heat
from cometnb.ledger.plots.latency import plot_latency
from cometnb.ledger.plots.reasoning import plot_reasoning
from cometnb.ledger.plots.timeline import plot_timeline
from cometnb.ledger.plots.tokens import plot_tokens

__all__ = ["plot_cost", "plot_heat", "plot_latency", "plot_reasoning", "plot_timeline", "plot_tokens"]
