"""How many requests may run at once and how fast they may follow each other; it adapts to what the service can take.

There is no clock and no waiting in here: every call is told the time, so that a test can let hours pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from typing import Any

from cometnb.errors import ParamError

__all__ = ["CONGESTED", "Limiter", "Limits", "Ticket"]

CONGESTED = frozenset({429, 503, 529})
"""HTTP statuses that ask everybody to slow down."""

_LONGEST_PAUSE_S, _FIRST_PAUSE_S = 60.0, 1.0
# Of a minute's requests or tokens, what may go at once after a quiet moment.
_BURST = 1 / 60
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may ask of a service.

    Attributes
    ----------
    max_concurrency : int
        Most requests at once, from 1; fewer after the service has said that it is too many.
    requests_per_minute, tokens_per_minute : float or None
        Most in any minute, above 0; None is as many as the service takes. A request counts its input and output:
        estimated before it is sent, as reported afterwards.

    Raises
    ------
    ParamError
        If one of them is no such number.
    """

    max_concurrency: int = 16
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    def __post_init__(self) -> None:
        most: Any = self.max_concurrency
        if isinstance(most, bool) or not isinstance(most, Integral) or int(most) < 1:
            raise ParamError(
                f"max_concurrency={most!r} is not a whole number from 1.",
                "Give max_concurrency such as 16.",
                param="max_concurrency",
            )
        for name, short in (("requests_per_minute", "rpm"), ("tokens_per_minute", "tpm")):
            rate = getattr(self, name)
            is_number = isinstance(rate, Real) and not isinstance(rate, bool)
            if rate is not None and not (is_number and 0 < rate < inf):
                raise ParamError(
                    f"{name}={rate!r} is not a number above 0.",
                    f"Give {name} (of respond_frame: {short}) such as 500, or None for no limit of your own.",
                    param=name,
                )

    def share(self, n_parts: int) -> Limits:
        """Return the limits of each of `n_parts` processes that together keep these; at least one request at once each."""

        def part(rate: float | None) -> float | None:
            return None if rate is None else rate / n_parts

        return Limits(
            max(1, self.max_concurrency // n_parts),
            part(self.requests_per_minute),
            part(self.tokens_per_minute),
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request that was let in.

    Attributes
    ----------
    entered_s : float
        When.
    tokens : float
        What it was taken to cost, in tokens.
    """

    entered_s: float
    tokens: float


class _Bucket:
    """Fills evenly, and gives as long as there is something in it; what is overdrawn has to fill up again."""

    def __init__(self, per_minute: float, least: float, now_s: float) -> None:
        self._most = max(least, per_minute * _BURST)
        # What goes at once and what flows in together keep to the limit in every minute.
        self._per_s = (per_minute - self._most + least) / _MINUTE_S
        self._level, self._at_s = self._most, now_s

    def wait_s(self, now_s: float, amount: float) -> float:
        self._fill(now_s)
        missing = min(amount, self._most) - self._level
        # Half a unit in a thousand is rounding, and would be waited for again and again.
        return missing / self._per_s if missing > self._most * 1e-9 else 0.0

    def take(self, now_s: float, amount: float) -> None:
        self._fill(now_s)
        self._level = min(self._most, self._level - amount)

    def _fill(self, now_s: float) -> None:
        self._level = min(self._most, self._level + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = max(self._at_s, now_s)


class Limiter:
    """Says when the next request may go.

    The most at once is halved when the service says that it is too much, once for all requests that were on their
    way then, and grows by one for each round of answers ("additive increase, multiplicative decrease"). Whatever
    wait the service asks for holds for everybody; if it names none, everybody waits 1 s, and twice as long every
    further time until an answer comes.

    Parameters
    ----------
    limits : Limits
    now_s : float
        The clock's time.

    Attributes
    ----------
    limits : Limits
    n_inside : int
        Requests on their way.
    paused_until_s : float
        Nobody is let in before.
    """

    def __init__(self, limits: Limits, now_s: float = 0.0) -> None:
        self.limits = limits
        self.n_inside = 0
        self.paused_until_s = -inf
        self._window = float(limits.max_concurrency)
        self._narrowed_s = -inf
        self._n_in_a_row = 0
        rpm, tpm = limits.requests_per_minute, limits.tokens_per_minute
        self._requests = None if rpm is None else _Bucket(rpm, 1.0, now_s)
        self._tokens = None if tpm is None else _Bucket(tpm, 0.0, now_s)

    @property
    def window(self) -> int:
        """The most at once that the service takes, as far as is known."""
        return int(self._window)

    def wait_s(self, now_s: float, tokens: float = 0.0) -> float | None:
        """Return seconds until the next request may go; 0 is now, None is when another one has come back.

        Parameters
        ----------
        now_s : float
        tokens : float
            What it is taken to cost.
        """
        if self.n_inside >= self.window:
            return None
        waits = [self.paused_until_s - now_s, 0.0]
        if self._requests is not None:
            waits.append(self._requests.wait_s(now_s, 1.0))
        if self._tokens is not None:
            waits.append(self._tokens.wait_s(now_s, tokens))
        return max(waits)

    def enter(self, now_s: float, tokens: float = 0.0) -> Ticket:
        """Let a request in; ask `wait_s` before."""
        self.n_inside += 1
        if self._requests is not None:
            self._requests.take(now_s, 1.0)
        if self._tokens is not None:
            self._tokens.take(now_s, tokens)
        return Ticket(now_s, tokens)

    def give_back(self, ticket: Ticket, now_s: float) -> None:
        """Take back a ticket that was not used: nothing was sent."""
        self.n_inside -= 1
        if self._requests is not None:
            self._requests.take(now_s, -1.0)
        if self._tokens is not None:
            self._tokens.take(now_s, -ticket.tokens)

    def leave(
        self,
        ticket: Ticket,
        now_s: float,
        *,
        http_status: int | None = None,
        is_answered: bool = False,
        retry_after_s: float | None = None,
        tokens: float | None = None,
    ) -> None:
        """Take note that a request has come back.

        Parameters
        ----------
        ticket : Ticket
        now_s : float
        http_status : int, optional
            None if there was no answer.
        is_answered : bool
            It brought an answer.
        retry_after_s : float, optional
            How long the service asks to wait.
        tokens : float, optional
            What it has cost; None if that is not known.
        """
        self.n_inside -= 1
        if self._tokens is not None and tokens is not None:
            self._tokens.take(now_s, tokens - ticket.tokens)
        if http_status in CONGESTED:
            self._slow_down(ticket, now_s, retry_after_s)
        elif is_answered:
            self._n_in_a_row = 0
            self._window = min(float(self.limits.max_concurrency), self._window + 1 / self._window)

    def narrow(self, now_s: float) -> None:
        """Halve the most at once."""
        self._window = max(1.0, self._window / 2)
        self._narrowed_s = now_s

    def _slow_down(self, ticket: Ticket, now_s: float, retry_after_s: float | None) -> None:
        is_news = ticket.entered_s > self._narrowed_s
        if is_news:
            self.narrow(now_s)
            self._n_in_a_row += 1
        asked_s = retry_after_s or 0.0
        # A service that asks for no wait, or again for one that was too short, is given more and more.
        own_s = _FIRST_PAUSE_S * 2 ** min(self._n_in_a_row - 1, 10) if is_news else 0.0
        if retry_after_s is not None and self._n_in_a_row == 1:
            own_s = 0.0
        pause_s = min(max(asked_s, own_s), _LONGEST_PAUSE_S)
        self.paused_until_s = max(self.paused_until_s, now_s + pause_s)
