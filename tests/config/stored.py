"""Files and keyrings of a test: made in its own folder, and taken back at its end."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from cometnb.config import configured
from cometnb.config.files import own_file
from cometnb.config.vault import Vault

__all__ = ["fresh", "their_file", "use_ring", "write"]


def fresh(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Give the test a home of its own, and a keyring that was never asked."""
    patch.setenv("HOME", str(folder))
    patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    vault = Vault(limit_s=60)
    patch.setattr(configured, "vault", vault)
    patch.setattr("cometnb.config.keeping.vault", vault)


def use_ring(patch: pytest.MonkeyPatch, ring: KeyringBackend) -> None:
    """Make a keyring the system's for this test."""
    before = keyring.get_keyring()
    patch.setattr("keyring.core._keyring_backend", before)
    keyring.set_keyring(ring)


def their_file() -> Path:
    """Return where CometAPI's command line keeps its settings."""
    return Path("~/.config/cometapi/config.toml").expanduser()


def write(text: str | bytes, path: Path | None = None, mode: int = 0o600) -> Path:
    """Write a file of settings; cometnb's own if no other is named."""
    path = path or own_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path
