"""Small corrections to how docstrings are shown: attributes are called so, and all errors are made alike."""

from __future__ import annotations

from typing import Any

from docutils import nodes

from cometnb.errors import CometError

__all__ = ["setup"]


def setup(app: Any) -> dict[str, bool]:
    """Correct signatures as they are read, and labels as pages are."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("doctree-read", _say_attributes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _signature(app: Any, what: str, name: str, value: Any, *rest: Any) -> tuple[str, str] | None:
    # What every error takes stands with the first of them.
    is_error = what == "exception" and issubclass(value, CometError)
    return ("", "") if is_error and value is not CometError else None


def _say_attributes(app: Any, doctree: nodes.document) -> None:
    for label in doctree.findall(nodes.field_name):
        if label.astext() == "Variables":
            label.children = [nodes.Text("Attributes")]
