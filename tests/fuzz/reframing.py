"""What a gateway may do to a stream without saying anything else: other framing, other ids, more events, other pieces."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from cometnb.protocol.events import ENDING, OPENING
from tests.protocol.mutations import MUTATIONS

__all__ = ["mutilated", "reframed", "rewritten"]

Events = list[dict[str, Any]]

_INDICES = ("output_index", "content_index", "summary_index")
_RESENT = frozenset(
    {
        "response.created",
        "response.in_progress",
        "response.output_text.done",
        "response.content_part.done",
        "response.reasoning_summary_text.done",
        "response.function_call_arguments.done",
        "response.output_item.done",
    }
)


def rewritten(events: Events, rng: random.Random) -> Events:
    """Return the events after a few harmless changes."""
    events = copy.deepcopy(events)
    for change in rng.sample(_CHANGES, rng.randint(0, 5)):
        events = change(events, rng)
    return events


def mutilated(events: Events, rng: random.Random) -> Events:
    """Return the events after one change that leaves something out, and some that no index or id depends on."""
    events = copy.deepcopy(events)
    for mutate in MUTATIONS[rng.choice(list(MUTATIONS))]:
        events = mutate(events)
    for change in rng.sample(_INDEPENDENT, rng.randint(0, 3)):
        events = change(events, rng)
    return events


def _unknown_between(events: Events, rng: random.Random) -> Events:
    strange = (
        {"type": "keepalive"},
        {"type": "response.metadata", "delta": "no text"},
        {"type": "x.y", "response": 1},
    )
    for _ in range(rng.randint(1, 6)):
        events.insert(rng.randint(0, len(events)), copy.deepcopy(rng.choice(strange)))
    return events


def _padding(events: Events, rng: random.Random) -> Events:
    return [event | {"obfuscation": "x" * rng.randint(0, 30), "vendor": {"a": [1, None]}} for event in events]


def _no_numbers(events: Events, rng: random.Random) -> Events:
    number = rng.choice((None, 0, -1, "7", 1.5))
    for event in events:
        event.pop("sequence_number", None)
        if number is not None:
            event["sequence_number"] = number
    return events


def _other_ids(events: Events, rng: random.Random) -> Events:
    for number, event in enumerate(events):
        if "item_id" in event:
            event["item_id"] = f"i_{number}"
        if isinstance(event.get("item"), dict):
            event["item"]["id"] = f"i_{number}_item"
    return events


def _other_indices(events: Events, rng: random.Random) -> Events:
    form: Callable[[int], Any] = rng.choice((float, str))
    for event in events:
        for name in _INDICES:
            if type(event.get(name)) is int:
                event[name] = form(event[name])
    return events


def _later_indices(events: Events, rng: random.Random) -> Events:
    for event in events:
        if type(event.get("output_index")) is int:
            event["output_index"] += 1
    return events


def _other_pieces(events: Events, rng: random.Random) -> Events:
    """Cut deltas of text in two, at any place."""
    found: Events = []
    for event in events:
        delta = event.get("delta")
        if (
            not isinstance(delta, str)
            or len(delta) < 2
            or not event["type"].endswith(".delta")
            or rng.random() < 0.5
        ):
            found.append(event)
            continue
        place = rng.randint(1, len(delta) - 1)
        found += [event | {"delta": delta[:place]}, event | {"delta": delta[place:]}]
    return found


def _joined_pieces(events: Events, rng: random.Random) -> Events:
    """Send deltas that follow each other as one."""
    found: Events = []
    for event in events:
        before = found[-1] if found else {}
        both = isinstance(event.get("delta"), str) and isinstance(before.get("delta"), str)
        places = ("type", *_INDICES, "item_id")
        if (
            both
            and event["type"].endswith(".delta")
            and all(before.get(name) == event.get(name) for name in places)
        ):
            found[-1] = event | {"delta": before["delta"] + event["delta"]}
        else:
            found.append(event)
    return found


def _empty_deltas(events: Events, rng: random.Random) -> Events:
    return [
        one for event in events for one in ([event | {"delta": ""}, event] if _is_delta(event) else [event])
    ]


def _is_delta(event: dict[str, Any]) -> bool:
    return event["type"].endswith(".delta") and isinstance(event.get("delta"), str)


def _no_opening(events: Events, rng: random.Random) -> Events:
    return [event for event in events if event["type"] not in OPENING]


def _sent_twice(events: Events, rng: random.Random) -> Events:
    return [copy.deepcopy(event) for event in events for _ in range(2 if event["type"] in _RESENT else 1)]


def _sparse_openings(events: Events, rng: random.Random) -> Events:
    for event in events:
        if event["type"] in OPENING and isinstance(event.get("response"), dict):
            told = event["response"]
            event["response"] = {name: told[name] for name in ("id", "model") if name in told}
    return events


def _after_the_end(events: Events, rng: random.Random) -> Events:
    if not events or events[-1]["type"] not in ENDING:
        return events  # a fragment of a stream has no end yet
    return [
        *events,
        {"type": "keepalive"},
        {"type": "response.output_text.delta", "delta": "too late", "output_index": 0},
    ]


_CHANGES: tuple[Callable[[Events, random.Random], Events], ...] = (
    _unknown_between,
    _padding,
    _no_numbers,
    _other_ids,
    _other_indices,
    _later_indices,
    _other_pieces,
    _joined_pieces,
    _empty_deltas,
    _no_opening,
    _sent_twice,
    _sparse_openings,
    _after_the_end,
)

_INDEPENDENT = (
    _unknown_between,
    _padding,
    _no_numbers,
    _other_pieces,
    _empty_deltas,
    _sparse_openings,
    _after_the_end,
)


def reframed(events: Events, rng: random.Random) -> bytes:
    """Return events as bytes, framed in one of the ways that mean the same."""
    end = rng.choice((b"\n", b"\n", b"\r\n", b"\r"))
    lines: list[bytes] = []
    is_named, is_spaced = rng.random() < 0.5, rng.random() < 0.7
    space = b" " if is_spaced else b""
    style = rng.choice(({}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": 1}))
    for event in events:
        if rng.random() < 0.1:
            lines += [b": comment", *([b""] if rng.random() < 0.5 else [])]
        if rng.random() < 0.1:
            lines += [b"id: 5", b"retry: 10", b"unknown: data: x"]
        name = b"event:" + space + event["type"].encode("utf-8", "surrogatepass")
        lines += [name] if is_named else []
        shuffled = dict(rng.sample(list(event.items()), len(event)))
        lines += [b"data:" + space + line for line in _text(shuffled, style).split(b"\n")]
        lines.append(b"")
    if rng.random() < 0.3:
        lines += [b"data: [DONE]", b""]
    whole = (b"\xef\xbb\xbf" if rng.random() < 0.1 else b"") + end.join(lines) + end
    return whole[: -len(end)] if rng.random() < 0.2 else whole


def _text(event: dict[str, Any], style: dict[str, Any]) -> bytes:
    try:
        return json.dumps(event, **style).encode()
    except UnicodeEncodeError:
        return json.dumps(event).encode()
