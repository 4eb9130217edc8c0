"""Where the ledger is: a file, a database's URL, or nowhere but this process."""

from __future__ import annotations

import re
from pathlib import Path

from cometnb.config.configured import configured
from cometnb.errors import ConfigError, masked
from cometnb.options import user_path

__all__ = ["OFF", "place_of", "shown_place"]

OFF = "off"
"""The place of a ledger that is kept in memory and ends with the process."""

# A database in memory would be another one for each thread; rows in memory are what it was meant for.
_IN_MEMORY = frozenset({"sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:"})
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^@]*@|(?<=[?&]password=)[^&]*")


def place_of(url: str | Path | None) -> str:
    """Settle where the ledger is.

    Parameters
    ----------
    url : str, Path or None
        A path, an SQLAlchemy URL, or ``off``. None takes what is configured (`COMETNB_LEDGER`, ``config.toml``), and where
        nothing is, ``ledger.sqlite3`` in the user's data folder.

    Returns
    -------
    str
        ``off``, a URL (it holds ``://``), or an absolute path.

    Raises
    ------
    ConfigError
        If `url` is blank, or neither a text nor a Path.
    """
    if url is None:
        url = configured().ledger or _default_path()
    if not isinstance(url, str | Path):
        raise ConfigError(
            f"The place of the ledger is {url!r}, neither a path nor a URL.",
            'Give a path, a URL or "off": cometnb.Ledger("usage.sqlite3")',
        )
    if isinstance(url, Path):
        return str(user_path(url).absolute())
    place = url.strip(" \t\r\n\ufeff")
    if not place:
        raise ConfigError(
            "The place of the ledger is blank.",
            'Give a path, a URL or "off": cometnb.Ledger("usage.sqlite3")',
        )
    if place.casefold() == OFF or place in _IN_MEMORY:
        return OFF
    return place if "://" in place else str(user_path(place).absolute())


def shown_place(place: str) -> str:
    """Return `place` as it may be shown: a password in a URL is replaced by ``***``."""
    return masked(_PASSWORD.sub(lambda found: f"{found[1]}:***@" if found[1] is not None else "***", place))


def _default_path() -> Path:
    from platformdirs import user_data_path

    return user_data_path("cometnb", appauthor=False) / "ledger.sqlite3"
