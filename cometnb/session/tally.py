"""What this kernel has used and spent so far, added up attempt by attempt."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import isnan
from threading import Lock
from typing import Any, NamedTuple

from cometnb.client.attempt import Attempt
from cometnb.protocol.cost import Cost, dollars
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage

__all__ = ["Spent", "Tally"]

# Attempts that may wait for their price.
_MOST_BILLS = 256


class Spent(NamedTuple):
    """Money, as far as it is known; simulated calls are kept apart, since nobody pays for them.

    Attributes
    ----------
    usd, simulated_usd : float
        Sums of the known costs of real and of simulated calls, in US dollars.
    n_unpriced : int
        Real attempts whose cost is not known; they are in neither sum.
    n_estimated : int
        Real attempts whose tokens were estimated; they are in the sum.
    n_priced, n_simulated : int
        Attempts behind `usd` and behind `simulated_usd`.
    n_simulated_unpriced, n_simulated_estimated : int
        Simulated attempts whose cost is not known, and those whose tokens were estimated.
    n_replayed : int
        Attempts that were replayed from a recording and cost nothing.
    fees_usd, simulated_fees_usd : float
        What built-in tools cost besides, as far as it is known, in US dollars; in neither of the other sums.
    n_unknown_fees : int
        Attempts, simulated ones included, in which a tool ran whose fee is not known.
    """

    usd: float = 0.0
    simulated_usd: float = 0.0
    n_unpriced: int = 0
    n_estimated: int = 0
    n_priced: int = 0
    n_simulated: int = 0
    n_simulated_unpriced: int = 0
    n_simulated_estimated: int = 0
    n_replayed: int = 0
    fees_usd: float = 0.0
    simulated_fees_usd: float = 0.0
    n_unknown_fees: int = 0

    def __str__(self) -> str:
        parts = [dollars(self.usd)] if self.n_priced else []
        if self.n_estimated:
            parts[0] += f" ({self.n_estimated} estimated)"
        if self.n_simulated:
            guessed = f" ({self.n_simulated_estimated} estimated)" if self.n_simulated_estimated else ""
            parts.append(f"{dollars(self.simulated_usd)} simulated{guessed}")
        if self.n_simulated_unpriced:
            parts.append(f"{self.n_simulated_unpriced} simulated of unknown cost")
        if self.n_replayed:
            parts.append(f"{self.n_replayed} replayed for nothing")
        if self.n_unpriced:
            parts.append(f"{self.n_unpriced} of unknown cost")
        return ", ".join(parts + self._fees()) or "nothing spent"

    def _fees(self) -> list[str]:
        parts = [f"{dollars(self.fees_usd)} of tool fees"] if self.fees_usd else []
        if self.simulated_fees_usd:
            parts.append(f"{dollars(self.simulated_fees_usd)} of simulated tool fees")
        if self.n_unknown_fees:
            parts.append(f"{self.n_unknown_fees} with tool fees that are not known")
        return parts


class Tally:
    """An observer that adds up.

    Attributes
    ----------
    n_attempts : int
    n_unreported : int
        Attempts that were sent and whose usage the service did not report; `usage` says nothing of them.
    usage : Usage
        The sum of what was reported.
    """

    def __init__(self) -> None:
        # Two, since pricing may take a moment and a call must not wait for it.
        self._lock, self._pricing = Lock(), Lock()
        self.clear()

    def clear(self) -> None:
        """Begin at nothing again."""
        with self._pricing, self._lock:
            self.n_attempts = 0
            self.n_unreported = 0
            self.usage = Usage()
            self._spent = Spent()
            self._bills: deque[Response] = deque()

    def __call__(self, attempt: Attempt) -> None:
        """Add an attempt."""
        usage = attempt.response.usage
        with self._lock:
            self.n_attempts += 1
            self.usage = self.usage + usage
            if attempt.is_free or attempt.is_in_background:
                return
            self.n_unreported += not usage
            # Priced when somebody asks: prices take a moment to load, and this is the call's own thread.
            self._bills.append(_bill(attempt.response))
        self._price_old()

    def _price_old(self) -> None:
        """Of many calls that nobody asks about, price the oldest: what waits must not grow with them."""
        if len(self._bills) <= _MOST_BILLS or not self._pricing.acquire(blocking=False):
            return
        try:
            # Two for one that came, so that those left while somebody asked are caught up with.
            for _ in range(min(2, len(self._bills))):
                self._spent = _with(self._spent, self._bills.popleft())
        finally:
            self._pricing.release()

    @property
    def spent(self) -> Spent:
        """What was spent so far."""
        with self._pricing:
            while self._bills:
                self._spent = _with(self._spent, self._bills.popleft())
            return self._spent


def _bill(response: Response) -> Response:
    """Return what of a response decides its cost, without its text."""
    names = ("model", "service_tier", "usage")
    raw = {name: response.raw.get(name) for name in names}
    raw["output"] = [_call(item) for item in response.output if str(item.get("type")).endswith("_call")]
    bill = Response(raw, status=response.status, timing=response.timing)
    bill.backend, bill.base_url = response.backend, response.base_url
    bill.model_requested, bill.estimated_usage = response.model_requested, response.estimated_usage
    return bill


def _call(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a tool's call decides its fee."""
    action = item.get("action")
    call = {"type": item.get("type")}
    return call | {"action": {"type": action.get("type", "search")}} if isinstance(action, Mapping) else call


def _with(spent: Spent, bill: Response) -> Spent:
    cost = bill.cost
    if bill.backend == "cassette":
        return spent._replace(n_replayed=spent.n_replayed + 1)
    if isnan(cost.fees_usd):
        spent = spent._replace(n_unknown_fees=spent.n_unknown_fees + 1)
    elif cost.fees_usd:
        name = "fees_usd" if bill.backend == "api" else "simulated_fees_usd"
        spent = spent._replace(**{name: getattr(spent, name) + cost.fees_usd})
    if bill.backend != "api":
        return _with_simulated(spent, cost)
    if not cost.is_known:
        return spent._replace(n_unpriced=spent.n_unpriced + 1)
    return spent._replace(
        usd=spent.usd + cost.usd,
        n_estimated=spent.n_estimated + cost.is_estimated,
        n_priced=spent.n_priced + 1,
    )


def _with_simulated(spent: Spent, cost: Cost) -> Spent:
    if not cost.is_known:
        return spent._replace(n_simulated_unpriced=spent.n_simulated_unpriced + 1)
    return spent._replace(
        simulated_usd=spent.simulated_usd + cost.usd,
        n_simulated=spent.n_simulated + 1,
        n_simulated_estimated=spent.n_simulated_estimated + cost.is_estimated,
    )
