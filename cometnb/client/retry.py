"""When to send again: a bounded number of times, after what the service asks for or a random wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to wait between attempts.

    Attributes
    ----------
    max_retries : int
        Attempts after the first.
    base_s, cap_s : float
        The wait before retry n is drawn evenly from 0 to ``min(cap_s, base_s * 2**n)`` ("full jitter"), so that
        many kernels that failed together do not come back together.
    longest_s : float
        A wait the service asks for is honoured up to this.
    draw : callable
        ``draw(low, high)``, random.
    """

    max_retries: int = 2
    base_s: float = 0.5
    cap_s: float = 8.0
    longest_s: float = 60.0
    draw: Callable[[float, float], float] = random.uniform

    def wait_s(self, n_retries: int, retry_after_s: float | None) -> float | None:
        """Return seconds to wait before the next attempt, or None if there is to be none.

        Parameters
        ----------
        n_retries : int
            Retries already made.
        retry_after_s : float or None
            What the service asked for.
        """
        if n_retries >= self.max_retries:
            return None
        if retry_after_s is not None:
            return min(retry_after_s, self.longest_s)
        return self.draw(0.0, min(self.cap_s, self.base_s * 2**n_retries))
