"""Notebooks that are run anew for the guide."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import v4

from tests.notebooks.rerun import rerun


def _saved(path: Path, *sources: str) -> Path:
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    notebook.metadata["widgets"] = {"state": {}}
    nbformat.write(notebook, path)
    return path


def test_a_notebook_is_kept_with_its_outputs_and_without_a_machine(tmp_path: Path) -> None:
    """The outputs are in the file, and no version, time or widget is."""
    path = _saved(tmp_path / "a.ipynb", "import os; print(os.path.exists(os.environ['COMETNB_LEDGER']))")

    rerun(path)

    notebook = nbformat.read(path, as_version=4)
    (cell,) = notebook.cells
    assert [output.text for output in cell.outputs] == ["False\n"]
    assert "execution" not in cell.metadata
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_notebook_that_fails_stays_as_it_was(tmp_path: Path) -> None:
    """What is committed is not lost to a cell that went wrong."""
    path = _saved(tmp_path / "a.ipynb", "print(1)", "1 / 0")
    before = path.read_bytes()

    with pytest.raises(CellExecutionError):
        rerun(path)

    assert path.read_bytes() == before
