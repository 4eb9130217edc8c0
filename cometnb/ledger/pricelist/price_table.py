"""The user's own prices: a TOML file, read and checked, and read again when it has changed."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cometnb.errors import ConfigError
from cometnb.ledger.pricelist.rates import KINDS, Rates, Tariff

__all__ = ["Entry", "PriceTable", "default_path", "example", "read_table"]

_EXAMPLE = """\
[[price]]
model = {model}
input = 2.50              # US dollars per million tokens
output = 15.00            # reasoning is part of the output
# What follows may be left out. Take the number sign away to use a line:
# cached = 0.25           # input read from the cache
# cache_write = 3.125     # input written to the cache
# from = {day}       # the first day of this price; without it, ever since
# service_tier = "flex"   # for calls in that tier only
# tool_fees_per_1000 = {{ web_search_call = 10.0 }}
# [[price.tier]]          # for requests with a longer input
# above_input_tokens = 272_000
# input = 5.00
# output = 22.50
"""
# Per million tokens: nobody asks that, and sums stay finite.
_MOST_USD = 1_000_000
_MOST_TOKENS = 10**12
_ENTRY_KEYS = frozenset({"model", "from", "service_tier", "tier", "tool_fees_per_1000", *KINDS})
_TIER_KEYS = frozenset({"above_input_tokens", *KINDS})


@dataclass(frozen=True, slots=True)
class Entry:
    """One price of the table.

    Attributes
    ----------
    model : str
        A name or a pattern, in small letters.
    since : date or None
        The first day it holds, in UTC; None is "ever since".
    service_tier : str
        In small letters; empty for the tier everybody gets.
    tariff : Tariff
    """

    model: str
    since: date | None
    service_tier: str
    tariff: Tariff

    @property
    def is_pattern(self) -> bool:
        """True if `model` stands for many names."""
        return any(char in self.model for char in "*?[")


class PriceTable:
    """The user's prices.

    Parameters
    ----------
    entries : iterable of Entry
        In the order of the file.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)

    def find(self, names: Iterable[str], service_tier: str, day: date) -> Entry | None:
        """Return the entry that holds for a call, or None.

        Parameters
        ----------
        names : iterable of str
            Spellings of one model, the most exact first, in small letters.
        service_tier : str
            Empty for the tier everybody gets.
        day : date
            Of the call, in UTC.

        Returns
        -------
        Entry or None
            A name wins over a pattern; of equal ones the newest `since` that is not after `day` wins, then the
            one that stands last in the file.
        """
        held = [
            entry
            for entry in self.entries
            if entry.service_tier == service_tier and (entry.since is None or entry.since <= day)
        ]
        forms = tuple(names)
        for form in forms:
            if same := [entry for entry in held if entry.model == form]:
                return _newest(same)
        fitting = (entry for entry in held if entry.is_pattern)
        return _newest([one for one in fitting if any(fnmatchcase(form, one.model) for form in forms)])

    def service_tiers(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the tiers besides the standard one that the table knows for a model."""
        forms = tuple(names)
        tiers = (
            entry.service_tier
            for entry in self.entries
            if entry.service_tier and any(fnmatchcase(form, entry.model) for form in forms)
        )
        return tuple(dict.fromkeys(tiers))


def example(model: str, day: date) -> str:
    """Return a table to copy, with made-up prices: for a name, or a pattern such as ``my-model-*``."""
    return _EXAMPLE.format(model=json.dumps(model, ensure_ascii=False), day=day)


def default_path() -> Path:
    """Return where the table is looked for if no place is configured."""
    from platformdirs import user_config_path

    return user_config_path("cometnb", appauthor=False) / "prices.toml"


def read_table(path: Path) -> PriceTable:
    """Read a table.

    Raises
    ------
    ConfigError
        The file cannot be read, is no TOML, or an entry of it is wrong; the error names file, entry and key.
    """
    try:
        sent = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"The price table {path} cannot be read: {error.strerror or error}.",
            "Correct COMETNB_PRICES, or unset it to use the default place.",
        ) from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or lists inside lists without end
        raise ConfigError(
            f"The price table {path} is not TOML: {error}.", "Compare it with the example of %comet prices."
        ) from None
    for key in sent:
        if key != "price":
            raise _wrong(path, "the file", key, "stands at the top, where only [[price]] may stand")
    listed = sent.get("price", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _wrong(path, "the file", "price", "is not written [[price]], with two brackets")
    entries = [_entry(path, number, one) for number, one in enumerate(listed, 1)]
    _check_doubles(path, entries)
    return PriceTable(entries)


def _entry(path: Path, number: int, sent: Mapping[str, Any]) -> Entry:
    where = f"price {number}"
    model = sent.get("model")
    if not isinstance(model, str) or not model.strip():
        raise _wrong(
            path, where, "model", "is missing" if model is None else f"is {_shown(model)}, not a name"
        )
    where += f" ({model})"
    _check_keys(path, where, sent, _ENTRY_KEYS)
    base = _rates(path, where, sent, Rates())
    if base == Rates():
        raise _wrong(path, where, "input", "is missing, and so is every other price")
    tiers = _tiers(path, where, sent.get("tier", []), base)
    service_tier = sent.get("service_tier", "")
    if not isinstance(service_tier, str):
        raise _wrong(path, where, "service_tier", f"is {_shown(service_tier)}, not a word")
    return Entry(
        model.strip().lower(),
        _day(path, where, sent.get("from")),
        _tier_word(service_tier),
        Tariff(base, tiers, _fees(path, where, sent.get("tool_fees_per_1000", {}))),
    )


def _tier_word(word: str) -> str:
    tier = word.strip().lower()
    return "" if tier in ("auto", "default", "standard") else tier


def _tiers(path: Path, where: str, sent: Any, base: Rates) -> tuple[tuple[int, Rates], ...]:
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise _wrong(path, where, "tier", "is not written [[price.tier]], with two brackets")
    tiers: dict[int, Rates] = {}
    for number, one in enumerate(sent, 1):
        place = f"{where}, tier {number}"
        _check_keys(path, place, one, _TIER_KEYS)
        above = one.get("above_input_tokens")
        if type(above) is not int or not 0 <= above <= _MOST_TOKENS:
            raise _wrong(path, place, "above_input_tokens", f"is {_shown(above)}, not a number of tokens")
        if above in tiers:
            raise _wrong(path, place, "above_input_tokens", f"is {above:,}, as in another tier")
        # What a tier does not say stays as it is below.
        tiers[above] = _rates(path, place, one, base)
    return tuple(sorted(tiers.items()))


def _rates(path: Path, where: str, sent: Mapping[str, Any], otherwise: Rates) -> Rates:
    return Rates(
        *(
            _dollars(path, where, kind, sent[kind]) if kind in sent else getattr(otherwise, kind)
            for kind in KINDS
        )
    )


def _dollars(path: Path, where: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path, where, key, f"is {_shown(value)}, not a number of dollars")
    try:
        usd = float(value)
    except OverflowError:
        usd = math.inf
    if not 0 <= usd <= _MOST_USD:  # NaN is neither
        raise _wrong(path, where, key, f"is {usd:g}, not between 0 and {_MOST_USD:,} dollars")
    return usd


def _day(path: Path, where: str, value: Any) -> date | None:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            raise _wrong(path, where, "from", f"is {_shown(value)}, not a day such as 2026-11-01") from None
    if isinstance(value, datetime):
        return value.date()
    if value is not None and not isinstance(value, date):
        raise _wrong(path, where, "from", f"is {_shown(value)}, not a day such as 2026-11-01")
    return value


def _fees(path: Path, where: str, sent: Any) -> dict[str, float]:
    if not isinstance(sent, dict):
        raise _wrong(path, where, "tool_fees_per_1000", "is not written { web_search_call = 10.0 }")
    return {name: _dollars(path, where, f"tool_fees_per_1000.{name}", value) for name, value in sent.items()}


def _check_keys(path: Path, where: str, sent: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in sent:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            meant = f" (did you mean {close[0]}?)" if close else ""
            raise _wrong(path, where, key, f"is not known{meant}")


def _check_doubles(path: Path, entries: list[Entry]) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for number, entry in enumerate(entries, 1):
        key = (entry.model, entry.since, entry.service_tier)
        if key in seen:
            where = f"price {number} ({entry.model})"
            raise _wrong(path, where, "from", f"is the same as in price {seen[key]}: which one holds?")
        seen[key] = number


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python writes no number of so many digits
        return "a number without end"


def _newest(entries: list[Entry]) -> Entry | None:
    newest: Entry | None = None
    for entry in entries:
        if newest is None or (entry.since or date.min) >= (newest.since or date.min):
            newest = entry
    return newest


def _wrong(path: Path, where: str, key: str, what: str) -> ConfigError:
    return ConfigError(
        f"The price table {path}, {where}: {key} {what}.", "Compare it with the example of %comet prices."
    )
