"""Build the documentation: these pages and the notebooks of the guide, offline; a warning is an error."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

__all__ = ["HERE", "NOTEBOOKS", "build", "main", "stage"]

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"


def stage(folder: Path) -> Path:
    """Lay out what Sphinx reads: these pages, the figures, and the notebooks beside the guide's own page.

    Parameters
    ----------
    folder : Path
        Emptied first.

    Returns
    -------
    Path
        `folder`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__", "build.py"))
    # From a notebook's folder an image of these pages is ../docs/images.
    shutil.copytree(HERE / "images", folder / "docs" / "images")
    # The last figures and their pictures are shown on the page that says how they are measured.
    shutil.copytree(HERE.parent / "benchmarks" / "results", folder / "_results")
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        shutil.copy2(notebook, folder / "guide" / notebook.name)
    return folder


def build(out: Path) -> int:
    """Build the pages into ``out/html`` and return Sphinx's exit status.

    Parameters
    ----------
    out : Path
        Also holds what was staged, and Sphinx's own files.
    """
    from sphinx.cmd.build import main as sphinx

    source = stage(out / "source")
    ways = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    # What the code writes into a page changes without the page's file.
    ways += ["--fresh-env"]
    return sphinx([*ways, "-b", "html", "-d", str(out / "doctrees"), str(source), str(out / "html")])


def main() -> int:
    """Build from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=HERE.parent / "build" / "docs")
    out = parser.parse_args().out.absolute()
    status = build(out)
    if status == 0:
        sys.stdout.write(f"The documentation is {out / 'html' / 'index.html'}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
