"""What was spent and what running calls may still spend: sums by purse, conversation and day."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from math import fsum
from typing import Literal, NamedTuple, TypeAlias

from cometnb.client.attempt import Attempt
from cometnb.protocol.cost import Cost

__all__ = ["Account", "Per", "Purse", "Reservation", "Settled", "Spending", "purse_of", "settled"]

Per: TypeAlias = Literal["kernel", "day", "chat"]
Purse: TypeAlias = Literal["api", "simulator"]

# A gateway says so when it has stopped waiting; what it waited for may go on, and be billed.
_GAVE_UP_WAITING = frozenset({408, 504, 520, 524})


class Account(NamedTuple):
    """Which money is meant.

    Attributes
    ----------
    purse : str
        ``api`` is real money, ``simulator`` is not; neither pays for the other.
    per : str
        kernel, day or chat.
    conversation : str
        Of the chat; empty for the calls that belong to none. Counts only per chat.
    day : date
        Local. Counts only per day.
    """

    purse: Purse
    per: Per
    conversation: str
    day: date

    def takes(self, purse: Purse, conversation: str, day: date) -> bool:
        """Return whether money of this purse, conversation and day belongs to the account."""
        return (
            purse == self.purse
            and (self.per != "chat" or conversation == self.conversation)
            and (self.per != "day" or day == self.day)
        )


class Settled(NamedTuple):
    """What attempts that have ended count for.

    Attributes
    ----------
    usd : float
        The known costs, in US dollars, fees of built-in tools included where they are known.
    held_usd : float
        What the others could have cost at worst, beyond what of it is in `usd`.
    n_held : int
        How many those are.
    """

    usd: float = 0.0
    held_usd: float = 0.0
    n_held: int = 0

    def __add__(self, other: object) -> Settled:
        if not isinstance(other, Settled):
            return NotImplemented
        return Settled(self.usd + other.usd, self.held_usd + other.held_usd, self.n_held + other.n_held)


@dataclass(slots=True)
class Reservation:
    """What a running attempt may cost.

    Attributes
    ----------
    purse, conversation, day
        As in `Account`.
    usd : float
        At worst, in US dollars.
    so_far_usd : float
        By what has arrived.
    """

    purse: Purse
    conversation: str
    day: date
    usd: float
    so_far_usd: float = 0.0


@dataclass(slots=True)
class Spending:
    """The attempts of this process: those that run, by id, and the sums of those that have ended.

    It is not thread-safe; its budget has the lock.
    """

    running: dict[str, Reservation] = field(default_factory=dict)
    _ended: dict[tuple[Purse, str, date], Settled] = field(default_factory=dict)
    _before: dict[Purse, float] = field(default_factory=dict)
    # An observer that was given to a client twice is told twice, in a row.
    _just_ended: deque[str] = field(default_factory=lambda: deque(maxlen=64))

    def begin(self, purse: Purse, usd: float) -> None:
        """Count, for the kernel alone, money that was spent before."""
        self._before[purse] = self._before.get(purse, 0.0) + usd

    def end(self, attempt_id: str, reservation: Reservation, outcome: Settled, day: date) -> None:
        """Put what an attempt came to in the place of its reservation, once."""
        if attempt_id in self._just_ended:
            return
        self._just_ended.append(attempt_id)
        self.running.pop(attempt_id, None)
        key = (reservation.purse, reservation.conversation, day)
        self._ended[key] = self._ended.get(key, Settled()) + outcome

    def ended(self, account: Account) -> Settled:
        """Return what the attempts that have ended count for."""
        before = self._before.get(account.purse, 0.0) if account.per == "kernel" else 0.0
        return sum((sums for key, sums in self._ended.items() if account.takes(*key)), Settled(before))

    def reserved(self, account: Account) -> tuple[float, int]:
        """Return what the running attempts may cost at worst, and how many they are."""
        amounts = [one.usd for one in self._running(account)]
        return fsum(amounts), len(amounts)

    def so_far(self, account: Account) -> float:
        """Return what the running attempts have cost by what has arrived."""
        return fsum(one.so_far_usd for one in self._running(account))

    def conversations(self, purse: Purse) -> list[str]:
        """Return the conversations there are, in the order of their first end; empty text is "none of them"."""
        named = [conversation for of, conversation, _ in self._ended if of == purse]
        named += [one.conversation for one in self.running.values() if one.purse == purse]
        return list(dict.fromkeys(named))

    def _running(self, account: Account) -> Iterator[Reservation]:
        return (one for one in self.running.values() if account.takes(one.purse, one.conversation, one.day))


def purse_of(backend: str) -> Purse | None:
    """Return what pays for a backend's calls; None for those of a cassette, which cost nothing."""
    if backend == "cassette":
        return None
    return "simulator" if backend == "simulator" else "api"


def settled(attempt: Attempt, cost: Cost, reserved_usd: float) -> Settled:
    """Return what an attempt that has ended counts for.

    Parameters
    ----------
    attempt : Attempt
    cost : Cost
        Its price.
    reserved_usd : float
        What it could have cost at worst.

    Returns
    -------
    Settled
        Nothing if it was not sent, or refused by the service. Its cost if that is known. Otherwise all that was
        reserved for it: nobody knows better. So it is, too, where the cost was estimated from what is visible
        and reasoning may have come before.
    """
    # The end of what ran in the background has its worst case with it; another GET has none.
    is_free = attempt.is_unsent or (attempt.is_free and not reserved_usd)
    if is_free or _is_refused(attempt):
        return Settled()
    if not cost.is_known:
        return Settled(held_usd=reserved_usd, n_held=1)
    # Fees that are not known are NaN, which is not larger than anything.
    usd = max(0.0, cost.usd) + (cost.fees_usd if cost.fees_usd > 0 else 0.0)
    if cost.is_estimated and _may_hide_reasoning(attempt):
        return Settled(usd, max(0.0, reserved_usd - usd), 1)
    return Settled(usd)


def _is_refused(attempt: Attempt) -> bool:
    status = attempt.http_status
    return status is not None and status >= 400 and status not in _GAVE_UP_WAITING


def _may_hide_reasoning(attempt: Attempt) -> bool:
    reasoning = attempt.params.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("effort") == "none":
        return False
    kinds = {item.get("type") for item in attempt.response.output}
    return not kinds or "reasoning" in kinds
