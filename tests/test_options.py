"""Settings come from an argument, the environment, what is stored, the default, and a bad one is two lines."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import CometWarning, ConfigError
from cometnb.options import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    Options,
    is_loopback,
    ratio,
    resolve,
    setting,
    user_path,
)

_VARIABLES = {
    "api_key": "COMETAPI_KEY",
    "base_url": "COMETAPI_BASE_URL",
    "model": "COMETAPI_DEFAULT_MODEL",
    "backend": "COMETNB_BACKEND",
    "ledger": "COMETNB_LEDGER",
    "live": "COMETNB_LIVE",
    "prices": "COMETNB_PRICES",
    "price_ratio": "COMETNB_PRICE_RATIO",
    "store_text": "COMETNB_STORE_TEXT",
}
_DEFAULTS = {
    "api_key": "",
    "base_url": "https://api.cometapi.com/v1",
    "model": "gpt-5.4",
    "backend": "api",
    "ledger": "",
    "live": "auto",
    "prices": "",
    "price_ratio": None,
    "store_text": "off",
}
_VALUES = {
    "api_key": ("sk-argument", "sk-environment"),
    "base_url": ("https://a.example/v1", "https://e.example/v1"),
    "model": ("model-a", "model-e"),
    "backend": ("simulator", "api"),
    "ledger": ("a.db", "off"),
    "live": ("off", "auto"),
    "prices": ("a.toml", "e.toml"),
    "price_ratio": ("0.5", "0.75"),
    "store_text": ("on", "off"),
}
# What a text becomes that is no text in the options.
_READ = {"price_ratio": float}
_NAMES = list(_DEFAULTS)


def _resolve(environ: Any = None, **given: Any) -> Options:
    return resolve(environ=environ or {}, **given)


def _read(name: str, text: str) -> Any:
    return _READ.get(name, str)(text)


def _refused(environ: Any = None, **given: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        _resolve(environ, **given)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


def test_without_anything_the_defaults_hold() -> None:
    """They are the documented ones, and say that they are defaults."""
    options = _resolve()
    assert {name: getattr(options, name) for name in _NAMES} == _DEFAULTS
    assert (_DEFAULTS["base_url"], _DEFAULTS["model"]) == (DEFAULT_BASE_URL, DEFAULT_MODEL)
    assert options.sources == dict.fromkeys(_NAMES, "default")


@pytest.mark.parametrize("name", _NAMES)
def test_an_argument_comes_before_the_environment(name: str) -> None:
    """Each setting says where it came from."""
    argument, environment = _VALUES[name]
    environ = {_VARIABLES[name]: environment}
    assert getattr(_resolve(environ), name) == _read(name, environment)
    assert _resolve(environ).sources[name] == _VARIABLES[name]
    assert getattr(_resolve(environ, **{name: argument}), name) == _read(name, argument)
    assert _resolve(environ, **{name: argument}).sources[name] == "argument"


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\ufeff", " \ufeff "])
@pytest.mark.parametrize("name", _NAMES)
def test_a_blank_argument_is_an_error_and_a_blank_variable_absent(name: str, blank: str) -> None:
    """Who passes nothing made a mistake; an empty variable is how shells unset one."""
    assert name in _refused(**{name: blank}).fact
    options = _resolve({_VARIABLES[name]: blank})
    assert (getattr(options, name), options.sources[name]) == (_DEFAULTS[name], "default")


@pytest.mark.parametrize("name", _NAMES)
def test_what_is_stored_comes_after_the_environment(name: str) -> None:
    """The first place that has the setting wins and is named; a blank one counts as absent."""
    first, second = _VALUES[name]
    stored = {"empty": {}, "blank": {name: " \ufeff"}, "file": {name: f" {first}\n"}, "ring": {name: second}}
    options = _resolve(stored=stored)
    assert (getattr(options, name), options.sources[name]) == (_read(name, first), "file")
    environ = {_VARIABLES[name]: second}
    assert _resolve(environ, stored=stored).sources[name] == _VARIABLES[name]
    assert set(options.sources.values()) == {"file", "default"}


def test_the_older_name_of_the_key_is_read_after_the_newer() -> None:
    """Both are in use; the documented one wins."""
    both = {"COMETAPI_KEY": "sk-new", "COMETAPI_API_KEY": "sk-old"}
    assert _resolve(both).api_key == "sk-new"
    options = _resolve({"COMETAPI_KEY": " ", "COMETAPI_API_KEY": "sk-old"})
    assert (options.api_key, options.sources["api_key"]) == ("sk-old", "COMETAPI_API_KEY")


@pytest.mark.parametrize("around", [" ", "\n", "\ufeff", "\ufeff \ufeff", " \ufeff\r\n"])
@pytest.mark.parametrize("name", _NAMES)
def test_what_copying_brings_along_is_dropped(name: str, around: str) -> None:
    """White space and byte order marks, in any order, around an argument or a variable."""
    argument, environment = _VALUES[name]
    assert getattr(_resolve(**{name: around + argument + around}), name) == _read(name, argument)
    environ = {_VARIABLES[name]: around + environment + around}
    assert getattr(_resolve(environ), name) == _read(name, environment)


def test_the_process_s_environment_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing need be passed in a notebook."""
    monkeypatch.setenv("COMETAPI_DEFAULT_MODEL", "model-e")
    assert resolve().model == "model-e"


def test_the_key_is_in_no_text_of_the_options() -> None:
    """Neither repr, nor str, nor a format shows it."""
    options = _resolve(api_key="gateway-secret")
    for text in (repr(options), str(options), f"{options}", repr([options])):
        assert "gateway-secret" not in text
    assert options.api_key == "gateway-secret"


@pytest.mark.parametrize(
    "key", ["sk a", "sk\x00a", "schlüssel", "Bearer sk-abcdefgh", '"sk-abcdefgh"', "'secret'", "a\nb"]
)
def test_a_key_no_service_gives_out_is_refused_unseen(key: str) -> None:
    """The error says where it came from and not what it is."""
    for error in (_refused(api_key=key), _refused({"COMETAPI_KEY": key})):
        assert key not in str(error)
        assert "secret" not in str(error)
        assert "sk-abc" not in str(error)
    assert "COMETAPI_KEY" in _refused({"COMETAPI_KEY": key}).fact


@pytest.mark.parametrize(
    "url",
    [
        "api.cometapi.com/v1",
        "ftp://api.example/v1",
        "https://",
        "https:///v1",
        "http://[::1/v1",
        "https://host:port/v1",
        "https://host:99999/v1",
        "https://a b.example/v1",
        "https://api.example/v 1",
        "//api.example",
        "localhost:8000",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """Two lines with the value and the default, never Python's own error about it."""
    assert "is not an http(s) URL" in _refused(base_url=url).fact
    assert DEFAULT_BASE_URL in _refused(base_url=url).next_step
    assert "COMETAPI_BASE_URL" in _refused({"COMETAPI_BASE_URL": url}).fact


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hidden-word@api.example/v1",
        "https://hidden-word@api.example/v1",
        "ftp://user:hidden-word@api.example/v1",
        "https://api.example/v1?key=hidden-word",
        "https://api.example/v1#hidden-word",
        "https://api example/v1?key=hidden-word",
        "api.example/v1#hidden-word",
    ],
)
def test_a_secret_in_a_url_is_refused_unseen(url: str) -> None:
    """Passwords and keys do not belong there, and are not repeated."""
    assert "hidden-word" not in str(_refused(base_url=url))


def test_a_url_of_the_call_itself_is_refused() -> None:
    """The next step is the URL to use."""
    for url in ("https://api.example/v1/responses", "https://api.example/v1/responses/"):
        assert _refused(base_url=url).next_step == "Use https://api.example/v1"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.example/v1/", "https://api.example/v1"),
        ("https://api.example/v1//", "https://api.example/v1"),
        ("HTTPS://api.example", "HTTPS://api.example"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://LOCALHOST/v1", "http://LOCALHOST/v1"),
    ],
)
def test_a_url_is_used_without_the_slash_at_its_end(given: str, used: str) -> None:
    """Plain http needs no warning on this machine."""
    assert _resolve(base_url=given).base_url == used


@pytest.mark.parametrize(
    "url", ["http://api.example/v1", "http://192.0.2.1/v1", "HTTP://localhost.example/v1"]
)
def test_plain_http_to_elsewhere_warns(url: str) -> None:
    """The key would travel in the clear; the call goes on."""
    with pytest.warns(CometWarning, match="not https"):
        assert _resolve(base_url=url).base_url == url


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("0.0.0.0", False),  # an address to tell apart; nothing is bound to it
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, expected: bool) -> None:
    """By name, or by an address of the loopback range."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("name", "choices"),
    [("backend", "api, simulator, cassette:PATH"), ("live", "auto, off"), ("store_text", "off, on")],
)
def test_a_setting_with_choices_takes_only_those(name: str, choices: str) -> None:
    """The error names the value, where it came from, and what there is."""
    error = _refused({_VARIABLES[name]: "wrong"})
    assert "'wrong'" in error.fact
    assert _VARIABLES[name] in error.fact
    assert choices in error.next_step
    assert "argument" in _refused(**{name: "wrong"}).fact


@pytest.mark.parametrize("value", [5, b"x", Path("x"), ["x"], True])
def test_an_argument_is_text(value: Any) -> None:
    """Another type is named, its value is not shown."""
    assert f"api_key is {type(value).__name__}, not text." == _refused(api_key=value).fact


@pytest.mark.parametrize("bad", ["free", "0", "-0.8", "nan", "inf", "101", "0,8", "80%"])
def test_a_price_ratio_is_a_number_above_zero(bad: str) -> None:
    """A free service would make every sum 0, and nobody would notice the slip."""
    assert f"price_ratio={bad!r} (from COMETNB_PRICE_RATIO)" in _refused({"COMETNB_PRICE_RATIO": bad}).fact
    assert "(from argument)" in _refused(price_ratio=bad).fact


@pytest.mark.parametrize(("given", "read"), [(0.8, 0.8), (1, 1.0), ("1e-1", 0.1), ("100", 100.0)])
def test_a_price_ratio_may_be_a_number_or_its_text(given: float | str, read: float) -> None:
    """In Python it is a number, in the environment text."""
    assert _resolve(price_ratio=given).price_ratio == read
    assert ratio(str(given)) == read
    assert ratio("") is None


def test_one_setting_can_be_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price can be looked up although the base URL is no URL."""
    monkeypatch.setenv("COMETAPI_BASE_URL", "no URL")
    monkeypatch.setenv("COMETNB_PRICES", " p.toml\n")
    assert (setting("prices"), setting("price_ratio"), setting("store_text")) == ("p.toml", "", "off")


def test_options_cannot_be_changed() -> None:
    """A client keeps the settings it was made with."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        _resolve().model = "other"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=range(2))
def test_a_name_that_no_file_can_have_is_refused(text: str) -> None:
    """In two lines, before a file is looked for."""
    with pytest.raises(ConfigError, match="No file"):
        user_path(text)


def test_the_home_of_nobody_is_a_name_like_any_other() -> None:
    """It is not there, and whoever looks says so."""
    assert user_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    assert user_path("~/x") == Path.home() / "x"
