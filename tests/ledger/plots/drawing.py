"""Plots drawn where nobody sees them, and what is to be seen on them."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

__all__ = ["drawn", "heights", "legend", "names", "texts", "widths"]


def drawn(ax: Axes) -> Axes:
    """Return the axes after they were drawn: a fault or a warning may come up only then."""
    figure: Any = ax.figure
    figure.savefig(io.BytesIO(), format="png")
    return ax


def widths(ax: Axes) -> list[float]:
    """Return how far each lying bar reaches, in the order they were drawn."""
    return [patch.get_width() for patch in ax.patches if isinstance(patch, Rectangle)]


def names(ax: Axes) -> list[str]:
    """Return what stands beside the bars."""
    return [label.get_text() for label in ax.get_yticklabels()]


def legend(ax: Axes) -> list[str]:
    """Return the legend's labels; none if there is no legend."""
    shown = ax.get_legend()
    return [text.get_text() for text in shown.get_texts()] if shown is not None else []


def texts(ax: Axes) -> list[str]:
    """Return every text on the axes."""
    return [text.get_text() for text in ax.texts]


def heights(ax: Axes) -> list[float]:
    """Return how high each standing bar is, in the order they were drawn."""
    return [patch.get_height() for patch in ax.patches if isinstance(patch, Rectangle)]
