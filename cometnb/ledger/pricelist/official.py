"""Official list prices: what the maker of a model asks, as genai-prices has collected it."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from cometnb.ledger.pricelist.model_names import spellings
from cometnb.ledger.pricelist.rates import Rates, Tariff

__all__ = ["STANDARD_TIERS", "OfficialModel", "library_version", "official_model"]

STANDARD_TIERS = frozenset({"", "auto", "default", "standard", "provisioned"})
"""Words for the tier everybody gets. A gateway was seen to report ``provisioned`` and to bill the standard price."""

# Only who makes a model is asked, never who resells it: the first pattern that fits a name decides.
_MAKERS = tuple(
    (maker, re.compile(pattern))
    for maker, pattern in (
        ("openai", r"gpt-|chatgpt-|o\d(?:-|$)|codex-|computer-use|ft:|text-embedding-"),
        ("anthropic", r"claude-"),
        ("google", r"gemini-|gemma-"),
        ("x-ai", r"grok-"),
        ("deepseek", r"deepseek-"),
        ("moonshotai", r"kimi-|moonshot-"),
        # The maker of GLM lists dollars at z.ai; its prices in yuan are converted and of the cheapest length only.
        ("zai", r"glm-"),
        ("minimax", r"minimax-|m2-her"),
        ("mistral", r"(?:labs-)?(?:mi|code|dev|magi|mini)stral|mixtral|pixtral|voxtral|open-mi[sx]tral"),
        ("cohere", r"command-|c4ai-"),
        ("meta", r"muse-"),
        ("perplexity", r"sonar|r1-1776"),
    )
)
_MAKER_NAMES = {"deepseek": "DeepSeek", "moonshotai": "Moonshot AI", "x-ai": "xAI", "zai": "Z.ai"}

# genai-prices' names for what Rates holds; a cache write is the shorter-lived one.
_RATE_KEYS = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")
_FEE_KEYS = {"web_search_call": "web_searches_kcount", "file_search_call": "storage_searches_kcount"}
# Prices that change nothing for text and pictures sent, and text received.
_APART = frozenset({"cache_write_1h_mtok", "input_audio_mtok", "cache_audio_read_mtok"})
# Where a model is asked for in a special way, and the response names it as its service tier.
_TIER_KEYS = frozenset({"service_tier", "processing", "speed"})
# A price that the collectors themselves say is a reseller's.
_BORROWED = re.compile(
    r"imported from openrouter pricing(?!.*verified against)|trusting open ?router", re.IGNORECASE | re.DOTALL
)


class OfficialModel:
    """One model in its maker's price list, with the list's history.

    Parameters
    ----------
    maker : str
        As people write it.
    model : object
        The model's record in genai-prices.

    Attributes
    ----------
    maker, name : str
        Who asks the price, and the model's name in the list.
    is_by_the_hour : bool
        True if the price depends on the time of day.
    """

    def __init__(self, maker: str, model: Any) -> None:
        self.maker = maker
        self.name: str = model.id
        listed = model.prices
        self._listed: list[tuple[Any, Any]] = (
            [(one.constraint, one.prices) for one in listed] if isinstance(listed, list) else [(None, listed)]
        )
        # Versions of the library before 0.2 know no variants.
        variants = getattr(model, "price_variants", None) or ()
        self._variants: dict[str, list[tuple[Any, Any]]] = {}
        for variant in variants:
            (key, tier), *more = variant.when.items()
            if key in _TIER_KEYS and not more:
                self._variants.setdefault(tier.lower(), []).append((variant.constraint, variant.prices))
        priced = chain(self._listed, *self._variants.values())
        self.is_by_the_hour = any(hasattr(constraint, "start_time") for constraint, _ in priced)
        self._tariffs: dict[tuple[int, ...], Tariff | str] = {}

    def tariff(self, at: datetime, service_tier: str = "") -> Tariff | str:
        """Return the tariff at a moment, or why there is none.

        Parameters
        ----------
        at : datetime
            In UTC.
        service_tier : str
            In small letters.
        """
        chosen = self._in_force(at)
        if isinstance(chosen, str):
            return chosen
        variants: list[tuple[Any, Any]] = []
        if service_tier not in STANDARD_TIERS:
            listed = self._variants.get(service_tier, [])
            variants = [one for one in listed if one[0] is None or one[0].active(at)]
            if not variants:
                return self._no_tier(service_tier, at, is_listed=bool(listed))
        key = (chosen, *(id(prices) for _, prices in variants))
        if key not in self._tariffs:
            self._tariffs[key] = _tariff(self._listed[chosen][1], [prices for _, prices in variants])
        return self._tariffs[key]

    def service_tiers(self, at: datetime) -> tuple[str, ...]:
        """Return the tiers besides the standard one that have a price at a moment."""
        return tuple(
            tier
            for tier in self._variants
            if tier not in STANDARD_TIERS and isinstance(self.tariff(at, tier), Tariff)
        )

    def _in_force(self, at: datetime) -> int | str:
        """Return which price of the list holds at a moment: the last one in force, or the first there is."""
        chosen, begins, is_early = 0, None, False
        for number, (constraint, _) in enumerate(self._listed):
            start = getattr(constraint, "start_date", None)
            begins = start or begins
            if constraint is not None and not constraint.active(at):
                continue
            # An entry for some hours of the day belongs to the dated one it stands behind, and began with it.
            if hasattr(constraint, "start_time") and begins is not None and at.date() < begins:
                is_early = True
            else:
                chosen = number
        if is_early and self._listed[chosen][0] is not None:
            return f"no price known for {self.name} at this hour before {begins}"
        return chosen

    def _no_tier(self, service_tier: str, at: datetime, *, is_listed: bool) -> str:
        when = f" on {at:%Y-%m-%d}" if is_listed else ""
        return f"no price known for {self.name} in service tier {service_tier!r}{when}"


@cache
def library_version() -> str:
    """Return the version of genai-prices, whose release dates its prices."""
    return importlib.metadata.version("genai-prices")


@lru_cache(maxsize=4096)
def official_model(name: str | None) -> OfficialModel | None:
    """Return the model in its maker's own price list, or None.

    Parameters
    ----------
    name : str or None
        As the service or the user wrote it; see `spellings`. A name with a ``:`` in it (``…:free``) is a
        reseller's own offer, which no maker's list has.
    """
    # 0.2 s to import: only who asks for a price waits for it.
    from genai_prices.data_snapshot import get_snapshot

    providers = {provider.id: provider for provider in get_snapshot().providers}
    for form in spellings(name):
        maker = next((maker for maker, pattern in _MAKERS if pattern.match(form)), None)
        if maker not in providers or (":" in form and not form.startswith("ft:")):
            continue
        found = providers[maker].find_model(form)
        if found is not None and not _BORROWED.search(found.price_comments or ""):
            return OfficialModel(_MAKER_NAMES.get(maker, providers[maker].name), found)
    return None


def _tariff(standard: Any, overrides: list[Any]) -> Tariff | str:
    prices: dict[str, Any] = {}
    # The first variant that has a price for a kind decides, and the standard price where none has.
    for listed in (*overrides, standard):
        for key, price in _prices(listed):
            prices.setdefault(key, price)
    if not any(key in prices for key in _RATE_KEYS):
        return "its price list has no price for tokens"
    strange = sorted(prices.keys() - {*_RATE_KEYS, *_FEE_KEYS.values(), *_APART})
    if strange:
        return f"its price list also charges by {', '.join(strange)}, which the usage does not tell apart"
    # All kinds have the same bounds in makers' lists; if they had not, each kind would keep its own.
    starts = sorted({tier.start for price in prices.values() for tier in getattr(price, "tiers", ())})
    return Tariff(
        _rates(prices, 0),
        tuple((start, _rates(prices, start + 1)) for start in starts),
        {item: float(prices[key]) for item, key in _FEE_KEYS.items() if key in prices},
    )


def _prices(listed: Any) -> Iterator[tuple[str, Any]]:
    values: Mapping[str, Any] = vars(listed)
    return ((key, price) for key, price in values.items() if price is not None and not key.startswith("_"))


def _rates(prices: Mapping[str, Any], sent_tokens: int) -> Rates:
    return Rates(*(_rate(prices.get(key), sent_tokens) for key in _RATE_KEYS))


def _rate(price: Any, sent_tokens: int) -> float | None:
    if price is None:
        return None
    found = getattr(price, "base", price)
    for tier in getattr(price, "tiers", ()):
        if sent_tokens > tier.start:
            found = tier.price
    return float(found)
