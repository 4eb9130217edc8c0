"""``plot_heat``: any measure of a frame over two of its parameters, a cell for each combination of their values."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cometnb.errors import ParamError
from cometnb.ledger.plots.canvas import axes_for, headed, ink_of, resize, say_nothing
from cometnb.ledger.plots.letters import drawable, families
from cometnb.ledger.plots.units import rounded, shortened
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted

__all__ = ["AGGREGATES", "plot_heat"]

AGGREGATES = ("median", "mean", "sum", "min", "max", "count")
"""How the rows of a cell become one number."""

# Told apart by people of any colour vision, and in grey.
_COLORS = "cividis"
_TEXT_PT = 9.0
# Cells beyond these numbers are too small for their value; a scale beside them tells it then.
_MOST_LABELLED = (10, 20)
_ROW_IN, _LOW_ROW_IN, _BESIDE_IN, _TALLEST_IN = 0.52, 0.2, 1.6, 12.0
# The luminance at which black and white read equally well (WCAG).
_EVEN_LUMINANCE = 0.179

_Words = Callable[[float], str]
_UNITS: tuple[tuple[str, str, _Words], ...] = (
    ("_usd", "US dollars", dollars),
    ("_tokens_per_s", "tokens/s", lambda value: f"{rounded(value)}/s"),
    ("_tokens", "tokens", rounded),
    ("_ms", "ms", lambda value: f"{rounded(value)} ms"),
    ("_s", "s", lambda value: f"{rounded(value)} s"),
)


def plot_heat(
    frame: pd.DataFrame,
    x: str,
    y: str,
    measure: str = "cost_usd",
    aggregate: str = "median",
    *,
    ax: Axes | None = None,
    dark: bool | None = None,
) -> Axes:
    """Draw a heat map.

    Parameters
    ----------
    frame : DataFrame
        One row per run, such as `cometnb.sweep` returns it; any frame will do.
    x, y : str
        Columns: those across and those down. Numbers stand in order, categories in theirs, anything else as it comes
        in the frame; a missing value is "not set".
    measure : str
        A column of numbers or of true and false (1 and 0). Its unit is read from the end of its name: ``_usd``,
        ``_tokens``, ``_tokens_per_s``, ``_s``, ``_ms``.
    aggregate : str
        What a cell shows of its rows: ``median``, ``mean``, ``sum``, ``min``, ``max``, or ``count`` of those that have
        a value. Rows without a value are left out.
    ax, dark
        As in `plot_cost`.

    Returns
    -------
    Axes
        Each cell with its value, the first y on top. A cell without a value is hatched, and the sentence above says
        how many there are.

    Raises
    ------
    ParamError
        A column that is not there or that holds lists, a measure that is no number, an unknown `aggregate`.
    """
    values = _checked(frame, x, y, measure, aggregate)
    ax = axes_for(ax, dark)
    name, unit, words = _unit_of(measure, aggregate)
    title = f"{aggregate.capitalize()} of {name}{f', {unit}' if unit and not name.endswith(unit) else ''}"
    if not len(frame):
        return say_nothing(ax, title, "no rows")
    across, down = _labels(frame[x]), _labels(frame[y])
    cells = _cells(frame, (x, y), values, aggregate, (across, down))
    if not np.isfinite(cells).any():
        return say_nothing(ax, title, f"no {name} known")
    row_in = _ROW_IN if len(down) <= _MOST_LABELLED[1] else _LOW_ROW_IN
    resize(ax, min(_TALLEST_IN, _BESIDE_IN + row_in * len(down)))
    _draw(ax, cells, words, unit)
    _name(ax, across, down, (x, y))
    headed(ax, title, _sentence(cells, values, words, aggregate))
    return ax


def _checked(frame: pd.DataFrame, x: str, y: str, measure: str, aggregate: str) -> Any:
    """Return the measure as floats."""
    for column, param in ((x, "x"), (y, "y"), (measure, "measure")):
        if column not in frame.columns:
            close = difflib.get_close_matches(str(column), map(str, frame.columns), n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(map(str, frame.columns))}."
            raise ParamError(f"{param}={column!r} is no column of the frame.", hint, param=param)
    for column, param in ((x, "x"), (y, "y")):
        try:
            frame[column].unique()
        except TypeError:
            raise ParamError(
                f"{param}={column!r} holds lists or objects, which are no values of a parameter.",
                "Name a column of text, numbers or true and false.",
                param=param,
            ) from None
    if x == y:
        raise ParamError(f"x and y are both {x!r}.", "Name two different columns.", param="y")
    if aggregate not in AGGREGATES:
        raise ParamError(
            f"aggregate={aggregate!r} is unknown.", f"Use one of {', '.join(AGGREGATES)}.", param="aggregate"
        )
    held = frame[measure]
    if not (pd.api.types.is_numeric_dtype(held.dtype) or pd.api.types.is_bool_dtype(held.dtype)):
        numbers = [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name].dtype)]
        raise ParamError(
            f"measure={measure!r} holds no numbers.",
            f"Numbers are in {', '.join(map(str, numbers))}.",
            param="measure",
        )
    floats = held.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(floats), floats, np.nan)


def _unit_of(measure: str, aggregate: str) -> tuple[str, str, _Words]:
    found = next(
        ((end, unit, words) for end, unit, words in _UNITS if str(measure).endswith(end)), ("", "", rounded)
    )
    end, unit, words = found
    name = str(measure).removesuffix(end).replace("_", " ").strip() if end else str(measure)
    name = {"ttft": "time to first token", "output": "output tokens" if unit == "tokens" else "output"}.get(
        name, name
    )
    # A title that is wider than the plot would leave no room for it.
    name = shortened(name)
    return (name, "rows", rounded) if aggregate == "count" else (name, unit, words)


def _labels(column: pd.Series[Any]) -> list[Any]:
    """Return the different values in the order in which they stand; None for missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = set(column.dropna())
        labels = [one for one in column.dtype.categories if one in used]
    else:
        labels = list(column.dropna().unique())
        is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
            column.dtype
        )
        labels = sorted(labels) if is_number else labels
    return [*([None] if column.isna().any() else []), *labels]


def _cells(
    frame: pd.DataFrame,
    names: tuple[str, str],
    values: Any,
    aggregate: str,
    labels: tuple[list[Any], list[Any]],
) -> Any:
    at = [_places(frame[name], known) for name, known in zip(names, labels, strict=True)]
    groups = pd.Series(values).groupby([at[1], at[0]])
    summed = groups.sum(min_count=1) if aggregate == "sum" else getattr(groups, aggregate)()
    cells = np.full((len(labels[1]), len(labels[0])), np.nan)
    for row, column, value in summed.reset_index().itertuples(index=False):
        cells[row, column] = value
    return cells


def _places(column: pd.Series[Any], labels: list[Any]) -> Any:
    place = {label: at for at, label in enumerate(labels)}
    missing = column.isna().to_numpy()
    return np.array([place[None if gone else one] for one, gone in zip(column, missing, strict=True)])


def _draw(ax: Axes, cells: Any, words: _Words, unit: str) -> None:
    low, high = np.nanmin(cells), np.nanmax(cells)
    norm = Normalize(low, high if high > low else low + 1)
    colors = colormaps[_COLORS]
    n_rows, n_columns = cells.shape
    is_labelled = n_columns <= _MOST_LABELLED[0] and n_rows <= _MOST_LABELLED[1]
    ax.set_xlim(0, n_columns)
    ax.set_ylim(n_rows, 0)
    for (row, column), value in np.ndenumerate(cells):
        is_missing = np.isnan(value)
        color = "none" if is_missing else colors(norm(value))
        # A hatch is drawn in the colour of the edge.
        cell = Rectangle((column, row), 1, 1, facecolor=color, linewidth=0)
        if is_missing:
            cell.set(hatch="////", edgecolor=ink_of(ax), alpha=0.6)
        ax.add_patch(cell)
        if is_labelled and not is_missing:
            ax.text(
                column + 0.5,
                row + 0.5,
                words(float(value)),
                ha="center",
                va="center",
                color=_ink_on(color),
                fontsize=_TEXT_PT,
                parse_math=False,
            )
    figure = ax.figure
    if not is_labelled and isinstance(figure, Figure):
        scale = figure.colorbar(ScalarMappable(norm, colors), ax=ax, format=lambda value, _: words(value))
        scale.set_label(unit, color=ink_of(ax))
        scale.ax.tick_params(colors=ink_of(ax))
        scale.outline.set_visible(False)


def _ink_on(color: Any) -> str:
    """Return black or white, whichever reads better on a colour."""
    parts = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in to_rgb(color)]
    luminance = float(np.dot(parts, [0.2126, 0.7152, 0.0722]))
    return "black" if luminance > _EVEN_LUMINANCE else "white"


def _name(ax: Axes, across: list[Any], down: list[Any], names: tuple[str, str]) -> None:
    # Many labels would lie over each other; every second or third then stands for those beside it.
    for axis, labels, most in ((ax.xaxis, across, 20), (ax.yaxis, down, 40)):
        step = -(-len(labels) // most)
        axis.set_ticks([at + 0.5 for at in range(0, len(labels), step)])
        axis.set_ticklabels([_label(one) for one in labels[::step]], fontfamily=families(), parse_math=False)
    longest = max(len(_label(one)) for one in across)
    if longest * len(across) > 90:
        ax.tick_params(axis="x", labelrotation=30)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    for axis, name in ((ax.xaxis, names[0]), (ax.yaxis, names[1])):
        axis.set_label_text(drawable(shortened(str(name))), fontfamily=families(), parse_math=False)


def _label(value: Any) -> str:
    if value is None:
        return "not set"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return drawable(shortened(text)) or " "


def _sentence(cells: Any, values: Any, words: _Words, aggregate: str) -> str:
    known = cells[~np.isnan(cells)]
    low, high = words(float(known.min())), words(float(known.max()))
    n_rows = int(np.isfinite(values).sum())
    parts = [low if low == high else f"from {low} to {high}", counted(n_rows, "row")]
    left_out, n_missing = len(values) - n_rows, cells.size - known.size
    if left_out:
        parts.append(f"{left_out:,} without a value")
    if n_missing:
        parts.append(
            f"{n_missing:,} of {counted(cells.size, 'cell')} without {'rows' if aggregate == 'count' else 'a value'}, hatched"
        )
    return "; ".join(parts)
