"""Formulas as MathML, which browsers show by themselves: no script and no font has to be fetched."""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

__all__ = ["setup"]

_logger = logging.getLogger(__name__)


def setup(app: Any) -> dict[str, bool]:
    """Add the renderer that ``html_math_renderer`` names."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.Element) -> None:
    writer.body.append(f'<div class="math">{_mathml(node, "block")}</div>')
    raise nodes.SkipNode


def _mathml(node: nodes.Element, display: str) -> str:
    latex = node.astext().strip()
    try:
        return str(convert(latex, display=display))
    except Exception as error:  # noqa: BLE001  # the converter's errors are of many kinds
        _logger.warning("A formula cannot be shown: %s (%s)", latex, error, location=node)
        return f"<code>{html.escape(latex)}</code>"
