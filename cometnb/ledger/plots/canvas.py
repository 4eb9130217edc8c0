"""What every plot has in common: axes that read on light and dark, a title with its sentence, and words for nothing."""

from __future__ import annotations

import textwrap
import weakref
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cometnb.ledger.plots.letters import drawable, families

__all__ = [
    "COLORS",
    "PALETTE",
    "SIZE_IN",
    "axes_for",
    "blank",
    "headed",
    "ink_of",
    "resize",
    "say_nothing",
    "words_of",
]

SIZE_IN = (7.2, 4.0)
"""Width and height of a plot's own figure, in inches."""

# Okabe and Ito's colours, told apart by people of any colour vision; the lightest two are left out or darkened, so
# that they read on white as well as on #111.
PALETTE: Sequence[str] = ("#0072B2", "#E08E00", "#009E73", "#C4659A", "#3FA3DD", "#D55E00")
"""For groups that have no colour of their own."""

COLORS = {
    "input": "#0072B2",
    "cached": "#79BDE8",
    "text": "#E08E00",
    "reasoning": "#C4659A",
    "tool": "#009E73",
    "queue": "#8F8F8F",
    "stall": "#D55E00",
    "rest": "#8F8F8F",
}
"""What a colour means, the same in every plot."""

# A grey of about 4:1 against white and #111 alike. IPython measures whether a transparent figure's tick labels are light
# or dark (the bound lies between these two), and JupyterLab then puts the opposite behind the figure; where they are
# some of each, it leaves it transparent.
_ON_BOTH, _ON_BOTH_LIGHTER = "#7E7E7E", "#818181"
_FIXED = {True: ("#E6E6E6", "#111111"), False: ("#222222", "#FFFFFF")}

_SENTENCE, _NOTHING = "cometnb-sentence", "cometnb-nothing"
_EMPTY_IN = 2.2
_TITLE_PT, _TEXT_PT, _LINE_PT, _LEGEND_PT = 12.0, 9.0, 12.5, 17.0
_OWN: weakref.WeakSet[Figure] = weakref.WeakSet()

# Of the font's size, the width of an average letter.
_LETTER = 0.52


def axes_for(ax: Axes | None, dark: bool | None) -> Axes:
    """Return `ax`, or new axes in a figure of pyplot's, so that a notebook shows it as any other."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return _dressed(plt.figure(figsize=SIZE_IN, layout="constrained"), dark)


def blank(dark: bool | None = None) -> Axes:
    """Return new axes in a figure that pyplot does not know: it is shown only by whoever shows it."""
    return _dressed(Figure(figsize=SIZE_IN, layout="constrained"), dark)


def _dressed(figure: Figure, dark: bool | None) -> Axes:
    """Return new axes of `figure`.

    With `dark` they are light on dark, or dark on light. None follows a style that the user has set; without one
    the background is transparent, and the inks read on light and dark.
    """
    _OWN.add(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    if dark is None and _has_style():
        return axes
    ink, ground = _FIXED[dark] if dark is not None else (_ON_BOTH, "none")
    figure.set_facecolor(ground)
    axes.set_facecolor("none")
    axes.title.set_color(ink)
    for spine in axes.spines.values():
        spine.set_color(ink)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(ink)
        axis.set_tick_params(colors=ink)
    if dark is None:
        axes.yaxis.set_tick_params(labelcolor=_ON_BOTH_LIGHTER)
    return axes


def _has_style() -> bool:
    now, default = mpl.rcParams, mpl.rcParamsDefault
    return bool(
        now["figure.facecolor"] != default["figure.facecolor"]
        or now["axes.facecolor"] != default["axes.facecolor"]
        or now["text.color"] != default["text.color"]
        or now["axes.labelcolor"] != default["axes.labelcolor"]
        or now["xtick.color"] != default["xtick.color"]
    )


def resize(ax: Axes, height_in: float) -> None:
    """Give the figure another height, if it was made here and is not the user's."""
    figure = ax.figure
    if isinstance(figure, Figure) and figure in _OWN:
        figure.set_size_inches(SIZE_IN[0], height_in)


def ink_of(ax: Axes) -> Any:
    """Return the colour that text on these axes has."""
    return ax.xaxis.label.get_color()


def headed(ax: Axes, title: str, sentence: str = "", legend: Iterable[Any] = ()) -> None:
    """Put a title above the axes, a sentence below it, and a legend below that.

    Parameters
    ----------
    ax : Axes
    title, sentence : str
        The sentence is wrapped to the width of the axes.
    legend : iterable of Artist
        With labels; none where the plot explains itself.
    """
    width_pt = _width_pt(ax)
    height_pt = 4.0 + _put_legend(ax, [*legend], width_pt)
    height_pt += _put_sentence(ax, sentence, width_pt, height_pt)
    ax.set_title(
        drawable(title),
        loc="left",
        pad=height_pt + 2,
        fontsize=_TITLE_PT,
        fontfamily=families(),
        fontweight="bold",
        color=ink_of(ax),
        parse_math=False,
    )


def _put_legend(ax: Axes, entries: Sequence[Any], width_pt: float) -> float:
    """Put a legend above the axes, and return its height in points."""
    if not entries:
        return 0.0
    for entry in entries:
        label = drawable(str(entry.get_label()))
        # Matplotlib takes a label that begins with an underscore for none.
        entry.set_label(f" {label}" if label.startswith("_") else label)
    n_columns = _columns([str(entry.get_label()) for entry in entries], width_pt)
    legend = ax.legend(
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=n_columns,
        frameon=False,
        prop={"size": _TEXT_PT, "family": families()},
        labelcolor=ink_of(ax),
        borderpad=0.2,
        borderaxespad=0.3,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.4,
        labelspacing=0.3,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    # The title's distance keeps the place for it.
    legend.set_in_layout(False)
    return _LEGEND_PT * ceil(len(entries) / n_columns)


def _put_sentence(ax: Axes, sentence: str, width_pt: float, above_pt: float) -> float:
    """Put a sentence so far above the axes, wrapped to their width, and return its height in points."""
    if not sentence:
        return 0.0
    lines = textwrap.wrap(drawable(sentence), max(20, int(width_pt / (_TEXT_PT * _LETTER))))
    text = ax.annotate(
        "\n".join(lines),
        (0, 1),
        (0, above_pt),
        "axes fraction",
        "offset points",
        color=ink_of(ax),
        fontsize=_TEXT_PT,
        fontfamily=families(),
        va="bottom",
        annotation_clip=False,
        parse_math=False,  # two amounts of dollars are no formula
        gid=_SENTENCE,
    )
    text.set_in_layout(False)
    return _LINE_PT * len(lines) + 2


def _columns(labels: Sequence[str], width_pt: float) -> int:
    widths = [len(label) * _TEXT_PT * _LETTER + 34 for label in labels]
    return len(labels) if sum(widths) <= width_pt else max(1, min(len(labels), int(width_pt / max(widths))))


def _width_pt(ax: Axes) -> float:
    figure = ax.figure
    engine = figure.get_layout_engine() if isinstance(figure, Figure) and len(figure.axes) == 1 else None
    if engine is not None and isinstance(figure, Figure):
        engine.execute(figure)  # the names beside the axes have taken their part by now
    return float(ax.get_window_extent().width) * 72 / ax.figure.dpi


def say_nothing(ax: Axes, title: str, words: str, sentence: str = "") -> Axes:
    """Write why nothing is drawn where it would stand, and return the axes."""
    ax.text(
        0.5,
        0.5,
        drawable(words),
        gid=_NOTHING,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=ink_of(ax),
        fontsize=_TITLE_PT,
        fontfamily=families(),
        parse_math=False,
    )
    resize(ax, _EMPTY_IN)
    # Not by taking the ticks away: axes that share theirs with others would take them from those.
    ax.tick_params(length=0, labelleft=False, labelbottom=False)
    headed(ax, title, sentence)
    return ax


def words_of(ax: Axes) -> str:
    """Return in words what a plot says: its title, why nothing is drawn if so, and its sentence."""
    said = {text.get_gid(): " ".join(text.get_text().split("\n")) for text in ax.texts}
    parts = [said[gid] for gid in (_NOTHING, _SENTENCE) if gid in said]
    return ": ".join([ax.get_title(loc="left"), *parts])
