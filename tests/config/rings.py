"""Keyrings to test with, behind the real keyring package: one that works, and those that do not."""

from __future__ import annotations

import threading
from typing import NoReturn

from keyring.backend import KeyringBackend

__all__ = ["LockedRing", "MemoryRing", "SilentRing"]


class MemoryRing(KeyringBackend):
    """Keeps passwords as long as the test runs, and counts how often it was asked."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring is typed in part
        self.kept: dict[tuple[str, str], str] = {}
        self.n_asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was set."""
        self.n_asked += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        del self.kept[service, username]


class LockedRing(MemoryRing):
    """Raises, with the key in its message, whatever it is asked."""

    def get_password(self, service: str, username: str) -> NoReturn:
        """Fail."""
        raise RuntimeError("locked sk-canary1234567")

    def set_password(self, service: str, username: str, password: str) -> NoReturn:
        """Fail."""
        raise RuntimeError(f"locked {password}")


class SilentRing(MemoryRing):
    """Answers only once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        """Wait, then return what was set."""
        self.let.wait(60)
        return super().get_password(service, username)
