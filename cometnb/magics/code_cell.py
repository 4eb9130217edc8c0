"""The first code block of an answer, put into a new cell below the one that asked."""

from __future__ import annotations

from typing import Any

from cometnb.errors import masked
from cometnb.magics.kernel import Recent
from cometnb.protocol.response import Response
from cometnb.view.neutral import block_parser

__all__ = ["first_code", "place_code"]

# What a fence may name for its content to run in a notebook; nothing is Python, too.
_LANGUAGES = frozenset({"", "python", "python3", "py", "ipython", "ipython3"})


def first_code(text: str) -> str:
    """Return the first fenced block of Python, or of no named language, in Markdown; empty if there is none."""
    fences = (token for token in block_parser().parse(text) if token.type == "fence")
    return next(
        (
            token.content.rstrip()
            for token in fences
            if (token.info.split() or [""])[0].lower() in _LANGUAGES and token.content.strip()
        ),
        "",
    )


def place_code(shell: Any, recent: Recent, response: Response, cell_id: str) -> str:
    """Ask the front end for a new cell below with the answer's code.

    Parameters
    ----------
    shell : InteractiveShell
    recent : Recent
        Remembers what was put below which cell: the same code is not put there again.
    response : Response
    cell_id : str
        Empty if the front end does not say.

    Returns
    -------
    str
        Why there is no new cell; empty if there is one, or has been.
    """
    if response.status != "completed":
        return f"--code: the answer is {response.status}, so its code was not put into a cell."
    code = masked(first_code(response.output_text))
    if not code:
        return "--code: the answer has no block of Python code."
    if not cell_id or recent.placed.get(cell_id) != code:
        shell.set_next_input(code, replace=False)
    if cell_id:
        recent.placed[cell_id] = code
    return ""
