"""Settings and where they come from: an argument, the environment, what is stored, then the default."""

from __future__ import annotations

import ipaddress
import os
import re
import urllib.parse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from cometnb.errors import CometWarning, ConfigError

__all__ = [
    "CASSETTES",
    "DEFAULT_BASE_URL",
    "DEFAULT_MODEL",
    "KEY_STEP",
    "SETTINGS",
    "Options",
    "is_cassette",
    "is_loopback",
    "ratio",
    "resolve",
    "setting",
    "user_path",
]

DEFAULT_BASE_URL = "https://api.cometapi.com/v1"
DEFAULT_MODEL = "gpt-5.4"

CASSETTES = {"cassette": "replay", "cassette-auto": "auto", "cassette-record": "record"}
"""What stands before the path of a cassette as a backend, and the mode it means."""

KEY_STEP = (
    "Give it with %comet key or COMETAPI_KEY, or go on without: %comet simulator (COMETNB_BACKEND=simulator), "
    "or Client(transport=cometnb.Simulator())."
)

_VARIABLES: dict[str, tuple[str, ...]] = {
    "api_key": ("COMETAPI_KEY", "COMETAPI_API_KEY"),
    "base_url": ("COMETAPI_BASE_URL",),
    "model": ("COMETAPI_DEFAULT_MODEL",),
    "backend": ("COMETNB_BACKEND",),
    "ledger": ("COMETNB_LEDGER",),
    "live": ("COMETNB_LIVE",),
    "prices": ("COMETNB_PRICES",),
    "price_ratio": ("COMETNB_PRICE_RATIO",),
    "store_text": ("COMETNB_STORE_TEXT",),
}
_DEFAULTS = {
    "api_key": "",
    "base_url": DEFAULT_BASE_URL,
    "model": DEFAULT_MODEL,
    "backend": "api",
    "ledger": "",
    "live": "auto",
    "prices": "",
    "price_ratio": "",
    "store_text": "off",
}

SETTINGS = tuple(_DEFAULTS)
"""The name of every setting."""

# White space and byte order marks, which copying from a file or a page brings along.
_AROUND = re.compile(r"^[\s\ufeff]+|[\s\ufeff]+$")
_CHOICES = {
    "backend": ("api", "simulator", "cassette:PATH"),
    "live": ("auto", "off"),
    "store_text": ("off", "on"),
}
# A surcharge of more than this is a slip of the decimal point.
_LARGEST_RATIO = 100.0


@dataclass(frozen=True, slots=True)
class Options:
    """The settings in force.

    Attributes
    ----------
    api_key : str
        Empty if there is none. It is never part of the repr.
    base_url : str
        Without a slash at its end.
    model : str
        Used where a call names none.
    backend : str
        ``api``, ``simulator`` or ``cassette:PATH``, which answers from that file; ``cassette-auto:PATH`` also sends
        and records what is not in it, and ``cassette-record:PATH`` records everything into a new file.
    ledger : str
        A path, a SQLAlchemy URL, ``off``, or empty for the default place.
    live : str
        ``auto``, or ``off`` for one display at the end.
    prices : str
        The path of the user's price table, or empty for the default place.
    price_ratio : float or None
        What is charged of official prices; None is 0.8 for CometAPI and 1.0 elsewhere.
    store_text : str
        ``on`` to keep prompts and answers in the ledger, or ``off``.
    sources : Mapping of str to str
        Where each setting came from: ``argument``, the environment variable's name, the place it is stored in
        (a file, ``keyring``), or ``default``.
    """

    api_key: str = field(repr=False)
    base_url: str
    model: str
    backend: str
    ledger: str
    live: str
    prices: str
    price_ratio: float | None
    store_text: str
    sources: Mapping[str, str]

    def __reduce__(self) -> NoReturn:
        raise ConfigError(
            "Settings hold the key, and are neither pickled nor copied.",
            "Make them again where they are used: cometnb.Client()",
        )


def resolve(
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    model: str | None = None,
    backend: str | None = None,
    ledger: str | None = None,
    live: str | None = None,
    prices: str | None = None,
    price_ratio: float | str | None = None,
    store_text: str | None = None,
    environ: Mapping[str, str] | None = None,
    stored: Mapping[str, Mapping[str, str]] | None = None,
) -> Options:
    """Return the settings in force.

    Parameters
    ----------
    api_key, base_url, model, backend, ledger, live, prices, store_text : str, optional
    price_ratio : float, optional
        None means "not given". White space and a byte order mark around a value are dropped.
    environ : Mapping, optional
        The environment; `os.environ` if None. A blank variable counts as absent.
    stored : Mapping, optional
        Settings by the place that holds them, the place that is looked at first at the front. They come after the
        environment; a blank one counts as absent.

    Raises
    ------
    ConfigError
        A blank argument, a choice that does not exist, a base URL that is none, a key with characters no key
        has, a price ratio that is no number above 0.

    Warns
    -----
    CometWarning
        If the base URL is neither https nor on this machine: the key would travel in the clear.
    """
    given = {
        "api_key": api_key,
        "base_url": base_url,
        "model": model,
        "backend": backend,
        "ledger": ledger,
        "live": live,
        "prices": prices,
        "price_ratio": _as_text(price_ratio),
        "store_text": store_text,
    }
    environ = os.environ if environ is None else environ
    found = {name: _found(name, value, environ, stored or {}) for name, value in given.items()}
    values = {name: value for name, (value, _) in found.items()}
    for name, choices in _CHOICES.items():
        _check_choice(name, values[name], found[name][1], choices)
    return Options(
        api_key=_checked_key(values["api_key"], found["api_key"][1]),
        base_url=_checked_url(values["base_url"], found["base_url"][1]),
        model=values["model"],
        backend=values["backend"],
        ledger=values["ledger"],
        live=values["live"],
        prices=values["prices"],
        price_ratio=ratio(values["price_ratio"], found["price_ratio"][1]),
        store_text=values["store_text"],
        sources={name: source for name, (_, source) in found.items()},
    )


def setting(name: str, stored: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return one setting as the environment, what is stored, or the default has it; the others are not looked at.

    Parameters
    ----------
    name : str
        A field of `Options`.
    stored : Mapping, optional
        As of `resolve`.
    """
    return _found(name, None, os.environ, stored or {})[0]


def ratio(text: str, source: str = "COMETNB_PRICE_RATIO") -> float | None:
    """Read a price ratio; empty text is None.

    Raises
    ------
    ConfigError
        It is no number above 0 and at most 100.
    """
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LARGEST_RATIO:
        raise ConfigError(
            f"price_ratio={text!r} (from {source}) is no number above 0 and at most {_LARGEST_RATIO:g}.",
            "Use what is charged of the official price: 0.8 is 20 % less.",
        )
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _found(
    name: str, given: str | None, environ: Mapping[str, str], stored: Mapping[str, Mapping[str, str]]
) -> tuple[str, str]:
    if given is not None:
        if not isinstance(given, str):
            raise ConfigError(f"{name} is {type(given).__name__}, not text.", f"Give {name} as text.")
        value = _stripped(given)
        if not value:
            raise ConfigError(
                f"{name} is blank.", f"Give {name} a value, or leave it out to use {_VARIABLES[name][0]}."
            )
        return value, "argument"
    for variable in _VARIABLES[name]:
        value = _stripped(environ.get(variable, ""))
        if value:
            return value, variable
    for place, settings in stored.items():
        value = _stripped(settings.get(name, ""))
        if value:
            return value, place
    return _DEFAULTS[name], "default"


def _as_text(number: float | str | None) -> str | None:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return repr(number) if is_number else number  # type: ignore[return-value]


def _stripped(value: str) -> str:
    return _AROUND.sub("", value)


def is_cassette(backend: str) -> bool:
    """Tell whether a backend names a cassette, and its file."""
    kind, _, path = backend.partition(":")
    return kind in CASSETTES and bool(path.strip())


def _check_choice(name: str, value: str, source: str, choices: tuple[str, ...]) -> None:
    if name == "backend" and is_cassette(value):
        return
    if value not in choices or ":" in value:
        raise ConfigError(
            f"{name}={value!r} (from {source}) is not one of: {', '.join(choices)}.",
            f"Use one of: {', '.join(choices)}.",
        )


def _checked_key(key: str, source: str) -> str:
    if not key.isascii() or any(not char.isprintable() or char.isspace() or char in "\"'" for char in key):
        raise ConfigError(
            f"The key (from {source}) holds characters that no key has, such as spaces, quotes or line ends.",
            "Copy the key again, without quotes and without the word Bearer.",
        )
    return key


def _checked_url(url: str, source: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_place = False
    if not has_place or parts.scheme not in ("http", "https") or any(char.isspace() for char in url):
        raise ConfigError(
            f"base_url={re.split('[?#]', url.rpartition('@')[2])[0]!r} (from {source}) is not an http(s) URL.",
            f"Use {DEFAULT_BASE_URL} or your gateway's URL.",
        )
    if "?" in url or "#" in url:
        raise ConfigError(
            f"base_url (from {source}) holds a query or fragment, behind which no path can be added.",
            "Leave out everything from the ? or # on; pass the key as COMETAPI_KEY.",
        )
    if parts.username or parts.password:
        raise ConfigError(
            f"base_url (from {source}) holds a user name or password.",
            "Leave them out; pass the key as COMETAPI_KEY.",
        )
    if parts.path.rstrip("/").endswith("/responses"):
        raise ConfigError(
            f"base_url={url!r} (from {source}) ends in /responses, which is added to it.",
            f"Use {url.rstrip('/').removesuffix('/responses')}",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        warnings.warn(
            f"base_url={url!r} is not https: the key and the prompts travel in the clear.",
            CometWarning,
            # Above `configured`, whoever made the client.
            stacklevel=5,
        )
    return url.rstrip("/")


def user_path(text: str | os.PathLike[str]) -> Path:
    """Return the path that a user typed, with the home folder for ``~``.

    Raises
    ------
    ConfigError
        No file can have this name.
    """
    # Path.expanduser fails for the home of nobody, which is a name like any other.
    path = Path(os.path.expanduser(text))  # noqa: PTH111
    try:
        is_name = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise ConfigError(f"No file can be called {str(text)!a:.80}.", "Give the path of a file.")
    return path
