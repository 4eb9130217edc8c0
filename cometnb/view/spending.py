"""What a kernel has spent, in words and figures: for the live panel, and as a table that is saved with a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from cometnb.errors import printable
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted
from cometnb.protocol.usage import Usage
from cometnb.session.tally import Spent
from cometnb.view.neutral import plain_markdown

__all__ = ["BudgetLeft", "Figures", "Point", "bundle_of", "drawn", "rows_of"]

_STEPS = "▁▂▃▄▅▆▇█"
_TITLE = "This kernel's calls"


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What a budget still allows.

    Attributes
    ----------
    words : str
        How much is left, of how much, and for whom.
    share : float
        How much of it is left, from 0 to 1; what is beyond counts as the nearest of the two.
    """

    words: str
    share: float


@dataclass(frozen=True, slots=True)
class Point:
    """One call of the sparkline; attempts of a call that was retried are one point.

    Attributes
    ----------
    call_id : str
    usd : float
        US dollars; NaN is not known.
    tokens : int or None
        Input and output; None is not reported.
    words : str
        What it was, for whoever points at it.
    is_simulated : bool
        Whether nobody pays for it.
    """

    call_id: str
    usd: float
    tokens: int | None
    words: str = ""
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a kernel has used and spent at one moment.

    Attributes
    ----------
    n_attempts, n_unreported : int
        Attempts, and those of them that came without usage.
    spent : Spent
    usage : Usage
        Tokens, those of simulated calls included.
    budget : BudgetLeft or None
        None if none is set.
    points : sequence of Point
        The latest calls, oldest first.
    """

    n_attempts: int = 0
    n_unreported: int = 0
    spent: Spent = field(default_factory=Spent)
    usage: Usage = field(default_factory=Usage)
    budget: BudgetLeft | None = None
    points: Sequence[Point] = ()


def drawn(figures: Figures, moment: str = "") -> dict[str, Any]:
    """Return figures as the panel's script draws them: every number in words, and shares for what has a length.

    Parameters
    ----------
    figures : Figures
    moment : str
        The time of day they are of.

    Returns
    -------
    dict
        JSON: ``amount caption simulated notes tokens calls budget count moment``.
    """
    spent, budget = figures.spent, figures.budget
    return {
        "amount": _amount(figures),
        "is_known": bool(spent.n_priced) or not spent.n_unpriced,
        "caption": "spent by this kernel",
        "simulated": dollars(spent.simulated_usd) if spent.n_simulated else "",
        "notes": _notes(figures),
        "tokens": _bars(figures),
        "calls": _course(figures.points),
        "budget": budget and {"words": budget.words, "share": min(max(budget.share, 0.0), 1.0)},
        "count": counted(figures.n_attempts, "attempt") if figures.n_attempts else "no calls yet",
        "moment": moment,
    }


def rows_of(figures: Figures) -> list[tuple[str, str]]:
    """Return figures as rows of a table: a name and words with units; what was not reported is said."""
    spent = figures.spent
    rows = [("spent", _amount(figures))]
    if spent.n_simulated:
        rows.append(("simulated", f"{dollars(spent.simulated_usd)}, as if billed"))
    if figures.budget is not None:
        rows.append(("budget", figures.budget.words))
    rows.append(("attempts", f"{figures.n_attempts:,}"))
    if figures.n_attempts:
        rows += [(bar["name"].lower(), _joined(bar)) for bar in _bars(figures)]
    course = _course(figures.points)
    if course is not None:
        rows.append((course["caption"], f"{_steps(course['points'])} {course['range']}"))
    return rows + [("note", note) for note in _notes(figures)]


def bundle_of(figures: Figures, moment: str = "") -> dict[str, str]:
    """Return figures as a table that needs no widget and no kernel.

    Parameters
    ----------
    figures : Figures
    moment : str
        The time of day they are of; empty where outputs are compared between runs.

    Returns
    -------
    dict
        ``text/html``, ``text/markdown`` and ``text/plain``.
    """
    title = f"{_TITLE}, {moment}" if moment else _TITLE
    rows = rows_of(figures)
    width = max(len(name) for name, _ in rows)
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left">{html.escape(words)}</td></tr>'
        for name, words in rows
    )
    lines = [f"| {_cell(name)} | {_cell(words)} |" for name, words in rows]
    return {
        # JupyterLab looks for formulas in what it shows; two amounts of dollars are none.
        "text/html": f'<table class="cometnb-figures mathjax_ignore tex2jax_ignore"><caption style="text-align: left">{html.escape(title)}</caption>'
        f"<tbody>{cells}</tbody></table>",
        "text/markdown": "\n".join([f"| {_cell(title)} | |", "|:--|:--|", *lines]),
        "text/plain": printable("\n".join([title, *(f"  {name:{width}}  {words}" for name, words in rows)])),
    }


def _amount(figures: Figures) -> str:
    """Return what was paid; what is not known is said instead of counted as nothing."""
    spent = figures.spent
    if spent.n_unpriced and not spent.n_priced:
        return "not known"
    return dollars(spent.usd)


def _notes(figures: Figures) -> list[str]:
    spent = figures.spent
    notes = []
    if spent.n_unpriced:
        notes.append(
            f"{counted(spent.n_unpriced, 'attempt')} of unknown cost {'is' if spent.n_unpriced == 1 else 'are'} in no sum"
        )
    if spent.n_estimated:
        notes.append(f"{counted(spent.n_estimated, 'attempt')} of estimated cost")
    for count, words in (
        (spent.n_simulated_unpriced, "of unknown cost, simulated"),
        (spent.n_simulated_estimated, "of estimated cost, simulated"),
        (spent.n_replayed, "replayed for nothing"),
    ):
        if count:
            notes.append(f"{counted(count, 'attempt')} {words}")
    for fees_usd, whose in ((spent.fees_usd, ""), (spent.simulated_fees_usd, ", simulated")):
        if fees_usd:
            notes.append(f"fees of built-in tools come on top: {dollars(fees_usd)}{whose}")
    if spent.n_unknown_fees:
        notes.append(f"{counted(spent.n_unknown_fees, 'attempt')} with tool fees that are not known")
    if figures.n_unreported:
        notes.append(f"{counted(figures.n_unreported, 'attempt')} without reported usage")
    if spent.n_simulated and spent.n_priced + spent.n_unpriced:
        notes.append("tokens include those of simulated calls")
    return notes


def _bars(figures: Figures) -> list[dict[str, Any]]:
    """Return what was sent and what came, each with its parts; the parts of a bar add up to it."""
    usage = figures.usage
    sent, got = usage.input_tokens, usage.output_tokens
    cached, written = ("cached", usage.cached_tokens), ("cache write", usage.cache_write_tokens)
    longest = max(sent or 0, got or 0, 1)
    if not figures.n_attempts:
        return [{"name": name, "words": "none yet", "parts": []} for name in ("Input", "Output")]
    return [
        _bar("Input", sent, [cached, written] if written[1] else [cached], "not cached", longest),
        _bar("Output", got, [("reasoning", usage.reasoning_tokens)], "visible", longest),
    ]


def _bar(
    name: str, total: int | None, inside: list[tuple[str, int | None]], rest: str, longest: int
) -> dict[str, Any]:
    if total is None:
        return {"name": name, "words": "not reported", "parts": []}
    told = sum(count or 0 for _, count in inside)
    # Where a part was not reported, what is left is not known to be without it.
    is_whole = all(count is not None for _, count in inside)
    kinds = [*inside, (rest if is_whole else "", max(total - told, 0))]
    return {
        "name": name,
        "words": counted(total, "token"),
        "parts": [
            {
                "kind": kind or "whole",
                "words": _part(kind, count, total) if kind else "",
                "share": min((count or 0) / longest, 1.0),
            }
            for kind, count in kinds
        ],
    }


def _part(kind: str, count: int | None, total: int) -> str:
    if count is None:
        return f"{kind} not reported"
    return f"{count:,} {kind}" + (f" ({count / total:.0%})" if count and total else "")


def _joined(bar: dict[str, Any]) -> str:
    parts = ", ".join(part["words"] for part in bar["parts"] if part["words"])
    return f"{bar['words']}: {parts}" if parts else str(bar["words"])


def _course(points: Sequence[Point]) -> dict[str, Any] | None:
    """Return the sparkline: cost per call, or tokens where no price is known; None before there is a call."""
    if not points:
        return None
    is_money = any(isfinite(point.usd) for point in points)
    sizes = [_size(point, is_money=is_money) for point in points]
    top = max((size for size in sizes if size is not None), default=None)
    largest, last = (_size_words(size, is_money=is_money) for size in (top, sizes[-1]))
    span = largest if top is None else f"up to {largest}"
    calls = "the last call" if len(points) == 1 else f"the last {len(points)} calls"
    n_simulated, n_unknown = sum(point.is_simulated for point in points), sum(size is None for size in sizes)
    marks = ["outlined: simulated"] if 0 < n_simulated < len(points) else []
    marks += ["dashed: not known"] if n_unknown > 0 else []
    caption = f"{'cost' if is_money else 'tokens'} per call"
    return {
        "caption": caption,
        "last": last,
        "count": "; ".join([calls, *marks]),
        "range": span,
        "head": largest if top is None else f"last {last}, {span}",
        "said": f"{caption}, {calls}: {span}, the last one {last}",
        "points": [
            {
                # None is drawn as a mark of its own, not as a call that cost nothing.
                "share": None if size is None else (size / top if top else 0.0),
                "words": point.words,
                "is_simulated": point.is_simulated,
            }
            for point, size in zip(points, sizes, strict=True)
        ],
    }


def _size(point: Point, *, is_money: bool) -> float | None:
    if not is_money:
        return None if point.tokens is None else float(point.tokens)
    return point.usd if isfinite(point.usd) else None


def _size_words(size: float | None, *, is_money: bool) -> str:
    if size is None:
        return "not known"
    return dollars(size) if is_money else counted(int(size), "token")


def _steps(points: list[dict[str, Any]]) -> str:
    shares = [point["share"] for point in points]
    return "".join("·" if share is None else _STEPS[round(share * (len(_STEPS) - 1))] for share in shares)


def _cell(text: str) -> str:
    # Dollars would open a formula, a bar would end the cell, and the name of a chat is anybody's.
    return plain_markdown(text)
