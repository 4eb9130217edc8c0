"""Where each tool is installed: an environment of its own, so that none of them has to agree with another's versions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.child import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.comparison.tools import Tool

__all__ = ["DEFAULT_FOLDER", "installed", "kernel_environment", "prepare", "python_of"]

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


def prepare(tools: Iterable[Tool], folder: Path) -> None:
    """Make the environments that are not there yet, each with the newest versions the package index has.

    Raises
    ------
    subprocess.CalledProcessError
        If one cannot be installed.
    """
    for tool in tools:
        if not tool.packages or python_of(tool, folder).exists():
            continue
        print(f"installing {', '.join(tool.packages)} …", flush=True)
        place = folder / tool.slug
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(python_of(tool, folder)), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *tool.packages, _KERNEL], check=True)


def python_of(tool: Tool, folder: Path) -> Path:
    """Return the interpreter of a tool's environment; this one's for a tool that needs none of its own."""
    return folder / tool.slug / "bin" / "python" if tool.packages else Path(sys.executable)


def installed(tool: Tool, folder: Path) -> dict[str, str]:
    """Return the versions of a tool's packages in its environment; empty if it is not there."""
    python = python_of(tool, folder)
    if not python.exists():
        return {}
    asked = [str(python), "-c", _VERSIONS, *tool.shown]
    done = subprocess.run(asked, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def kernel_environment(tool: Tool, base_url: str, home: Path) -> dict[str, str]:
    """Return the environment of a kernel that reaches the server alone, with a made-up key and a home of its own.

    Parameters
    ----------
    tool : Tool
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
    # LiteLLM asks a web site for prices when it is imported; its own copy is as good, and there is no network here.
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "ANONYMIZED_TELEMETRY": "False"}
    homes = {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "JPY_SESSION_NAME": "compared.ipynb"}
    # Nothing of the tester's own Python may be found by another environment.
    kept = {name: text for name, text in environment().items() if name != "VIRTUAL_ENV"}
    return kept | {"PATH": os.environ["PATH"]} | theirs | offline | homes | (ours if tool.is_ours else {})
