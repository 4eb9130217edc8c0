"""What an answer cost: an amount that says where its price is from, or why there is none."""

from __future__ import annotations

from math import isinf, isnan, nan
from typing import NamedTuple

__all__ = ["Cost", "dollar_band", "dollars"]

# From here on cents are at least two digits that count.
_CENTS_FROM, _NOTHING_BELOW = 0.0995, 1e-9


class Cost(NamedTuple):
    """What the tokens of one answer cost, in US dollars.

    Attributes
    ----------
    usd : float
        For all tokens; NaN where it is not known. Fees of built-in tools are not in it.
    source : str
        Where the price is from, with its date; or why there is none.
    is_estimated : bool
        True if the tokens were estimated, because the service did not report them.
    fees_usd : float
        What built-in tools cost besides; 0.0 if none ran, NaN if one ran whose fee is not known.
    fees : str
        Those tools in words, such as ``2 web searches``; empty if none ran.
    input_usd, cached_usd, cache_write_usd, output_usd : float
        The parts of `usd`: input that was neither read from nor written to the cache, input from the cache,
        input written to it, output with its reasoning.
    """

    usd: float = nan
    source: str = "no price known"
    is_estimated: bool = False
    fees_usd: float = 0.0
    fees: str = ""
    input_usd: float = nan
    cached_usd: float = nan
    cache_write_usd: float = nan
    output_usd: float = nan

    @property
    def is_known(self) -> bool:
        """True if there is an amount."""
        return not isnan(self.usd)


def dollars(usd: float) -> str:
    """Return an amount of US dollars as people read it.

    Parameters
    ----------
    usd : float
        NaN is "no price known".

    Returns
    -------
    str
        At least two digits that count, and at least cents: ``$12.30``, ``$0.045``, ``$0.00031``.

    Examples
    --------
    >>> dollars(12.3), dollars(0.0451), dollars(0.000314), dollars(0.0)
    ('$12.30', '$0.045', '$0.00031', '$0.00')
    """
    if isnan(usd):
        return "no price known"
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    if size >= _CENTS_FROM or size < _NOTHING_BELOW:
        return f"{sign}${size:,.2f}"
    # The exponent after rounding: 0.0999 is ten cents.
    exponent = int(f"{size:.1e}".partition("e")[2])
    return f"{sign}${size:.{1 - exponent}f}"


def dollar_band(low_usd: float, high_usd: float) -> str:
    """Return what something costs at least and at most, in words; infinite is "nothing bounds it"."""
    low, high = dollars(low_usd), dollars(high_usd)
    return f"{low} or more" if isinf(high_usd) else low if low == high else f"{low} to {high}"
