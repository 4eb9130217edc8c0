"""Structured answers as people read them: rows as a table that grows, anything else as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cometnb.protocol.events import Event
from cometnb.session.live_rows import LiveRows
from cometnb.view.neutral import plain_markdown

if TYPE_CHECKING:
    from cometnb.session.structured import Schema

__all__ = ["ShownRows", "as_markdown"]

_TEXT = "response.output_text.delta"
_NOT_IN_CODE = frozenset("`|<[]\\&")
_MOST_ROWS, _LONGEST_CELL = 60, 200


class ShownRows:
    """Turns the deltas of an answer's JSON into deltas of Markdown: the rows that have closed, as lines of a table.

    Parameters
    ----------
    schema : Schema
        What was asked for.
    """

    def __init__(self, schema: Schema) -> None:
        self._table = _Table(schema) if schema.is_rows else None
        self._live = LiveRows(schema)
        self._n_shown = 0

    def shown(self, events: Sequence[Event]) -> list[Event]:
        """Return the events with their text replaced by what is shown of it; all others as they are."""
        return [self._shown(event) if event.type == _TEXT else event for event in events]

    def _shown(self, event: Event) -> Event:
        delta = event.raw.get("delta")
        text = delta if isinstance(delta, str) else ""
        return Event(_TEXT, {**event.raw, "delta": self._grown(text)})

    def _grown(self, text: str) -> str:
        if self._table is None:
            # Plain JSON streams as a block of code.
            lead = "" if self._n_shown else "```json\n"
            self._n_shown = 1
            return lead + text
        self._live.feed(text)
        new = self._live.rows[self._n_shown : _MOST_ROWS]
        self._n_shown += len(new)
        return "".join(self._table.line(row) for row in new)


def as_markdown(schema: Schema, text: str) -> str:
    """Return a whole answer's JSON as Markdown: a table of the first rows, or a block of JSON.

    Parameters
    ----------
    schema : Schema
        What was asked for.
    text : str
        The answer; the model's words, to be made harmless before they are shown.
    """
    if not schema.is_rows:
        return _block(text)
    live = LiveRows(schema)
    live.feed(text)
    if not live.rows:
        return _block(text)
    table = _Table(schema)
    lines = "".join(map(table.line, live.rows[:_MOST_ROWS]))
    left = len(live.rows) - _MOST_ROWS
    return lines + (f"\n{left:,} more rows are in .to_frame()." if left > 0 else "")


class _Table:
    """Lines of a Markdown table; the first row brings its head."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._names: list[str] = []

    def line(self, row: Any) -> str:
        cells = row if isinstance(row, Mapping) else {"value": row}
        head = ""
        if not self._names:
            # A row leaves out what is missing in it, and a service that does not hold to schemas has names of its own.
            asked_for = (column.path[0] for column in self._schema.columns if column.path)
            self._names = list(dict.fromkeys([*asked_for, *map(str, cells)]))
            head = f"{_joined([_cell(name) for name in self._names])}{_joined(['---'] * len(self._names))}"
        return head + _joined([_cell(cells.get(name)) for name in self._names])


def _joined(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    text = text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
    # JupyterLab takes what is between two dollars for a formula, escaped or not, except in code.
    is_code = text.count("$") > 1 and not _NOT_IN_CODE & set(text)
    return f"`{text}`" if is_code else plain_markdown(text)


def _block(text: str) -> str:
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}json\n{text}\n{fence}"
