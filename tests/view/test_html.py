"""Blocks of the live view are formatting and http(s) links, whatever the model wrote."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.view.html import block_html
from tests.view.formatting import ELEMENTS
from tests.view.test_neutral import HOSTILE

_TAG = re.compile(r"<(/?)([a-z0-9]+)")


def _assert_harmless(html: str) -> None:
    assert {found.group(2) for found in _TAG.finditer(html)} <= ELEMENTS
    assert not re.search(r"<[^>]*\s(on\w+|style|srcdoc)\s*=", html)
    links = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in links)


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_is_only_formatting(text: str, is_open: bool) -> None:
    """No tag but formatting, no handler, no style, no link elsewhere."""
    _assert_harmless(block_html(text, is_open=is_open))


@given(st.text(alphabet="<>/`$\\[]()!ab \n#-|:\"'=&;", max_size=80))
def test_any_text_is_only_formatting(text: str) -> None:
    """Whatever marks are mixed."""
    _assert_harmless(block_html(text))


def test_maths_is_kept_whole() -> None:
    """Underscores in maths are no emphasis; all four ways of writing it are known."""
    html = block_html("$a_1 b_2$ \\(c_1 d_2\\) $$e$$ \\[f\\]")
    assert "<em>" not in html
    assert re.findall(r'<span class="cometnb-math">([^<]*)</span>', html) == ["a_1 b_2", "c_1 d_2", "e", "f"]


def test_code_is_coloured_when_it_is_finished() -> None:
    """An open block is sent again and again, so it stays plain."""
    code = "```python\nx = 1\n```"
    assert '<span class="n">x</span>' in block_html(code)
    assert "<span" not in block_html(code, is_open=True)


def test_an_image_is_a_link() -> None:
    """Its address may carry what the model was told, so it is not fetched."""
    html = block_html("![cat](https://a.b/c.png)")
    assert "<img" not in html
    assert 'href="https://a.b/c.png"' in html
    assert ">cat</a>" in html


def test_a_key_that_the_answer_repeats_is_masked() -> None:
    """The live view shows what is saved afterwards."""
    assert "<code>sk-***</code>" in block_html("Use `sk-canary-0123456789abcdef` then.")


@pytest.mark.parametrize("piece", ["[", "![", "\\", "\\(", "$", "`", "*", "<", "&#"])
def test_a_long_run_of_marks_is_read_once(piece: str) -> None:
    """What costs the square of its length would stop the kernel for minutes; a slow reading runs into the time limit."""
    assert block_html(piece * 200_000)


def test_a_formula_is_kept_whole_although_another_is_open() -> None:
    """A bracket in front makes the parser look ahead; what it finds open there says nothing of what stands before."""
    assert '<span class="cometnb-math">a_b_c</span>' in block_html("[ \\(a_b_c\\) and \\(d")


def test_half_of_a_character_is_shown_as_a_mark() -> None:
    """An answer may be cut in the middle of one."""
    assert block_html("a \ud83d b") == "<p>a \ufffd b</p>\n"
