"""Tool calls, images and sources as cards."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cometnb.protocol.events import Event
from cometnb.view.cards import Cards

_PNG = base64.b64encode(b"\x89PNG not really").decode()


def _event(kind: str, **raw: Any) -> Event:
    return Event(kind, {"type": kind, **raw})


def _item(item: dict[str, Any], moment: str = "done", place: int = 0) -> Event:
    return _event(f"response.output_item.{moment}", item=item, output_index=place)


def test_a_call_is_a_card_that_fills() -> None:
    """Announced without arguments, then with them: one card."""
    cards = Cards()
    assert cards.take([_item({"type": "function_call", "name": "f", "arguments": ""}, "added")])
    assert cards.take([_item({"type": "function_call", "name": "f", "arguments": '{"x": 1}'})])
    assert cards.shown() == [{"title": "f", "text": '{"x": 1}'}]


def test_cards_are_in_the_order_of_the_items() -> None:
    """Not in the order in which they came."""
    cards = Cards()
    cards.take([_item({"type": "web_search_call", "status": "completed"}, place=2)])
    cards.take([_item({"type": "mcp_call", "name": "m", "arguments": "{}"}, place=1)])
    assert [card["title"] for card in cards.shown()] == ["m", "web_search"]


def test_an_image_grows() -> None:
    """A partial image is replaced by the next, and by the result."""
    cards = Cards()
    cards.take(
        [_event("response.image_generation_call.partial_image", partial_image_b64="AAAA", output_index=0)]
    )
    assert cards.shown()[0]["image"] == "data:image/png;base64,AAAA"
    cards.take([_item({"type": "image_generation_call", "result": _PNG})])
    assert cards.shown() == [{"title": "image", "image": f"data:image/png;base64,{_PNG}"}]


@pytest.mark.parametrize(
    "raw",
    [
        {"partial_image_b64": "AAAA", "output_format": "svg"},
        {"partial_image_b64": 'AAAA" onload="x'},
        {"partial_image_b64": 5},
        {"partial_image_b64": "AAAA", "output_format": ["png"], "output_index": "x"},
    ],
)
def test_only_pictures_are_shown_as_pictures(raw: dict[str, Any]) -> None:
    """Nothing a browser could run, and nothing that leaves its attribute."""
    cards = Cards()
    cards.take([_event("response.image_generation_call.partial_image", **raw)])
    assert all(card["image"] == "data:image/png;base64,AAAA" for card in cards.shown())


def test_sources_are_listed_once() -> None:
    """Title and address, however often the text points there."""
    cards = Cards()
    source = {"type": "url_citation", "url": "https://a.b", "title": "A"}
    events = [_event("response.output_text.annotation.added", annotation=source)] * 2
    assert cards.take(events)
    assert cards.shown() == [{"title": "Sources", "text": "A https://a.b"}]
    assert cards.n_sources == 1


def test_text_makes_no_card() -> None:
    """Deltas and messages are shown elsewhere."""
    message = {"type": "message", "content": [{"type": "output_text", "text": "x"}]}
    assert not Cards().take([_event("response.output_text.delta", delta="x"), _item(message)])
