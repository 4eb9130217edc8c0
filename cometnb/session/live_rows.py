"""The rows of an answer that is still being written: each one as soon as it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cometnb.protocol.partial_json import PartialJSON
from cometnb.session.structured import Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LiveRows"]


class LiveRows:
    """Rows from the deltas of an answer's text.

    Parameters
    ----------
    schema : Schema
        What was asked for. If it has no rows, the answer itself is the one row, once it is whole.

    Attributes
    ----------
    rows : list
        The rows so far, in order, as plain JSON: what `Schema.frame` makes its frame of. A row that does not fit the
        schema is here as it came; the whole answer is checked when it has ended.
    is_complete : bool
        True once the answer's JSON is closed.

    Notes
    -----
    The rows are the same for any way the text is cut into deltas, and for rows that are objects the work is linear in
    the text. A list of numbers or texts grows by one entry when the next one begins.

    Examples
    --------
    >>> from cometnb.session.structured import schema_of
    >>> live = LiveRows(schema_of("[name, born int]"))
    >>> live.feed('{"rows": [{"name": "Ada", "born": 1815}, {"name": "Gra')
    1
    >>> live.rows
    [{'name': 'Ada', 'born': 1815}]
    """

    def __init__(self, schema: Schema) -> None:
        self.rows: list[Any] = []
        self._schema = schema
        self._partial = PartialJSON()

    @property
    def is_complete(self) -> bool:
        """Whether the answer's JSON is closed."""
        return self._partial.is_complete

    def feed(self, text: str) -> int:
        """Take the next piece of the text and return how many rows it has closed."""
        self._partial.feed(text)
        new = self._closed_after(len(self.rows))
        self.rows += [self._schema.plain_row(row) for row in new]
        return len(new)

    def frame(self) -> pd.DataFrame:
        """Return the rows so far as a frame with the schema's dtypes; what does not fit is missing in it."""
        return self._schema.frame_of_plain(self.rows)

    def _closed_after(self, n: int) -> list[Any]:
        partial = self._partial
        if not self._schema.is_rows:
            return [partial.value][n:] if partial.is_complete else []
        if self._schema.has_object_rows:
            return partial.rows[n:]
        entries = _entries(partial.value)
        return entries[n:] if partial.is_complete else entries[n:-1]


def _entries(value: Any) -> list[Any]:
    """Return the list in an answer: itself, or the first that is a property of it."""
    if isinstance(value, dict):
        value = next((one for one in value.values() if isinstance(one, list)), None)
    return value if isinstance(value, list) else []
