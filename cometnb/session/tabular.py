"""Tables as a prompt reads them: shape, dtypes and a Markdown table of the first and last rows and columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cometnb.protocol.counted import counted
from cometnb.session.piece import Piece, text_of

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "frame", "index", "polars_frame", "series"]

MOST_ROWS = 20
MOST_COLUMNS = 40

_LONGEST_CELL_CHARACTERS = 200
_MOST_LABELS = 60


@dataclass(frozen=True, slots=True)
class _Ends:
    """The positions of the first and last of n things that are shown, at most `most` of them."""

    n: int
    most: int

    @property
    def head(self) -> range:
        return range(self.n if self.n <= self.most else (self.most + 1) // 2)

    @property
    def tail(self) -> range:
        return range(self.n - self.most // 2, self.n) if self.left_out else range(0)

    @property
    def left_out(self) -> int:
        return max(0, self.n - self.most)

    def spread(self, values: Sequence[Any], gap: str = "…") -> list[Any]:
        """Return the values at these positions, with `gap` where some are left out."""
        middle = [gap] if self.left_out else []
        return [*(values[at] for at in self.head), *middle, *(values[at] for at in self.tail)]


def frame(value: Any) -> Piece:
    """Return a pandas DataFrame: shape, dtypes, missing values a column, and at most 20 rows and 40 columns."""
    n_rows, n_columns = value.shape
    rows, columns = _Ends(n_rows, MOST_ROWS), _Ends(n_columns, MOST_COLUMNS)
    shown = value.iloc[:, [*columns.head, *columns.tail]]
    names = columns.spread([_name(name) for name in value.columns])
    dtypes = columns.spread([str(dtype) for dtype in value.dtypes])
    missing = [
        f"{_name(name)} {count:,}"
        for name, count in zip(shown.columns, shown.isna().sum().tolist(), strict=True)
        if count
    ]
    head = [
        f"DataFrame, {counted(n_rows, 'row')} × {counted(n_columns, 'column')}",
        *([f"dtypes: {_listed(names, dtypes)}"] if names else []),
        *([f"missing values: {', '.join(missing)}"] if missing else []),
    ]
    index_name = " / ".join(_name(name) for name in value.index.names if name is not None)
    body = _records(shown, rows.head, columns), _records(shown, rows.tail, columns)
    return _piece(head, [index_name, *names], body, rows, columns)


def series(value: Any) -> Piece:
    """Return a pandas Series: name, length, dtype, missing values, and at most 20 values with their labels."""
    rows = _Ends(len(value), MOST_ROWS)
    missing = int(value.isna().sum())
    named = "" if value.name is None else f" {_name(value.name)}"
    head = [
        f"Series{named}, {counted(rows.n, 'value')}, dtype {value.dtype}",
        *([f"missing values: {missing:,}"] if missing else []),
    ]
    title = "value" if value.name is None else _name(value.name)
    index_name = " / ".join(_name(name) for name in value.index.names if name is not None)
    ends = [
        [(_cell(label), _cell(one)) for label, one in part.items()]
        for part in (
            value.iloc[rows.head.start : rows.head.stop],
            value.iloc[rows.tail.start : rows.tail.stop],
        )
    ]
    return _piece(head, [index_name, title], (ends[0], ends[1]), rows, _Ends(1, MOST_COLUMNS))


def index(value: Any) -> Piece:
    """Return a pandas Index: name, length, dtype and at most 60 labels."""
    labels = _Ends(len(value), _MOST_LABELS)
    named = "".join(f" {_name(name)}" for name in value.names if name is not None)
    gap = f"… {labels.left_out:,} more labels …"
    text = ", ".join(_text(one) if one is gap else _cell(one) for one in labels.spread(value, gap))
    note = f"{labels.left_out:,} of {labels.n:,} labels left out" if labels.left_out else ""
    head = f"{type(value).__name__}{named}, {counted(labels.n, 'label')}, dtype {value.dtype}"
    return text_of(f"{head}\n{text}", note=note)


def polars_frame(value: Any) -> Piece:
    """Return a polars DataFrame: shape, dtypes, nulls a column, and at most 20 rows and 40 columns."""
    rows, columns = _Ends(value.height, MOST_ROWS), _Ends(value.width, MOST_COLUMNS)
    names = columns.spread([_name(name) for name in value.columns])
    dtypes = columns.spread([str(dtype) for dtype in value.dtypes])
    nulls = (
        [
            f"{_name(name)} {count:,}"
            for name, count in zip(value.columns, *value.null_count().rows(), strict=True)
            if count
        ]
        if value.width
        else []
    )
    head = [
        f"DataFrame (polars), {counted(rows.n, 'row')} × {counted(columns.n, 'column')}",
        *([f"dtypes: {_listed(names, dtypes)}"] if names else []),
        *([f"missing values: {', '.join(nulls)}"] if nulls else []),
    ]
    ends = [
        [columns.spread([_cell(one) for one in row]) for row in value.slice(part.start, len(part)).rows()]
        for part in (rows.head, rows.tail)
    ]
    return _piece(head, names, (ends[0], ends[1]), rows, columns)


def _records(shown: Any, positions: range, columns: _Ends) -> list[list[str]]:
    half = len(columns.head)
    middle = ["…"] if columns.left_out else []
    records = []
    for label, *values in shown.iloc[positions.start : positions.stop].itertuples(index=True, name=None):
        cells = [_cell(one) for one in values]
        records.append([_cell(label), *cells[:half], *middle, *cells[half:]])
    return records


def _piece(
    head: Iterable[str],
    names: Sequence[str],
    body: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]],
    rows: _Ends,
    columns: _Ends,
) -> Piece:
    lines = [*head, "", _line(names), _line(["---"] * len(names)), *map(_line, body[0])]
    if rows.left_out:
        lines.append(
            _line(
                [
                    f"… {rows.left_out:,} more {'row' if rows.left_out == 1 else 'rows'}",
                    *[""] * (len(names) - 1),
                ]
            )
        )
    lines += map(_line, body[1])
    left_out = [
        f"{ends.left_out:,} of {ends.n:,} {what} left out"
        for ends, what in ((rows, "rows"), (columns, "columns"))
        if ends.left_out
    ]
    return text_of("\n".join(lines), "text/markdown", ", ".join(left_out))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(names: Iterable[str], dtypes: Iterable[str]) -> str:
    return ", ".join(
        name if dtype == "…" else f"{name} {dtype}" for name, dtype in zip(names, dtypes, strict=True)
    )


def _name(value: Any) -> str:
    # A name is never cut: without it the table cannot be asked about.
    return _escaped(str(value))


def _cell(value: Any) -> str:
    return _escaped(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    text = str(value)
    if len(text) <= _LONGEST_CELL_CHARACTERS:
        return text
    return (
        f"{text[:_LONGEST_CELL_CHARACTERS]}… [{len(text) - _LONGEST_CELL_CHARACTERS:,} characters left out]"
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\r\n", "\n").replace("\n", "<br>").replace("\r", "<br>")
