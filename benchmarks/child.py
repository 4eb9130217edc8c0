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

_OURS_AND_THEIRS = ("COMETAPI_", "COMETNB_", "OPENAI_", "PYTHON")


def environment() -> dict[str, str]:
    """Return the environment without settings of the clients, with loopback never sent to a proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS_AND_THEIRS)}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COMETNB_LEDGER": "off"}


def result_of(*arguments: str) -> Any:
    """Run Python with these arguments and return what it printed, read as JSON.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails; what it wrote to standard error is shown.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)
