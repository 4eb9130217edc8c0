"""``%comet key`` asks without echo, keeps a key and forgets it, says where, and never shows it."""

from __future__ import annotations

import getpass
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cometnb.config.files import own_file, shown_path
from cometnb.errors import CellError, ConfigError
from cometnb.magics import completion
from cometnb.magics.kernel import Kernel
from tests.config.rings import LockedRing, MemoryRing
from tests.config.stored import fresh, their_file, use_ring, write
from tests.magics.shells import Shell

_KEY = "sk-canary1234567"


class _Terminal(io.StringIO):
    """A person's keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    """A shell in which somebody types the key; it goes to the API, and nothing is stored yet."""
    fresh(monkeypatch, tmp_path)
    monkeypatch.setattr(shell.ip, "mainloop", None, raising=False)
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f" {_KEY}\n")
    shell.shared.configure(backend="api", api_key=None)
    yield shell
    shell.shared.configure(api_key=None)


def _said(shell: Shell, line: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert shell.run(line).error_in_exec is None
    said = capsys.readouterr()
    assert "canary" not in said.out + said.err
    return " ".join(said.out.split())


def test_alone_it_is_for_this_kernel_only(terminal: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written anywhere."""
    assert "…4567 is used in this kernel; it is stored nowhere" in _said(terminal, "%comet key", capsys)
    assert "key set (given in this kernel)" in _said(terminal, "%comet", capsys)
    assert not own_file().exists()
    assert "typed into this kernel is forgotten" in _said(terminal, "%comet key --forget", capsys)
    assert "nothing has changed" in _said(terminal, "%comet key --forget", capsys)
    assert "key missing" in _said(terminal, "%comet", capsys)


def test_save_without_a_keyring_writes_the_file(terminal: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """``%comet`` then names the file, and so does forgetting."""
    place = shown_path(own_file())
    assert f"is kept in {place}, which only you can read" in _said(terminal, "%comet key --save", capsys)
    assert f"key set (from {place})" in _said(terminal, "%comet", capsys)
    config = _said(terminal, "%comet config", capsys)
    assert f"key set (from {place}) config file {place} (read)" in config
    assert terminal.shared.session.client.setup.api_key == _KEY
    assert f"removed from {place}" in _said(terminal, "%comet key --forget", capsys)
    assert "key missing" in _said(terminal, "%comet config", capsys)


def test_save_into_the_keyring_is_found_by_the_next_kernel(
    terminal: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``%comet`` looks there, since it says whether there is a key."""
    use_ring(monkeypatch, MemoryRing())
    assert "is kept in the keyring" in _said(terminal, "%comet key --save", capsys)
    assert not own_file().exists()
    fresh(monkeypatch, tmp_path)
    monkeypatch.setattr("cometnb.magics.key.getpass", None)
    assert "key set (from keyring)" in _said(terminal, "%comet", capsys)
    assert "removed from the keyring" in _said(terminal, "%comet key --forget", capsys)
    assert "key missing" in _said(terminal, "%comet", capsys)


def test_save_says_why_the_keyring_does_not_have_it(
    terminal: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has it then."""
    use_ring(monkeypatch, LockedRing())
    said = _said(terminal, "%comet key --save", capsys)
    assert said.startswith("The keyring failed (RuntimeError). The key ending in …4567 is kept in ~")


@pytest.mark.parametrize("place", ["COMETAPI_KEY", "~/.config/cometapi/config.toml"])
def test_a_place_that_comes_first_is_told(
    terminal: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The kernel uses what was typed all the same; after forgetting it, the other again."""
    use_ring(monkeypatch, MemoryRing())
    if place == "COMETAPI_KEY":
        monkeypatch.setenv(place, "sk-another-key")
    else:
        write('api_key = "sk-another-key"', their_file())
    assert f"Other kernels use the key from {place}, which comes first" in _said(
        terminal, "%comet key --save", capsys
    )
    assert terminal.shared.options.api_key == _KEY
    assert f"Calls use the key from {place} now." in _said(terminal, "%comet key --forget", capsys)
    assert terminal.shared.options.api_key == "sk-another-key"


def test_what_is_no_key_is_kept_nowhere(terminal: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked before it is written, and not repeated."""
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "Bearer sk-canary1234567")
    error = terminal.error("%comet key --save")
    assert isinstance(error, ConfigError)
    assert "canary" not in str(error)
    assert not own_file().exists()


@pytest.mark.parametrize("words", ["--save sk-canary1234567", "--forget now", "--keep", "sk-canary1234567"])
def test_other_words_are_refused_unseen(terminal: Shell, words: str) -> None:
    """One of them could be a key."""
    error = terminal.error(f"%comet key {words}")
    assert isinstance(error, CellError)
    assert "canary" not in str(error)
    assert not own_file().exists()


def test_tab_offers_what_may_follow(shell: Shell) -> None:
    """One switch at a time."""
    offer = completion.offered(Kernel(shell.shared, shell.ip), ["%comet key --"])
    assert offer is not None
    assert sorted(offer.words) == ["--forget", "--save"]
