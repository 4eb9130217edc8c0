"""Tool calls, generated images and sources while an answer streams: a card each, as plain data without keys."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from cometnb.errors import masked
from cometnb.protocol.events import Event
from cometnb.protocol.slots import index_of
from cometnb.session.turn_stream import ASKED, CALLED, RETURNED
from cometnb.view.images import media_type_of
from cometnb.view.parts import item_parts, outcome

__all__ = ["Cards"]

_ITEM = frozenset({"response.output_item.added", "response.output_item.done"})
_IMAGE = "response.image_generation_call.partial_image"
_ANNOTATION = "response.output_text.annotation.added"
_LONGEST = 2000
_ALLOWED, _RUNS = "allowed", "running"
# Some services give the calls of every round the same ids; in a kernel no two questions have the same number.
_questions = itertools.count(1)


class Cards:
    """What stands beside an answer's text so far.

    Attributes
    ----------
    n_sources : int
        Different sources the text points to.
    """

    def __init__(self) -> None:
        self._by_place: dict[int, dict[str, str]] = {}
        self._places: dict[str, int] = {}
        self._sources: dict[str, str] = {}

    @property
    def n_sources(self) -> int:
        """Different sources the text points to."""
        return len(self._sources)

    def take(self, events: Sequence[Event]) -> bool:
        """Take what has come; True if a card was added or changed."""
        return sum(self._take(event) for event in events) > 0

    def shown(self) -> list[dict[str, str]]:
        """Return the cards: ``title``, and ``text`` or ``image`` (a data URL), without keys; to be shown as text or image.

        A call's card says under ``result`` what came of it. While a person is asked it holds the question's number, a
        colon and the call's id under ``asks``.
        """
        cards = [self._by_place[place] for place in sorted(self._by_place)]
        if self._sources:
            cards.append({"title": "Sources", "text": "\n".join(self._sources.values())})
        return cards

    def end(self) -> bool:
        """Let nothing wait any more, as the call has ended; True if a card was changed."""
        waiting = [
            card
            for card in self._by_place.values()
            if "asks" in card or card.get("result") in (_ALLOWED, _RUNS)
        ]
        for card in waiting:
            card.pop("asks", None)
            card["result"] = "no result"
        return bool(waiting)

    def _take(self, event: Event) -> bool:
        raw = event.raw
        place = index_of(raw, "output_index") or 0
        if event.type in _ITEM and isinstance(raw.get("item"), dict):
            return self._take_item(raw["item"], place)
        if event.type == _IMAGE:
            return self._take_image(raw.get("partial_image_b64"), raw.get("output_format"), place)
        if event.type in (ASKED, CALLED, RETURNED):
            return self._take_call(event)
        annotation = raw.get("annotation") if event.type == _ANNOTATION else None
        if isinstance(annotation, dict):
            target = str(annotation.get("url") or annotation.get("file_id") or "")
            self._sources[target] = _shown(f"{annotation.get('title') or ''} {target}".strip())
            return True
        return False

    def _take_item(self, item: dict[str, Any], place: int) -> bool:
        if item.get("type") == "image_generation_call" and item.get("result"):
            return self._take_image(item["result"], item.get("output_format"), place)
        for part in item_parts(item):
            if part.kind == "call":
                self._by_place[place] = {"title": _shown(part.title), "text": _shown(part.text)}
                self._places[str(item.get("call_id") or "")] = place
                return True
        return False

    def _take_call(self, event: Event) -> bool:
        """Say on a call's card that a person is asked, that it runs, or what it returned."""
        raw = event.raw
        card = self._by_place.get(self._places.get(str(raw["call_id"]), -1))
        if card is None:
            return False
        card.pop("asks", None)
        if event.type == ASKED:
            # One question is open at a time: what was asked before was allowed, and runs when all have been asked.
            self._allow_open()
            card["asks"] = f"{next(_questions)}:{raw['call_id']}"
        elif event.type == CALLED:
            card["result"] = _RUNS
        else:
            title, text = outcome(raw["output"], raw["duration_s"], is_error=raw["is_error"])
            card["result"] = f"{title}: {_shown(text)}" if text else title
        return True

    def _allow_open(self) -> None:
        for card in self._by_place.values():
            if card.pop("asks", None) is not None:
                card["result"] = _ALLOWED

    def _take_image(self, data: Any, form: Any, place: int) -> bool:
        media_type = media_type_of(data, form)
        if media_type is None:
            return False
        self._by_place[place] = {"title": "image", "image": f"data:{media_type};base64,{data}"}
        return True


def _shown(text: str) -> str:
    # Whole, before it is shortened: half a key would not be known for one.
    return masked(text)[:_LONGEST]
