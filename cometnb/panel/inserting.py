"""A cell put below the one that runs, where a cell runs."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["is_in_cell", "place_below"]


def place_below(shell: Any, text: str) -> bool:
    """Ask the front end for a new cell below the one that runs, or a terminal for the next input.

    Parameters
    ----------
    shell : InteractiveShell or None
    text : str

    Returns
    -------
    bool
        False where no cell runs: in the handler of a button the wish would travel with whichever cell runs next.
    """
    if not is_in_cell(shell):
        return False
    shell.set_next_input(text, replace=False)
    return True


def is_in_cell(shell: Any) -> bool:
    """Tell whether this is the code of a cell: the main thread, at work on a request to execute."""
    if shell is None or threading.current_thread() is not threading.main_thread():
        return False
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return True
    header = (kernel.get_parent("shell") or {}).get("header") or {}
    return header.get("msg_type") == "execute_request"
