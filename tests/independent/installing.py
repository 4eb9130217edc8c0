"""Installs the servers that others wrote, each into a folder of its own below build/independent.

``python tests/independent/installing.py aimock`` needs the standard library, and npm or pip, and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["FOLDER", "INSTALLED", "install"]

FOLDER = Path(__file__).resolve().parents[2] / "build" / "independent"
"""Where the servers are."""

_AIMOCK = "@copilotkit/aimock@1.43.0"
# It needs this Node or a newer one, and a distribution may have an older one: then npm brings Node, too.
_NODE, _OLDEST_NODE = "node@22", (20, 15)
# Two versions of this one were not what they said they were.
_LITELLM = ("litellm[proxy]>=1.106,<1.109,!=1.82.7,!=1.82.8",)
_TRANSFORMERS = ("transformers[serving]>=5.23,<5.24", "torch")

INSTALLED = {
    "aimock": FOLDER / "aimock" / "node_modules" / ".bin" / "llmock",
    "litellm": FOLDER / "litellm" / "bin" / "litellm",
    "transformers": FOLDER / "transformers" / "bin" / "transformers",
}
"""The program of each server."""


def install(name: str) -> None:
    """Install one server, unless it is there already.

    Parameters
    ----------
    name : str
        A key of `INSTALLED`.
    """
    if not INSTALLED[name].exists():
        sys.stderr.write(f"Installing {name} into {FOLDER / name}.\n")
        _INSTALLERS[name](FOLDER / name)


def _from_npm(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    subprocess.run([*npm, _AIMOCK, *([] if _has_node() else [_NODE])], check=True)


def _has_node() -> bool:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in said.strip().removeprefix("v").split(".")[:2]) >= _OLDEST_NODE


def _from_pip(requirements: Sequence[str]) -> Callable[[Path], None]:
    def into(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *requirements], check=True)

    return into


_INSTALLERS: dict[str, Callable[[Path], None]] = {
    "aimock": _from_npm,
    "litellm": _from_pip(_LITELLM),
    "transformers": _from_pip(_TRANSFORMERS),
}


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        install(wanted)
