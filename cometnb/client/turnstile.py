"""What the attempts of many calls wait before, so that together they keep within what the service can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cometnb.client.attempt import Attempt

__all__ = ["Pass", "Turnstile"]


@dataclass(frozen=True, slots=True)
class Pass:
    """The right to send one attempt.

    Attributes
    ----------
    call_id : str
        Of the call.
    ticket : object
        The turnstile's own note.
    """

    call_id: str
    ticket: Any


class Turnstile(Protocol):
    """Lets attempts through one by one, and learns what came of each.

    Attributes
    ----------
    max_returns : int
        How often a call may come back that the service has answered with 429; how long it then waits is up to
        the turnstile, and not to the call.
    """

    max_returns: int

    async def enter(self, call_id: str, body: Mapping[str, Any]) -> Pass:
        """Wait until an attempt may be sent."""

    def leave(self, given: Pass, attempt: Attempt, retry_after_s: float | None) -> None:
        """Take note that an attempt has ended; `retry_after_s` is what the service asks to wait."""
