"""Where the attempts of a batch wait for the limiter, in order of their coming."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.turnstile import Pass
from cometnb.protocol.answer import FINAL_CODES
from cometnb.protocol.estimate import estimated_input_tokens
from cometnb.session.batch.limits import Limiter, Limits, Ticket

__all__ = ["Entrance"]

_ANSWERS = frozenset({"completed", "incomplete", "queued", "in_progress"})
# Until answers have come, what one is taken to cost in tokens; then it is their mean, the last ones counting most.
_FIRST_GUESS_TOKENS, _MEMORY = 300.0, 0.1


class Entrance:
    """A `Turnstile` around a `Limiter`; all of it happens on one event loop.

    Parameters
    ----------
    limits : Limits
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    limiter : Limiter
    max_returns : int
        As a turnstile's.
    n_attempts : Counter of str to int
        Attempts by call id; the engine takes them out.
    """

    max_returns = 20

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limiter = Limiter(limits, clock())
        self.n_attempts: Counter[str] = Counter()
        self._clock = clock
        self._waiting: deque[tuple[asyncio.Future[Ticket], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._left = asyncio.Event()
        self._mean_output_tokens = _FIRST_GUESS_TOKENS
        self._is_closed = False

    @property
    def pause_s(self) -> float:
        """Seconds for which nobody is let in, because the service has asked for it; 0 if it has not."""
        return max(0.0, self.limiter.paused_until_s - self._clock())

    async def enter(self, call_id: str, body: Mapping[str, Any]) -> Pass:
        """Wait until an attempt may be sent."""
        if self._is_closed:
            raise asyncio.CancelledError
        turn: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, self._expected_tokens(body)))
        self._let_in()
        try:
            ticket = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.limiter.give_back(turn.result(), self._clock())
                self._let_in()
            raise
        self.n_attempts[call_id] += 1
        return Pass(call_id, ticket)

    def close(self) -> None:
        """Let nobody in any more: who waits, or comes later, is cancelled; who is on the way is not touched."""
        self._is_closed = True
        for turn, _ in self._waiting:
            turn.cancel()
        self._left.set()
        self._let_in()

    def leave(self, given: Pass, attempt: Attempt, retry_after_s: float | None) -> None:
        """Take note that an attempt has ended."""
        is_final = attempt.error_code in FINAL_CODES or attempt.status == "refused_by_budget"
        used = attempt.response.usage.total_tokens
        self.limiter.leave(
            given.ticket,
            self._clock(),
            http_status=None if is_final else attempt.http_status,
            is_answered=attempt.status in _ANSWERS,
            retry_after_s=retry_after_s,
            tokens=0 if attempt.is_unsent or attempt.status == "error" else used,
        )
        output_tokens = attempt.response.usage.output_tokens
        if output_tokens is not None:
            self._mean_output_tokens += _MEMORY * (output_tokens - self._mean_output_tokens)
        if attempt.status == "refused_by_budget":
            self.n_attempts[given.call_id] -= 1
        else:
            # One that was refused has freed nothing; waking others for it would go round in circles.
            self._left.set()
        self._let_in()

    async def until_one_leaves(self) -> bool:
        """Let fewer in at once, and wait until somebody has come back; False at once if nobody is on the way."""
        if not self.limiter.n_inside:
            return False
        self.limiter.narrow(self._clock())
        if self._is_closed:
            return False
        self._left.clear()
        await self._left.wait()
        return True

    def _expected_tokens(self, body: Mapping[str, Any]) -> float:
        if self.limiter.limits.tokens_per_minute is None:
            return 0.0
        most = body.get("max_output_tokens")
        output_tokens = self._mean_output_tokens
        return estimated_input_tokens(body) + (min(most, output_tokens) if most else output_tokens)

    def _let_in(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            turn, tokens = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
                continue
            now_s = self._clock()
            wait_s = self.limiter.wait_s(now_s, tokens)
            if wait_s is None:
                return
            if wait_s > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._let_in)
                return
            self._waiting.popleft()
            turn.set_result(self.limiter.enter(now_s, tokens))
