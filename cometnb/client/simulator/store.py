"""Keeps responses for retrieval: the newest ones, each with the items that led to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Entry", "ResponseStore", "item_list"]

_MOST_ITEMS = 100


@dataclass(slots=True)
class Entry:
    """A stored response.

    Attributes
    ----------
    final : dict
        The response at its end.
    opened : dict
        The response as it was at the beginning, which a background one still is before `ready_at`.
    input_items : list of dict
        What was sent with it.
    earlier : list of dict
        Input and output of the responses it continues.
    ready_at : float
        Unix time in seconds from which `final` holds.
    """

    final: dict[str, Any]
    opened: dict[str, Any]
    input_items: list[dict[str, Any]]
    earlier: list[dict[str, Any]] = field(default_factory=list)
    ready_at: float = 0.0

    @property
    def context(self) -> list[dict[str, Any]]:
        """Everything the next turn is built on."""
        return [*self.earlier, *self.input_items, *self.final["output"]]

    def at(self, now: float) -> dict[str, Any]:
        """Return the response as it is at the Unix time `now`."""
        return self.final if now >= self.ready_at else self.opened


class ResponseStore:
    """Responses by id; the oldest give way.

    Parameters
    ----------
    most : int
        Responses kept, at least 1.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep an entry."""
        self._entries[entry.final["id"]] = entry
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def get(self, response_id: str) -> Entry | None:
        """Return the entry, or None if it is unknown, deleted or too old."""
        return self._entries.get(response_id)

    def delete(self, response_id: str) -> bool:
        """Forget the entry; tell whether there was one."""
        return self._entries.pop(response_id, None) is not None


def item_list(entry: Entry, query: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of an entry's input items.

    Parameters
    ----------
    entry : Entry
    query : Mapping
        ``order`` (desc by default, or asc), ``limit`` (1 to 100, by default 20), ``after`` (an item's id).

    Raises
    ------
    ValueError
        If ``limit`` is no whole number within its bounds.
    """
    limit = int(query.get("limit", "20"))
    if not 1 <= limit <= _MOST_ITEMS:
        raise ValueError(limit)
    items = [_listed(entry, position, item) for position, item in enumerate(entry.input_items)]
    if query.get("order") != "asc":
        items.reverse()
    ids = [item["id"] for item in items]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    page = items[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + limit < len(items),
    }


def _listed(entry: Entry, position: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input item as the service lists it: with a type, an id and, for a message, its parts."""
    listed = {"type": "message", "id": f"item_{entry.final['id'].removeprefix('resp_')}_{position}", **item}
    content = listed.get("content")
    if listed["type"] == "message":
        listed.setdefault("status", "completed")
        if isinstance(content, str):
            kind = "output_text" if listed.get("role") == "assistant" else "input_text"
            listed["content"] = [{"type": kind, "text": content}]
    return listed
