"""What a call cost: tokens and tools, times a price that says where it is from, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cometnb.client.catalog import catalog_path
from cometnb.config.configured import configured_setting
from cometnb.errors import ConfigError
from cometnb.ledger.pricelist import price_table
from cometnb.ledger.pricelist.counts import sorted_tokens
from cometnb.ledger.pricelist.model_names import spellings
from cometnb.ledger.pricelist.moments import aware, since_epoch, stamped
from cometnb.ledger.pricelist.official import STANDARD_TIERS, official_model
from cometnb.ledger.pricelist.quotes import Asked, Quote, Quotes, is_comet
from cometnb.ledger.pricelist.rates import Rates, Tokens, amounts, unpriced_kind
from cometnb.ledger.pricelist.rounds import added
from cometnb.ledger.pricelist.tool_fees import counted_calls, fees, in_words, tool_calls
from cometnb.options import ratio as _read_ratio
from cometnb.options import user_path
from cometnb.protocol.cost import Cost
from cometnb.protocol.response import Response

__all__ = ["Billable", "Price", "Prices", "configure", "cost_of", "cost_of_row", "default_prices"]

_KIND_WORDS = {"input": "input", "cached": "cached input", "cache_write": "cache write", "output": "output"}
_UNSENT = frozenset({"cassette", "connect", "connect_timeout"})
_NOTHING_SENT = Cost(0.0, "nothing was sent", False, 0.0, "", 0.0, 0.0, 0.0, 0.0)
_REPLAYED = Cost(0.0, "replayed: costs nothing", False, 0.0, "", 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Billable:
    """What of a call decides its cost.

    Attributes
    ----------
    model, model_requested : str or None
        The name that answered, and the name that was asked for.
    base_url : str
        Where the call went.
    backend : str
        ``api``, ``simulator`` or ``cassette``.
    service_tier : str or None
        As the response says.
    at : datetime or None
        When it was sent; without a time zone it is UTC. None is now.
    input_tokens, cached_tokens, cache_write_tokens, output_tokens : int or None
        None is "not reported". Cached and cache-write tokens are part of the input, reasoning of the output.
    n_tool_calls : Mapping of str to int
        Built-in tools: type of the output item to how many; see `tool_fees.tool_calls`.
    """

    model: str | None = None
    model_requested: str | None = None
    base_url: str = ""
    backend: str = "api"
    service_tier: str | None = None
    at: datetime | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    n_tool_calls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Price:
    """What a model costs, in US dollars per million tokens; None is "no price known".

    Attributes
    ----------
    model : str
        The name that was asked for.
    input, cached, cache_write, output : float or None
        For a request of the size that was asked for; the ratio is in them.
    tiers : tuple of (int, Rates)
        Rates of long requests, by the input tokens above which they hold.
    source : str
        Where the price is from, with its date.
    kind : str
        ``table``, ``catalog`` or ``official``.
    ratio : float
        What the listed price was multiplied by.
    base : Rates
        Rates below every tier.
    tool_fees_per_1000 : Mapping of str to float
        Type of a built-in tool's output item to US dollars per thousand calls.
    """

    model: str
    input: float | None
    cached: float | None
    cache_write: float | None
    output: float | None
    tiers: tuple[tuple[int, Rates], ...]
    source: str
    kind: str
    ratio: float
    base: Rates
    tool_fees_per_1000: Mapping[str, float]


class Prices:
    """Where prices come from: the user's table, then CometAPI's catalog, then the official lists.

    Parameters
    ----------
    table : Path, optional
        The user's prices; `price_table.default_path` if None.
    ratio : float, optional
        What is charged of an official price. None is what CometAPI's catalog says, 0.8 if it says nothing, and
        1.0 where another service is called.
    catalog : Path, optional
        CometAPI's catalog as it was fetched last; `catalog_path` if None. Nothing is fetched here.
    """

    def __init__(
        self, table: Path | None = None, ratio: float | None = None, catalog: Path | None = None
    ) -> None:
        self.table_path = table or price_table.default_path()
        self.catalog_path = catalog or catalog_path()
        self._must_exist = table is not None
        self._ratio = ratio
        self._quotes = Quotes(self.table_path, self.catalog_path)

    def check(self) -> None:
        """Read the user's table, if it has changed.

        Raises
        ------
        ConfigError
            The table has a mistake, or the file that was named is not there.
        """
        self._check_place()
        self._quotes.table.value()

    def cost(self, billable: Billable) -> Cost:
        """Return what a call cost. It never raises: what cannot be priced is NaN with the reason.

        Notes
        -----
        The first source that has a price for every kind of token in the call decides. A mistake in the user's
        table leaves every call without a price, because nobody knows what the table was to say.
        """
        if billable.backend == "cassette":
            return _REPLAYED
        calls = counted_calls(billable.n_tool_calls)
        tokens = sorted_tokens(
            billable.input_tokens, billable.cached_tokens, billable.cache_write_tokens, billable.output_tokens
        )
        try:
            self._check_place()
            quotes, reason = self._quotes.ask(self._asked(billable), aware(billable.at))
        except ConfigError as error:
            quotes, reason = (), error.fact
        fee = fees(calls, [quote.tariff.tool_fees for quote in quotes])
        words = in_words(calls)
        if isinstance(tokens, str):
            return Cost(source=tokens, fees_usd=fee, fees=words)
        for quote in quotes:
            rates = quote.tariff.rates(tokens.sent)
            unpriced = _unfit(quote, rates, tokens)
            if unpriced is None:
                parts = amounts(rates, tokens)
                return Cost(sum(parts), _source(billable, quote, tokens), False, fee, words, *parts)
            reason = reason or f"{unpriced} in {quote.source}"
        name = billable.model or billable.model_requested
        return Cost(source=reason or _unknown(name), fees_usd=fee, fees=words)

    def price(self, model: str, **known: Any) -> Price | None:
        """Return what a model costs: the first of `offers` that has a price for input and output, or None.

        Raises
        ------
        ConfigError
            The user's table has a mistake.
        """
        offers = self.offers(model, **known)
        return next((offer for offer in offers if None not in (offer.input, offer.output)), None)

    def offers(
        self,
        model: str,
        *,
        base_url: str = "",
        backend: str = "api",
        service_tier: str | None = None,
        at: datetime | None = None,
        input_tokens: int = 0,
    ) -> tuple[Price, ...]:
        """Return what a model costs by every source that knows it, the one that is asked first at the head.

        Parameters
        ----------
        model : str
        base_url, backend, service_tier, at
            As in `Billable`.
        input_tokens : int
            The size of the request, which decides the long-context tier.

        Raises
        ------
        ConfigError
            The user's table has a mistake.
        """
        self.check()
        asked = self._asked(
            Billable(model=model, base_url=base_url, backend=backend, service_tier=service_tier)
        )
        quotes, _ = self._quotes.ask(asked, aware(at))
        return tuple(_offer(model, quote, input_tokens) for quote in quotes if quote.fits(input_tokens))

    def service_tiers(self, model: str, at: datetime | None = None) -> tuple[str, ...]:
        """Return the service tiers besides the standard one that a model has a price in.

        Raises
        ------
        ConfigError
            The user's table has a mistake.
        """
        self.check()
        listed = official_model(model)
        tiers = self._quotes.table.value().service_tiers(spellings(model))
        official = () if listed is None else listed.service_tiers(aware(at))
        return tuple(dict.fromkeys((*tiers, *official)))

    def _check_place(self) -> None:
        if self._must_exist and not self.table_path.exists():
            raise ConfigError(
                f"The price table {self.table_path} is not there.",
                "Correct COMETNB_PRICES, or write the table: %comet prices shows an example.",
            )

    def _asked(self, billable: Billable) -> Asked:
        tier = str(billable.service_tier or "").strip().lower()
        return Asked(
            billable.model,
            billable.model_requested,
            "" if tier in STANDARD_TIERS else tier,
            billable.backend == "simulator" or is_comet(billable.base_url),
            self._ratio,
        )


_given: dict[str, str] = {}


def configure(*, table: str | None = None, ratio: str | None = None) -> None:
    """Settle what `default_prices` are in this process; None goes back to the environment.

    Parameters
    ----------
    table : str, optional
        Path of the user's table.
    ratio : str, optional
        What is charged of official prices, as text.
    """
    given = {"prices": table, "price_ratio": ratio}
    _given.clear()
    _given.update({name: value for name, value in given.items() if value})


def default_prices() -> Prices:
    """Return the prices that `configure`, or else `COMETNB_PRICES` and `COMETNB_PRICE_RATIO`, or the config file names.

    Raises
    ------
    ConfigError
        The ratio is no number; cometnb's configuration file cannot be read.
    """
    table = _given.get("prices") or configured_setting("prices")
    wanted_ratio = _read_ratio(_given.get("price_ratio") or configured_setting("price_ratio"))
    path = user_path(table).absolute() if table else None
    return _prices(path, wanted_ratio, price_table.default_path(), catalog_path())


@lru_cache(maxsize=8)
def _prices(table: Path | None, ratio: float | None, default_table: Path, catalog: Path) -> Prices:
    # The default place is part of the key: it is the environment's, which tests and notebooks may change.
    return Prices(table, ratio, catalog)


def cost_of(response: Response) -> Cost:
    """Return what an answer cost, so far; `Response.cost` is this.

    Where the service reported no usage and some can be estimated (`Response.estimated_usage`), the estimate is
    priced and `is_estimated` is True. What cannot be priced is NaN with the reason. Rounds are priced one by one.
    """
    if response.rounds:
        return added([cost_of(one) for one in response.rounds], in_words(tool_calls(response.output)))
    error = response.error or {}
    if response.status == "refused_by_budget" or (not response.usage and error.get("code") in _UNSENT):
        return _NOTHING_SENT
    usage, is_estimated = response.usage, False
    if not usage and response.estimated_usage:
        from cometnb.ledger import calibration

        name = response.model_requested or response.model
        usage, is_estimated = calibration.current.scaled(response.estimated_usage, name), True
    cost = default_prices().cost(
        Billable(
            model=response.model,
            model_requested=response.model_requested,
            base_url=response.base_url,
            backend=response.backend,
            service_tier=response.service_tier,
            at=response.timing.sent_at or stamped(response.raw.get("created_at")),
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            n_tool_calls=tool_calls(response.output),
        )
    )
    return cost._replace(is_estimated=True) if is_estimated else cost


def cost_of_row(row: Mapping[str, Any], prices: Prices | None = None) -> Cost:
    """Return what an attempt cost by its row in the ledger.

    Parameters
    ----------
    row : Mapping
        Columns by name, as `rows.row_of` makes them: ``model``, ``model_requested``, ``base_url``, ``backend``,
        ``service_tier``, ``created_at_us``, ``status``, ``error_code``, the token counts, ``usage_source`` and, if
        there is one, ``n_tool_calls`` (a mapping or its JSON). None, NaN and NA are "not reported".
    prices : Prices, optional
        `default_prices` if None.
    """
    if row.get("backend") == "cassette":
        return _REPLAYED
    if row.get("status") == "refused_by_budget" or row.get("error_code") in _UNSENT:
        return _NOTHING_SENT
    cost = (prices or default_prices()).cost(
        Billable(
            model=_text(row.get("model")),
            model_requested=_text(row.get("model_requested")),
            base_url=_text(row.get("base_url")) or "",
            backend=_text(row.get("backend")) or "api",
            service_tier=_text(row.get("service_tier")),
            at=since_epoch(row.get("created_at_us")),
            input_tokens=row.get("input_tokens"),
            cached_tokens=row.get("cached_tokens"),
            cache_write_tokens=row.get("cache_write_tokens"),
            output_tokens=row.get("output_tokens"),
            n_tool_calls=counted_calls(row.get("n_tool_calls")),
        )
    )
    return cost._replace(is_estimated=True) if row.get("usage_source") == "estimated" else cost


def _offer(model: str, quote: Quote, input_tokens: int) -> Price:
    tariff = quote.tariff
    rates = tariff.rates(input_tokens)
    return Price(
        model,
        *rates,
        tiers=tariff.tiers,
        source=quote.source,
        kind=quote.kind,
        ratio=quote.ratio,
        base=tariff.base,
        tool_fees_per_1000=dict(tariff.tool_fees),
    )


def _unfit(quote: Quote, rates: Rates, tokens: Tokens) -> str | None:
    """Say why a quote cannot price these tokens, or nothing."""
    if not quote.fits(tokens.sent):
        return f"no price for more than {quote.most_input_tokens:,} input tokens"
    kind = unpriced_kind(rates, tokens)
    return None if kind is None else f"no price for {_KIND_WORDS[kind]} tokens"


def _source(billable: Billable, quote: Quote, tokens: Tokens) -> str:
    above = quote.tariff.tier(tokens.sent)
    source = quote.source if above is None else f"{quote.source}, above {above:,} input tokens"
    return f"as if billed: {source}" if billable.backend == "simulator" else source


def _unknown(model: str | None) -> str:
    return f"no price known for {model}" if model else "no price known: the model is not known"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
