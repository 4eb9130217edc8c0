"""Prices for the ledger's rows: one by one when they are written, many at a time when they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cometnb.ledger.rows import Row

if TYPE_CHECKING:
    from cometnb.ledger.prices import Prices
    from cometnb.protocol.cost import Cost

__all__ = ["Pricing"]


class Pricing:
    """What rows cost.

    Parameters
    ----------
    prices : Prices, optional
        `prices.default_prices` if None, at the time of asking.
    """

    def __init__(self, prices: Prices | None = None) -> None:
        self._prices = prices

    def settled(self) -> Pricing:
        """Return one that does not look again for every row which prices the environment names."""
        from cometnb.ledger.prices import default_prices

        try:
            return Pricing(self._prices or default_prices())
        except Exception:  # noqa: BLE001 - `cost` says what is wrong, for each row
            return self

    def cost(self, row: Row) -> Cost:
        """Return what one row cost; whatever is wrong with it or with the prices, with the reason.

        Parameters
        ----------
        row : dict
            As `rows.row_of` makes it.
        """
        try:
            # Loaded by who writes or reads, never by a call.
            from cometnb.ledger.prices import cost_of_row

            return cost_of_row(row, self._prices)
        except Exception as error:  # noqa: BLE001 - a row must not be lost for want of its price
            from cometnb.protocol.cost import Cost

            return Cost(source=f"no price: {type(error).__name__}: {error}")

    def price(self, rows: Iterable[Row]) -> None:
        """Write into each row that has no price yet what it costs and why: ``cost_usd price_source tool_fees_usd``."""
        for row in rows:
            if row.get("price_source") is None:
                cost = self.cost(row)
                row["cost_usd"], row["price_source"] = _amount(cost.usd), cost.source
                row["tool_fees_usd"] = _amount(cost.fees_usd)


def _amount(usd: float) -> float | None:
    # NaN is NULL on disk: an SQL sum would take it for a number.
    return usd if usd == usd else None  # noqa: PLR0124
