"""What this kernel has used so far, added up attempt by attempt."""

from __future__ import annotations

from cometnb.client.attempt import Attempt
from cometnb.protocol.usage import Usage

__all__ = ["Tally"]


class Tally:
    """An observer that adds up.

    Attributes
    ----------
    n_attempts : int
    n_unreported : int
        Attempts whose usage the service did not report; `usage` says nothing of them.
    usage : Usage
        The sum of what was reported.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin at nothing again."""
        self.n_attempts = 0
        self.n_unreported = 0
        self.usage = Usage()

    def __call__(self, attempt: Attempt) -> None:
        """Add an attempt."""
        usage = attempt.response.usage
        self.n_attempts += 1
        self.n_unreported += not usage
        self.usage = self.usage + usage
