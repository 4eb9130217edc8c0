"""Folding: events into the response so far.

Rules, each of which some server on the wire makes necessary:
an event belongs to the item at its ``output_index``, never to an id; without an index, to the item of its id or else
the latest open one of the right type; texts are buffers that are joined on demand; items and parts nobody announced are made; a terminal
event's body is merged with what was streamed and the fuller telling wins; what it leaves out is kept; what no rule
knows is kept and counted. No JSON object makes folding raise, except in strict mode.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from cometnb.errors import ProtocolError
from cometnb.protocol.events import (
    APPENDED,
    ENDING,
    KEPT,
    OPENING,
    PART_EVENTS,
    REPLACED,
    STATUS_EVENTS,
    Event,
    Target,
)
from cometnb.protocol.failure import error_details
from cometnb.protocol.fuller import copied, fuller
from cometnb.protocol.response import TERMINAL_STATUSES
from cometnb.protocol.slots import Slots, best, index_of

__all__ = ["Fold"]

# Unknown events are kept whole up to this many; beyond it they are only counted.
_KEPT_UNKNOWN = 1000

# Places of deltas remembered at once; only a server that changes an item's id with every event has more.
_MOST_HOT = 256


class Fold:
    """The response so far.

    Parameters
    ----------
    strict : bool
        Raise on what a tolerant reader settles; for people who build gateways.
    so_far : Mapping, optional
        The response object that earlier events came to; those to come go on with it.

    Attributes
    ----------
    status : str or None
        The status once a terminal event has come, else None.
    is_over : bool
        True once the stream can be left. An error event alone does not end it: a failed response often follows,
        and says more.
    error : dict or None
        What an error event or a failed response said (``message``, ``code``, …).
    has_output : bool
        True once any delta has come.
    n_events : int
        All events, unknown ones included.
    unknown : Counter of str
        Event types that no rule knows.
    unknown_events : list of Event
        The first 1,000 of them.
    oddities : Counter of str
        What was settled tolerantly, in words.

    Raises
    ------
    ProtocolError
        From `apply`, in strict mode only.
    """

    def __init__(self, *, strict: bool = False, so_far: Mapping[str, Any] | None = None) -> None:
        self.strict = strict
        self.status: str | None = None
        self.is_over = False
        self.error: dict[str, Any] | None = None
        self.has_output = False
        self.n_events = 0
        self.unknown: Counter[str] = Counter()
        self.unknown_events: list[Event] = []
        self.oddities: Counter[str] = Counter()
        self._head: dict[str, Any] = {}
        self._slots = Slots()
        self._heard: dict[str, list[str]] = {}
        self._sequence: int | None = None
        # Where the deltas of one type, item and part go; forgotten whenever items or parts change.
        self._hot: dict[tuple[Any, ...], Callable[[str], None]] = {}
        if so_far is not None:
            self._learn({**so_far, "output": None})
            self._slots.take_over(so_far.get("output"))

    def apply(self, event: Event) -> None:
        """Take one event."""
        self.n_events += 1
        raw, kind = event.raw, event.type
        # Nearly all events are deltas to a place already known: they end here.
        if kind in APPENDED:
            try:
                append, delta = self._hot[_place(kind, APPENDED[kind], raw)], raw.get("delta")
            except (KeyError, TypeError):
                delta = None
            if type(delta) is str:
                append(delta)
                return
        if self.strict:
            self._check_sequence(raw)
        if self.status is not None and kind not in KEPT and (self.is_over or kind not in ENDING):
            self._odd(f"{kind} after the terminal event")
        # An error event is terminal, but what comes after it all the same is not lost.
        if not self.is_over:
            self._dispatch(event)

    def raw(self) -> dict[str, Any]:
        """Return the response object so far, as JSON; a copy."""
        raw: dict[str, Any] = copied(self._head)
        # What an opening event told of the output counts only as long as nothing else does.
        told = raw.get("output")
        raw["output"] = self._slots.ordered() or (told if isinstance(told, list) else [])
        if self._heard:
            heard = {name: "".join(pieces) for name, pieces in self._heard.items()}
            raw["audio"] = fuller(heard, raw.get("audio"))
        return raw

    def _dispatch(self, event: Event) -> None:
        kind, raw = event.type, event.raw
        if kind in APPENDED:
            self._append(event, APPENDED[kind])
            return
        self._hot.clear()
        if kind in REPLACED:
            self._replace(raw, REPLACED[kind])
        elif kind in PART_EVENTS:
            self._part(raw, *PART_EVENTS[kind], opens=kind.endswith(".added"))
        elif kind in STATUS_EVENTS:
            item_kind, status = STATUS_EVENTS[kind]
            self._slots.of(item_kind, raw).item["status"] = status
        elif kind in OPENING:
            self._open(raw)
        elif kind in ENDING:
            self._end(kind, raw)
        elif kind in _SINGLE:
            _SINGLE[kind](self, raw)
        elif kind not in KEPT:
            self._keep(event)

    def _append(self, event: Event, target: Target) -> None:
        raw = event.raw
        delta = raw.get(target.field)
        if not isinstance(delta, str):
            self._odd(f"{event.type} whose delta is {type(delta).__name__}")
            return
        self.has_output = True
        n_items = len(self._slots.all)
        buffer = self._slots.for_text(target, raw).text(target, raw)
        buffer.append(delta)
        if len(self._slots.all) != n_items or len(self._hot) > _MOST_HOT:
            self._hot.clear()
        place = _place(event.type, target, raw)
        if not self.strict and all(isinstance(part, int | str | None) for part in place):
            self._hot[place] = buffer.append

    def _replace(self, raw: dict[str, Any], target: Target) -> None:
        text = raw.get(target.field)
        if isinstance(text, str):
            self.has_output = self.has_output or bool(text)
            self._slots.for_text(target, raw, text).replace(target, raw, text)

    def _part(self, raw: dict[str, Any], item_kind: str, name: str, index_field: str, *, opens: bool) -> None:
        part = raw.get("part")
        if not isinstance(part, dict):
            self._odd(f"a {name} part that is {type(part).__name__}")
            return
        part_kind = str(part.get("type", ""))
        if not item_kind:
            item_kind = "reasoning" if part_kind == "reasoning_text" else "message"
        slot = self._slots.of(item_kind, raw, name, opens=opens)
        position = slot.entry(name, index_of(raw, index_field), part_kind, opens=opens)
        slot.merge({name: [*[{}] * position, part]})
        if not opens:
            slot.close(name, position)

    def _item_added(self, raw: dict[str, Any]) -> None:
        item = raw.get("item")
        if isinstance(item, dict):
            self._slots.add(item, index_of(raw, "output_index"))
        else:
            self._odd(f"an output item that is {type(item).__name__}")

    def _item_done(self, raw: dict[str, Any]) -> None:
        item = raw.get("item")
        if isinstance(item, dict):
            self._slots.done(item, index_of(raw, "output_index"))
        else:
            self._odd(f"an output item that is {type(item).__name__}")

    def _annotation(self, raw: dict[str, Any]) -> None:
        slot = self._slots.of("message", raw)
        position = slot.entry("content", index_of(raw, "content_index"), "output_text")
        part = slot.item["content"][position]
        annotations = part.get("annotations")
        if not isinstance(annotations, list):
            annotations = part["annotations"] = []
        if isinstance(raw.get("annotation"), dict):
            annotations.append(raw["annotation"])

    def _shell_output(self, raw: dict[str, Any]) -> None:
        slot = self._slots.of("shell_call_output", raw)
        if isinstance(raw.get("output"), list):
            slot.merge({"output": raw["output"]})
            return
        delta = raw.get("delta")
        position = slot.entry("output", index_of(raw, "command_index") or 0)
        for name in ("stdout", "stderr"):
            more = delta.get(name) if isinstance(delta, dict) else None
            if isinstance(more, str):
                slot.buffer(("output", position, name)).append(more)

    def _audio(self, raw: dict[str, Any], name: str) -> None:
        delta = raw.get("delta")
        if isinstance(delta, str):
            self.has_output = True
            self._heard.setdefault(name, []).append(delta)

    def _failed_by_event(self, raw: dict[str, Any]) -> None:
        self.error = error_details(raw)
        self.status = "failed"

    def _open(self, raw: dict[str, Any]) -> None:
        response = raw.get("response")
        if isinstance(response, dict):
            self._learn(response)
        else:
            self._odd("an opening event without its response object")

    def _end(self, kind: str, raw: dict[str, Any]) -> None:
        response = raw.get("response")
        if not isinstance(response, dict):
            self._odd("a terminal event without its response object")
            response = {}
        self.is_over = True
        self._learn(response)
        self._merge_output(response.get("output"))
        said = response.get("status")
        status = said if isinstance(said, str) and said in TERMINAL_STATUSES else ENDING[kind]
        if status == "completed" and (self.status or ENDING[kind]) != "completed":
            status = self.status or ENDING[kind]
        self.status = self._head["status"] = status
        teller = response if response.get("error") else raw
        if teller.get("error"):
            self.error = error_details(teller)

    def _learn(self, response: Mapping[str, Any]) -> None:
        """Lay a response object over what is known; null and an empty output erase nothing."""
        for name, value in response.items():
            if (value is not None and (name != "output" or value)) or name not in self._head:
                self._head[name] = copied(value)

    def _merge_output(self, output: Any) -> None:
        """Merge the terminal event's items with the streamed ones: by id, by place, by type, else they are new."""
        items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        free, told = list(self._slots.all), []
        for place, item in enumerate(items):
            same = [slot for slot in free if slot.kind == item.get("type")]
            by_id = [slot for slot in same if item.get("id") and slot.item.get("id") == item["id"]]
            by_place = [slot for slot in same if slot.index == place]
            match = by_id[0] if by_id else best(by_place + same, item)
            if match is None:
                match = self._slots.new(item)
            else:
                free.remove(match)
                match.merge(item)
            told.append(match)
        if not free:
            # The terminal event told of every item, so its order is the order.
            for place, slot in enumerate(told):
                slot.index = place

    def _keep(self, event: Event) -> None:
        self.unknown[event.type] += 1
        if len(self.unknown_events) < _KEPT_UNKNOWN:
            self.unknown_events.append(event)
        self._odd(f"the unknown event type {event.type!r}")

    def _check_sequence(self, raw: dict[str, Any]) -> None:
        number = index_of(raw, "sequence_number")
        expected = None if self._sequence is None else self._sequence + 1
        if number is None:
            self._odd("an event without sequence_number")
        elif expected is not None and number != expected:
            self._odd(f"sequence_number {number} where {expected} was due")
        self._sequence = number

    def _odd(self, what: str) -> None:
        self.oddities[what] += 1
        if self.strict:
            raise ProtocolError(
                f"Event {self.n_events} of the stream: {what}.",
                "Mend the server, or read the stream with strict=False.",
            )


def _place(kind: str, target: Target, raw: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells the target of one delta from another's."""
    index = raw.get("output_index")
    return kind, index, raw.get("item_id") if index is None else None, raw.get(target.index)


_SINGLE: dict[str, Callable[[Fold, dict[str, Any]], None]] = {
    "response.output_item.added": Fold._item_added,
    "response.output_item.done": Fold._item_done,
    "response.output_text.annotation.added": Fold._annotation,
    "response.shell_call_output_content.delta": Fold._shell_output,
    "response.shell_call_output_content.done": Fold._shell_output,
    "response.audio.delta": lambda fold, raw: fold._audio(raw, "data"),
    "response.audio.transcript.delta": lambda fold, raw: fold._audio(raw, "transcript"),
    "response.audio.done": lambda fold, raw: None,
    "response.audio.transcript.done": lambda fold, raw: None,
    "error": Fold._failed_by_event,
}
