"""A panel as it reads where no widget shows: in a file opened without a kernel, on a web page, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cometnb.errors import printable
from cometnb.panel.history import flat
from cometnb.panel.packing import without_key
from cometnb.view.mime import bundle
from cometnb.view.neutral import plain_markdown
from cometnb.view.sendable import sendable

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["card"]

_TITLE = "Panel"
_LONGEST_VALUE, _LONGEST_PROMPT, _MOST_COLUMNS = 120, 1_500, 12


def card(panel: Panel) -> dict[str, str]:
    """Return a panel as Markdown that can do nothing, and as plain text.

    Parameters
    ----------
    panel : Panel
        Its settings, columns and sum, with its last answer if there is one; times are left out, so that two runs of a
        notebook compare.

    Returns
    -------
    dict
        ``text/markdown`` and ``text/plain``.
    """
    rows = _rows(panel)
    answer = bundle(panel.response, with_times=False, notes=panel.notes)[0] if _has_answer(panel) else {}
    table = ["| Panel | |", "|:--|:--|", *(f"| {_cell(name)} | {_cell(words)} |" for name, words in rows)]
    width = max(len(name) for name, _ in rows)
    lines = [_TITLE, *(f"  {name:{width}}  {words}" for name, words in rows)]
    markdown = ["\n".join(table), *_compared(panel), answer.get("text/markdown", "")]
    plain = ["\n".join(lines), *_columns_plain(panel), answer.get("text/plain", "")]
    shown: dict[str, str] = sendable(
        {
            "text/markdown": "\n\n".join(piece for piece in markdown if piece),
            "text/plain": without_key(printable("\n\n".join(piece for piece in plain if piece))),
        }
    )
    return shown


def _has_answer(panel: Panel) -> bool:
    return panel.response is not None and not panel.running


def _rows(panel: Panel) -> list[tuple[str, str]]:
    rows = [("prompt", _cut(panel.prompt, _LONGEST_PROMPT) or "none yet")]
    model = panel.request.get("model")
    if "model" not in panel.params and isinstance(model, str):
        rows.append(("model", model))
    rows += [(path, _value(value)) for path, value in flat(panel.params).items()]
    rows += [
        (name, words)
        for name, words in (
            ("tools", ", ".join(_tool(one) for one in panel.tools)),
            ("schema", panel.schema),
            ("images", ", ".join(panel.images)),
            ("files", ", ".join(panel.files)),
        )
        if words
    ]
    if panel.problem and panel.prompt:
        rows.append(("problem", panel.problem))
    rows += [(f"refused: {path}", words) for path, words in panel.refused.items()]
    if panel.runs:
        n_runs = panel.runs[-1].number
        rows.append((f"{n_runs:,} run{'s' if n_runs != 1 else ''}", panel.spent))
    if panel.error is not None and not panel.running:
        rows.append(("error", str(panel.error)))
    return [(name, " ".join(words.split())) for name, words in rows]


def _compared(panel: Panel) -> list[str]:
    """Return the columns' ends as a table; empty if none has run."""
    rows = _column_rows(panel)
    if not rows:
        return []
    head = ["| column | answer | tokens | cost |", "|:--|:--|--:|--:|"]
    return ["\n".join([*head, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)])]


def _columns_plain(panel: Panel) -> list[str]:
    return ["\n".join(" · ".join(row) for row in _column_rows(panel))]


def _column_rows(panel: Panel) -> list[tuple[str, ...]]:
    from cometnb.protocol.cost import dollars

    rows: list[tuple[str, ...]] = []
    for column in panel.columns[:_MOST_COLUMNS]:
        run = column.run
        if run is None or not run.is_done:
            continue
        words = _cut(run.text, _LONGEST_VALUE) if run.error is None else str(run.error)
        n_tokens = run.usage.output_tokens
        rows.append(
            (
                column.title,
                " ".join(words.split()),
                "not reported" if n_tokens is None else f"{n_tokens:,}",
                dollars(run.cost.usd),
            )
        )
    return rows


def _value(value: Any) -> str:
    return _cut(value if isinstance(value, str) else repr(value), _LONGEST_VALUE)


def _tool(one: Any) -> str:
    return one if isinstance(one, str) else str(one.get("name") or one.get("type") or "tool")


def _cut(text: str, most: int) -> str:
    # Whole, before it is shortened: half a key would not be known for one.
    text = without_key(text)
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… ({left:,} more characters)"


def _cell(text: str) -> str:
    return plain_markdown(without_key(text))
