"""What a tool returned, as the model gets it: text, JSON, records of a table, images."""

from __future__ import annotations

import json
import sys
from typing import Any

from cometnb.session.content import pieces_of
from cometnb.session.piece import cut
from cometnb.session.plain import as_json, has_json

__all__ = ["LARGEST_OUTPUT", "output_of"]

LARGEST_OUTPUT = 100_000
"""Characters of text that one result may have; the rest is cut, and the model is told."""

_MOST_RECORDS = 1_000


def output_of(value: Any, name: str) -> str | list[dict[str, Any]]:
    """Return the output of a call.

    Parameters
    ----------
    value : object
        Text goes as it is, plain data as JSON, a pandas DataFrame or Series as JSON records, figures and images as
        images, anything else as it would stand in a prompt.
    name : str
        The tool's, for errors.

    Raises
    ------
    CellError
        If the object has no rendering.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return _capped(value)
    records = _records(value)
    if records is not None:
        return _capped(records)
    if has_json(value):
        # Without the line ends that are for people: they are tokens, too.
        return _capped(json.dumps(json.loads(as_json(value)), ensure_ascii=False))
    pieces = [cut(piece) for piece in pieces_of(value, f"the result of {name}")]
    if all(piece.kind == "text" for piece in pieces):
        return _capped("".join(piece.text for piece in pieces))
    return [dict(piece.part) for piece in pieces]


def _records(value: Any) -> str | None:
    """Return a table of pandas as JSON, one object per row; None for anything else."""
    # Who returns a DataFrame has loaded pandas.
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, pandas.DataFrame | pandas.Series):
        return None
    frame = value.to_frame() if isinstance(value, pandas.Series) else value
    shown = frame.head(_MOST_RECORDS)
    if not isinstance(frame.index, pandas.RangeIndex):
        shown = shown.reset_index(allow_duplicates=True)
    columns = [str(column) for column in shown.columns]
    rows = json.loads(shown.set_axis(range(len(columns)), axis=1).to_json(orient="values", date_format="iso"))
    left = len(frame) - len(shown)
    records: dict[str, Any] | list[Any] = [dict(zip(columns, row, strict=True)) for row in rows]
    if left:
        records = {"rows": records, "rows_left_out": left}
    return json.dumps(records, ensure_ascii=False)


def _capped(text: str) -> str:
    left = len(text) - LARGEST_OUTPUT
    return text if left <= 0 else f"{text[:LARGEST_OUTPUT]}… [{left:,} more characters were cut]"
