"""JSON in pieces: the same end for any chunking, and at every moment what is certain."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.partial_json import PartialJSON

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
_ROOTS = st.lists(_VALUES, max_size=5) | st.dictionaries(st.text(max_size=5), _VALUES, max_size=5)


def _fed(*pieces: str) -> PartialJSON:
    partial = PartialJSON()
    for piece in pieces:
        partial.feed(piece)
    return partial


def _pieces(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


@given(_ROOTS, st.booleans(), st.lists(st.integers(0, 10_000), max_size=20))
def test_any_chunking_gives_the_value(root: Any, is_ascii: bool, cuts: list[int]) -> None:
    """Whatever the pieces, the end is what `json` reads."""
    text = json.dumps(root, ensure_ascii=is_ascii)
    partial = _fed(*_pieces(text, cuts))
    assert partial.is_complete
    assert partial.fault is None
    assert partial.value == json.loads(text)


@given(_ROOTS, st.integers(0, 10_000))
def test_looking_on_the_way_changes_nothing(root: Any, cut: int) -> None:
    """Reading the value after every character leaves the end as it is."""
    partial = PartialJSON()
    for letter in json.dumps(root):
        partial.feed(letter)
        json.dumps(partial.value)
    assert partial.value == root


@given(st.text(max_size=60), st.lists(st.integers(0, 100), max_size=8))
def test_any_text_at_all_is_survived(text: str, cuts: list[int]) -> None:
    """Nothing raises, and the outcome does not depend on the pieces."""
    whole, cut = _fed(text), _fed(*_pieces(text, cuts))
    assert (whole.is_complete, whole.fault) == (cut.is_complete, cut.fault)
    assert repr(whole.value) == repr(cut.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "op', {"a": "op"}),
        ('{"a": 12', {}),
        ('{"a": 12,', {"a": 12}),
        ('{"a": tru', {}),
        ('{"a": [1, {"b": nul', {"a": [1, {}]}),
        ('{"ke', {}),
        ('{"key"', {}),
        ('{"key":', {}),
        ('{"a": "\\u00e', {"a": ""}),
        ("[[1], [2", [[1], []]),
        ("no JSON yet", None),
        ('{"a": 1, "a": ', {"a": 1}),
    ],
)
def test_the_value_so_far_holds_what_is_certain(text: str, value: Any) -> None:
    """Open texts and containers stand as they are; what may still change is left out."""
    assert _fed(text).value == value


@pytest.mark.parametrize(
    "text",
    ['```json\n{"a": 1}\n```', 'Here it is: {"a": 1} - done.', '\ufeff {"a":1,}', '{"a": 1}{"a": 2}'],
)
def test_what_stands_around_it_is_passed_over(text: str) -> None:
    """A code fence, a sentence, a mark of byte order, a second object."""
    partial = _fed(*text)
    assert partial.value == {"a": 1}
    assert partial.is_complete


def test_rows_come_when_they_close() -> None:
    """Each object of the outermost array is a row, once and whole."""
    partial = _fed('{"title": "t", "people": [{"n": {"x": 1}},')
    assert partial.rows == [{"n": {"x": 1}}]
    partial.feed('{"n": 2')
    assert len(partial.rows) == 1
    partial.feed('}], "others": [{"n": 3}]}')
    assert partial.rows == [{"n": {"x": 1}}, {"n": 2}]
    assert _fed('[{"a": 1}, 2, {"b": [{"c": 3}]}').rows == [{"a": 1}, {"b": [{"c": 3}]}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a" 1}', "'1' where ':' should be, at character 6"),
        ("{a: 1}", "'a' where a key should be, at character 2"),
        ("[1 2]", "'2' where ',' or the end should be, at character 4"),
        ("[1}", "'}' where ']' should be, at character 3"),
        ("[" + "1" * 500 + "]", "a number that never ends, at character 2"),
        ("[nix]", "'nix]' where a value should be, at character 2"),
        ('["\\x41 no"]', "no escape, at character 3"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_kept(text: str, fault: str) -> None:
    """The fault says what and where, in whatever pieces it came; the value up to there stays."""
    for pieces in ([text], list(text)):
        partial = _fed(*pieces)
        assert fault in (partial.fault or "")
        assert not partial.is_complete
        assert isinstance(partial.value, dict | list)


def test_surrogate_pairs_are_joined_and_halves_replaced() -> None:
    """The text can be encoded, whatever was escaped in it."""
    assert _fed('["\\ud83d', '\\ude00"]').value == ["😀"]
    _fed('["\\ud83d"]').value[0].encode()


def test_a_long_text_in_small_pieces_is_one_text() -> None:
    """A hundred thousand pieces of one string are joined once."""
    partial = _fed('{"a": "', *(["xy"] * 100_000), '"}')
    assert partial.value == {"a": "xy" * 100_000}


def test_deep_nesting_ends_in_a_fault() -> None:
    """The value so far can be copied, compared and shown, which Python does by recursion."""
    partial = _fed("[" * 10_000)
    assert not partial.is_complete
    assert partial.fault == "more than 100 levels, at character 101"
    assert repr(copy.deepcopy(partial.value)) == "[" * 100 + "]" * 100
