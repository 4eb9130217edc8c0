"""CometAPI's public list of models and prices: fetched on request only, and kept with its date."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cometnb.errors import ConnectionFailedError, UnexpectedContentError
from cometnb.protocol.response import whole_text

__all__ = ["CATALOG_URL", "Catalog", "Listing", "catalog_path", "fetch_catalog", "read_catalog"]

CATALOG_URL = "https://api.cometapi.com/api/models"
_TIMEOUT_S = 30.0
# Unpacked. A thousand models need less than one.
_MOST_BYTES = 32 * 2**20
# Per million tokens: nobody asks that, and sums stay finite.
_MOST_USD = 1_000_000


@dataclass(frozen=True, slots=True)
class Listing:
    """One model of the catalog, as listed.

    Attributes
    ----------
    name : str
        The model's id.
    input, output : float or None
        US dollars per million tokens, as listed; whether `ratio` is still to be applied the catalog does not say.
    ratio : float or None
        The share of the official price that is charged; None if the row has none.
    per_request : float or None
        US dollars for a call, for models that are not sold by the token.
    """

    name: str
    input: float | None
    output: float | None
    ratio: float | None
    per_request: float | None


@dataclass(frozen=True, slots=True)
class Catalog:
    """CometAPI's models.

    Attributes
    ----------
    fetched_at : datetime
        In UTC.
    listings : Mapping of str to Listing
        By id, name and code, in small letters; an id wins over another model's name or code.
    n_models : int
        Rows of the catalog.
    """

    fetched_at: datetime
    listings: Mapping[str, Listing]
    n_models: int

    @property
    def n_priced(self) -> int:
        """Models with a price for input and output tokens."""
        priced = {id(one) for one in self.listings.values() if None not in (one.input, one.output)}
        return len(priced)


def catalog_path() -> Path:
    """Return where the catalog is kept."""
    from platformdirs import user_cache_path

    return user_cache_path("cometnb", appauthor=False) / "cometapi-models.json"


def fetch_catalog(path: Path | None = None, *, transport: Any = None) -> Catalog:
    """Fetch the catalog and keep it. No key is sent: the catalog is public.

    Parameters
    ----------
    path : Path, optional
        Where to keep it; `catalog_path` if None. A folder that cannot be written to costs nothing but the keeping.
    transport : httpx.BaseTransport, optional
        Carries the request instead of the network.

    Raises
    ------
    ConfigError
        The environment's proxy or certificates cannot be used.
    ConnectionFailedError
        No answer, or none that ends within half a minute.
    UnexpectedContentError
        An answer that holds no models, or more than 32 MB.
    """
    status, content = _downloaded(transport)
    fetched_at = datetime.now(UTC)
    try:
        sent = json.loads(content)
    except (ValueError, RecursionError):
        sent = None
    catalog = _catalog(sent, fetched_at)
    if status != 200 or not catalog.n_models:
        raise _unusable(f"answered with HTTP {status} and no list of models", status)
    _keep({"fetched_at": fetched_at.isoformat(), "url": CATALOG_URL, "models": sent}, path or catalog_path())
    return catalog


def read_catalog(path: Path) -> Catalog | None:
    """Return the catalog that was kept; None if there is none, or it cannot be read."""
    try:
        kept = json.loads(path.read_bytes())
        fetched_at = datetime.fromisoformat(kept["fetched_at"]).astimezone(UTC)
        catalog = _catalog(kept["models"], fetched_at)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return catalog if catalog.n_models else None


def _downloaded(transport: Any) -> tuple[int, bytes]:
    """Return the catalog's HTTP status and body, read within the bounds of time and size."""
    import httpx

    from cometnb.client.deadline import bound, due_in
    from cometnb.client.decoded import ACCEPTED, Kept, body
    from cometnb.client.setup import connecting

    kept = Kept(_MOST_BYTES)
    with connecting():
        http = httpx.Client(transport=transport, timeout=_TIMEOUT_S, headers={"accept-encoding": ACCEPTED})
    bound(http)
    try:
        with http, due_in(_TIMEOUT_S), http.stream("GET", CATALOG_URL) as reply:
            for piece in body(reply):
                if kept.take(piece) is not None:
                    raise _unusable(f"answered with more than {_MOST_BYTES // 10**6} MB", reply.status_code)
    except httpx.HTTPError as error:
        raise ConnectionFailedError(
            f"The catalog {CATALOG_URL} cannot be fetched: {str(error) or type(error).__name__}.",
            "Check the connection; prices from your table and the official lists need none.",
        ) from error
    return reply.status_code, kept.whole()


def _unusable(what: str, status: int) -> UnexpectedContentError:
    return UnexpectedContentError(
        f"{CATALOG_URL} {what}.", "Try again later: %comet prices --fetch", status_code=status
    )


def _keep(kept: Mapping[str, Any], path: Path) -> None:
    # Written whole and then put in place: a reader never sees half of it.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _catalog(sent: Any, fetched_at: datetime) -> Catalog:
    rows = list(_rows(sent))
    listings: dict[str, Listing] = {}
    for key in ("id", "name", "code"):
        for row, listing in rows:
            name = row.get(key)
            if isinstance(name, str) and name.strip():
                listings.setdefault(whole_text(name.strip()).lower(), listing)
    return Catalog(fetched_at, listings, len(rows))


def _rows(sent: Any) -> Iterator[tuple[Mapping[str, Any], Listing]]:
    found = sent.get("data") if isinstance(sent, Mapping) else sent
    if isinstance(found, Mapping):  # one more wrapping, as pages have
        found = next((found[key] for key in ("data", "models", "items", "list") if key in found), None)
    for row in found if isinstance(found, list) else ():
        if isinstance(row, Mapping):
            name = next((row[key] for key in ("id", "name", "code") if isinstance(row.get(key), str)), "")
            if name.strip():
                yield row, _listing(whole_text(name.strip()), row.get("pricing"))


def _listing(name: str, pricing: Any) -> Listing:
    if not isinstance(pricing, Mapping) or not _is_dollars_per_million(pricing.get("currency")):
        return Listing(name, None, None, None, None)
    ratio = _number(pricing.get("ratio"))
    return Listing(
        name,
        _number(pricing.get("input")),
        _number(pricing.get("output")),
        ratio or None,
        _number(pricing.get("per_request")),
    )


def _is_dollars_per_million(currency: Any) -> bool:
    if currency is None:
        return True
    words = str(currency).upper().replace(" ", "")
    return "USD" in words and not words.endswith(("KTOKENS", "/TOKEN"))


def _number(value: Any) -> float | None:
    """Read a price; text is read too, and 0, which the catalog writes for "does not apply", is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number <= _MOST_USD else None
