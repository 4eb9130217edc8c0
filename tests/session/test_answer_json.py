"""The JSON in an answer's text, whatever stands around it and however far it came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.session.answer_json import json_in

_VALUE = {"rows": [{"n": 1}, {"n": 2}]}
_TEXT = json.dumps(_VALUE)


@pytest.mark.parametrize(
    "text",
    [
        _TEXT,
        f"\n {_TEXT}\n",
        f"```json\n{_TEXT}\n```",
        f"Here it is:\n```\n{_TEXT}\n```\nAnything else?",
        f"Here it is: {_TEXT} Bye.",
        f"As asked [1], here it is:\n{_TEXT}",
        f"As asked [in short]: {_TEXT}",
        _TEXT.replace("}]", "},]"),
    ],
)
def test_it_is_found(text: str) -> None:
    """In a fence, with words around it, with a comma too many."""
    found = json_in(text)
    assert found.is_whole
    assert found.value == _VALUE


@pytest.mark.parametrize(
    ("text", "is_all"), [(_TEXT, True), (f"```\n{_TEXT}\n```", True), (f"So: {_TEXT}", False)]
)
def test_it_says_whether_words_stand_around(text: str, is_all: bool) -> None:
    """A fence is no words."""
    assert json_in(text).is_all is is_all


@pytest.mark.parametrize("text", ["3", '"a"', "true", "null", " -1.5 "])
def test_json_need_not_be_an_object(text: str) -> None:
    """A number, text, true, false or null alone."""
    found = json_in(text)
    assert (found.is_whole, found.value) == (True, json.loads(text))


@pytest.mark.parametrize("before", ["", "```json\n", "Here:\n"])
def test_of_a_cut_one_the_whole_rows_are_there(before: str) -> None:
    """And no fault: it only ends too early."""
    found = json_in(before + _TEXT[:-8])
    assert (found.is_whole, found.fault) == (False, "")
    assert found.rows == [{"n": 1}]


def test_what_is_no_json_says_why() -> None:
    """The text if it has none, the place if it breaks."""
    assert json_in("Sorry, no.").fault == "it says 'Sorry, no.'"
    assert json_in("").fault == "it has no text"
    assert json_in('{"a": nothing}').fault == "'nothing}' where a value should be, at character 7"


def test_half_a_surrogate_pair_is_put_right() -> None:
    """So that the value can be encoded; whole pairs stay."""
    assert json_in(r'{"a": "\ud83d", "b": "\ud83d\ude00"}').value == {"a": "\ufffd", "b": "😀"}


def test_deep_nesting_is_read() -> None:
    """Deeper than Python's own reader goes."""
    assert json_in("[" * 100_000).is_whole is False


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_what_was_written_is_read(value: Any, ascii_only: bool, indent: int | None) -> None:
    """Any JSON, whichever way it is written."""
    found = json_in(json.dumps(value, ensure_ascii=ascii_only, indent=indent))
    assert found.is_whole
    assert found.value == value
