"""Answers that try to act, as other readers of a saved notebook render them: nbconvert, GitHub, VS Code."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbconvert.exporters import MarkdownExporter
from nbconvert.filters import markdown2html

from cometnb.protocol.response import Response
from cometnb.view.html import block_html
from cometnb.view.mime import bundle
from cometnb.view.neutral import neutral_markdown, plain_markdown
from cometnb.view.spending import BudgetLeft, Figures, bundle_of
from tests.browser.hostile import TRIES
from tests.view.formatting import ELEMENTS

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
        is_harmful = tag not in ELEMENTS or any(
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


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _shown(text: str) -> dict[str, str]:
    """Return what is saved of an answer that says a text wherever it can."""
    content = [{"type": "output_text", "text": text}, {"type": "refusal", "refusal": text}]
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]},
        {"type": "function_call", "name": text, "arguments": text},
        {"type": "message", "content": content},
    ]
    return bundle(Response({"status": text, "model": text, "output": output}), notes=(text,))[0]


@pytest.fixture(scope="module")
def notebook() -> Any:
    """Every try, each in the output of a cell of its own."""
    cells = [
        nbformat.v4.new_code_cell(
            "ask()", outputs=[nbformat.v4.new_output("display_data", data=_shown(text))]
        )
        for text in TRIES
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize("reader", [markdown2html, _trusting], ids=["nbconvert", "markdown-it"])
def test_a_notebook_turned_into_markdown_does_nothing(notebook: Any, reader: Callable[[str], str]) -> None:
    """In one document no answer reaches into the next: every cell's source is still code, and nothing acts."""
    text, _ = MarkdownExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    look = _Look(str(reader(text)))
    assert look.harm == []
    assert not _ACTS.search(look.prose)
    assert "ask" not in look.prose
    assert not _CONTROL.search(text)


def test_nothing_that_is_saved_drives_a_terminal(notebook: Any) -> None:
    """Whichever of its forms a reader takes."""
    for cell in notebook.cells:
        for text in cell.outputs[0].data.values():
            assert not _CONTROL.search(text)


def test_the_table_s_words_open_no_formula_and_drive_no_terminal() -> None:
    """JupyterLab looks for formulas in what it shows, whoever wrote it; plain text may be printed."""
    hostile = "$0.25 left of the chat '\\(\\href{javascript:1}{x}\\)\x1b[2J'"
    bundle = bundle_of(Figures(budget=BudgetLeft(hostile, 0.5)))
    assert re.match(r'<table class="[^"]*\bmathjax_ignore tex2jax_ignore">', bundle["text/html"])
    assert "\\(" not in markdown2html(bundle["text/markdown"])
    assert "\x1b" not in bundle["text/plain"] + bundle["text/markdown"]
