"""Waiting for a package that somebody else imports: told once, and nothing about its import is changed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cometnb._extras import when_imported

_NAME = "awaited_by_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that can be imported; afterwards it is as if it had never been."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    file = tmp_path / f"{_NAME}.py"
    file.write_text("answer = 42\n")
    importlib.invalidate_caches()
    yield file
    sys.modules.pop(_NAME, None)


def test_it_is_told_when_the_package_comes(package: Path) -> None:
    """Complete, once, and not before."""
    told: list[ModuleType] = []
    when_imported(_NAME, told.append)
    assert told == []
    module = importlib.import_module(_NAME)
    importlib.import_module(_NAME)
    assert told == [module]
    assert module.answer == 42
    assert "cometnb" not in type(module.__loader__).__module__


def test_looking_for_the_package_is_not_importing_it(package: Path) -> None:
    """As those do who want to know whether it is installed."""
    told: list[ModuleType] = []
    when_imported(_NAME, told.append)
    spec = importlib.util.find_spec(_NAME)
    assert spec is not None
    assert spec.origin == str(package)
    assert told == []
    module = importlib.import_module(_NAME)
    assert told == [module]


def test_a_package_that_is_there_is_told_at_once(package: Path) -> None:
    """Nothing is waited for then."""
    module = importlib.import_module(_NAME)
    told: list[ModuleType] = []
    before = list(sys.meta_path)
    when_imported(_NAME, told.append)
    assert told == [module]
    assert sys.meta_path == before


def test_an_import_that_fails_is_waited_for_again(package: Path) -> None:
    """It fails as it would have, and the next one is told of."""
    told: list[ModuleType] = []
    when_imported(_NAME, told.append)
    package.write_text("raise ValueError('not yet')\n")
    with pytest.raises(ValueError, match="not yet"):
        importlib.import_module(_NAME)
    package.write_text("answer = 'mended at last'\n")
    importlib.invalidate_caches()
    assert told == [importlib.import_module(_NAME)]


def test_what_it_does_cannot_spoil_the_import(package: Path) -> None:
    """An error of ours is not theirs."""

    def fails(module: ModuleType) -> None:
        raise RuntimeError(module.__name__)

    when_imported(_NAME, fails)
    assert importlib.import_module(_NAME).answer == 42


def test_a_package_that_is_not_installed_stays_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Python's own error."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    when_imported("no_such_package_at_all", print)
    with pytest.raises(ModuleNotFoundError, match="no_such_package_at_all"):
        importlib.import_module("no_such_package_at_all")
