"""Every test starts from nothing: no settings of the user's machine, a ledger and a home of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Deadlines and random seeds make a slow or busy machine fail where the code is right.
settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# Read by the tests themselves, not by cometnb.
_KEPT = frozenset({"COMETNB_REQUIRE_TOOLS"})


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several workers share the tests, keep a file's together, and all that need the browser with one of them."""
    # Marks of groups are not seen with pytest 9.2.
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else str(super()._split_scope(nodeid))

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the whole run, and every kernel and server it starts, a fresh home and fresh Jupyter folders."""
    home = tmp_path_factory.mktemp("home")
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "jupyter" / "config",
        "JUPYTER_DATA_DIR": home / "jupyter" / "data",
        "JUPYTER_RUNTIME_DIR": home / "jupyter" / "runtime",
        "MPLCONFIGDIR": home / "matplotlib",
        "XDG_CACHE_HOME": home / "cache",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in folders.items():
            folder.mkdir(parents=True, exist_ok=True)
            patch.setenv(name, str(folder))
        # No folder of its own keeps macOS or Windows from opening the user's keyring.
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "IPYTHON_PROFILE", "PYTHONSTARTUP", "MPLBACKEND"):
            patch.delenv(name, raising=False)
        _forget_settings(patch)
        patch.setenv("COMETNB_LEDGER", str(home / "ledger.sqlite"))
        yield home


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _home: Path) -> Path:
    """Take away every setting, and give the test a ledger of its own."""
    _forget_settings(monkeypatch)
    ledger = tmp_path / "ledger.sqlite"
    monkeypatch.setenv("COMETNB_LEDGER", str(ledger))
    return ledger


def _forget_settings(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("COMETAPI_", "COMETNB_")) and name not in _KEPT:
            patch.delenv(name)
