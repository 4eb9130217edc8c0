"""What models write, made into HTML and Markdown: read back by a parser of HTML that is none of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from cometnb.errors import printable
from cometnb.protocol.response import Response
from cometnb.view.html import block_html, text_html
from cometnb.view.mime import bundle
from cometnb.view.neutral import block_parser, neutral_markdown, plain_markdown
from tests.fuzz.looking import check_text
from tests.fuzz.strict_html import Attributes, check_html
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of
from tests.view.formatting import ELEMENTS

__all__ = ["TARGETS", "answer_bundle", "model_html", "model_markdown"]

_LONGEST = 20_000
_ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "code": {"class"},
    "pre": {"class"},
    "span": {"class"},
    "ol": {"start"},
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

# A block of code in a list or a quote, all of it entities.
_OURS = re.compile(r"</?(?:pre|code)>")


def _check_element(tag: str, attributes: Attributes) -> None:
    assert tag in ELEMENTS, tag
    for name, value in attributes:
        assert name in _ATTRIBUTES.get(tag, ()), (tag, name)
        if name == "href":
            assert urlsplit((value or "").split("[")[0]).scheme in ("http", "https", "mailto"), value


def model_html(data: bytes) -> None:
    """Render Markdown for the live view: allowed elements and links only, and no key."""
    text = text_of(data)[:_LONGEST]
    for is_open in (False, True):
        html = block_html(text, is_open=is_open)
        html.encode()
        check_html(html, _check_element)
        assert "sk-a8Bd93jkLs02mNq7" not in html
    assert "<" not in text_html(text)


def model_markdown(data: bytes) -> None:
    """Neutralise Markdown: no raw HTML outside code, no image, no link but to the web; harmless again when read again."""
    text = text_of(data)[:_LONGEST]
    _check_markdown(neutral_markdown(text))
    shown = plain_markdown(text)
    assert "\n" not in shown
    assert "<" not in shown
    _check_markdown(shown)


def _check_markdown(markdown: str) -> None:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for token in reader.parse(markdown):
        for inner in [token, *(token.children or ())]:
            assert inner.type != "image", inner.content
            assert inner.type != "html_block" or "<" not in _OURS.sub("", inner.content), inner.content
            if inner.type == "html_inline":
                assert _OURS.fullmatch(inner.content), inner.content
            if inner.type == "link_open":
                assert str(inner.attrGet("href")).lower().startswith(("http://", "https://", "mailto:"))
    assert block_parser() is not None


def answer_bundle(data: bytes) -> None:
    """Show an answer whose every field holds the text: names, ids, tools, errors and sources are as harmless as it."""
    text = text_of(data)[:2_000]
    fields = {"id": text, "model": text, "service_tier": text, "status": "incomplete"}
    reason = {"incomplete_details": {"reason": text}, "error": {"message": text, "code": text}}
    source = {"type": "url_citation", "url": text, "title": text, "start_index": 0, "end_index": 1}
    output = [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "x", "annotations": [source]}],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": text}]},
        {"type": "function_call", "name": text, "arguments": text, "call_id": text},
        {"type": "function_call_output", "call_id": text, "output": text},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]},
        {"type": text},
    ]
    for status in ("completed", "failed", "incomplete", text):
        response = Response({**fields, **reason, "output": output}, status=status or None)
        shown, _ = bundle(response, notes=(text,))
        check_text(shown["text/plain"])
        assert not _CONTROL.search(shown["text/plain"])
        for block in shown["text/markdown"].split("\n\n"):
            check_text(block)
        _check_markdown(shown["text/markdown"])
    assert not _CONTROL.search(printable(text))


def _seeds() -> Iterator[bytes]:
    yield (
        b'# T\n\nText **b** `code` $x_1$ [l](https://a.b "t") ![i](https://e.v/?q=1) <img src=x onerror=alert(1)>\n\n'
        b"| a | b |\n|---|---|\n| `x|y` | <b> |\n\n> - q\n>   ```html\n>   <script>alert(1)</script>\n>   ```\n\n1. o\n"
    )
    yield b"[a](javascript:alert(1)) [b]: data:text/html,x\n\n[b] <https://a.b> <javascript:x> [c](//e.v) [d](/files/x)"
    yield b"```mermaid\ngraph <b>\n```\n\n    <i>indented</i>\n\n~~~\n```\n<u>\n~~~\n\\(\\href{javascript:x}{y}\\) $$\\url{x}$$"
    yield b"<svg/onload=x> <!-- c --> <?php ?> <![CDATA[x]]> &lt;b&gt; &#60;i> &#x5c;href sk-a8Bd93jkLs02mNq7Zx <!DOCTYPE x>"
    yield "\u202eabc\u2028<\u00adscript> \x1b[31m <a href='x' style=\"a\">\\![x](y)\n\n***\n===\n- [ ] t\n\t<b>".encode()


_TOKENS = (
    b"<", b">", b"![", b"](", b"]:", b"`", b"```\n", b"~~~", b"$", b"$$", b"\\", b"|", b"\n> ", b"\n- ", b"\n    ", b"&#60;",
    b"&lt;", b"<script>", b"<img src=x onerror=y>", b"javascript:", b"[a]: ", b"\\href{", b"<!--", b"-->", b"https://a.b", b"*",
    b"data:text/html,x", b"<a href=\"", b"\n\n", b"\t", b"<code>", b"</code>", b"</pre>", b"|---|\n", b"\\(", b"\\]",
)  # fmt: skip

TARGETS = (
    Target("model_html", model_html, _seeds, tokens=_TOKENS, n_tested=250),
    Target("model_markdown", model_markdown, _seeds, tokens=_TOKENS, n_tested=250),
    Target("answer_bundle", answer_bundle, _seeds, tokens=_TOKENS, n_tested=40),
)
