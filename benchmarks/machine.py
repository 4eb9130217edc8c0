"""What it is measured on: the machine, what else it is doing, and the versions of what is measured."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["load_average", "machine", "versions"]

_PACKAGES = ("cometnb", "httpx", "pandas", "SQLAlchemy", "ipykernel", "ipywidgets", "jupyterlab")


def machine() -> str:
    """Return the processor, how many of them, the memory and the system, in one line."""
    facts = Path("/proc/cpuinfo")
    named = (
        re.search(r"^model name\s*:\s*(.+)$", facts.read_text("utf-8"), re.MULTILINE)
        if facts.exists()
        else None
    )
    processor = named[1] if named else platform.processor() or platform.machine()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {processor}, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}"


def load_average() -> float:
    """Return how many processes wanted to run, on average, in the last minute."""
    return os.getloadavg()[0]


def versions() -> dict[str, str]:
    """Return the versions of Python and of what this environment has."""
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
