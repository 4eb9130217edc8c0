"""Folders, and a process that has read nothing yet, for every test of what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.stored import fresh


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is stored, and no keyring was asked."""
    fresh(monkeypatch, tmp_path)
