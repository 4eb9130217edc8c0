"""How a budget stands: what of it is spent, reserved and left."""

from __future__ import annotations

from dataclasses import dataclass

from cometnb.ledger.purse.spending import Per

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands at one moment; amounts in US dollars.

    Attributes
    ----------
    limit_usd : float
    per : str
        kernel, day or chat.
    conversation : str
        Which chat, where it is per chat; empty for the calls that belong to none.
    is_simulated : bool
        True if it is simulated money.
    is_shared : bool
        Whether it is the one that ``%comet budget`` shows and changes.
    allows_unpriced : bool
        Whether models without a known price may be asked.
    known_usd, held_usd : float
        What attempts that have ended cost; and what those of them could have cost at worst whose cost is not known.
    n_held : int
        How many these are.
    reserved_usd : float
        What running attempts may cost at worst.
    n_running : int
        How many these are.
    """

    limit_usd: float
    per: Per
    conversation: str
    is_simulated: bool
    is_shared: bool
    allows_unpriced: bool
    known_usd: float
    held_usd: float
    n_held: int
    reserved_usd: float
    n_running: int

    @property
    def spent_usd(self) -> float:
        """What attempts that have ended count for."""
        return self.known_usd + self.held_usd

    @property
    def left_usd(self) -> float:
        """What a call may cost; below 0 if the limit has been crossed."""
        return self.limit_usd - self.spent_usd - self.reserved_usd
