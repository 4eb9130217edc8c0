"""What is shown to a person does nothing: HTML without anything that acts, text that drives no terminal."""

from __future__ import annotations

import json
from typing import Any

from tests.fuzz.looking import check_text
from tests.fuzz.strict_html import Attributes, check_html

__all__ = ["check_plain", "check_sent", "check_shown_html"]

_TAGS = frozenset(
    (
        *(
            "a",
            "blockquote",
            "br",
            "caption",
            "code",
            "del",
            "div",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
        ),
        *(
            "li",
            "ol",
            "p",
            "pre",
            "s",
            "span",
            "strong",
            "style",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ),
    )
)
_ATTRIBUTES = frozenset(("border", "class", "href", "rel", "scope", "start", "style", "title"))
_STYLES = ("text-align", "vertical-align", "opacity", "font-size")


def _check_element(tag: str, attributes: Attributes) -> None:
    assert tag in _TAGS, tag
    for name, value in attributes:
        assert name in _ATTRIBUTES, (tag, name)
        if name == "href":
            assert str(value).startswith(("http://", "https://", "mailto:")), value
        if name == "style":
            rules = [rule.partition(":")[0].strip() for rule in str(value).split(";") if rule.strip()]
            assert set(rules) <= set(_STYLES), value


def check_shown_html(html: str) -> None:
    """Check that HTML holds formatting, links to the web and nothing else."""
    check_text(html)
    check_html(html, _check_element)


def check_sent(value: Any) -> None:
    """Check that a kernel can send a message: JSON in UTF-8, and no number that is none."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def check_plain(text: str) -> None:
    """Check that plain text can be sent and has no control characters."""
    check_text(text)
    assert all(one.isprintable() or one in "\n\t " or ord(one) > 0x9F for one in text), ascii(text)
