"""Run a notebook of the guide on the simulator: streamed in this terminal, then as a saved notebook and a web page."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_RULE = "─" * 78


def main() -> int:
    """Run the demo and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", nargs="?", type=Path, default=HERE / "quickstart.ipynb")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "demo", help="where the pages go")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The demo needs no key and must not mix its rows with the user's own.
        os.environ |= {"COMETNB_BACKEND": "simulator", "COMETNB_LEDGER": str(Path(folder) / "ledger.sqlite3")}
        is_well = in_terminal(given.notebook, folder)
        paths = as_pages(given.notebook, given.out)
    _say(f"\n{_RULE}\nThe same notebook, executed, and as a page:")
    for path in paths:
        _say(f"  {path}")
    return 0 if is_well else 1


def in_terminal(notebook: Path, home: str) -> bool:
    """Run a notebook's code cells in a terminal IPython of this process; False if a cell failed unexpectedly.

    Parameters
    ----------
    notebook : Path
    home : str
        A folder for IPython's own files, so that the demo leaves none.
    """
    os.environ["IPYTHONDIR"] = home
    import nbformat
    import pandas as pd
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    pd.set_option("display.width", 140, "display.max_columns", 20)
    shell = TerminalInteractiveShell.instance(simple_prompt=True, colors="nocolor")
    is_well = True
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        _say(f"\n{_RULE}\nIn [{shell.execution_count}]: {_indented(cell.source)}\n")
        result = shell.run_cell(cell.source, store_history=True)
        is_well &= result.success or "raises-exception" in cell.metadata.get("tags", [])
    shell.history_manager.end_session()
    return is_well


def as_pages(notebook: Path, out: Path) -> list[Path]:
    """Execute a notebook without a front end and save it and its HTML page; return where.

    Parameters
    ----------
    notebook : Path
    out : Path
        A folder; made if it is not there.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    out.mkdir(parents=True, exist_ok=True)
    executed: Any = nbformat.read(notebook, as_version=4)
    # The kernel talks to this machine only; its warning about unencrypted TCP is noise here.
    client = NotebookClient(
        executed,
        kernel_name="python3",
        timeout=120,
        resources={"metadata": {"path": str(notebook.parent)}},
        extra_arguments=["--log-level=40"],
    )
    client.execute()
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(executed)
    paths = [out / notebook.name, out / f"{notebook.stem}.html"]
    nbformat.write(executed, paths[0])
    paths[1].write_text(page, encoding="utf-8")
    return paths


def _indented(source: str) -> str:
    return source.replace("\n", "\n   ...: ")


def _say(text: str) -> None:
    print(text, flush=True)  # a demo talks


if __name__ == "__main__":
    sys.exit(main())
