"""Small multiples: a sweep's answers side by side, arranged by its axes, as one display that stays in the notebook."""

from __future__ import annotations

import html
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import Any

from cometnb.errors import masked, printable
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted
from cometnb.session.sweep import Grid, said
from cometnb.session.sweep_axes import label_text
from cometnb.session.sweep_frame import Result
from cometnb.view.html import block_html, text_html
from cometnb.view.mime import bundle
from cometnb.view.parts import ending

__all__ = [
    "MOST_SHOWN",
    "Arrangement",
    "Band",
    "arranged",
    "figures",
    "heading",
    "multiples_bundle",
    "summary",
]

MOST_SHOWN = 60
"""How many runs are drawn; all of them are in the frame."""

_MOST_ACROSS = 4
_LONGEST_HEADING = 80
# Characters of all answers together, and of one; a notebook's file stays small, and a table can be read.
_LONGEST_ALL, _LONGEST_ONE, _SHORTEST_ONE = 24_000, 700, 160
_MOST_LINES = 14
_LONGEST_LINE = 90

_TOP = "text-align: left; vertical-align: top"
_FAINT = "opacity: 0.75; font-size: 0.9em"


@dataclass(frozen=True, slots=True)
class Band:
    """Some columns of the grid, with all rows; grids that are too wide have several, one below the other.

    Attributes
    ----------
    headings : tuple of str
        Of the columns.
    rows : tuple of (str, tuple of int)
        Each with its heading and the places of its runs.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where each run stands.

    Attributes
    ----------
    across, down : str
        The names of the axes that the columns and the rows are of; empty for none.
    bands : tuple of Band
    n_hidden : int
        Runs that are not drawn.
    """

    across: str
    down: str
    bands: tuple[Band, ...]
    n_hidden: int = 0

    @property
    def places(self) -> list[int]:
        """The runs that are drawn."""
        return sorted(place for band in self.bands for _, places in band.rows for place in places)


def arranged(grid: Grid) -> Arrangement:
    """Return where each run stands: columns by one axis, rows by the others and the repeats.

    The columns are the last axis that varies; if that is too long for a page and another is not, the other.
    """
    steps: list[tuple[str, list[str]]] = [
        (axis.name, [heading(label) for label in axis.labels]) for axis in grid.axes
    ]
    steps.append(("repeat", [str(number) for number in range(1, grid.repeat + 1)]))
    varied = [at for at, (_, labels) in enumerate(steps) if len(labels) > 1]
    axes = [at for at in varied if at < len(grid.axes)] or varied
    fitting = [at for at in axes if len(steps[at][1]) <= _MOST_ACROSS]
    across = (fitting or sorted(axes, key=lambda at: -len(steps[at][1])))[-1] if axes else None
    down = [at for at in varied if at != across]
    columns = range(len(steps[across][1])) if across is not None else range(1)
    rows = list(itertools.product(*(range(len(steps[at][1])) for at in down)))
    kept = rows[: max(1, MOST_SHOWN // len(columns))]
    columns = columns[:MOST_SHOWN]

    def place(row: tuple[int, ...], column: int) -> int:
        chosen = dict(zip(down, row, strict=True)) | ({across: column} if across is not None else {})
        at = 0
        for index, (_, labels) in enumerate(steps):
            at = at * len(labels) + chosen.get(index, 0)
        return at

    def named(row: tuple[int, ...]) -> str:
        texts = [steps[at][1][index] for at, index in zip(down, row, strict=True)]
        if len(down) == 1 and down[0] != len(grid.axes):
            return texts[0]
        return ", ".join(f"{steps[at][0]} {text}" for at, text in zip(down, texts, strict=True))

    size = ceil(len(columns) / ceil(len(columns) / _MOST_ACROSS))
    bands = tuple(
        Band(
            tuple(steps[across][1][column] for column in band) if across is not None else ("",),
            tuple((named(row), tuple(place(row, column) for column in band)) for row in kept),
        )
        for band in (columns[start : start + size] for start in range(0, len(columns), size))
    )
    return Arrangement(
        steps[across][0] if across is not None else "",
        ", ".join(steps[at][0] for at in down),
        bands,
        len(grid.runs) - len(kept) * len(columns),
    )


def heading(label: Any) -> str:
    """Return a label on one line, cut if it is long; a key in it is masked."""
    text = masked(printable(" ".join(label_text(label).split())))
    return text if len(text) <= _LONGEST_HEADING else f"{text[: _LONGEST_HEADING - 1]}…"


def figures(result: Result, *, with_times: bool = True) -> str:
    """Return the line under an answer: tokens, cost and time, and how it ended if not as it should."""
    response, parts = result.response, []
    if result.status != "completed":
        parts.append(result.status.replace("_", " "))
    if response is not None and (response.output or response.usage):
        parts += _used(result)
        if with_times and response.timing.duration_s is not None:
            parts.append(f"{response.timing.duration_s:.1f} s")
    if result.is_kept:
        parts.append("kept")
    return " · ".join(parts)


def summary(
    grid: Grid, results: Sequence[Result], *, with_times: bool = True, elapsed_s: float | None = None
) -> str:
    """Return a sweep in one line: how many runs, how they ended, tokens, cost and time."""
    backends = {result.response.backend for result in results if result.response is not None} - {"api"}
    ends = Counter(result.status.replace("_", " ") for result in results)
    parts = [*sorted(backends), str(grid)]
    if set(ends) != {"completed"}:
        parts.append(", ".join(f"{count:,} {status}" for status, count in ends.most_common()))
    answers = [result.response for result in results if result.response is not None]
    reported = [
        response.usage.output_tokens for response in answers if response.usage.output_tokens is not None
    ]
    if reported:
        parts.append(counted(sum(reported), "token out", "tokens out"))
    known = [response.cost.usd for response in answers if not isnan(response.cost.usd)]
    if known:
        parts.append(dollars(sum(known)) + (" if it were billed" if backends == {"simulator"} else ""))
    n_unknown = sum(
        isnan(result.response.cost.usd)
        for result in results
        if result.response is not None
        and (result.error is None or result.response.output or result.response.usage)
    )
    if n_unknown:
        parts.append(f"{n_unknown:,} of unknown cost")
    if with_times and elapsed_s is not None:
        parts.append(f"{elapsed_s:.1f} s")
    return " · ".join(parts)


def multiples_bundle(
    grid: Grid,
    results: Sequence[Result],
    *,
    notes: Sequence[str] = (),
    with_times: bool = True,
    elapsed_s: float | None = None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the data and metadata of the display that stays.

    Parameters
    ----------
    grid : Grid
    results : sequence of Result
        One for each run, in order.
    notes : sequence of str
        What there is to say of the whole.
    with_times : bool
        False where outputs are compared between runs.
    elapsed_s : float, optional
        Seconds from its start to its end.

    Returns
    -------
    data : dict
        ``text/html`` (a table; what models wrote is sanitised and cut) and ``text/plain``.
    metadata : dict
        ``cometnb``: ``runs``, a record of each answer as a cell's, for `python -m cometnb audit`.
    """
    arrangement = arranged(grid)
    line = summary(grid, results, with_times=with_times, elapsed_s=elapsed_s)
    notes = [*notes, *_hidden(arrangement)]
    longest = max(_SHORTEST_ONE, min(_LONGEST_ONE, _LONGEST_ALL // max(1, len(arrangement.places))))
    drawn = {place: _cell(results[place], longest, with_times=with_times) for place in arrangement.places}
    tables = "".join(_table(arrangement, band, drawn) for band in arrangement.bands)
    remarks = "".join(f'<p style="{_FAINT}">{text_html(masked(note))}</p>' for note in notes)
    # JupyterLab looks for formulas in what it shows, and what a model wrote must not be one that acts.
    data = {
        "text/html": f'<div class="cometnb-multiples mathjax_ignore tex2jax_ignore">'
        f"<p><em>{text_html(masked(line))}</em></p>{tables}{remarks}</div>",
        "text/plain": printable(
            masked("\n".join([line, *_lines(grid, results, arrangement, with_times=with_times), *notes]))
        ),
    }
    runs = [
        bundle(result.response, with_times=with_times)[1]["cometnb"]
        for result in results
        if result.response is not None
        and not result.is_kept
        and (result.response.output or result.response.usage)
    ]
    return data, {"cometnb": {"runs": runs}} if runs else {}


def _used(result: Result) -> list[str]:
    response = result.response
    if response is None:
        return []
    usage, cost, parts = response.usage, response.cost, []
    if usage.output_tokens is not None:
        inside = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
        parts.append(f"{counted(usage.output_tokens, 'token')}{inside}")
    elif response.estimated_usage.output_tokens:
        parts.append(f"about {counted(response.estimated_usage.output_tokens, 'token')}")
    else:
        parts.append("usage not reported")
    about = "about " if cost.is_estimated else ""
    return [*parts, f"{about}{dollars(cost.usd)}" if cost.is_known else "no price known"]


def _hidden(arrangement: Arrangement) -> list[str]:
    if arrangement.n_hidden <= 0:
        return []
    return [f"{counted(arrangement.n_hidden, 'more run')} not drawn; all are in the frame."]


def _cell(result: Result, longest: int, *, with_times: bool) -> str:
    response = result.response
    text = (response.output_text or response.refusal or "") if response is not None else ""
    pieces = []
    if text:
        # Whole, before it is cut: half a key would not be known for one.
        shown, left = _cut(masked(text), longest)
        refused = "<strong>Refused.</strong> " if response is not None and not response.output_text else ""
        pieces.append(refused + block_html(shown))
        if left:
            pieces.append(f'<p style="{_FAINT}">… {left:,} more characters, in the frame.</p>')
    why = _why(result)
    if why:
        pieces.append(f"<p><em>{text_html(masked(why))}</em></p>")
    line = figures(result, with_times=with_times)
    return "".join(pieces) + (f'<div style="{_FAINT}">{text_html(line)}</div>' if line else "")


def _why(result: Result) -> str:
    """Return why an answer is not what was asked for."""
    if result.error is not None:
        return result.error.fact
    if result.response is not None and result.status not in ("completed", "interrupted"):
        return ending(result.response)
    return ""


def _cut(text: str, longest: int) -> tuple[str, int]:
    """Return the beginning of a text, and how much was left off; a little more is shown rather than left off."""
    lines = text.splitlines(keepends=True)
    if len(text) <= longest * 1.15 and len(lines) <= _MOST_LINES * 1.15:
        return text, 0
    shown = "".join(lines[:_MOST_LINES])
    if len(shown) > longest:
        end = max(shown.rfind(mark, longest // 2, longest) for mark in ("\n", " "))
        shown = shown[: end if end > 0 else longest]
    shown = shown.rstrip()
    # A block of code that is cut is closed.
    closing = "\n```" if shown.count("```") % 2 else ""
    return shown + closing, len(text) - len(shown)


def _table(arrangement: Arrangement, band: Band, drawn: dict[int, str]) -> str:
    has_rows = len(band.rows) > 1 or bool(arrangement.down)
    corner = " / ".join(filter(None, [arrangement.down, arrangement.across]))
    head = [f'<th style="{_TOP}">{html.escape(corner)}</th>'] if has_rows else []
    for text in band.headings if arrangement.across else ():
        words = text if has_rows else f"{arrangement.across} {text}"
        head.append(f'<th style="{_TOP}">{html.escape(words)}</th>')
    rows = []
    for name, places in band.rows:
        cells = [f'<th style="{_TOP}">{html.escape(name)}</th>'] if has_rows else []
        cells += [f'<td style="{_TOP}">{drawn[place]}</td>' for place in places]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    top = f"<thead><tr>{''.join(head)}</tr></thead>" if head else ""
    return f"<table>{top}<tbody>{''.join(rows)}</tbody></table>"


def _lines(grid: Grid, results: Sequence[Result], arrangement: Arrangement, *, with_times: bool) -> list[str]:
    lines = []
    for place in arrangement.places:
        result = results[place]
        point = result.run.point
        where = heading(said(grid.axes, point.labels, result.run.repeat if grid.repeat > 1 else 0))
        text = (result.response.output_text if result.response is not None else "") or _why(result)
        shown = printable(" ".join(masked(text).split()))
        shown = shown if len(shown) <= _LONGEST_LINE else f"{shown[: _LONGEST_LINE - 1]}…"
        line = figures(result, with_times=with_times)
        lines.append(f"  {where}: {shown} [{line}]" if where else f"  {shown} [{line}]")
    return lines
