"""Where each tool is installed: an environment of its own, so that none of them has to agree with another's versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import ROOT, environment

__all__ = ["DEFAULT_FOLDER", "Rival", "installed", "kernel_environment", "prepare", "python_of"]

DEFAULT_FOLDER = ROOT / "build" / "rivals"
"""Holds one virtual environment for each tool; not tracked."""

_KERNEL = "ipykernel"
_VERSIONS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Something that runs in an environment of its own.

    Attributes
    ----------
    name, slug : str
        For people, and for folders.
    packages : tuple of str
        What is installed; empty for what runs in this environment.
    shown : tuple of str
        Whose versions are stated; it is there when all of them are.
    """

    name: str
    slug: str
    packages: tuple[str, ...] = ()
    shown: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether it is cometnb."""
        return self.slug == "cometnb"


def prepare(rivals: Iterable[Rival], folder: Path) -> dict[str, str]:
    """Make the environments that are not there yet, each with the newest versions the package index has.

    Parameters
    ----------
    rivals : iterable of Rival
    folder : Path
        Of the environments.

    Returns
    -------
    dict
        From the slug of one that could not be installed to the last words of the installer.
    """
    failed = {}
    for rival in rivals:
        if installed(rival, folder):
            continue
        print(f"downloading and installing {', '.join(rival.packages)} …", flush=True)
        python = str(python_of(rival, folder))
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        made = [[sys.executable, "-m", "venv", str(folder / rival.slug)], [*pip, *rival.packages, _KERNEL]]
        for command in made:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                failed[rival.slug] = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                print(f"{rival.name} could not be installed: {failed[rival.slug]}", flush=True)
                break
    return failed


def python_of(rival: Rival, folder: Path) -> Path:
    """Return the interpreter of a rival's environment; this one's for one that needs none of its own."""
    return folder / rival.slug / "bin" / "python" if rival.packages else Path(sys.executable)


def installed(rival: Rival, folder: Path) -> dict[str, str]:
    """Return the versions of a rival's packages in its environment; empty if any of them is not there."""
    python = python_of(rival, folder)
    if not python.exists():
        return {}
    asked = [str(python), "-c", _VERSIONS, *rival.shown]
    done = subprocess.run(asked, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    # An installation that was broken off has left the interpreter, and may have left some of the packages.
    return versions if set(versions) == set(rival.shown) else {}


def kernel_environment(tool: Rival, base_url: str, home: Path) -> dict[str, str]:
    """Return the environment of a kernel that reaches the server alone, with a made-up key and a home of its own.

    Parameters
    ----------
    tool : Rival
    base_url : str
        Of the server on loopback.
    home : Path
        Where it may write: a ledger, a profile, caches.
    """
    key = "made-up"
    ours = {
        "PYTHONPATH": str(ROOT),
        "COMETAPI_KEY": key,
        "COMETAPI_BASE_URL": base_url,
        "COMETNB_LEDGER": str(home / "ledger.sqlite"),
    }
    theirs = {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": base_url, "OPENAI_API_BASE": base_url}
    homes = {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "JPY_SESSION_NAME": "compared.ipynb"}
    # Nothing of the tester's own Python may be found by another environment.
    kept = {name: text for name, text in environment().items() if name != "VIRTUAL_ENV"}
    return kept | {"PATH": os.environ["PATH"]} | theirs | homes | (ours if tool.is_ours else {})
