"""Output items while they stream: which item an event belongs to, and its texts as buffers joined on demand."""

from __future__ import annotations

from typing import Any

from cometnb.protocol.events import Target
from cometnb.protocol.fuller import copied, fuller

__all__ = ["Slot", "Slots", "index_of"]

# A command index beyond this is a server's mistake, not a gap to fill.
_LAST_COMMAND = 64

_Path = tuple[str | int, ...]


def index_of(raw: dict[str, Any], field: str) -> int | None:
    """Return the index an event names, or None if it names none that can be one."""
    value = raw.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


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
        self._positions: dict[tuple[str, int], tuple[str, int]] = {}

    @property
    def kind(self) -> str:
        """The item's type; empty if none is known."""
        kind = self.item.get("type")
        return kind if isinstance(kind, str) else ""

    def text(self, target: Target, raw: dict[str, Any]) -> list[str]:
        """Return the buffer an event's text goes into; it joins to the text so far."""
        path = self._path(target, raw)
        if path not in self._texts:
            there = _at(self.item, path)
            self._texts[path] = [there] if isinstance(there, str) else []
        return self._texts[path]

    def replace(self, target: Target, raw: dict[str, Any], text: str) -> None:
        """Take `text` as the whole, unless more than that has come."""
        buffer = self.text(target, raw)
        so_far = "".join(buffer)
        buffer[:] = [so_far if len(so_far) > len(text) else text]

    def entry(self, name: str, index: int | None, part: str = "") -> int:
        """Return the position in the list `name` that `index` means, making room for it.

        Some servers start to count at 1: an index nobody used yet is the next entry, never a gap.
        """
        entries = self.item.get(name)
        if not isinstance(entries, list):
            entries = self.item[name] = []
        if index is None:
            kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in entries]
            position = len(kinds) - 1 - kinds[::-1].index(part) if part in kinds else len(entries)
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
        self.item = fuller(self.settled(), item)
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

    def _path(self, target: Target, raw: dict[str, Any]) -> _Path:
        if not target.index:
            return target.path
        index = index_of(raw, target.index)
        if target.part:
            name, field = target.path
            return (name, self.entry(name, index, target.part), field)
        return (*target.path, min(index or 0, _LAST_COMMAND))


class Slots:
    """The output items of one response, in order."""

    def __init__(self) -> None:
        self.all: list[Slot] = []
        self._by_index: dict[int, Slot] = {}

    def add(self, item: dict[str, Any], index: int | None) -> Slot:
        """Take an announced item; an open one of the same type at the same index is the same item."""
        there = self._by_index.get(index) if index is not None else None
        if there is not None and not there.is_done and there.kind in ("", item.get("type")):
            there.merge(item)
            return there
        slot = Slot(copied(item), index)
        self.all.append(slot)
        if index is not None:
            self._by_index[index] = slot
        return slot

    def done(self, item: dict[str, Any], index: int | None) -> Slot:
        """Take a finished item, whether or not it was announced."""
        slot = self._matching(item, index)
        if slot is None:
            slot = self.add(item, index)
        else:
            slot.merge(item)
        slot.is_done = True
        return slot

    def of(self, kind: str, raw: dict[str, Any], field: str = "") -> Slot:
        """Return the slot an event is about, making one if nothing fits.

        The index decides; ids do not, as some servers change them with every event. An item of another type at
        that index is accepted if it has the field the event fills.
        """
        index = index_of(raw, "output_index")
        if index is None:
            return self._latest(kind) or self.add({"type": kind} if kind else {}, None)
        there = self._by_index.get(index)
        if there is None:
            return self.add({"type": kind} if kind else {}, index)
        if not kind or there.kind in (kind, "") or (field and field in there.item):
            if kind and not there.kind:
                there.item["type"] = kind
            return there
        return self._latest(kind) or self.add({"type": kind}, index)

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

    def _latest(self, kind: str) -> Slot | None:
        same = [slot for slot in self.all if not kind or slot.kind == kind]
        still_open = [slot for slot in same if not slot.is_done]
        candidates = still_open or same
        return candidates[-1] if candidates else None

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
        still_open = [slot for slot in same if not slot.is_done and (index is None or slot.index is None)]
        return still_open[0] if still_open else None


def _is_another(slot: Slot, item: dict[str, Any]) -> bool:
    """Tell a second item that reuses an index from the same item told twice."""
    return slot.is_done and slot.item.get("id") != item.get("id")


def _at(item: Any, path: _Path) -> Any:
    for name in path:
        if isinstance(name, int):
            item = item[name] if isinstance(item, list) and name < len(item) else None
        else:
            item = item.get(name) if isinstance(item, dict) else None
    return item


def _put(item: Any, path: _Path, text: str) -> None:
    """Set a text deep in an item's JSON, making the objects and lists on the way."""
    for name, following in zip(path, path[1:], strict=False):
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
