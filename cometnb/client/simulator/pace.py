"""How fast an answer comes, and how a shell keeps to that without drifting."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cometnb.errors import ConfigError

__all__ = ["Pace", "Schedule"]

# Shorter waits are mostly the timer's own error; they are added up until they are worth it.
_SHORTEST_WAIT_S = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of an answer.

    Parameters
    ----------
    tokens_per_s : float or None
        Tokens a second, reasoning included; None is as fast as possible.
    first_token_s : float
        Seconds before the first token, at least 0.

    Raises
    ------
    ConfigError
        If the speed is not above 0 or the delay is below 0.
    """

    tokens_per_s: float | None = None
    first_token_s: float = 0.0

    def __post_init__(self) -> None:
        if self.tokens_per_s is not None and not self.tokens_per_s > 0:
            raise ConfigError(
                f"tokens_per_s={self.tokens_per_s} is not above 0.",
                "Give tokens_per_s a positive number, or None for as fast as possible.",
            )
        if not self.first_token_s >= 0:
            raise ConfigError(
                f"first_token_s={self.first_token_s} is below its minimum 0.",
                "Give first_token_s a number of seconds of at least 0.",
            )

    def duration_s(self, n_tokens: float) -> float:
        """Return the seconds that generating `n_tokens` takes, without the wait for the first."""
        return 0.0 if self.tokens_per_s is None else n_tokens / self.tokens_per_s


class Schedule:
    """Turns the gaps of a stream into waits that do not drift.

    Parameters
    ----------
    clock : callable
        Seconds since any moment, never going back.

    Notes
    -----
    Time the receiver spends counts as waited. A wait that ended early, as with a test's own sleep,
    counts in full.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due_s = clock()
        self._skipped_s = 0.0

    def wait_s(self, gap_s: float) -> float:
        """Return how long to wait now so that the next chunk comes `gap_s` after the one before it."""
        self._due_s += gap_s
        wait_s = self._due_s - self._clock() - self._skipped_s
        return wait_s if wait_s >= _SHORTEST_WAIT_S else 0.0

    def waited(self) -> None:
        """Take note that the wait is over."""
        self._skipped_s += max(0.0, self._due_s - self._clock() - self._skipped_s)
