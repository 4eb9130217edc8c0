"""The chain of prices: the user's table, CometAPI's catalog, the official list, and which of them can price a call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from cometnb.client.catalog import Catalog, Listing, read_catalog
from cometnb.ledger.pricelist.model_names import spellings
from cometnb.ledger.pricelist.official import STANDARD_TIERS, OfficialModel, library_version, official_model
from cometnb.ledger.pricelist.price_table import PriceTable, read_table
from cometnb.ledger.pricelist.rates import Rates, Tariff

__all__ = ["COMET_RATIO", "Asked", "Quote", "Quotes", "Watched", "is_comet"]

COMET_RATIO = 0.8
"""What CometAPI charges of the official price, where a model has one and its catalog says nothing else."""

_T = TypeVar("_T")
# Two listed prices count as the same; a catalog rounds to cents.
_SAME = 0.02
_MANY = 20_000


class Asked(NamedTuple):
    """What a price is asked for.

    Attributes
    ----------
    model, model_requested : str or None
        The name that answered, and the name that was asked for.
    service_tier : str
        In small letters; empty for the tier everybody gets.
    is_comet : bool
        Whether CometAPI bills the call.
    ratio : float or None
        The share of the official price that the user says is charged; None if the user says nothing.
    """

    model: str | None
    model_requested: str | None
    service_tier: str
    is_comet: bool
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """One source's price.

    Attributes
    ----------
    kind : str
        ``table``, ``catalog`` or ``official``.
    tariff : Tariff
        What is charged: the ratio is in it.
    source : str
        Where it is from, with its date.
    ratio : float
        The ratio that is in `tariff`; 1.0 for the user's own prices.
    most_input_tokens : int or None
        The price is not meant for longer requests; None if it is for all.
    """

    kind: str
    tariff: Tariff
    source: str
    ratio: float = 1.0
    most_input_tokens: int | None = None

    def fits(self, input_tokens: int) -> bool:
        """Tell whether the price is meant for a request of so many input tokens."""
        return self.most_input_tokens is None or input_tokens <= self.most_input_tokens


class Watched(Generic[_T]):
    """What was read from a file; read again when the file has changed.

    Parameters
    ----------
    path : Path
    read : callable
        Reads the file; what it raises is raised again until the file has changed.
    absent : object
        The value without a file; if it is an error it is raised.
    """

    def __init__(self, path: Path, read: Callable[[Path], _T], absent: _T) -> None:
        self.path = path
        self.version = 0
        self._read, self._absent = read, absent
        self._stamp: tuple[int, int] | None = None
        self._value: _T = absent
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def value(self) -> _T:
        """Return what the file says now."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  # five times as fast, and asked for every row
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        if stamp != self._stamp or not self.version:
            with self._lock:
                self._take(stamp)
        if self._error is not None:
            raise self._error
        return self._value

    def _take(self, stamp: tuple[int, int] | None) -> None:
        if stamp == self._stamp and self.version:
            return  # another thread was first
        value, error = self._absent, None
        if stamp is not None:
            try:
                value = self._read(self.path)
            except Exception as raised:  # noqa: BLE001  # it is raised to whoever asks, until the file changes
                error = raised
        self.version += 1
        # The stamp last: who sees it takes the rest without the lock.
        self._value, self._error, self._stamp = value, error, stamp


class Quotes:
    """Every source, asked in order.

    Parameters
    ----------
    table : Path
        The user's own prices.
    catalog : Path
        The catalog as it was fetched last.
    """

    def __init__(self, table: Path, catalog: Path) -> None:
        self.table: Watched[PriceTable] = Watched(table, read_table, PriceTable())
        self.catalog: Watched[Catalog | None] = Watched(catalog, read_catalog, None)
        self._known: dict[tuple[Asked, int], tuple[tuple[Quote, ...], str]] = {}
        self._versions = (0, 0)

    def ask(self, asked: Asked, at: datetime) -> tuple[tuple[Quote, ...], str]:
        """Return the prices for a call, best source first, and why the official list has none (or nothing).

        Parameters
        ----------
        asked : Asked
        at : datetime
            When the call was made, in UTC.

        Raises
        ------
        ConfigError
            The user's table has a mistake.
        """
        table, catalog = self.table.value(), self.catalog.value()
        versions = (self.table.version, self.catalog.version)
        if versions != self._versions or len(self._known) > _MANY:
            self._known, self._versions = {}, versions
        key = (asked, at.toordinal())
        known = self._known.get(key)
        if known is None:
            listed = _official(asked)
            known = self._chain(asked, at, table, catalog, listed)
            if listed is None or not listed.is_by_the_hour:
                self._known[key] = known
        return known

    def _chain(
        self,
        asked: Asked,
        at: datetime,
        table: PriceTable,
        catalog: Catalog | None,
        listed: OfficialModel | None,
    ) -> tuple[tuple[Quote, ...], str]:
        tariff = "" if listed is None else listed.tariff(at, asked.service_tier)
        listing = _listing(catalog, asked)
        official = [*_official_quote(listed, tariff, asked, listing, at)]
        charged = [*_catalog_quote(catalog, listing, tariff, asked)]
        # For a call before the catalog was fetched the official list knows better: it has a history. And who
        # names a ratio means the official price times that.
        is_earlier = catalog is not None and at.date() < catalog.fetched_at.date()
        is_later = is_earlier or asked.ratio is not None
        quotes = [*official, *charged] if is_later else [*charged, *official]
        return (*self._table_quote(table, asked, at), *quotes), tariff if isinstance(tariff, str) else ""

    def _table_quote(self, table: PriceTable, asked: Asked, at: datetime) -> Iterator[Quote]:
        for name in (asked.model, asked.model_requested):
            entry = table.find(spellings(name), asked.service_tier, at.date())
            if entry is not None:
                since = f" from {entry.since}" if entry.since else ""
                yield Quote(
                    "table", entry.tariff, f"your price table ({self.table.path.name}): {entry.model}{since}"
                )
                return


def _official(asked: Asked) -> OfficialModel | None:
    return official_model(asked.model) or official_model(asked.model_requested)


def _listing(catalog: Catalog | None, asked: Asked) -> Listing | None:
    """Return the catalog's row for a call that CometAPI bills."""
    if catalog is None or not asked.is_comet:
        return None
    names = (*spellings(asked.model), *spellings(asked.model_requested))
    return next((catalog.listings[name] for name in names if name in catalog.listings), None)


def _official_quote(
    listed: OfficialModel | None, tariff: Tariff | str, asked: Asked, listing: Listing | None, at: datetime
) -> Iterator[Quote]:
    if listed is None or isinstance(tariff, str):
        return
    ratio = asked.ratio
    if ratio is None and asked.is_comet:
        ratio = (listing.ratio if listing is not None else None) or COMET_RATIO
    tier = f", {asked.service_tier}" if asked.service_tier else ""
    source = (
        f"{listed.maker}'s price of {listed.name}{tier} on {at:%Y-%m-%d} (genai-prices {library_version()})"
    )
    ratio = 1.0 if ratio is None else ratio
    yield Quote("official", tariff.times(ratio), f"{source}{_times(ratio)}", ratio)


def _catalog_quote(
    catalog: Catalog | None, listing: Listing | None, official: Tariff | str, asked: Asked
) -> Iterator[Quote]:
    """Yield the catalog's price: in the tier everybody gets, and without long context, of which it says nothing."""
    if catalog is None or listing is None or asked.service_tier not in STANDARD_TIERS:
        return
    if listing.input is None or listing.output is None:
        return
    known = official if isinstance(official, Tariff) else None
    ratio = _still_to_apply(listing, known, asked.ratio)
    yield Quote(
        "catalog",
        Tariff(Rates(input=listing.input * ratio, output=listing.output * ratio)),
        f"CometAPI's catalog of {catalog.fetched_at:%Y-%m-%d}: {listing.name}{_times(ratio)}",
        ratio,
        known.tiers[0][0] if known is not None and known.tiers else None,
    )


def _times(ratio: float) -> str:
    return "" if ratio == 1 else f" x {ratio:g}"


def _still_to_apply(listing: Listing, official: Tariff | None, given: float | None) -> float:
    """Return what a listed price is to be multiplied by.

    The catalog does not say whether it lists the official price or the charged one. A ratio in the row says
    "official", unless the list price shows that the ratio has been applied already.
    """
    if listing.ratio is None or listing.input is None:
        return 1.0
    full = official.base.input if official is not None else None
    if listing.ratio != 1 and full and abs(listing.input / (full * listing.ratio) - 1) < _SAME:
        return 1.0
    return listing.ratio if given is None else given


@lru_cache(maxsize=256)
def is_comet(base_url: str) -> bool:
    """Tell whether calls to this address are billed by CometAPI."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return host == "api.cometapi.com"
