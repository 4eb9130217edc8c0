"""The doctor's findings as text and as Markdown: complete, and harmless whatever a service said."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cometnb.session.doctor import Finding, as_markdown, as_text

_HOSTILE = (
    "<script>x</script> ![a](https://evil.example/p.png) [b](javascript:c) `d` | e\n\n# f $\\href{javascript:g}{h}$"
    " \\(i\\) \\begin{j} **k** https://evil.example <k@evil.example> \x1b[31m \u202e &lt;"
)


def _finding(fact: str) -> Finding:
    return Finding("stream", "degraded", fact, "Nothing.")


def test_text_has_a_line_for_the_fact_and_one_for_the_consequence() -> None:
    """Columns line up, whatever the subjects."""
    shown = as_text([_finding("It is buffered."), Finding("request id", "ok", "There.", "Quoted.")])
    assert shown.splitlines() == [
        "degraded  stream      It is buffered.",
        "                      -> Nothing.",
        "ok        request id  There.",
        "                      -> Quoted.",
    ]


def test_markdown_is_a_table() -> None:
    """A row for each finding; what is not ok stands out."""
    shown = as_markdown([_finding("It is buffered."), Finding("key", "ok", "There.", "Sent.")])
    assert shown.splitlines()[2:] == [
        "| **degraded** | stream | It is buffered. | Nothing. |",
        "| ok | key | There. | Sent. |",
    ]


def test_what_was_skipped_for_one_reason_is_told_once() -> None:
    """All of it is named, and what was skipped for another reason, or found, stands alone."""
    skipped = [Finding(name, "skipped", "It costs.", "Allow it.") for name in ("stream", "deletion")]
    alone = [Finding("key", "ok", "It costs.", "Allow it."), Finding("retrieval", "skipped", "Odd.", "None.")]
    assert as_text([alone[0], *skipped, alone[1]]).splitlines()[::2] == [
        "ok        key        It costs.",
        "skipped   2 others   It costs. Not known: stream, deletion.",
        "skipped   retrieval  Odd.",
    ]


def test_nothing_acts_in_the_markdown() -> None:
    """Tags, images, links, code, formulas and further rows become text."""
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(as_markdown([_finding(_HOSTILE)]))
    assert set(re.findall(r"<(\w+)", html)) == {"table", "thead", "tbody", "tr", "th", "td", "strong"}
    assert html.count("<strong>") == 1
    assert html.count("<tr>") == 2
    assert "$" not in html
    assert "\\" not in html


@given(st.text())
def test_a_row_has_four_cells_whatever_the_text(text: str) -> None:
    """Of nothing but text."""
    row = as_markdown([_finding(text)]).splitlines()
    assert len(row) == 3
    assert row[2].count("|") == 5
    assert not set(row[2].replace("**degraded**", "")) & set("<>`*[]$\\!")


@given(st.text())
def test_text_holds_nothing_a_terminal_acts_on(text: str) -> None:
    """No escape sequence, no line end, no turned writing direction."""
    lines = as_text([_finding(text)]).split("\n")
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_a_long_text_is_cut() -> None:
    """A page in an error message does not become a page here."""
    assert len(as_text([_finding("x" * 10_000)])) < 600


def test_nothing_found_is_nothing_shown() -> None:
    """An empty list has no lines, and a table with a head only."""
    assert as_text([]) == ""
    assert len(as_markdown([]).splitlines()) == 2
