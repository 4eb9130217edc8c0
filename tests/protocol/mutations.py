"""What gateways do to a stream without taking away what the answer is known by."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["MUTATIONS"]

_Json = dict[str, Any]


def _without(*kinds: str) -> Callable[[list[_Json]], list[_Json]]:
    return lambda events: [event for event in events if event["type"] not in kinds]


def _each(change: Callable[[_Json, int], object]) -> Callable[[list[_Json]], list[_Json]]:
    def changed(events: list[_Json]) -> list[_Json]:
        for number, event in enumerate(events):
            change(event, number)
        return events

    return changed


def _renamed(event: _Json, number: int) -> None:
    """Give every id of an event a value of its own."""
    response, item = event.get("response"), event.get("item")
    if "item_id" in event:
        event["item_id"] = f"item_{number}"
    for owner in (response, item):
        if isinstance(owner, dict):
            owner["id"] = f"id_{number}"
    for place, told in enumerate((response or {}).get("output") or []):
        told["id"] = f"told_{number}_{place}"


def _moved(form: Callable[[Any], Any]) -> Callable[[_Json, int], None]:
    def move(event: _Json, number: int) -> None:
        for name in ("output_index", "content_index", "summary_index"):
            if isinstance(event.get(name), int):
                event[name] = form(event[name])

    return move


def _sparse(event: _Json, number: int) -> None:
    if isinstance(event.get("response"), dict):
        kept = ("id", "status", "model", "usage", "error")
        event["response"] = {name: event["response"][name] for name in kept if name in event["response"]}


def _unplaced(event: _Json, number: int) -> None:
    for name in ("output_index", "content_index", "summary_index", "sequence_number"):
        event.pop(name, None)


def _doubled(*kinds: str) -> Callable[[list[_Json]], list[_Json]]:
    return lambda events: [
        copy.deepcopy(event) for event in events for _ in range(2 if event["type"] in kinds else 1)
    ]


_ADDED, _DONE = "response.output_item.added", "response.output_item.done"
_PARTS_ADDED = ("response.content_part.added", "response.reasoning_summary_part.added")
_PARTS_DONE = ("response.content_part.done", "response.reasoning_summary_part.done")
_TEXTS_DONE = (
    "response.output_text.done",
    "response.function_call_arguments.done",
    "response.reasoning_summary_text.done",
)

MUTATIONS: dict[str, Sequence[Callable[[list[_Json]], list[_Json]]]] = {
    "no indices": [_each(_unplaced)],
    "no indices, other ids": [_each(_unplaced), _each(_renamed)],
    "no indices, nothing announced": [_each(_unplaced), _without(_ADDED, *_PARTS_ADDED)],
    "no indices, told twice": [
        _each(_unplaced),
        _doubled(_ADDED, _DONE, *_PARTS_ADDED, *_PARTS_DONE, *_TEXTS_DONE),
    ],
    "other ids": [_each(_renamed)],
    "every index 0": [_each(_moved(lambda index: 0))],
    "every index 0, other ids": [_each(_moved(lambda index: 0)), _each(_renamed)],
    "every index 0, nothing announced": [_each(_moved(lambda index: 0)), _without(_ADDED, *_PARTS_ADDED)],
    "indices from 1": [_each(_moved(lambda index: index + 1))],
    "indices as floats": [_each(_moved(float))],
    "indices as texts": [_each(_moved(str))],
    "nothing announced": [_without(_ADDED, *_PARTS_ADDED)],
    "nothing closed": [_without(_DONE, *_PARTS_DONE)],
    "no texts at the end": [_without(*_TEXTS_DONE)],
    "no deltas": [lambda events: [event for event in events if not event["type"].endswith(".delta")]],
    "no opening": [_without("response.created", "response.in_progress", "response.queued")],
    "sparse responses": [_each(_sparse)],
    "sparse responses, no indices, other ids": [_each(_sparse), _each(_unplaced), _each(_renamed)],
    "told twice": [_doubled(_ADDED, _DONE, *_PARTS_ADDED, *_PARTS_DONE, *_TEXTS_DONE)],
}
"""Each alone or together, in the order in which they are done."""
