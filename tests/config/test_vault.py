"""The keyring is asked once, and one that fails, is missing or never answers costs a warning and not the kernel."""

from __future__ import annotations

import sys

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from cometnb.config.vault import Vault
from cometnb.errors import CometWarning
from tests.config.rings import LockedRing, MemoryRing, SilentRing
from tests.config.stored import use_ring

_KEY = "sk-canary1234567"


def test_a_key_is_kept_found_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finds it; one that has found it does not ask again."""
    ring = MemoryRing()
    use_ring(monkeypatch, ring)
    assert Vault().find() == ""
    assert Vault().keep(_KEY) == ""
    assert ring.kept == {("cometnb", "api_key"): _KEY}
    vault, ring.n_asked = Vault(), 0
    assert (vault.known, vault.find(), vault.find(), vault.known) == ("", _KEY, _KEY, _KEY)
    assert ring.n_asked == 1
    assert (vault.drop(), vault.known, vault.drop(), ring.kept) == (True, "", False, {})


@pytest.mark.parametrize("kind", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_where_there_is_no_keyring_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, kind: type[KeyringBackend]
) -> None:
    """The package may have come with another one."""
    use_ring(monkeypatch, kind())
    vault = Vault()
    assert (vault.find(), vault.keep(_KEY), vault.drop(), vault.known) == ("", "keeps nothing", False, "")


def test_without_the_package_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "keyring", None)
    vault = Vault()
    assert (vault.find(), vault.keep(_KEY), vault.drop()) == ("", "keeps nothing", False)


def test_a_keyring_that_fails_warns_once_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own message could hold anything."""
    use_ring(monkeypatch, LockedRing())
    vault = Vault()
    with pytest.warns(CometWarning) as caught:
        assert vault.find() == ""
    assert [str(one.message) for one in caught] == ["The keyring failed (RuntimeError); it is passed over."]
    assert vault.find() == ""
    assert (vault.keep(_KEY), vault.known) == ("failed (RuntimeError)", "")


def test_a_keyring_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor asked a second time; what it says in the end counts."""
    ring = SilentRing()
    ring.kept["cometnb", "api_key"] = _KEY
    use_ring(monkeypatch, ring)
    vault = Vault(limit_s=0.01)
    with pytest.warns(CometWarning, match=r"did not answer within 0\.01 s"):
        assert vault.find() == ""
    assert vault.find() == ""
    assert vault.keep("sk-other-123456") == "has not answered yet"
    ring.let.set()
    assert vault._asking is not None
    vault._asking.join(60)
    assert (vault.find(), ring.n_asked) == (_KEY, 1)
