"""The pictures beside the page, drawn from the kept figures: bars for who costs what, lines for what grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.rounds import Cell
from benchmarks.tables import Section, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    _Drawing: TypeAlias = Callable[["Axes", "Section", "_Figures"], None]

__all__ = ["draw"]

_OURS, _OURS_TOO, _OTHERS, _OTHERS_TOO = "#c2410c", "#fb923c", "#64748b", "#1e293b"
_PALE = {_OURS: "#fdba74", _OTHERS: "#cbd5e1"}
_GRID = "#e2e8f0"
_DOTS_PER_INCH = 110
_WIDTH = 8.6

_Figures = list[tuple[str, list[float]]]


def draw(sections: Iterable[Section], folder: Path) -> None:
    """Write a PNG for every section that names a picture, with a white ground that any page shows it on."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9, "axes.axisbelow": True}):
        for section in sections:
            drawn = _measured(section)
            if not section.picture or not drawn:
                continue
            size = (_WIDTH, 1.5 + 0.34 * max(len(drawn), 6))
            figure = Figure(
                figsize=size, facecolor="white", layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
            )
            FigureCanvasAgg(figure)
            axes = figure.subplots()
            axes.spines[["top", "right"]].set_visible(False)
            _DRAWN[section.picture](axes, section, drawn)
            title = section.title.replace("`", "")
            figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=11, fontweight="bold")
            # No version in the file: the same figures make the same file.
            figure.savefig(folder / f"{section.picture}.png", dpi=_DOTS_PER_INCH, metadata={"Software": None})


def _measured(section: Section) -> _Figures:
    """Return the names and figures of the rows that have figures; what is not known is NaN, which nothing draws."""
    named = [(str(row[0]).replace("`", ""), [_figure(cell) for cell in row[1:]]) for row in section.rows]
    return [(name, figures) for name, figures in named if not all(map(math.isnan, figures))]


def _figure(cell: Cell) -> float:
    return math.nan if cell is None or isinstance(cell, str) else float(cell)


def _bars(unit: str, column: int = 0) -> _Drawing:
    """Return what draws one column as bars on a scale of tens, the cheapest at the top."""

    def drawn(axes: Axes, section: Section, rows: _Figures) -> None:
        del section
        ordered = sorted(((name, figures[column]) for name, figures in rows), key=lambda row: row[1])
        names, values = [name for name, _ in ordered], [value for _, value in ordered]
        bars = axes.barh(names, values, color=[_color(name) for name in names], log=True)
        axes.bar_label(bars, [number(value) for value in values], padding=3)
        _scale(axes, unit, values)

    return drawn


def _pairs(axes: Axes, section: Section, rows: _Figures) -> None:
    """Draw the two sizes of every contender, one below the other."""
    for place, size in enumerate(section.columns[1:3]):
        values = [figures[place] for _, figures in rows]
        colors = [_color(name) if place else _PALE[_color(name)] for name, _ in rows]
        positions = [index + place * 0.4 - 0.2 for index in range(len(rows))]
        bars = axes.barh(positions, values, height=0.38, color=colors, log=True)
        labels = ["" if math.isnan(value) else f"{number(value)}  ({size})" for value in values]
        axes.bar_label(bars, labels, padding=3)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    _scale(axes, "seconds of CPU", [value for _, figures in rows for value in figures[:2]], room=2.5)


def _scale(axes: Axes, unit: str, values: list[float], *, room: float = 1.6) -> None:
    """Let bars grow from left to right on a scale of tens, with room for the labels at their ends."""
    known = [value for value in values if value > 0]
    low, high = min(known) / 2, max(known) * room
    axes.set_xlim(low, high)
    axes.set_xticks(_ticks(low, high), [f"{tick:,g}" for tick in _ticks(low, high)])
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit}, on a scale of tens")
    axes.grid(axis="x", color=_GRID)


def _lines(unit: str) -> _Drawing:
    """Return what draws a figure at every size; the last column is the growth, which stands beside the name."""

    def drawn(axes: Axes, section: Section, rows: _Figures) -> None:
        ours, others = iter((_OURS, _OURS_TOO)), iter((_OTHERS, _OTHERS_TOO))
        sizes = [int(column.split()[0].replace(",", "")) for column in section.columns[1:-1]]
        for name, (*costs, growth) in rows:
            color = next(ours if _color(name) == _OURS else others)
            label = f"{name}: grows {number(growth)} times"
            axes.plot(sizes, costs, marker="o", color=color, label=label)
        every = [cost for _, figures in rows for cost in figures[:-1]]
        low, high = min(every) / 1.5, max(every) * 1.5
        axes.set(xscale="log", yscale="log", ylim=(low, high), xlabel="deltas in the answer", ylabel=unit)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_yticks(_ticks(low, high), [f"{tick:,g}" for tick in _ticks(low, high)])
        axes.minorticks_off()
        axes.grid(color=_GRID)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))

    return drawn


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between the two: 1, 2 and 5 of each ten, or the tens alone where there are many."""
    steps = (1, 2, 5) if high / low < 100 else (1,)
    tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [tick for ten in tens for step in steps if low <= (tick := float(f"{step}e{ten}")) <= high]


def _color(name: str) -> str:
    return _OURS if "cometnb" in name else _OTHERS


_DRAWN: dict[str, _Drawing] = {
    "client-cpu": _bars("seconds of CPU"),
    "growth": _lines("µs of CPU a delta"),
    "traffic": _bars("MB on iopub"),
    "traffic-growth": _lines("bytes on iopub a delta"),
    "page": _bars("milliseconds of work of the page's thread", column=-1),
    "imports": _bars("seconds of CPU"),
    "concurrency": _pairs,
}
