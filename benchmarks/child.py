"""Fresh Python processes to measure in, with no settings from outside that could change what is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "environment", "result_of"]

ROOT = Path(__file__).resolve().parent.parent

# LiteLLM asks a web site for prices when it is imported; its own copy is as good, and nothing is to be asked here.
_OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "ANONYMIZED_TELEMETRY": "False"}
_OURS_AND_THEIRS = ("COMETAPI_", "COMETNB_", "OPENAI_", "PYTHON")


def environment() -> dict[str, str]:
    """Return the environment without settings of the clients, with loopback never sent to a proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS_AND_THEIRS)}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COMETNB_LEDGER": "off"} | _OFFLINE


def result_of(*arguments: str, python: Path | None = None) -> Any:
    """Run Python with these arguments and return the last line that it printed, read as JSON.

    Parameters
    ----------
    *arguments : str
    python : Path, optional
        The interpreter; without one, this process's.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails; it holds what was written to standard error.
    """
    command = [str(python or sys.executable), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode and python is None:
        print(done.stderr, file=sys.stderr)
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])
