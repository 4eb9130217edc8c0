"""Run notebooks of the guide and keep their outputs, as a page without a kernel is to show them: ``make guide``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

from tests.needs import ROOT

__all__ = ["rerun"]

# What a kernel adds to these depends on the machine.
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_TIMEOUT_S = 120
# Where a kernel keeps what the next one would find.
_PLACES = ("COMETNB_LEDGER", "IPYTHONDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")


def rerun(path: Path) -> None:
    """Run a notebook in its folder, with an empty ledger and no settings of the user's, and write its outputs into it.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails that is not tagged to; the file stays as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        places = {name: str(Path(folder, name.lower())) for name in _PLACES}
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=_TIMEOUT_S,
            record_timing=False,
            extra_arguments=["--log-level=40"],
        )
        client.execute(cwd=str(path.parent), env=os.environ | places)
    notebook.metadata = nbformat.from_dict(_METADATA)
    nbformat.write(notebook, path)


def _main(names: list[str]) -> None:
    guide = sorted((ROOT / "notebooks").glob("*.ipynb"))
    if unknown := sorted(set(names) - {path.stem for path in guide}):
        sys.exit(f"No notebook is called {unknown[0]}.\nThere are: {', '.join(path.stem for path in guide)}")
    for path in guide:
        if not names or path.stem in names:
            print(f"  {path.stem}", flush=True)  # noqa: T201  # it can take minutes
            rerun(path)


if __name__ == "__main__":
    _main(sys.argv[1:])
