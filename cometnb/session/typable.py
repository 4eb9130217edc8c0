"""Which text keeps its characters on a cell's line, and which in the lines below it."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["PASTED", "is_seen", "is_typed", "survives"]

# Not printable to Python, and yet nothing that hides: the space that does not break, and what joins letters.
_HARMLESS = frozenset("\u00a0\u200c\u200d")

# A shell takes these for prompts that were pasted along, and takes them away: the first anywhere, the others
# at the beginning.
PASTED = re.compile(r"^[^\S\n]*(?:>>>)|\A[^\S\n]*(?:\.\.\.|In \[)", re.MULTILINE)


def survives(body: str) -> bool:
    """Tell whether a text stays as it is below a cell's line, but for line ends around it."""
    return all(map(is_typed, body)) and not PASTED.search(body)


def is_typed(one: str) -> bool:
    """Tell whether editors, notebook files and shells keep a character below a cell's line."""
    return one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs")


def is_seen(one: str) -> bool:
    """Tell whether a character can stand on a cell's line, where it ends no line and hides nothing."""
    return one.isprintable() or one in _HARMLESS
