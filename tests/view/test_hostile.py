"""Answers that try to act, as other readers of a saved notebook render them: nbconvert, GitHub, VS Code."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from nbconvert.filters import markdown2html

from cometnb.view.html import block_html
from cometnb.view.neutral import neutral_markdown, plain_markdown
from tests.browser.hostile import TRIES

_TAGS = {
    "a",
    "blockquote",
    "br",
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
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
_ATTRIBUTES = {"align", "class", "href", "id", "rel", "start", "style", "title"}
_STYLES = re.compile(r"text-align: ?\w+;?")
_LEADS = re.compile(r"https?://|mailto:|#")
_ACTS = re.compile(r"\\(href|style|class|cssId|unicode|require|mmlToken|includegraphics)(?![A-Za-z])")


class _Look(HTMLParser):
    """Collects what could act, and the text outside code, in which a page looks for formulas."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.harm: list[str] = []
        self.prose = ""
        self._in_code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_code += tag in ("code", "pre")
        is_harmful = tag not in _TAGS or any(
            name not in _ATTRIBUTES
            or (name == "href" and not _LEADS.match(value or ""))
            or (name == "style" and not _STYLES.fullmatch(value or ""))
            for name, value in attrs
        )
        if is_harmful:
            self.harm.append(str(self.get_starttag_text()))

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        self.prose += "" if self._in_code else data


def _trusting(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


@pytest.mark.parametrize("prepared", [neutral_markdown, plain_markdown])
@pytest.mark.parametrize("reader", [markdown2html, _trusting], ids=["nbconvert", "markdown-it"])
def test_a_saved_answer_does_nothing(reader: Callable[[str], str], prepared: Callable[[str], str]) -> None:
    """No reader makes more of it than formatting, links to http(s) and formulas that do not act."""
    for text in TRIES:
        look = _Look(str(reader(prepared(text))))
        assert look.harm == [], text
        assert not _ACTS.search(look.prose), text


def test_the_live_view_s_html_does_nothing() -> None:
    """It is made of formatting and links to http(s) alone, while it grows and at its end."""
    for text in TRIES:
        assert _Look(block_html(text)).harm == [], text
        assert _Look(block_html(text, is_open=True)).harm == [], text
