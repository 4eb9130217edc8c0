"""Calls as they are saved with a notebook's outputs: tokens, and a cost that was saved or is worked out now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Any, TypeAlias

from cometnb.ledger.audit.notebook import Cell, Notebook
from cometnb.ledger.prices import Billable
from cometnb.ledger.rows import TOKENS
from cometnb.options import DEFAULT_BASE_URL
from cometnb.protocol.cost import Cost
from cometnb.protocol.usage import Usage

__all__ = ["Pricing", "SavedCall", "saved_calls"]

Pricing: TypeAlias = Callable[[Billable], Cost]


@dataclass(frozen=True, slots=True)
class SavedCall:
    """One call, as an output's metadata tell of it.

    Attributes
    ----------
    notebook, cell, cell_id, execution_count
        Where its answer stands; see `cometnb.ledger.audit.leaks.Leak`.
    created_at : datetime or None
        When it was sent, aware; None where that was not saved.
    response_id, model, model_requested, service_tier : str or None
        As saved.
    backend, status : str
        As saved; ``api`` and ``unknown`` where nothing was.
    tokens : Mapping of str to int or None
        For each of `TOKENS`; None is "not reported".
    usage_source : str
        reported, estimated or none.
    cost_usd : float
        NaN if no price is known.
    price_source : str
        Where the price is from; begins with ``priced now`` if no cost was saved.
    is_priced_now : bool
        True if the cost was worked out by this audit.
    tool_fees_usd : float
        Fees of built-in tools, which are not part of `cost_usd`; 0.0 if none is saved.
    is_repeat : bool
        True if the same answer stood before, here or in another notebook: it was paid once.
    """

    notebook: str
    cell: int
    cell_id: str
    execution_count: int | None
    created_at: datetime | None
    response_id: str | None
    backend: str
    model_requested: str | None
    model: str | None
    service_tier: str | None
    status: str
    tokens: Mapping[str, int | None]
    usage_source: str
    cost_usd: float
    price_source: str
    is_priced_now: bool
    tool_fees_usd: float
    is_repeat: bool

    @property
    def is_simulated(self) -> bool:
        """True if nobody was paid, and the cost is what it would have been."""
        return self.backend == "simulator"


def saved_calls(notebook: Notebook, price: Pricing, seen: set[tuple[str, str]]) -> Iterator[SavedCall]:
    """Yield the calls whose answers stand in a notebook.

    Parameters
    ----------
    notebook : Notebook
    price : callable
        Prices what has no saved cost.
    seen : set
        Backend and id of every answer so far; those of this notebook are added.
    """
    for cell in notebook.cells:
        for saved in _saved(cell):
            call = _call(notebook.path, cell, saved, price, seen)
            if call.response_id:
                seen.add((call.backend, call.response_id))
            yield call


def _saved(cell: Cell) -> Iterator[Mapping[str, Any]]:
    outputs = cell.raw.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        metadata = output.get("metadata") if isinstance(output, dict) else None
        saved = metadata.get("cometnb") if isinstance(metadata, dict) else None
        runs = saved.get("runs") if isinstance(saved, dict) else None
        # A sweep's display has a record for each of its runs.
        for record in runs if isinstance(runs, list) else [saved]:
            if isinstance(record, dict) and ("usage" in record or "response_id" in record):
                yield record


def _call(
    path: str, cell: Cell, saved: Mapping[str, Any], price: Pricing, seen: set[tuple[str, str]]
) -> SavedCall:
    id_, backend = _text(saved.get("response_id")), _text(saved.get("backend")) or "api"
    usage, source = _usage(saved)
    tokens = {name: getattr(usage, name) for name in TOKENS}
    cost = _amount(saved.get("cost_usd"))
    price_source, is_priced_now = _text(saved.get("price_source")) or "saved without a source", False
    if math.isnan(cost):
        now = price(_billable(saved, backend, tokens))
        cost, is_priced_now = now.usd, now.is_known
        price_source = _source_now(saved, backend, now) if now.is_known else now.source
    return SavedCall(
        notebook=path,
        cell=cell.number,
        cell_id=cell.id,
        execution_count=cell.execution_count,
        created_at=_moment(saved.get("sent_at")),
        response_id=id_,
        backend=backend,
        model_requested=_text(saved.get("model_requested")),
        model=_text(saved.get("model")),
        service_tier=_text(saved.get("service_tier")),
        status=_text(saved.get("status")) or "unknown",
        tokens=tokens,
        usage_source=source,
        cost_usd=cost,
        price_source=price_source,
        is_priced_now=is_priced_now,
        tool_fees_usd=_amount(saved.get("tool_fees_usd", 0.0)),
        is_repeat=id_ is not None and (backend, id_) in seen,
    )


def _usage(saved: Mapping[str, Any]) -> tuple[Usage, str]:
    usage = Usage(saved.get("usage"))
    if usage:
        return usage, "reported"
    estimated = Usage(saved.get("estimated_usage"))
    return (estimated, "estimated") if estimated else (usage, "none")


def _billable(saved: Mapping[str, Any], backend: str, tokens: Mapping[str, int | None]) -> Billable:
    host = _text(saved.get("host"))
    return Billable(
        model=_text(saved.get("model")),
        model_requested=_text(saved.get("model_requested")),
        base_url=f"https://{host}" if host else DEFAULT_BASE_URL,
        backend=backend,
        service_tier=_text(saved.get("service_tier")),
        at=_moment(saved.get("sent_at")),
        input_tokens=tokens["input_tokens"],
        cached_tokens=tokens["cached_tokens"],
        cache_write_tokens=tokens["cache_write_tokens"],
        output_tokens=tokens["output_tokens"],
    )


def _source_now(saved: Mapping[str, Any], backend: str, cost: Cost) -> str:
    is_assumed = backend == "api" and not _text(saved.get("host"))
    return f"priced now{', as if sent to CometAPI' if is_assumed else ''}: {cost.source}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _amount(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # An amount that no answer costs is not taken from a file for a price.
    return float(value) if is_number and 0 <= value < 1e9 else nan


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    # No call was made then, and a table's moments end there.
    return moment if 1970 < moment.year < 2262 else None
