"""Where a cell runs: which cell of which notebook, and what kind of front end watches."""

from __future__ import annotations

import os
import sys
from typing import Any, Literal

from cometnb.session.cell import Cell

__all__ = ["Watching", "cell_of", "shell_now", "watching"]

Watching = Literal["front end", "terminal", "nobody"]


def shell_now() -> Any:
    """Return the shell this runs in; None outside IPython, which is not loaded for the question."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def cell_of(shell: Any) -> Cell:
    """Return the cell being run, as far as the front end says.

    JupyterLab, Notebook and VS Code send the cell's id with the request; Jupyter Server puts the notebook's path
    into the kernel's environment, VS Code into the namespace.
    """
    metadata = _parent(shell).get("metadata")
    cell_id = metadata.get("cellId") if isinstance(metadata, dict) else None
    notebook = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__") or ""
    return Cell(
        notebook=notebook if isinstance(notebook, str) else "",
        cell_id=cell_id if isinstance(cell_id, str) else "",
        execution_count=shell.execution_count,
    )


def watching(shell: Any) -> Watching:
    """Tell who sees the output while it comes.

    nbclient, nbval, nbconvert and papermill ask for no input (``allow_stdin`` is false), front ends with a person in
    front of them do: that is the one thing a kernel is told about them.
    """
    if hasattr(shell, "kernel"):
        content = _parent(shell).get("content")
        asks = content.get("allow_stdin") if isinstance(content, dict) else None
        return "front end" if asks else "nobody"
    return "terminal" if hasattr(shell, "pt_app") or hasattr(shell, "mainloop") else "nobody"


def _parent(shell: Any) -> dict[str, Any]:
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else None
    return parent if isinstance(parent, dict) else {}
