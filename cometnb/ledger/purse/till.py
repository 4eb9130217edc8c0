"""What the jobs of a batch wait at until there is money for them, instead of being refused or cut short.

A budget reserves the worst case of every call that runs, and refuses or caps the next one. For one call that is right;
of many at once all but the first few would be refused, though money comes back with every answer. So a job of a batch
waits until its worst case fits beside the others', and only what does not fit by itself is left to the budget's word.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.gate import Admitted, Planned
from cometnb.errors import BudgetExceededError, CometError, ParamError
from cometnb.ledger.budget import CAP_TOKENS, Budget
from cometnb.ledger.prices import Prices, default_prices
from cometnb.ledger.purse.spending import purse_of
from cometnb.ledger.purse.worst_case import Earlier, worst_case
from cometnb.protocol.events import Event

__all__ = ["Till", "batch_budget"]

_CHANGE = re.compile(r"budget\.change\(([\d.]+)(, allows_unpriced=True)?\)")
# Calls outside the batch end without telling the till.
_LOOK_AGAIN_S = 0.5


def batch_budget(limit_usd: Any, *, allows_unpriced: bool) -> Budget | None:
    """Return the budget of one batch, None for None.

    Raises
    ------
    ParamError
        If it is no amount above 0.
    """
    if limit_usd is None:
        return None
    try:
        return Budget(limit_usd, allows_unpriced=allows_unpriced)
    except ParamError as error:
        fact = error.fact.replace("limit_usd=", "budget=")
        raise ParamError(fact, "Give budget=0.50 for 50 cents.", param="budget") from None


class Till:
    """Lets the jobs of one batch through as their money comes back; gate and observer of its own budget.

    Parameters
    ----------
    budget : Budget or None
        Of this batch alone.
    shared_budget : callable
        Returns the budget of all calls that is in force, or None.
    backend, base_url : str
        Who is asked.
    prices : Prices, optional
        `default_prices` if None.

    Notes
    -----
    `wait` and `leave` are for one event loop. A job is known by the label ``row``.
    """

    def __init__(
        self,
        budget: Budget | None,
        shared_budget: Callable[[], Budget | None],
        *,
        backend: str,
        base_url: str,
        prices: Prices | None = None,
    ) -> None:
        self.budget = budget
        self._shared_budget = shared_budget
        self._backend, self._base_url, self._prices = backend, base_url, prices
        self._inside: set[str] = set()
        self._unlimited: set[str] = set()
        # Let in, and not yet reserved by the budgets: between the two a job waits for the service's limits.
        self._unreserved_usd: dict[str, float] = {}
        self._longest_tokens = 0
        self._changed = asyncio.Event()

    def admit(self, planned: Planned) -> Admitted | None:
        """Ask the batch's own budget, as a gate behind all others.

        Raises
        ------
        BudgetExceededError
            It could cross the budget; or the limit that a budget puts on its output is shorter than answers of this
            batch were, so that money would be spent on an answer cut short.
        """
        row = planned.labels.get("row", "")
        self._unreserved_usd.pop(row, None)
        if self.budget is None:
            terms = None
        else:
            try:
                terms = _terms_of_batch(self.budget.admit(planned))
            except BudgetExceededError as error:
                raise _of_batch(error) from None
        if row in self._unlimited:
            # One that was there before is another budget's.
            caps = [planned.params.get("max_output_tokens"), terms.max_output_tokens if terms else None]
            self._check(min((cap for cap in caps if cap is not None), default=None))
        return terms

    def _check(self, cap: int | None) -> None:
        if cap is not None and cap < self._longest_tokens:
            raise BudgetExceededError(
                f"Not sent: what is left of the budget affords {cap:,} tokens of output, and answers of this batch "
                f"had up to {self._longest_tokens:,}.",
                "Raise the budget, or set a max_output_tokens that is enough.",
            )

    def __call__(self, attempt: Attempt) -> None:
        """Tell the batch's own budget of an attempt, as an observer."""
        if self.budget is not None:
            self.budget(attempt)
        # One that was cut off would have been longer.
        length_tokens = (attempt.response.usage.output_tokens or 0) + (attempt.status == "incomplete")
        self._longest_tokens = max(self._longest_tokens, length_tokens)

    async def wait(self, row: str, params: Mapping[str, Any]) -> None:
        """Wait until a job fits into what is left, or until nothing else of the batch runs."""
        needed_usd = self._needed_usd(params)
        while self._inside and needed_usd > self._free_usd():
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _LOOK_AGAIN_S)
        self._inside.add(row)
        if params.get("max_output_tokens") is None:
            self._unlimited.add(row)
        self._unreserved_usd[row] = needed_usd

    def leave(self, row: str) -> None:
        """Take note that a job has ended."""
        self._inside.discard(row)
        self._unlimited.discard(row)
        self._unreserved_usd.pop(row, None)
        self._changed.set()

    def _budgets(self) -> list[Budget]:
        return [one for one in (self.budget, self._shared_budget()) if one is not None]

    def _needed_usd(self, params: Mapping[str, Any]) -> float:
        if not self._budgets() or purse_of(self._backend) is None:
            return 0.0
        planned = Planned("", "", params, self._backend, self._base_url, {})
        worst = worst_case(planned, self._prices or default_prices(), Earlier())
        if worst.why_unpriced:
            return 0.0
        tokens = worst.max_output_tokens
        return worst.usd(CAP_TOKENS if tokens is None else tokens)

    def _free_usd(self) -> float:
        left_usd = [budget.standing(self._backend).left_usd for budget in self._budgets()]
        return min(left_usd, default=float("inf")) - sum(self._unreserved_usd.values())


def _terms_of_batch(terms: Admitted | None) -> Admitted | None:
    asks = terms.watch if terms is not None else None
    if terms is None or asks is None:
        return terms and replace(terms, note=_worded(terms.note))

    def watch(events: Sequence[Event]) -> CometError | None:
        error = asks(events)
        return _of_batch(error) if error is not None else None

    return replace(terms, note=_worded(terms.note), watch=watch)


def _of_batch(error: CometError) -> CometError:
    """Let an error speak of the batch's budget, and of the parameter that sets it."""
    error.args = tuple(map(_worded, error.args))
    return error


def _worded(text: str) -> str:
    text = text.replace(" for this kernel", " for this batch")
    return _CHANGE.sub(
        lambda found: f"budget={found[1]}" + (", allow_unpriced=True" if found[2] else ""), text
    )
