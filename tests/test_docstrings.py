"""The examples that help shows, as somebody copies them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_RUN = """
import doctest
import inspect
import cometnb

for name in cometnb.__all__:
    shown = getattr(cometnb, name)
    members = vars(shown).items() if inspect.isclass(shown) else ()
    public = {f"{name}.{inner}": one for inner, one in members if not inner.startswith("_")}
    for place, one in ({name: shown} | public).items():
        text = inspect.getdoc(one) or ""
        test = doctest.DocTestParser().get_doctest(text, {}, place, None, 0)
        doctest.DocTestRunner().run(test)
"""


def test_every_example_of_a_public_name_runs_as_it_is_copied(tmp_path: Path) -> None:
    """Into a fresh Python, with no other name in it, no key and no network."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COMET", "XDG_"))}
    env |= {"HOME": str(tmp_path), "COMETNB_LEDGER": "off"}
    ended = subprocess.run(
        [sys.executable, "-c", _RUN], capture_output=True, text=True, check=False, env=env, cwd=tmp_path
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 0)
