"""The elements that an answer may become: formatting and links, none that runs, loads or asks for anything."""

from __future__ import annotations

__all__ = ["ELEMENTS"]

ELEMENTS = frozenset(
    [
        *("a", "blockquote", "br", "code", "del", "div", "em", "hr", "li", "ol", "p", "pre", "s", "span", "strong"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    ]
)  # fmt: skip
"""The names, in lower case."""
