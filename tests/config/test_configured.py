"""Argument, environment, cometnb's file, CometAPI's file, keyring, default: in this order, and named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cometnb
from cometnb.config.configured import configured, configured_setting, find_key
from cometnb.config.files import shown_path
from cometnb.errors import ConfigError
from cometnb.ledger.place import place_of
from tests.config.rings import MemoryRing
from tests.config.stored import their_file, use_ring, write


def test_the_first_place_that_has_a_key_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking one away after the other goes down the list, and says each time where the key came from."""
    ring = MemoryRing()
    use_ring(monkeypatch, ring)
    ring.kept["cometnb", "api_key"] = "sk-keyring"
    own, theirs = write('api_key = " \\ufeffsk-own\\n"'), write('api_key = "sk-theirs"', their_file())
    monkeypatch.setenv("COMETAPI_API_KEY", "sk-older")
    monkeypatch.setenv("COMETAPI_KEY", "sk-newer")

    def found(**given: str) -> tuple[str, str]:
        options = configured(**given)
        assert options.api_key not in repr(options) or not options.api_key
        return options.api_key, options.sources["api_key"]

    assert found(api_key="sk-given") == ("sk-given", "argument")
    assert found() == ("sk-newer", "COMETAPI_KEY")
    monkeypatch.delenv("COMETAPI_KEY")
    assert found() == ("sk-older", "COMETAPI_API_KEY")
    monkeypatch.setenv("COMETAPI_API_KEY", " ")
    assert found() == ("sk-own", shown_path(own))
    write('api_key = " "')
    assert found() == ("sk-theirs", shown_path(theirs))
    theirs.unlink()
    assert (found(), ring.n_asked) == (("", "default"), 0)
    assert find_key() == "sk-keyring"
    assert found() == ("sk-keyring", "keyring")
    assert configured_setting("api_key") == "sk-keyring"


def test_a_client_finds_the_key_of_the_keyring_only_when_it_needs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A simulator asks for none; with a key elsewhere the keyring is left alone."""
    ring = MemoryRing()
    use_ring(monkeypatch, ring)
    ring.kept["cometnb", "api_key"] = "sk-keyring"
    with cometnb.Client(transport=cometnb.Simulator()) as client:
        assert client.setup.api_key == ""
    with cometnb.Client(api_key="sk-given") as client:
        assert client.setup.api_key == "sk-given"
    assert ring.n_asked == 0
    with cometnb.Client() as client:
        assert client.setup.api_key == "sk-keyring"
        assert client.setup.http_options()["headers"]["authorization"] == "Bearer sk-keyring"
    assert ring.n_asked == 1


def test_without_a_key_anywhere_the_error_is_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty keyring adds nothing to it."""
    use_ring(monkeypatch, MemoryRing())
    with pytest.raises(ConfigError, match="There is no API key"):
        cometnb.Client()


def test_every_setting_may_stand_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The ledger and the prices are asked for on their own, and are found, too."""
    monkeypatch.delenv("COMETNB_LEDGER")
    write(
        f'backend = "simulator"\nledger = "{tmp_path}/rows.db"\nprices = "p.toml"\nmodel = "m"\nlive = "off"\n'
    )
    assert place_of(None) == f"{tmp_path}/rows.db"
    assert configured_setting("prices") == "p.toml"
    with cometnb.Client() as client:
        assert (client.setup.backend, client.setup.model) == ("simulator", "m")


@pytest.mark.parametrize("line", ['backend = "wrong"', 'base_url = "nowhere"', "api_key = 'sk a b'"])
def test_a_setting_that_cannot_be_used_names_the_file(line: str) -> None:
    """As it names a variable; a key is not shown."""
    path = write(line)
    with pytest.raises(ConfigError) as caught:
        configured()
    assert f"(from {shown_path(path)})" in caught.value.fact
    assert "sk a" not in str(caught.value)


def test_looking_loads_no_keyring_and_no_parser_where_there_is_nothing() -> None:
    """The settings are asked for at every cell."""
    code = (
        "import sys, cometnb.config.configured as c; c.configured();"
        "print([m for m in ('keyring', 'tomllib', 'httpx') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
