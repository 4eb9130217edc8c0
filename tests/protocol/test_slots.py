"""Which item an event belongs to, and how its texts grow."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.events import APPENDED, REPLACED
from cometnb.protocol.slots import Slot, Slots, best, index_of
from tests.protocol.streams import message

_TEXT = APPENDED["response.output_text.delta"]
_WHOLE = REPLACED["response.output_text.done"]


@pytest.mark.parametrize(
    ("value", "index"),
    [
        (0, 0),
        (7, 7),
        (10**30, 10**30),
        (2.0, 2),
        ("3", 3),
        (-1, None),
        (-1.0, None),
        (1.5, None),
        (float("nan"), None),
        (float("inf"), None),
        ("-1", None),
        ("²", None),
        ("9" * 5000, None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_what_counts_as_an_index(value: Any, index: int | None) -> None:
    """Whole numbers from 0, also as floats or digits; everything else is none."""
    assert index_of({"output_index": value}, "output_index") == index
    assert index_of({}, "output_index") is None


def test_a_text_is_a_buffer_until_somebody_asks() -> None:
    """Deltas are appended as they are and joined once, however often they came."""
    slot = Slot(message(), 0)
    buffer = slot.text(_TEXT, {"content_index": 0})
    for piece in "abc":
        buffer.append(piece)
    assert buffer == ["a", "b", "c"]
    assert slot.settled()["content"][0]["text"] == "abc"
    assert buffer == ["abc"]
    assert slot.text(_TEXT, {"content_index": 0}) is buffer


def test_a_part_starts_with_the_text_it_was_announced_with() -> None:
    """Deltas continue what an announcement already held."""
    slot = Slot(message("Hel"), 0)
    slot.text(_TEXT, {"content_index": 0}).append("lo")
    assert slot.settled()["content"][0]["text"] == "Hello"


def test_content_that_is_a_text_becomes_a_part() -> None:
    """A server that announces content as plain text loses none of it."""
    slot = Slot({"type": "message", "content": "Hel"}, 0)
    slot.text(_TEXT, {"content_index": 0}).append("lo")
    assert slot.settled()["content"] == [{"type": "output_text", "text": "Hello"}]


def test_a_whole_text_replaces_a_shorter_one_only() -> None:
    """More than was announced as the whole is never cut."""
    slot = Slot(message(), 0)
    slot.text(_TEXT, {"content_index": 0}).append("Hello")
    slot.replace(_WHOLE, {"content_index": 0}, "Hel")
    assert slot.settled()["content"][0]["text"] == "Hello"
    slot.replace(_WHOLE, {"content_index": 0}, "Hello!")
    assert slot.settled()["content"][0]["text"] == "Hello!"


def test_an_index_beyond_the_end_is_the_next_entry() -> None:
    """Servers that count from 1, or skip, make no gaps; the same index is the same entry again."""
    slot = Slot({"type": "message"}, 0)
    assert [slot.entry("content", index, "output_text") for index in (1, 5, 1, 5)] == [0, 1, 0, 1]


def test_settling_gives_a_copy() -> None:
    """What was read is not changed by what comes later."""
    slot = Slot(message("a"), 0)
    first = slot.settled()
    slot.text(_TEXT, {"content_index": 0}).append("b")
    assert first["content"][0]["text"] == "a"


def test_items_are_in_the_order_of_their_indices() -> None:
    """Where every item has an index of its own that is the order, else they stay as they came."""
    slots = Slots()
    for index in (2, 0, 1):
        slots.add({"type": "message", "id": index}, index)
    assert [item["id"] for item in slots.ordered()] == [0, 1, 2]
    slots.add({"type": "message", "id": "late"}, None)
    assert [item["id"] for item in slots.ordered()] == [2, 0, 1, "late"]


def test_the_best_of_several_items_is_the_one_whose_text_agrees() -> None:
    """A text that contradicts says that it is another item; the first stands in where none agrees."""
    slots = [Slot(message(text), None) for text in ("A", "B")]
    assert best(slots, message("Bee")) is slots[1]
    assert best(slots, message("C")) is slots[0]
    assert best([], message("C")) is None
