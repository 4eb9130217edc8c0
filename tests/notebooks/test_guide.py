"""The guide runs where nobody watches, and what is committed of it reads well."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.needs import ROOT

_GUIDE = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Some plots, each as a picture of at most 60 kB.
_LARGEST_BYTES = 400_000


@pytest.mark.parametrize("path", _GUIDE, ids=lambda path: path.stem)
def test_it_runs_under_nbclient_with_one_display_a_cell(path: Path) -> None:
    """Every cell runs; a ``%%respond`` cell has one output at most, native Markdown with plain text beside it.

    A sweep's is a table; its dry run has one of its own.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute(cwd=str(path.parent))
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("%%respond"):
            *_, output = cell.outputs
            line = cell.source.partition("\n")[0]
            assert len(cell.outputs) == 1 or ("--sweep" in line and "--dry-run" in line)
            if output.output_type != "error":
                kind = "text/html" if "--sweep" in line else "text/markdown"
                assert set(output.data) == {kind, "text/plain"}


@pytest.mark.parametrize("path", _GUIDE, ids=lambda path: path.stem)
def test_what_is_committed_has_outputs_and_no_widget_state(path: Path) -> None:
    """It reads on a page without a kernel, is small, and holds nothing that needs cometnb to show."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "widgets" not in notebook.metadata
    assert any(cell.outputs for cell in code)
    assert all(cell.execution_count for cell in code)
    assert path.stat().st_size < _LARGEST_BYTES
