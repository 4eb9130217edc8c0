"""Looking at a stored response until it has ended: how often, and what of it when a look fails."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from time import monotonic

from cometnb.client.client import Client
from cometnb.client.stored import Polled
from cometnb.errors import (
    CometError,
    ConnectionFailedError,
    RateLimitError,
    ResponseTimeoutError,
    ServerError,
    StreamInterruptedError,
    UnexpectedContentError,
)
from cometnb.protocol.response import Response
from cometnb.session.short_waits import SHORT_WAIT_S

__all__ = ["Looking", "Pace"]


# Looks in a row that may fail, each after the client's own retries.
_MOST_FAILURES = 5

_PASSING = (
    RateLimitError,
    ServerError,
    ConnectionFailedError,
    ResponseTimeoutError,
    StreamInterruptedError,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between two looks at a response.

    Attributes
    ----------
    shortest_s, longest_s : float
        The first wait, and the bound of the later ones.
    growth : float
        Each wait is so many times the one before, give or take a fifth, so that many kernels that wait together do
        not ask together.
    longest_asked_s : float
        A wait the service asks for is honoured up to this.
    draw : callable
        ``draw(low, high)``, random.
    """

    shortest_s: float = 0.5
    longest_s: float = 10.0
    growth: float = 1.5
    longest_asked_s: float = 60.0
    draw: Callable[[float, float], float] = random.uniform

    def wait_s(self, n_looks: int, retry_after_s: float | None = None) -> float:
        """Return seconds to wait after so many looks, the first being 0.

        Parameters
        ----------
        n_looks : int
        retry_after_s : float, optional
            What the service asks for; it is never undercut.
        """
        # The exponent is bounded, as a float is.
        wait_s = self.shortest_s * self.growth ** min(n_looks, 64) * self.draw(0.8, 1.2)
        wait_s = min(self.longest_s, max(self.shortest_s, wait_s))
        return max(wait_s, min(retry_after_s or 0.0, self.longest_asked_s))


class Looking:
    """One response that is looked at again and again.

    Parameters
    ----------
    client : Client
    response_id : str
    pace : Pace

    Attributes
    ----------
    trouble : str or None
        Why the last look failed, while looking goes on.
    """

    def __init__(self, client: Client, response_id: str, pace: Pace) -> None:
        self.trouble: str | None = None
        self._client, self._response_id, self._pace = client, response_id, pace
        self._looked_at_s = monotonic()
        self._changed = threading.Event()

    def hurry(self) -> None:
        """End the present wait, from any thread: there is something new."""
        self._changed.set()

    def looks(
        self, is_done: Callable[[], bool], *, until_s: float, idle_s: float | None
    ) -> Iterator[Response | None]:
        """Yield the response after each look, until it is done or the time is over.

        Parameters
        ----------
        is_done : callable
            Asked before each look, and after what was yielded has been dealt with.
        until_s : float
            Of the monotonic clock; infinity for no end.
        idle_s : float or None
            Yield None whenever nothing has been looked at for this long.

        Raises
        ------
        CometError
            What the service or the wire says, if more looks in a row failed than may, or another cannot help.
        """
        n_looks = n_failures = 0
        asked_s = None
        while not is_done():
            due_s = self._looked_at_s + self._pace.wait_s(n_looks, asked_s)
            for _ in _ticks(self._changed, min(due_s, until_s), idle_s):
                yield None
            self._changed.clear()
            if is_done() or monotonic() >= until_s:
                return
            look = _Look(self._client, self._response_id)
            look.start()
            for _ in _ticks(look.is_over, until_s, idle_s):
                yield None
            if not look.is_over.is_set():
                return
            n_looks, self._looked_at_s = n_looks + 1, monotonic()
            if look.polled is None:
                n_failures += 1
                asked_s = self._borne(look.error, n_failures)
                continue
            n_failures, self.trouble, asked_s = 0, None, look.polled.retry_after_s
            yield look.polled.response

    def _borne(self, error: BaseException | None, n_failures: int) -> float | None:
        """Take note of a look that failed and return how long the service asks to wait; or raise why it failed."""
        if isinstance(error, CometError) and n_failures <= _MOST_FAILURES and _may_pass(error):
            self.trouble = error.fact
            return error.retry_after_s if isinstance(error, RateLimitError) else None
        raise error or RuntimeError("a look at a response came to nothing")


class _Look(threading.Thread):
    """One look, on a thread of its own, so that an interrupt need not wait for the service."""

    def __init__(self, client: Client, response_id: str) -> None:
        super().__init__(name="cometnb-look", daemon=True)
        self.is_over = threading.Event()
        self.polled: Polled | None = None
        self.error: BaseException | None = None
        self._client, self._response_id = client, response_id

    def run(self) -> None:
        """Look."""
        try:
            self.polled = self._client.poll(self._response_id)
        except BaseException as error:  # noqa: BLE001  # it is raised again on the thread that waits
            self.error = error
        finally:
            self.is_over.set()


def _may_pass(error: CometError) -> bool:
    """Tell whether it may be better in a while: a page of a gateway that is overloaded, too."""
    is_page = isinstance(error, UnexpectedContentError)
    return isinstance(error, _PASSING) or (is_page and (getattr(error, "status_code", None) or 0) >= 500)


def _ticks(event: threading.Event, until_s: float, idle_s: float | None) -> Iterator[None]:
    """Wait for an event in short pieces, so that an interrupt is seen on every platform; yield every `idle_s`."""
    every_s = inf if idle_s is None else idle_s
    idle_at_s = monotonic() + every_s
    while not event.is_set():
        now_s = monotonic()
        if now_s >= until_s:
            return
        if now_s >= idle_at_s:
            idle_at_s = now_s + every_s
            yield
        event.wait(min(SHORT_WAIT_S, until_s - now_s))
