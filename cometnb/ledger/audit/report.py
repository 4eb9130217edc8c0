"""The audit as a text that a person reads: one block for each notebook, then the sum, the prices and the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from cometnb.ledger.audit.keys import printable
from cometnb.ledger.audit.leaks import Leak
from cometnb.ledger.audit.saved import SavedCall
from cometnb.ledger.audit.totals import Sum, Totals, totals_of
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    from cometnb.ledger.audit.audited import Audit

__all__ = ["text_report"]

_UNKNOWN = "?"
_NOTHING = "-"
_HEADS = ("cell", "model", "calls", "input", "cached", "output", "reasoning", "cost", "simulated", "price")
_LEFT = frozenset({"cell", "model", "price", "notebook"})
_MARKS = "abcdefghijklmnopqrstuvwxyz"


def text_report(audit: Audit) -> str:
    """Return the report.

    Parameters
    ----------
    audit : Audit

    Returns
    -------
    str
        Lines without a line end behind the last; safe to print, whatever the notebooks hold.
    """
    return "\n".join(_Report(audit).lines()).rstrip()


class _Report:
    """The lines of one report, with the footnotes that gather while they are written."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._sources: dict[str, str] = {}

    def lines(self) -> Iterable[str]:
        """Yield the report."""
        audit = self._audit
        if audit.notebooks and (audit.saved or audit.leaks):
            yield from self._notebooks()
        else:
            yield from map(self._safe, audit.notebooks)
        yield from self._sum()
        yield from self._notes()
        yield from self._problems()

    def _notebooks(self) -> Iterable[str]:
        widths: dict[str, int] = {}
        blocks = [self._rows(path) for path in self._audit.notebooks]
        for rows in blocks:
            _widen(widths, rows)
        for path, rows in zip(self._audit.notebooks, blocks, strict=True):
            yield self._safe(path)
            error = self._audit.errors.get(path)
            if error:
                yield f"  {self._safe(error)}"
            yield from _table(rows, widths) if rows else () if error else ["  no saved answers"]
            yield from self._leaks(path)
            yield ""

    def _rows(self, path: str) -> list[dict[str, str]]:
        calls = [call for call in self._audit.saved if call.notebook == path]
        rows = [
            self._row(list(group))
            for _, group in groupby(
                calls, key=lambda call: (call.cell, call.model, call.is_simulated, call.price_source)
            )
        ]
        totals = totals_of(calls)
        return [*rows, _sum_row(totals)] if len(rows) > 1 and totals.n_calls else rows

    def _row(self, calls: Sequence[SavedCall]) -> dict[str, str]:
        call, totals = calls[0], totals_of(calls)
        cell = str(call.cell) if call.execution_count is None else f"{call.cell} [{call.execution_count}]"
        model = self._safe(call.model or call.model_requested or "not reported", width=40)
        named = {"cell": cell, "model": model, "price": ""}
        if not totals.n_calls:
            return dict.fromkeys(_HEADS, "") | named | {"price": "counted before"}
        return _cells(totals) | named | {"price": self._mark(call.price_source)}

    def _mark(self, source: str) -> str:
        shown = self._safe(source)
        n_marks = len(self._sources)
        mark = _MARKS[n_marks % 26] + (str(n_marks // 26) if n_marks >= 26 else "")
        return self._sources.setdefault(shown, mark)

    def _leaks(self, path: str) -> Iterable[str]:
        leaks = [leak for leak in self._audit.leaks if leak.notebook == path]
        rows = [(_where(leak), leak.place, leak.form, leak.masked) for leak in leaks]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            yield f"  LEAKED KEY  {padded}".rstrip()

    def _sum(self) -> Iterable[str]:
        audit, totals = self._audit, totals_of(self._audit.saved)
        n_notebooks = counted(len(audit.notebooks), "notebook")
        if not audit.saved:
            yield f"Total: {n_notebooks}, no saved answers."
            return
        yield f"Total: {n_notebooks}, {counted(totals.n_calls, 'call')}"
        yield f"  tokens     {_tokens(totals)}"
        if totals.cost_usd.n_known or totals.cost_usd.n_missing:
            yield f"  cost       {_dollars(totals.cost_usd)}"
        if totals.simulated_usd.n_known or totals.simulated_usd.n_missing:
            n_simulated = totals.simulated_usd.n_known + totals.simulated_usd.n_missing
            yield f"  simulated  {_dollars(totals.simulated_usd)}, as if billed: {counted(n_simulated, 'call')}, not paid"
        if totals.tool_fees_usd.known or totals.tool_fees_usd.n_missing:
            yield f"  tool fees  {_dollars(totals.tool_fees_usd)}, not in the cost"
        simulated_fees = totals.simulated_tool_fees_usd
        if simulated_fees.known or simulated_fees.n_missing:
            yield f"  tool fees  {_dollars(simulated_fees)} simulated, as if billed, not paid"
        for count, words in _REMARKS:
            if count(totals):
                yield f"  {counted(count(totals), 'call')} {words}"
        if totals.n_repeats:
            yield f"  {counted(totals.n_repeats, 'answer')} stood there before (copied, shown again): counted once"

    def _notes(self) -> Iterable[str]:
        if self._sources:
            yield ""
            yield "Prices"
            yield from (f"  {mark:3}{source}" for source, mark in self._sources.items())

    def _problems(self) -> Iterable[str]:
        audit = self._audit
        if audit.errors:
            yield ""
            yield f"Not audited: {counted(len(audit.errors), 'path')}"
            yield from (f"  {self._safe(path)}: {self._safe(why)}" for path, why in audit.errors.items())
        yield ""
        if audit.leaks:
            n_places = counted(len(audit.leaks), "place")
            yield f"LEAKED: {counted(len({leak.masked for leak in audit.leaks}), 'key')} in {n_places}."
            yield "Revoke each key where it was issued, then take it out of the file: a copy may be elsewhere by now."
        else:
            yield "No leaked keys."

    def _safe(self, text: str, width: int = 120) -> str:
        return printable(text, self._audit.secrets, width=width)


_REMARKS: tuple[tuple[Callable[[Totals], int], str], ...] = (
    (lambda totals: totals.n_unpriced, "without a price (≥ is a sum without them)"),
    (lambda totals: totals.tokens["output_tokens"].n_missing, "without reported tokens"),
    (lambda totals: totals.n_estimated, "with estimated tokens: they ended before the service reported any"),
    (lambda totals: totals.n_priced_now, "saved without a cost: priced now"),
)


def _where(leak: Leak) -> str:
    if leak.cell is None:
        return "notebook"
    count = f" [{leak.execution_count}]" if leak.execution_count is not None else ""
    return f"{leak.cell_kind} cell {leak.cell}{count}"


def _cells(totals: Totals) -> dict[str, str]:
    tokens = {
        head: _number(totals.tokens[f"{head}_tokens"]) for head in ("input", "cached", "output", "reasoning")
    }
    money = {"cost": _dollars(totals.cost_usd), "simulated": _dollars(totals.simulated_usd)}
    return {"calls": f"{totals.n_calls:,}"} | tokens | money


def _sum_row(totals: Totals) -> dict[str, str]:
    return _cells(totals) | {"cell": "sum", "model": "", "price": ""}


def _widen(widths: dict[str, int], rows: Sequence[Mapping[str, str]]) -> None:
    for head in _HEADS:
        if any(row[head] not in ("", _NOTHING) for row in rows):
            widths[head] = max(widths.get(head, len(head)), *(len(row[head]) for row in rows))


def _table(rows: Sequence[Mapping[str, str]], widths: Mapping[str, int]) -> Iterable[str]:
    for row in ({head: head for head in widths}, *rows):
        ordered = [head for head in _HEADS if head in widths]
        cells = [
            row[head].ljust(widths[head]) if head in _LEFT else row[head].rjust(widths[head])
            for head in ordered
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def _tokens(totals: Totals) -> str:
    known = {
        name: _number(totals.tokens[f"{name}_tokens"]) for name in ("input", "cached", "output", "reasoning")
    }
    return f"{known['input']} in ({known['cached']} cached), {known['output']} out ({known['reasoning']} reasoning)"


def _number(total: Sum) -> str:
    return _bounded(total, f"{total.known:,.0f}")


def _dollars(total: Sum) -> str:
    return _bounded(total, dollars(total.known))


def _bounded(total: Sum, shown: str) -> str:
    """Return a sum as what it is: exact, at least so much, not known, or of nothing."""
    if not total.n_known:
        return _UNKNOWN if total.n_missing else _NOTHING
    return f"≥{shown}" if total.n_missing else shown
