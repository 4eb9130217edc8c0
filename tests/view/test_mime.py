"""Parts lowered to Markdown, plain text and metadata."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.response import Response
from cometnb.view.mime import bundle, printable

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_items = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "reasoning", "function_call", "web_search_call", "odd"])},
    optional=dict.fromkeys(("content", "summary", "arguments", "name", "action", "status"), _json),
)


def _shown(text: str, **part: Any) -> dict[str, str]:
    content = [{"type": "output_text", "text": text, **part}]
    return bundle(Response({"status": "completed", "output": [{"type": "message", "content": content}]}))[0]


def test_markdown_is_neutral_and_plain_is_as_written() -> None:
    """The Markdown cannot act, the plain text is what the model wrote."""
    shown = _shown("a <b> c")
    assert shown["text/markdown"].startswith("a &lt;b> c")
    assert shown["text/plain"].startswith("a <b> c")


def test_plain_text_cannot_drive_a_terminal() -> None:
    """Escape sequences and direction marks are dropped; lines and tabs stay."""
    assert printable("a\x1b[31mb\x07\u202ec\td\r\ne\n") == "a[31mbc\td\ne\n"


def test_a_source_links_to_http_only() -> None:
    """Another address is shown as text."""
    good = {"type": "url_citation", "url": "https://a.b/c", "title": "T]("}
    bad = {"type": "url_citation", "url": "javascript:alert(1)", "title": "Click"}
    shown = _shown("x", annotations=[good, bad])["text/markdown"]
    assert "- [T\\](](https://a.b/c)" in shown
    assert "](javascript" not in shown


def test_a_title_cannot_break_out_of_its_line() -> None:
    """Names and titles are a model's words, too."""
    output = [{"type": "function_call", "name": "f`<script>\n\n# x", "arguments": "`<img src=x>`" * 100}]
    shown = bundle(Response({"status": "completed", "output": output}))[0]["text/markdown"]
    assert "<script" not in shown
    assert "<img" not in shown
    assert "more characters" in shown


@given(st.lists(_items, max_size=4), _json, _json)
def test_any_response_can_be_shown(output: list[Any], usage: Any, error: Any) -> None:
    """No body makes showing it raise."""
    raw = {"output": output, "usage": usage, "error": error}
    data, metadata = bundle(Response(raw))
    assert set(data) == {"text/markdown", "text/plain"}
    assert metadata["cometnb"]["status"]
