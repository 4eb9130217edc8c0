"""``%comet prices``: what a model costs now, by which source, and how to say it yourself."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cometnb.errors import CellError, printable
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say

__all__ = ["PRICES_USAGE", "show_prices"]

PRICES_USAGE = "[MODEL ...] [--fetch]"

_HEAD = ("USD per million tokens", "input", "cached", "cache write", "output", "source")
_FETCH = "--fetch"


def show_prices(kernel: Kernel, words: list[str], transport: Any = None) -> None:
    """Show what models cost now and why; ``--fetch`` gets CometAPI's catalog first.

    Parameters
    ----------
    kernel : Kernel
    words : list of str
        Models; the one in force if there are none.
    transport : httpx.BaseTransport, optional
        Carries the request for the catalog instead of the network.

    Raises
    ------
    CellError
        An unknown option.
    ConfigError
        The user's table of prices has a mistake.
    ConnectionFailedError, UnexpectedContentError
        The catalog cannot be fetched.
    """
    from cometnb.client.catalog import fetch_catalog, read_catalog
    from cometnb.ledger.prices import default_prices
    from cometnb.view.publish import publish

    for word in words:
        if word.startswith("-") and word != _FETCH:
            close = difflib.get_close_matches(word, [_FETCH], n=1)
            hint = f"Did you mean {_FETCH}?" if close else f"Write %comet prices {PRICES_USAGE}"
            raise CellError(f"%comet prices does not know {word!r}.", hint)
    prices = default_prices()
    prices.check()
    if _FETCH in words:
        fetch_catalog(prices.catalog_path, transport=transport)
    options = kernel.shared.options
    models = [word for word in words if word != _FETCH] or [options.model]
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    unknown: list[str] = []
    for model in dict.fromkeys(models):
        found = list(_rows(prices, model, options.base_url, options.backend))
        rows += found
        if not found:
            unknown.append(model)
        elif len({row[-1] for row in found if row[0] == model}) > 1:
            notes.append(f"{model}: the first source that prices every kind of token in a call is taken.")
        notes += _fees(prices, model, options.base_url, options.backend)
    if rows:
        publish({"text/markdown": _as_markdown(rows), "text/plain": printable(_as_text(rows))})
    catalog = read_catalog(prices.catalog_path)
    if options.backend == "simulator" and rows:
        notes.append("The simulator costs nothing; its calls are priced as if CometAPI had billed them.")
    notes.append(_on_catalog(catalog))
    say("\n".join((*notes, *_on_table(prices.table_path, prices.table_path.exists(), unknown))))


def _rows(prices: Any, model: str, base_url: str, backend: str) -> Iterator[tuple[str, ...]]:
    for tier in (None, *prices.service_tiers(model)):
        name = model if tier is None else f"{model}, {tier}"
        for offer in prices.offers(model, base_url=base_url, backend=backend, service_tier=tier):
            yield (name, *map(_shown, offer.base), offer.source)
            for above, rates in offer.tiers:
                yield (f"{name}, above {above:,} input tokens", *map(_shown, rates), "the same")


def _shown(rate: float | None) -> str:
    if rate is None:
        return "-"
    text = f"{rate:.6g}"
    return text if len(text.partition(".")[2]) > 1 else f"{rate:.2f}"


def _fees(prices: Any, model: str, base_url: str, backend: str) -> Iterator[str]:
    price = prices.price(model, base_url=base_url, backend=backend)
    if price is not None and price.tool_fees_per_1000:
        fees = ", ".join(
            f"{kind.removesuffix('_call').replace('_', ' ')} ${fee:,.2f}"
            for kind, fee in price.tool_fees_per_1000.items()
        )
        yield f"{model}: built-in tools cost besides, per 1,000 calls: {fees}."


def _as_markdown(rows: list[tuple[str, ...]]) -> str:
    # Names are the user's own and the service's.
    head, rule = " | ".join(_HEAD), "| --- | ---: | ---: | ---: | ---: | --- |"
    from cometnb.view.neutral import plain_markdown

    return "\n".join([f"| {head} |", rule, *(f"| {' | '.join(map(plain_markdown, row))} |" for row in rows)])


def _as_text(rows: list[tuple[str, ...]]) -> str:
    lines = [_HEAD, *rows]
    widths = [max(len(row[column]) for row in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < column < len(_HEAD) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


def _on_catalog(catalog: Any) -> str:
    if catalog is None:
        return "CometAPI's catalog was not fetched yet: %comet prices --fetch"
    return (
        f"CometAPI's catalog: {catalog.n_models:,} models, {catalog.n_priced:,} with a price for tokens, "
        f"fetched {catalog.fetched_at:%Y-%m-%d %H:%M} UTC. %comet prices --fetch gets it again."
    )


def _on_table(path: Any, is_there: bool, unknown: list[str]) -> Iterator[str]:
    from cometnb.ledger.pricelist.price_table import example

    yield f"Your own prices: {path}{'' if is_there else ' (not there yet)'}"
    if unknown:
        yield f"\nNo price is known for {', '.join(unknown)}; calls to it are not priced. To price it, write:\n"
        yield example(unknown[0], datetime.now(UTC).date())
