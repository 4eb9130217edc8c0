"""Output items while they stream: which item an event belongs to, and its texts as buffers joined on demand."""

from __future__ import annotations

import itertools
from typing import Any

from cometnb.protocol.events import Target
from cometnb.protocol.fuller import agree, copied, fuller

__all__ = ["Slot", "Slots", "best", "index_of"]

# A command index beyond this is a server's mistake, not a gap to fill.
_LAST_COMMAND = 64
_LONGEST_INDEX = 10

_Path = tuple[str | int, ...]


def index_of(raw: dict[str, Any], field: str) -> int | None:
    """Return the index an event names, or None if it names none that can be one.

    Some servers send floats or digits in quotes.
    """
    value = raw.get(field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_INDEX:
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and value >= 0 else None


class Slot:
    """One output item so far.

    Parameters
    ----------
    item : dict
        Its JSON as announced.
    index : int or None
        Its ``output_index``, where the server sends one.
    """

    def __init__(self, item: dict[str, Any], index: int | None) -> None:
        self.item = item
        self.index = index
        self.is_done = False
        self._texts: dict[_Path, list[str]] = {}
        # Texts and parts that were told to be whole: what comes without an index after that is another one.
        self._closed: set[_Path] = set()
        self._positions: dict[tuple[str, int], tuple[str, int]] = {}

    @property
    def kind(self) -> str:
        """The item's type; empty if none is known."""
        kind = self.item.get("type")
        return kind if isinstance(kind, str) else ""

    def text(self, target: Target, raw: dict[str, Any]) -> list[str]:
        """Return the buffer an event's text goes into; it joins to the text so far."""
        return self.buffer(self._path(target, raw))

    def buffer(self, path: tuple[str | int, ...]) -> list[str]:
        """Return the buffer for the text at a path inside the item."""
        if path not in self._texts:
            there = _at(self.item, path)
            self._texts[path] = [there] if isinstance(there, str) else []
        return self._texts[path]

    def replace(self, target: Target, raw: dict[str, Any], text: str) -> None:
        """Take `text` as the whole, unless more than that has come."""
        path = self._path(target, raw, text)
        buffer = self.buffer(path)
        so_far = "".join(buffer)
        buffer[:] = [so_far if len(so_far) > len(text) and not target.is_newest else text]
        if not target.is_newest and (target.part or not target.index):
            self._closed.add(path[:2])

    def has_ended(self, target: Target, raw: dict[str, Any], whole: str | None = None) -> bool:
        """Tell whether an event's text cannot belong to this item any more.

        That is so if the item, or the very text, was told to be whole and `whole` (None for a delta) is not the
        same text.
        """
        if not self.is_done and (not self._closed or target.item == "reasoning"):
            return False
        if self.item.get("id") and self.item["id"] == raw.get("item_id"):
            return False
        path = self._known_path(target, raw)
        if not self.is_done and (path is None or path[:2] not in self._closed):
            return False
        so_far = self._so_far(path) if path is not None else ""
        return bool(so_far) and not (whole is not None and whole.startswith(so_far))

    def close(self, name: str, position: int) -> None:
        """Take note that the part at a position in the list `name` is whole."""
        self._closed.add((name, position))

    @property
    def is_pristine(self) -> bool:
        """True as long as nothing has been streamed into the item."""
        return not (self.is_done or self._texts or self._closed)

    @property
    def has_closed(self) -> bool:
        """True once any text or part of the item was told to be whole."""
        return bool(self._closed)

    def entry(self, name: str, index: int | None, part: str = "", *, opens: bool = False) -> int:
        """Return the position in the list `name` that `index` means, making room for it.

        Some servers start to count at 1: an index nobody used yet is the next entry, never a gap. Without an index
        it is the latest entry of that kind; if it `opens` a part and that one is whole, the next.
        """
        entries = self.item.get(name)
        if not isinstance(entries, list):
            known = [{"type": part, "text": entries}] if isinstance(entries, str) and entries else []
            entries = self.item[name] = known
        if index is None:
            position = self._latest_entry(name, part)
            if position is None or (opens and (name, position) in self._closed):
                position = len(entries)
        else:
            taken = self._positions.values()
            fresh = index if (name, index) not in taken and index < len(entries) else len(entries)
            position = self._positions.setdefault((name, index), (name, fresh))[1]
        if position >= len(entries):
            position = len(entries)
            entries.append({"type": part} if part else {})
        if not isinstance(entries[position], dict):
            entries[position] = {"type": part} if part else {}
        return position

    def merge(self, item: dict[str, Any]) -> None:
        """Lay a fuller telling of the item over this one."""
        self.item = fuller(self.settled(), copied(item))
        self._texts.clear()

    def settled(self) -> dict[str, Any]:
        """Return the item's JSON with every text joined; a copy."""
        item: dict[str, Any] = copied(self.item)
        for path, buffer in self._texts.items():
            if len(buffer) > 1:
                buffer[:] = ["".join(buffer)]
            if buffer:
                _put(item, path, buffer[0])
        return item

    def _path(self, target: Target, raw: dict[str, Any], whole: str | None = None) -> _Path:
        if not target.index:
            return target.path
        index = index_of(raw, target.index)
        if target.part:
            name, field = target.path
            known = self._known_path(target, raw)
            is_other = whole is None or known is None or not whole.startswith(self._so_far(known))
            return (name, self.entry(name, index, target.part, opens=is_other), field)
        return (*target.path, min(index or 0, _LAST_COMMAND))

    def _known_path(self, target: Target, raw: dict[str, Any]) -> _Path | None:
        """Return where an event's text would go without making room for it; None if there is no such place."""
        if not target.part:
            return self._path(target, raw)
        name, field = target.path
        index = index_of(raw, target.index)
        if index is None:
            position = self._latest_entry(name, target.part)
        else:
            position = self._positions.get((name, index), (name, index))[1]
        return None if position is None else (name, position, field)

    def _latest_entry(self, name: str, part: str) -> int | None:
        entries = self.item.get(name)
        kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in entries or ()]
        return len(kinds) - 1 - kinds[::-1].index(part) if part in kinds else None

    def _so_far(self, path: _Path) -> str:
        if path in self._texts:
            return "".join(self._texts[path])
        there = _at(self.item, path)
        return there if isinstance(there, str) else ""


class Slots:
    """The output items of one response, in order."""

    def __init__(self) -> None:
        self.all: list[Slot] = []
        self._by_index: dict[int, Slot] = {}

    def add(self, item: dict[str, Any], index: int | None) -> Slot:
        """Take an announced item; one that is told twice is the same item."""
        there = self._announced(item, index)
        if there is not None:
            there.merge(item)
            return there
        return self._put_behind(item, index)

    def take_over(self, output: Any) -> None:
        """Take the items of a response so far, in their places; those the server has called whole are."""
        for place, item in enumerate(output if isinstance(output, list) else []):
            if isinstance(item, dict):
                self._put_behind(item, place).is_done = item.get("status") == "completed"

    def done(self, item: dict[str, Any], index: int | None) -> Slot:
        """Take a finished item, whether or not it was announced."""
        slot = self._matching(item, index)
        if slot is None:
            slot = self.add(item, index)
        else:
            slot.merge(item)
        slot.is_done = True
        return slot

    def of(self, kind: str, raw: dict[str, Any], field: str = "", *, opens: bool = False) -> Slot:
        """Return the slot an event is about, making one if nothing fits.

        The index decides; ids do not, as some servers change them with every event. An item of another type at
        that index is accepted if it has the field the event fills. What `opens` a part never goes into an item
        that is finished.
        """
        slot = self._found(kind, raw, field)
        if slot is None or (opens and slot.is_done):
            return self.add({"type": kind} if kind else {}, index_of(raw, "output_index"))
        if kind and not slot.kind:
            slot.item["type"] = kind
        return slot

    def for_text(self, target: Target, raw: dict[str, Any], whole: str | None = None) -> Slot:
        """Return the slot for an event's text, making one if nothing fits or what fits has ended.

        Parameters
        ----------
        target : Target
        raw : dict
            The event.
        whole : str, optional
            The text, if the event says it is whole; None for a delta.
        """
        slot = self.of(target.item, raw, target.path[0])
        if slot.has_ended(target, raw, whole):
            slot = self._put_behind({"type": target.item}, index_of(raw, "output_index"))
        return slot

    def new(self, item: dict[str, Any]) -> Slot:
        """Return a finished slot at the end, for an item that only the terminal event told of."""
        slot = Slot(copied(item), None)
        slot.is_done = True
        self.all.append(slot)
        return slot

    def ordered(self) -> list[dict[str, Any]]:
        """Return all items as JSON, by index where every one has its own, else as they came."""
        indices = [slot.index for slot in self.all]
        known = [index for index in indices if index is not None]
        slots = self.all
        if len(set(known)) == len(indices):
            slots = sorted(slots, key=lambda slot: slot.index or 0)
        return [slot.settled() for slot in slots]

    def _put_behind(self, item: dict[str, Any], index: int | None) -> Slot:
        slot = Slot(copied(item), index)
        self.all.append(slot)
        if index is not None:
            self._by_index[index] = slot
        return slot

    def _found(self, kind: str, raw: dict[str, Any], field: str) -> Slot | None:
        index = index_of(raw, "output_index")
        if index is None:
            return self._latest(kind, raw.get("item_id"))
        there = self._by_index.get(index)
        if there is None or not kind or there.kind in (kind, ""):
            return there
        # Content is read by the type of its item, so only what stands directly in an item may be of another.
        is_direct = field not in ("content", "summary")
        return there if is_direct and field in there.item else self._latest(kind)

    def _latest(self, kind: str, item_id: Any = None) -> Slot | None:
        same = [slot for slot in self.all if not kind or slot.kind == kind]
        by_id = [slot for slot in same if item_id and slot.item.get("id") == item_id]
        still_open = [slot for slot in same if not slot.is_done]
        candidates = by_id or still_open or same
        return candidates[-1] if candidates else None

    def _announced(self, item: dict[str, Any], index: int | None) -> Slot | None:
        """Return the open slot that already stands for an announced item."""
        kind, id_ = item.get("type"), item.get("id")
        if index is not None:
            there = self._by_index.get(index)
            if there is None or there.is_done or there.kind not in ("", kind):
                return None
            return None if there.has_closed and there.item.get("id") != id_ else there
        still_open = [slot for slot in self.all if slot.kind == kind and not slot.is_done]
        by_id = [slot for slot in still_open if id_ and slot.item.get("id") == id_]
        pristine = [slot for slot in still_open if slot.is_pristine and slot.index is None]
        told = [slot for slot in pristine if slot.item | {"id": id_} == item | {"id": id_}]
        candidates = by_id or told
        return candidates[0] if candidates else None

    def _matching(self, item: dict[str, Any], index: int | None) -> Slot | None:
        kind = item.get("type")
        if index is not None:
            there = self._by_index.get(index)
            if there is not None and there.kind in ("", kind) and not _is_another(there, item):
                return there
        same = [slot for slot in self.all if slot.kind == kind]
        by_id = [slot for slot in same if item.get("id") and slot.item.get("id") == item.get("id")]
        if by_id:
            return by_id[0]
        return best(
            [slot for slot in same if not slot.is_done and (index is None or slot.index in (None, index))],
            item,
        )


def best(slots: list[Slot], item: dict[str, Any]) -> Slot | None:
    """Return the first slot whose texts the item does not contradict, else the first; None if there is none."""
    return next((slot for slot in slots if agree(slot.settled(), item)), slots[0] if slots else None)


def _is_another(slot: Slot, item: dict[str, Any]) -> bool:
    """Tell a second item that reuses an index from the same item told twice, where ids change with every event."""
    id_ = item.get("id")
    return slot.is_done and slot.item.get("id") != id_ and slot.settled() | {"id": id_} != item | {"id": id_}


def _at(item: Any, path: _Path) -> Any:
    for name in path:
        if isinstance(name, int):
            item = item[name] if isinstance(item, list) and name < len(item) else None
        else:
            item = item.get(name) if isinstance(item, dict) else None
    return item


def _put(item: Any, path: _Path, text: str) -> None:
    """Set a text deep in an item's JSON, making the objects and lists on the way."""
    for name, following in itertools.pairwise(path):
        wanted: type = list if isinstance(following, int) else dict
        if isinstance(name, int):
            item = item[name]
            continue
        if not isinstance(item.get(name), wanted):
            item[name] = wanted()
        item = item[name]
    last = path[-1]
    if isinstance(last, int):
        item.extend([""] * (last + 1 - len(item)))
    item[last] = text
