"""Two tellings of one object are merged so that neither loses what the other holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.fuller import agree, copied, fuller
from tests.protocol.streams import JSON

_TELLINGS = st.recursive(
    st.text("ab", max_size=4) | st.none() | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "arguments", "content", "id"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], str]:
    """Return every growing text with its path."""
    if isinstance(value, dict):
        return {
            key: text for name, inner in value.items() for key, text in _texts(inner, (*path, name)).items()
        }
    if isinstance(value, list):
        return {key: text for n, inner in enumerate(value) for key, text in _texts(inner, (*path, n)).items()}
    return {path: value} if isinstance(value, str) and path and path[-1] in ("text", "arguments") else {}


@given(early=_TELLINGS, late=_TELLINGS)
def test_no_text_of_the_early_telling_is_lost(early: Any, late: Any) -> None:
    """Every growing text is still there at its place, or a text at least as long is."""
    after = _texts(fuller({"content": early}, {"content": late}))
    for path, text in _texts({"content": early}).items():
        assert not text or len(after.get(path, "")) >= len(text)


@given(early=JSON, late=JSON)
def test_neither_telling_is_changed(early: Any, late: Any) -> None:
    """Merging gives a new value and leaves both as they were."""
    before = copy.deepcopy((early, late))
    fuller(early, late)
    assert (early, late) == before


@given(value=JSON)
def test_a_thing_told_twice_is_the_same_thing(value: Any) -> None:
    """Merging a telling with itself, or with nothing, changes nothing."""
    assert fuller(value, value) == value
    assert fuller(value, None) == value


@pytest.mark.parametrize(
    ("early", "late", "merged"),
    [
        ({"text": "Hello"}, {"text": "Hel"}, {"text": "Hello"}),
        ({"text": "Hel"}, {"text": "Hello"}, {"text": "Hello"}),
        ({"text": "Hello"}, {"text": ""}, {"text": "Hello"}),
        ({"text": "Hello"}, {"text": 5}, {"text": "Hello"}),
        ({"status": "in_progress"}, {"status": "done"}, {"status": "done"}),
        ({"id": "a"}, {"id": None}, {"id": "a"}),
        ({"id": None}, {"id": "a"}, {"id": "a"}),
        ({"content": [{"text": "a"}]}, {"content": []}, {"content": [{"text": "a"}]}),
        ({"content": [{"text": "a"}]}, {"content": 5}, {"content": [{"text": "a"}]}),
        ({"content": [{"text": "a"}]}, {"content": [5]}, {"content": [{"text": "a"}]}),
        ({"content": ["a"]}, {"content": ["a", "b"]}, {"content": ["a", "b"]}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"index": 3}, {"index": 0}, {"index": 0}),
        ({"done": True}, {"done": False}, {"done": False}),
        ({"commands": ["ls -la"]}, {"commands": ["ls"]}, {"commands": ["ls -la"]}),
    ],
)
def test_which_telling_wins(early: Any, late: Any, merged: Any) -> None:
    """The later one, unless it is empty, a shorter text, or of another kind than a text, object or list."""
    assert fuller(early, late) == merged


@given(value=JSON)
def test_a_copy_shares_nothing_that_can_change(value: Any) -> None:
    """Changing a copy at any depth leaves the original."""
    before = copy.deepcopy(value)
    copy_ = copied({"value": value})
    _spoil(copy_)
    assert value == before


def _spoil(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _spoil(inner)
        value["spoilt"] = 1
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoilt")


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        ({"text": "Hel"}, {"text": "Hello"}, True),
        ({"text": "Hello"}, {"text": "Hel"}, True),
        ({"text": "Hello"}, {"text": "Bye"}, False),
        ({"id": "a"}, {"id": "b"}, True),
        ({"call_id": "a"}, {"call_id": "b"}, False),
        ({"content": [{"text": "A"}]}, {"content": [{"text": "B"}]}, False),
        ({}, {"text": "B"}, True),
    ],
)
def test_two_tellings_agree_unless_a_text_or_call_id_contradicts(
    early: Any, late: Any, expected: bool
) -> None:
    """Ids may change on the wire; texts and call ids do not."""
    assert agree(early, late) is expected
