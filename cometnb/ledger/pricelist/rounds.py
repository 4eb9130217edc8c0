"""What an answer of several rounds cost: each of them is a call with a price of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cometnb.protocol.cost import Cost

__all__ = ["added"]


def added(costs: Sequence[Cost], fees: str) -> Cost:
    """Return what the rounds of one answer cost together.

    Parameters
    ----------
    costs : sequence of Cost
        One of each round; not empty.
    fees : str
        The tools of all rounds in words.

    Returns
    -------
    Cost
        An amount that one of the rounds lacks is NaN, with that round's reason.

    Notes
    -----
    Their tokens are no one long request: the price of long context is for a call whose own input is long.
    """
    unknown = next((cost for cost in costs if not cost.is_known), None)
    return Cost(
        usd=_sum(cost.usd for cost in costs),
        source=unknown.source
        if unknown is not None
        else "; ".join(dict.fromkeys(cost.source for cost in costs)),
        is_estimated=any(cost.is_estimated for cost in costs),
        fees_usd=_sum(cost.fees_usd for cost in costs),
        fees=fees,
        input_usd=_sum(cost.input_usd for cost in costs),
        cached_usd=_sum(cost.cached_usd for cost in costs),
        cache_write_usd=_sum(cost.cache_write_usd for cost in costs),
        output_usd=_sum(cost.output_usd for cost in costs),
    )


def _sum(amounts: Iterable[float]) -> float:
    return sum(amounts, 0.0)
