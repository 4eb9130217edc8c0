"""Install the servers that others wrote, and run the tests against all of them: ``make independent``."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.independent.installing import INSTALLED, install

for name in INSTALLED:
    install(name)
# A large server may take minutes to start on a busy machine, and that counts as its first test's time.
pytest = [sys.executable, "-m", "pytest", "--timeout", "900", "-k", "servers"]
command = [*pytest, "tests/independent", "-v", *sys.argv[1:]]
sys.exit(subprocess.run(command, env={**os.environ, "COMETNB_INDEPENDENT": "1"}, check=False).returncode)
