"""The budget: a gate that lets no call through whose worst case could cross it, and the account of those it let through."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from math import isfinite
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple, get_args

from cometnb.client.attempt import Attempt
from cometnb.client.gate import Admitted, Planned
from cometnb.errors import CometError, CometWarning, ParamError
from cometnb.ledger.prices import Prices, cost_of_row, default_prices
from cometnb.ledger.purse import budget_words as words
from cometnb.ledger.purse.meter import Meter
from cometnb.ledger.purse.spending import Account, Per, Purse, Reservation, Spending, purse_of, settled
from cometnb.ledger.purse.standing import Standing
from cometnb.ledger.purse.worst_case import Earlier, Worst, worst_case
from cometnb.ledger.storage.recording import Recorded
from cometnb.ledger.store import Ledger
from cometnb.protocol.cost import Cost
from cometnb.protocol.events import Event
from cometnb.protocol.response import TERMINAL_STATUSES

__all__ = ["CAP_TOKENS", "Budget"]

CAP_TOKENS = 16_384
"""A call that sets no ``max_output_tokens`` gets at most this many."""

_FEWEST_TOKENS = 16  # the service takes no smaller limit
_WARN_FROM = 0.8
# A stream asks the ledger no more often.
_READ_EVERY_S = 2.0
# Sums of floats: what is over by less than this is not over.
_ROUNDING = 1e-9


class _Read(NamedTuple):
    """What the ledger said last: of which account, when, and how much."""

    account: Account | None = None
    at_s: float = 0.0
    usd: float = 0.0


class Budget:
    """How much the calls to come may cost.

    Parameters
    ----------
    limit_usd : float
        US dollars, above 0.
    per : str
        Whose money it is. ``kernel``: what this budget has let through since it was made, and what was spent before
        it as `count_before` was told. ``day``: everything in the ledger since local midnight, from all kernels.
        ``chat``: as ``kernel``, for each ``labels["conversation"]`` by itself; calls without one share an account.
    ledger : Ledger, optional
        Where other kernels' spending is read, per day; without it a day counts what this budget has let through.
        It must be an observer of the same clients, in front of the budget.
    prices : Prices, optional
        `default_prices` if None.
    allows_unpriced : bool
        Let models through whose price is not known. They are in no sum then.

    Attributes
    ----------
    is_shared : bool
        Whether it is the one that ``%comet budget`` shows and changes; refusals name the line, or `change`.

    Raises
    ------
    ParamError
        If the limit is not a finite number above 0, or `per` is none of the three.

    Notes
    -----
    It is both a gate and an observer: ``Client(gates=[budget], observers=[ledger, budget])``. Any number of clients
    and threads may share one.

    A call is let through if what is spent, what running calls may still cost and its own worst case stay within the
    limit. The worst case is the input by an estimate with a margin (`worst_case.INPUT_MARGIN`), at the dearest price
    of the model asked for that may apply, and ``max_output_tokens``. A call without ``max_output_tokens`` gets what the rest of the budget
    affords, at most `CAP_TOKENS`. Not in a worst case, and said in a note: what built-in tools read, fees nobody
    knows beforehand, what files hold, and stored prompts and earlier turns that only the service has.

    An attempt that has ended counts by its cost. One whose cost is not known (an answer broken off without usage,
    or in the background) goes on counting by its worst case, unless it was never sent or the service refused it;
    so does one that was broken off where reasoning nobody saw may have been billed.

    Simulated calls spend simulated money: the limit holds for it and for real money separately. Replayed calls
    cost nothing.

    Other kernels' calls are seen once their rows are in the ledger, not while they run: kernels that share a day's
    budget can together cross it by the calls that run at the same moment. A stream that runs when the money is gone
    is stopped.
    """

    def __init__(
        self,
        limit_usd: float,
        *,
        per: Per = "kernel",
        ledger: Ledger | None = None,
        prices: Prices | None = None,
        allows_unpriced: bool = False,
    ) -> None:
        self.limit_usd, self.per, self.allows_unpriced = _checked(limit_usd, per), per, allows_unpriced
        self.ledger = ledger
        self._in_background: dict[str, str] = {}
        self._prices = prices
        self.is_shared = False
        self._lock = Lock()
        self._spending = Spending()
        self._earlier = Earlier()
        self._told: set[object] = set()
        self._is_ledger_lost = False
        self._last_read = _Read()

    def change(
        self,
        limit_usd: float,
        *,
        per: Per = "kernel",
        ledger: Ledger | None = None,
        allows_unpriced: bool = False,
    ) -> None:
        """Set other terms; what was spent stays counted. Parameters and errors as for the class.

        Without a ledger the budget keeps the one it has.
        """
        limit_usd = _checked(limit_usd, per)
        with self._lock:
            self.limit_usd, self.per, self.allows_unpriced = limit_usd, per, allows_unpriced
            self.ledger, self._last_read = ledger or self.ledger, _Read()
            self._told.clear()

    def count_before(self, usd: float, backend: str = "api") -> None:
        """Count money that was spent before there was this budget; only per kernel.

        Parameters
        ----------
        usd : float
            US dollars.
        backend : str
            Whose calls they were: ``api`` or ``simulator``.
        """
        purse = purse_of(backend)
        if purse is not None and isfinite(usd):
            with self._lock:
                self._spending.begin(purse, usd)

    def standing(self, backend: str = "api", conversation: str = "") -> Standing:
        """Return how the budget stands.

        Parameters
        ----------
        backend : str
            ``api`` for real money, ``simulator`` for simulated.
        conversation : str
            Which chat, where the budget is per chat.
        """
        with self._lock:
            return self._standing(self._account(purse_of(backend) or "api", conversation))

    def conversations(self, backend: str = "api") -> list[str]:
        """Return the chats that money was spent in; an empty text stands for the calls that belong to none."""
        with self._lock:
            return self._spending.conversations(purse_of(backend) or "api")

    def admit(self, planned: Planned) -> Admitted | None:
        """Let a call through, with a cap where it has none, and reserve its worst case.

        Raises
        ------
        BudgetExceededError
            If its worst case could cross the limit, or its price is not known.
        """
        purse = purse_of(planned.backend)
        if purse is None:
            return None
        worst = worst_case(planned, self._prices or default_prices(), self._earlier)
        conversation = planned.labels.get("conversation") or ""
        if worst.why_unpriced and not self.allows_unpriced:
            model = str(planned.params.get("model"))
            raise words.unpriced(model, worst.why_unpriced, self._standing_of(purse, conversation))
        with self._lock:
            account = self._account(purse, conversation)
            standing = self._standing(account)
            n_tokens, is_capped = _affordable(worst, standing)
            reservation = Reservation(purse, conversation, account.day, worst.usd(n_tokens))
            self._spending.running[planned.attempt_id] = reservation
            notes = [words.capped(n_tokens, standing)] if is_capped else []
            notes += self._warnings(account, standing, worst)
        if worst.why_unpriced:
            return Admitted(note=" ".join(notes))
        meter = Meter(worst, n_tokens if is_capped else worst.max_output_tokens)
        watch = partial(self._watch, reservation, meter)
        return Admitted(n_tokens if is_capped else None, " ".join(notes), watch)

    def __call__(self, attempt: Attempt) -> None:
        """Put what an attempt came to in the place of its reservation.

        One that ran already when the budget was made counts by its cost, too.
        """
        self._earlier.learn(attempt)
        try:
            # As the ledger prices it, so that the two cannot disagree.
            cost = cost_of_row(Recorded(attempt).completed(), self._prices)
        except Exception as error:  # noqa: BLE001  # its reservation must not be left to run for ever
            cost = Cost(source=f"no price: {error!r}")
        with self._lock:
            if attempt.is_in_background:
                # Its cost comes with its end, in an attempt of its own; until then the worst case stays reserved.
                self._in_background[attempt.response.id or ""] = attempt.attempt_id
                return
            day = _local_day(attempt.created_at)
            attempt_id = self._reserved_as(attempt)
            reservation = self._spending.running.get(attempt_id)
            if reservation is None and (purse := purse_of(attempt.backend)) is not None:
                reservation = Reservation(purse, attempt.labels.get("conversation") or "", day, 0.0)
            if reservation is not None:
                outcome = settled(attempt, cost, reservation.usd)
                self._spending.end(attempt_id, reservation, outcome, day)

    def _reserved_as(self, attempt: Attempt) -> str:
        """Return the id under which an attempt's worst case was reserved: its own, or of the one that began it."""
        if attempt.method == "GET" and (attempt.response.usage or attempt.status in TERMINAL_STATUSES):
            return self._in_background.pop(attempt.response.id or "", attempt.attempt_id)
        return attempt.attempt_id

    def _watch(self, reservation: Reservation, meter: Meter, events: Sequence[Event]) -> CometError | None:
        if not meter.add(events):
            return None
        with self._lock:
            reservation.so_far_usd = meter.so_far_usd
            account = self._account(reservation.purse, reservation.conversation)
            standing = self._standing(account, is_fresh=False)
            crossing_usd = standing.spent_usd + self._spending.so_far(account)
        if not _is_over(crossing_usd, standing.limit_usd):
            return None
        return words.stopped(meter.output_tokens, reservation.so_far_usd, standing)

    def _account(self, purse: Purse, conversation: str) -> Account:
        return Account(purse, self.per, conversation, _local_day(datetime.now(UTC)))

    def _standing_of(self, purse: Purse, conversation: str) -> Standing:
        with self._lock:
            return self._standing(self._account(purse, conversation))

    def _standing(self, account: Account, *, is_fresh: bool = True) -> Standing:
        ended = self._spending.ended(account)
        known_usd = ended.usd
        if self.per == "day" and self.ledger is not None:
            # Rows of this kernel are in the ledger's sum, too, unless the ledger has not been told of them.
            known_usd = max(known_usd, self._in_ledger(self.ledger, account, is_fresh=is_fresh))
        reserved_usd, n_running = self._spending.reserved(account)
        return Standing(
            limit_usd=self.limit_usd,
            per=self.per,
            conversation=account.conversation,
            is_simulated=account.purse == "simulator",
            is_shared=self.is_shared,
            allows_unpriced=self.allows_unpriced,
            known_usd=known_usd,
            held_usd=ended.held_usd,
            n_held=ended.n_held,
            reserved_usd=reserved_usd,
            n_running=n_running,
        )

    def _in_ledger(self, ledger: Ledger, account: Account, *, is_fresh: bool) -> float:
        read = self._last_read
        if not is_fresh and read.account == account and monotonic() - read.at_s < _READ_EVERY_S:
            return read.usd
        try:
            spent = ledger.spent(account.day, backend=account.purse)
        except CometError as error:
            if not self._is_ledger_lost:
                self._is_ledger_lost = True
                _warn(f"{error.fact} The budget goes on with what this kernel has spent today.")
            usd = 0.0
        else:
            self._is_ledger_lost = False
            usd = spent.usd + spent.fees_usd
        self._last_read = _Read(account, monotonic(), usd)
        return usd

    def _warnings(self, account: Account, standing: Standing, worst: Worst) -> list[str]:
        """Return what the user has not been told yet."""
        notes: list[tuple[object, str]] = []
        if standing.spent_usd >= _WARN_FROM * standing.limit_usd:
            notes.append((account, words.nearly_spent(standing)))
        if worst.why_unpriced:
            notes.append((worst.why_unpriced, words.let_through_unpriced(worst.why_unpriced)))
        notes += [(what, words.uncounted(what)) for what in worst.uncounted]
        new = [text for key, text in notes if key not in self._told]
        self._told.update(key for key, _ in notes)
        return new

    def __repr__(self) -> str:
        return f"<Budget {words.name(self.limit_usd, self.per)}>"


def _affordable(worst: Worst, standing: Standing) -> tuple[int, bool]:
    """Return how many tokens of output a call may have, and whether that is a cap it has to be given.

    Raises
    ------
    BudgetExceededError
        If it could cross the limit.
    """
    wanted = worst.max_output_tokens
    if worst.why_unpriced or worst.usd(CAP_TOKENS if wanted is None else wanted) == 0:
        return 0, False
    rest_usd = standing.left_usd + _ROUNDING * standing.limit_usd
    n_tokens = worst.affordable_tokens(rest_usd, CAP_TOKENS if wanted is None else wanted)
    if wanted is not None and n_tokens == wanted:
        return wanted, False
    if wanted is None and n_tokens >= _FEWEST_TOKENS:
        return n_tokens, worst.usd_per_output_token > 0
    alone_usd = standing.limit_usd - standing.spent_usd
    waiting_helps = n_tokens < worst.affordable_tokens(alone_usd, CAP_TOKENS if wanted is None else wanted)
    raise words.refused(
        worst,
        standing,
        fits_tokens=n_tokens if n_tokens >= _FEWEST_TOKENS else None,
        waiting_helps=waiting_helps,
    )


def _is_over(usd: float, limit_usd: float) -> bool:
    return usd > limit_usd * (1 + _ROUNDING)


def _checked(limit_usd: Any, per: str) -> float:
    is_number = isinstance(limit_usd, int | float) and not isinstance(limit_usd, bool)
    if not is_number or not isfinite(limit_usd) or limit_usd <= 0:
        raise ParamError(
            f"limit_usd={limit_usd!r} is no finite number of US dollars above 0.",
            "Use Budget(0.50) for 50 cents.",
            param="limit_usd",
        )
    if per not in get_args(Per):
        raise ParamError(
            f"per={per!r} is none of: {', '.join(get_args(Per))}.",
            'Use Budget(0.50, per="day"), for example.',
            param="per",
        )
    return float(limit_usd)


def _local_day(moment: datetime) -> date:
    return moment.astimezone().date()


def _warn(text: str) -> None:
    # Where warnings are made errors it must not end the call.
    with suppress(CometWarning):
        warnings.warn(text, CometWarning, stacklevel=3)
