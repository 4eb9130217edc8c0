"""Links from names as docstrings write them, such as `Client.respond`, to where they are documented.

A name of cometnb that is on no page stays plain text if the code has it, and is a warning if it does not.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.util.nodes import make_refnode

__all__ = ["setup"]


def setup(app: Any) -> dict[str, bool]:
    """Look up what Sphinx itself does not find."""
    app.connect("missing-reference", _found)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _found(app: Any, env: Any, node: Any, content: nodes.TextElement) -> nodes.Node | None:
    if node.get("refdomain") != "py":
        return None
    known: Mapping[str, Any] = env.domains["py"].objects
    target = node["reftarget"].removesuffix("()")
    name = _name(known, target, node.get("py:class") or "")
    if name is None:
        return content if _exists(target) else None
    entry = known[name]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)


def _name(known: Mapping[str, Any], target: str, inside: str) -> str | None:
    """A member of the class that the docstring is about goes first, then what alone ends in these words."""
    for place in (inside, f"cometnb.{inside}"):
        if f"{place}.{target}" in known:
            return f"{place}.{target}"
    # An object is known by its short name, and again by the module that it comes from.
    ends = [name for name in known if f".{name}".endswith(f".{target}") and not known[name].aliased]
    return ends[0] if len(ends) == 1 else None


@cache
def _exists(name: str) -> bool:
    """Tell whether the code of cometnb has this name."""
    parts = name.split(".")
    if parts[0] != "cometnb":
        return False
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False
