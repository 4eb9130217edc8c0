"""The source code of functions and classes, also of those that were defined in a notebook's cell."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["source_of"]


def source_of(value: type | Callable[..., Any]) -> str:
    """Return the source code of a function, method or class, not indented; empty if there is none to be had."""
    # Python 3.13 takes a class's line from whatever file was started, in a terminal IPython that of IPython itself.
    if isinstance(value, type) and (source := _from_cells(value)):
        return source
    try:
        return textwrap.dedent(inspect.getsource(value)).rstrip("\n")
    except (OSError, TypeError):
        return ""


def _from_cells(wanted: type) -> str:
    """Return a class's source from the newest cell that defines it; `inspect` looks for a file of its module."""
    if wanted.__module__ != "__main__":
        return ""
    for source in _cells():
        if f"class {wanted.__name__}" not in source:
            continue
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == wanted.__name__:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    return ""


def _cells() -> Iterator[str]:
    for entry in reversed(list(linecache.cache.values())):
        # IPython keeps each cell's lines there, without a date; a lazy entry has one item.
        if len(entry) > 1 and entry[1] is None:
            yield "".join(entry[2])
