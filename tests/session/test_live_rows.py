"""Rows while they are written: each once it is whole, and the same for any way the text comes."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.session.live_rows import LiveRows
from cometnb.session.structured import schema_of


@dataclasses.dataclass
class _Row:
    n: int
    word: str = "none"


_ROWS = [{"n": 1, "word": None}, {"n": 2, "word": '{[\\"'}, {"n": 3, "word": "é"}]
_TEXT = json.dumps({"rows": _ROWS})
_SCHEMA = schema_of(list[_Row])


def test_a_row_is_there_once_it_is_closed() -> None:
    """Checked, with its defaults, and with the schema's dtypes from the beginning."""
    live = LiveRows(_SCHEMA)
    assert live.frame().dtypes.astype(str).to_dict() == {"n": "Int64", "word": "string"}
    assert live.feed('{"rows": [{"n": 1, "word": null') == 0
    assert live.feed('}, {"n": 2') == 1
    assert live.rows == [{"n": 1, "word": "none"}]
    assert live.frame()["word"].tolist() == ["none"]
    assert not live.is_complete
    assert live.feed(', "word": "b"}]}') == 1
    assert live.is_complete


@given(st.lists(st.integers(0, len(_TEXT)), max_size=12).map(sorted))
def test_any_chunking_gives_the_same_rows(cuts: list[int]) -> None:
    """And what `feed` counts adds up to them."""
    live = LiveRows(_SCHEMA)
    edges = [0, *cuts, len(_TEXT)]
    counted = sum(live.feed(_TEXT[start:end]) for start, end in itertools.pairwise(edges))
    assert live.rows == [{"n": 1, "word": "none"}, *_ROWS[1:]]
    assert counted == 3
    assert live.frame().equals(_SCHEMA.frame(_SCHEMA.parse(_TEXT)))


@given(st.lists(st.integers(-50, 50) | st.none()), st.lists(st.integers(0, 90), max_size=9).map(sorted))
def test_lists_of_plain_values_grow_too(values: list[Any], cuts: list[int]) -> None:
    """Each value is there when the next begins, and all of them in the end; a number is never cut."""
    schema = schema_of(list[int | None])
    text = json.dumps({"rows": values})
    live = LiveRows(schema)
    edges = [0, *cuts, len(text)]
    for start, end in itertools.pairwise(edges):
        live.feed(text[start:end])
        assert live.rows == values[: len(live.rows)]
    assert live.rows == values


def test_rows_that_may_be_null_keep_their_places() -> None:
    """Nothing is left out between two objects."""
    live = LiveRows(schema_of(list[_Row | None]))
    live.feed('{"rows": [{"n": 1, "word": "a"}, null, {"n": 2, "word": "b"}]}')
    assert live.rows == [{"n": 1, "word": "a"}, None, {"n": 2, "word": "b"}]
    assert live.frame()["n"].isna().tolist() == [False, True, False]


def test_a_row_that_does_not_fit_is_shown_as_it_came() -> None:
    """What is wrong in it is missing in the frame; the whole answer is judged in the end."""
    live = LiveRows(_SCHEMA)
    live.feed('{"rows": [{"n": "many", "word": "a"}')
    assert live.rows == [{"n": "many", "word": "a"}]
    assert live.frame()["n"].isna().tolist() == [True]
    assert live.frame()["word"].tolist() == ["a"]


def test_a_check_that_fails_by_itself_ends_no_stream() -> None:
    """The answer goes on, and is judged in the end."""

    class _Checked(pydantic.BaseModel):
        n: int

        @pydantic.field_validator("n")
        @classmethod
        def divided(cls, value: int) -> int:
            return 1 // value

    live = LiveRows(schema_of(list[_Checked]))
    live.feed('{"rows": [{"n": 0}, {"n": 1}]}')
    assert live.rows == [{"n": 0}, {"n": 1}]


def test_without_rows_the_answer_is_the_one_row() -> None:
    """Once it is whole."""
    live = LiveRows(schema_of(_Row))
    assert live.feed('{"n": 1, ') == 0
    assert live.feed('"word": "a"}') == 1
    assert live.feed("  ") == 0
    assert live.rows == [{"n": 1, "word": "a"}]


@pytest.mark.parametrize("start", ["", "```json\n", "Here they are: "])
def test_what_stands_before_is_passed_over(start: str) -> None:
    """A fence or a sentence."""
    live = LiveRows(_SCHEMA)
    live.feed(start + _TEXT)
    assert len(live.rows) == 3


def test_a_bare_list_counts_as_the_rows() -> None:
    """Some services do not hold to a schema."""
    live = LiveRows(_SCHEMA)
    live.feed(json.dumps(_ROWS))
    assert [row["n"] for row in live.rows] == [1, 2, 3]
