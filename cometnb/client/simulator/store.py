"""Keeps responses for retrieval: the newest ones, each with the items that led to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cometnb.client.simulator.body import ended
from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.orders import NO_ORDERS, Orders

__all__ = ["Entry", "ResponseStore", "page_of"]

_MOST_ITEMS = 100
_PART_FIELDS: Mapping[Any, Mapping[str, Any]] = {
    "output_text": {"annotations": [], "logprobs": []},
    "input_image": {"detail": "auto"},
}


@dataclass(slots=True)
class Entry:
    """A stored response.

    Attributes
    ----------
    final : dict
        The response at its end.
    opened : dict
        The response as it was at the beginning.
    input_items : list of dict
        What was sent with it.
    earlier : list of Mapping
        Input and output of the responses it continues.
    generation : Generation or None
        What it is made of, to stream it again.
    orders : Orders
        What was asked of the simulator with it.
    key : bytes
        Of its request.
    begun_at, queued_until, ready_at : float
        Unix times in seconds: of the request, of the first work, and from which `final` holds.
    n_polls : int
        How often it was asked for.
    is_streamed : bool
        It was begun as a stream in the background, so its stream can be had again.
    is_cancelled : bool
    """

    final: dict[str, Any]
    opened: dict[str, Any]
    input_items: list[dict[str, Any]]
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    generation: Generation | None = None
    orders: Orders = NO_ORDERS
    key: bytes = b""
    begun_at: float = 0.0
    queued_until: float = 0.0
    ready_at: float = 0.0
    n_polls: int = 0
    is_streamed: bool = False
    is_cancelled: bool = False

    @property
    def context(self) -> list[Mapping[str, Any]]:
        """Everything the next turn is built on."""
        return [*self.earlier, *self.input_items, *self.final["output"]]

    def is_done(self, now: float) -> bool:
        """Tell whether the response is at its end at the Unix time `now`."""
        if self.ready_at and self.orders.polls is not None:
            return self.n_polls >= self.orders.polls
        return now >= self.ready_at

    def at(self, now: float) -> dict[str, Any]:
        """Return the response as it is at the Unix time `now`: queued, in progress, or as it ended."""
        if self.is_done(now):
            return self.final
        polls = self.orders.polls
        is_queued = now < self.queued_until if polls is None else self.n_polls * 2 < polls
        return ended(self.opened, "queued" if is_queued else "in_progress")

    def finish(self) -> None:
        """Be at the end from now on."""
        self.ready_at = 0.0

    def cancel(self) -> None:
        """Be cancelled from now on."""
        self.is_cancelled = True
        self.final = ended(self.opened, "cancelled")
        self.finish()


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

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield the output items of every response, the newest first."""
        for entry in reversed(list(self._entries.values())):
            yield from entry.final["output"]


def page_of(owner_id: str, given: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of a list of items.

    Parameters
    ----------
    owner_id : str
        Id of what they belong to; items without an id get one from it.
    given : sequence of Mapping
        The items, oldest first.
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
    items = [_listed(owner_id, position, item) for position, item in enumerate(given)]
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


def _listed(owner_id: str, position: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as the service lists it: with a type, an id and, for a message, its parts."""
    digits = owner_id.partition("_")[2]
    listed = {"type": "message", "id": f"item_{digits}_{position}", **item}
    if listed["type"] == "message":
        listed.setdefault("status", "completed")
        content = listed.get("content")
        if isinstance(content, str):
            kind = "output_text" if listed.get("role") == "assistant" else "input_text"
            content = [{"type": kind, "text": content}]
        if isinstance(content, list):
            listed["content"] = [_whole_part(part) for part in content]
    return listed


def _whole_part(part: Any) -> Any:
    """Return a message's part with the fields that one may leave out in a request, and never misses in an answer."""
    return {**_PART_FIELDS.get(part.get("type"), {}), **part} if isinstance(part, Mapping) else part
