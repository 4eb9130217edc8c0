"""What a test needs from the machine: found, or the test is skipped with a reason, or it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["ROOT", "chromium", "installed", "postgresql_programs", "tool", "tools_required"]

ROOT = Path(__file__).resolve().parent.parent

# Debian, Ubuntu's snap, and the vendor's own packages name the same browser differently.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def tools_required() -> bool:
    """Tell whether a missing tool is a failure; CI says so with ``COMETNB_REQUIRE_TOOLS=1``."""
    return os.environ.get("COMETNB_REQUIRE_TOOLS") == "1"


def tool(*names: str) -> str:
    """Return the path of the first program of `names` on PATH.

    Parameters
    ----------
    *names : str
        Programs that serve equally well, best first.

    Returns
    -------
    str
        An absolute path. Where none is found the test is skipped, or fails if tools are required.
    """
    for name in names:
        if found := shutil.which(name):
            return found
    return _missing(f"needs {' or '.join(names)}, which is not on PATH")


def chromium() -> str:
    """Return the path of a Chromium that Playwright can drive."""
    return tool(*_BROWSERS)


def postgresql_programs() -> Path:
    """Return the folder of PostgreSQL's server programs, of the newest version; Debian keeps them off PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if initdb := shutil.which("initdb"):
        found.append(Path(initdb).resolve().parent)
    if not found:
        _missing("needs a PostgreSQL server (initdb), which is not installed")
    return max(found, key=lambda path: int("".join(filter(str.isdigit, path.parent.name)) or 0))


def installed(program: Path, command: str) -> Path:
    """Return the path of a program that a command of this project installs.

    Parameters
    ----------
    program : Path
    command : str
        What installs it, to be run in the project's folder.
    """
    if not program.exists():
        _missing(f"needs {program.name}, which is not installed: {command}")
    return program


def _missing(reason: str) -> NoReturn:
    if tools_required():
        pytest.fail(f"{reason}, and COMETNB_REQUIRE_TOOLS=1 forbids to skip", pytrace=False)
    pytest.skip(reason)
