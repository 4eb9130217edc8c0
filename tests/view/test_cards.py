"""Tool calls, images and sources as cards."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cometnb.protocol.events import Event
from cometnb.session.permit import REFUSED
from cometnb.session.turn_stream import ASKED, CALLED, RETURNED
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


_CALL = {"type": "function_call", "name": "f", "call_id": "a", "arguments": "{}"}


def _told(kind: str, call_id: str = "a", **raw: Any) -> Event:
    return Event(kind, {"name": "f", "call_id": call_id, "arguments": "{}", **raw})


def _returned(output: Any, *, is_error: bool = False) -> Event:
    return _told(RETURNED, output=output, is_error=is_error, duration_s=0.0123)


def _asks(card: dict[str, str]) -> str | None:
    return card["asks"].partition(":")[2] if "asks" in card else None


def test_a_card_asks_runs_and_returns() -> None:
    """One after the other; only a question has the call's id for its buttons, and a number of its own."""
    cards = Cards()
    cards.take([_item(_CALL)])
    seen = []
    for event in (_told(ASKED), _told(CALLED), _returned("42")):
        assert cards.take([event])
        (card,) = cards.shown()
        seen.append((_asks(card), card.get("result")))
    assert seen == [("a", None), (None, "running"), (None, "result, 12 ms: 42")]
    cards.take([_told(ASKED)])
    first = cards.shown()[0]["asks"]
    cards.take([_told(ASKED)])
    assert cards.shown()[0]["asks"] != first


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (_returned("Error: KeyError: 'x'", is_error=True), "error, 12 ms: Error: KeyError: 'x'"),
        (_returned(REFUSED, is_error=True), "refused"),
        (
            _returned([{"type": "input_text", "text": "a"}, {"type": "input_image"}]),
            "result, 12 ms: a [input_image]",
        ),
        (_returned("<b>\x00" + "x" * 5000), "result, 12 ms: <b>\x00" + "x" * 1996),
    ],
)
def test_what_came_of_a_call(event: Event, result: str) -> None:
    """As text, however long and whatever is in it; a refusal in one word, as its other words are for the model."""
    cards = Cards()
    cards.take([_item(_CALL), event])
    assert cards.shown()[0]["result"] == result


def test_each_call_has_its_own_card() -> None:
    """By its id; a call without a card changes nothing."""
    cards = Cards()
    cards.take([_item(_CALL), _item({**_CALL, "call_id": "b"}, place=1)])
    assert cards.take([_told(ASKED, "b")])
    assert not cards.take([_told(ASKED, "c")])
    assert [_asks(card) for card in cards.shown()] == [None, "b"]


def test_one_question_is_open_at_a_time() -> None:
    """A call that was allowed waits for the answers about the others."""
    cards = Cards()
    cards.take([_item({**_CALL, "call_id": name}, place=place) for place, name in enumerate("abc")])
    cards.take([_told(ASKED, "a"), _returned(REFUSED, is_error=True), _told(ASKED, "b"), _told(ASKED, "c")])
    assert [(_asks(card), card.get("result")) for card in cards.shown()] == [
        (None, "refused"),
        (None, "allowed"),
        ("c", None),
    ]


def test_at_the_end_no_card_waits() -> None:
    """A page that asks later is shown no buttons that nobody reads."""
    cards = Cards()
    cards.take([_item({**_CALL, "call_id": name}, place=place) for place, name in enumerate("abc")])
    cards.take([_told(ASKED), _told(CALLED, "b"), Event(RETURNED, {**_returned("1").raw, "call_id": "c"})])
    assert cards.end()
    assert [card.get("asks") for card in cards.shown()] == [None] * 3
    assert [card["result"] for card in cards.shown()] == ["no result", "no result", "result, 12 ms: 1"]
    assert not cards.end()


@pytest.mark.parametrize("n_before", [0, 1980])
def test_no_card_holds_a_key(n_before: int) -> None:
    """Not in a call's name or arguments, in what came of it or in a source; half of one, where it is cut, neither."""
    key = "x" * n_before + " sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
    source = {"type": "url_citation", "url": f"https://a.b/?k={key}", "title": key}
    cards = Cards()
    cards.take([_item({**_CALL, "name": key, "arguments": key}), _returned(f"{key}")])
    cards.take([_event("response.output_text.annotation.added", annotation=source)])
    shown = str(cards.shown())
    assert "Canary" not in shown
    assert shown.count("sk-***") >= (5 if not n_before else 1)
