"""Whatever a service sent, a kernel can send it on to a front end."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.view import publish as door
from cometnb.view.sendable import sendable

_text = st.text(st.characters())
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=10,
)


@given(_json)
def test_any_json_becomes_json_in_utf8(value: Any) -> None:
    """And what was that already is handed on as it is."""
    shown = sendable(value)
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False)
    assert sendable(shown) is shown
    assert json.loads(text.encode()) == shown


def test_halves_of_characters_and_numbers_that_are_none_are_replaced() -> None:
    """At any depth, in names too; a pair of halves is a character."""
    sent = {"a\ud83d": ["\ud83d\ude00", nan, {"b": (-inf, 1)}]}
    assert sendable(sent) == {"a\ufffd": ["😀", None, {"b": [None, 1]}]}


def test_what_json_does_not_know_is_handed_on() -> None:
    """A widget's state may hold buffers beside the text that has to be mended."""
    assert sendable({"a": b"x", "b": "\ud83d"}) == {"a": b"x", "b": "\ufffd"}


def test_a_display_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its metadata, in which the usage stands as the service sent it."""
    sent: list[Any] = []
    monkeypatch.setattr(door, "publish_display_data", lambda *given, **_: sent.append(given))
    door.publish({"text/plain": "\ud83d"}, {"cometnb": {"usage": {"\ud83d": nan}}})
    assert sent == [({"text/plain": "\ufffd"}, {"cometnb": {"usage": {"\ufffd": None}}})]
