"""What was spent: a sum that says how much it does not know."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Spent"]


class Spent(NamedTuple):
    """What some attempts cost together.

    Attributes
    ----------
    usd : float
        US dollars, of the attempts whose cost is known.
    n_attempts : int
        All of them, also those that were not sent or not answered.
    n_unpriced : int
        Those whose cost is not known.
    fees_usd : float
        What built-in tools cost besides, where it is known.
    n_unknown_fees : int
        Attempts in which a tool ran whose fee is not known.
    """

    usd: float = 0.0
    n_attempts: int = 0
    n_unpriced: int = 0
    fees_usd: float = 0.0
    n_unknown_fees: int = 0
