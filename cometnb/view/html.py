"""Markdown blocks as sanitised HTML, for the live view."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cometnb.errors import masked
from cometnb.protocol.response import whole_text
from cometnb.view.spans import math_at

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["block_html", "text_html"]

_TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "pre": {"class"},
    "span": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}

# Whether a bracket opens a link is asked of all the text behind it: beyond so many of them no link is looked for.
_MOST_BRACKETS = 3_000

# Colouring a very long block costs more than it shows.
_LONGEST_COLOURED = 20_000


def block_html(markdown: str, *, is_open: bool = False) -> str:
    """Return a piece of Markdown as HTML that holds formatting and http(s) links only, and no API key.

    Parameters
    ----------
    markdown : str
        What a model wrote.
    is_open : bool
        True while it still grows: code is not coloured yet, as it is sent again with every update.
    """
    import nh3

    has_links = markdown.count("[") <= _MOST_BRACKETS
    rendered = _renderer(is_open, has_links).render(masked(whole_text(markdown)))
    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        # Without these, nh3 would keep relative links, which lead into the Jupyter server.
        attribute_filter=_only_absolute,
    )


def text_html(text: str) -> str:
    """Return plain text as HTML that shows it as it is."""
    return html.escape(text)


def _only_absolute(tag: str, name: str, value: str) -> str | None:
    if name != "href" or value.startswith(("http://", "https://", "mailto:")):
        return value
    return None


@functools.cache
def _renderer(is_open: bool, has_links: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "highlight": None if is_open else _coloured})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "math", _math)
    parser.add_render_rule("math", _math_html)
    parser.add_render_rule("image", _image_html)
    return parser if has_links else parser.disable(["link", "image"])


def _math(state: StateInline, silent: bool) -> bool:
    """Keep maths whole: its underscores and asterisks are no emphasis."""
    if state.src[state.pos] not in "$\\":
        return False
    if state.env.get("text") != state.src:
        state.env["text"], state.env["unclosed_from"] = state.src, {}
    found = math_at(state.src, state.pos, state.env["unclosed_from"])
    if found is None or found[2] > state.posMax:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content = found[1]
    state.pos = found[2]
    return True


def _math_html(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, Any]
) -> str:
    return f'<span class="cometnb-math">{html.escape(tokens[index].content)}</span>'


def _image_html(
    renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Mapping[str, Any]
) -> str:
    """Link to an image instead of fetching it: its address may carry what the model was told."""
    source, words = str(tokens[index].attrGet("src") or ""), tokens[index].content or "image"
    return f'<a href="{html.escape(source)}">{html.escape(words)}</a>'


def _coloured(code: str, language: str, attributes: str) -> str:
    """Return code with Pygments' classes; empty for "show it plain"."""
    if not language or len(code) > _LONGEST_COLOURED:
        return ""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
