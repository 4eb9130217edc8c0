"""Token counts as they were reported: sorted by kind, or the reason why that cannot be done."""

from __future__ import annotations

import math
from typing import Any

from cometnb.ledger.pricelist.rates import Tokens

__all__ = ["is_missing", "sorted_tokens"]

_LARGEST_COUNT = 2**63


def is_missing(value: Any) -> bool:
    """Tell whether a value is "not reported": None, NaN, or pandas' NA."""
    # NA is told by its name: pandas need not be loaded to price a call.
    kind = type(value).__name__
    return value is None or kind in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))


def sorted_tokens(sent: Any, cached: Any, written: Any, received: Any) -> Tokens | str:
    """Sort tokens by kind, so that each is counted once, or say why that cannot be done.

    Parameters
    ----------
    sent, cached, written, received : int or None
        Tokens of the input, of it those read from the cache and those written to it, and tokens of the output.
        What a provider does not say of its cache counts as none; input and output must be there.
    """
    counts: list[int | None] = []
    for name, value in (
        ("input_tokens", sent),
        ("cached_tokens", cached),
        ("cache_write_tokens", written),
        ("output_tokens", received),
    ):
        count = value if type(value) is int else _whole(value)
        if isinstance(count, str):
            return f"{name} is {count}"
        if count is not None and not 0 <= count < _LARGEST_COUNT:
            return f"{name} is {'below 0' if count < 0 else 'too large to be true'}"
        counts.append(count)
    return _apart(*counts)


def _apart(sent: int | None, cached: int | None, written: int | None, received: int | None) -> Tokens | str:
    if sent is None and received is None:
        return "usage not reported"
    if sent is None or received is None:
        return f"usage not reported: no {'input' if sent is None else 'output'} tokens"
    cached, written = cached or 0, written or 0
    if cached + written > sent:
        return f"{cached:,} cached and {written:,} cache-write tokens are more than the {sent:,} of the input"
    return Tokens(sent - cached - written, cached, written, received)


def _whole(value: Any) -> int | str | None:
    """Read a count that is no int: a float or numpy's integer will do, a text will not."""
    if is_missing(value):
        return None
    if isinstance(value, bool | str | bytes):
        return f"{value!r}, which is no count"
    try:
        count = int(value)
        return count if count == value else f"{value!r}, which is no whole number"
    except (TypeError, ValueError, OverflowError):
        return "no count"
