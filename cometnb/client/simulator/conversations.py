"""Conversations that the service keeps: objects with items, to which responses add theirs."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cometnb.client.simulator.item_rules import check_words
from cometnb.client.simulator.prompt import items_of
from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.store import Entry, page_of

__all__ = ["ConversationStore"]

_MOST_ITEMS_AT_ONCE = 20


@dataclass(slots=True)
class _Conversation:
    """One conversation; a response's items are part of it from the moment that response is done."""

    id: str
    created_at: int
    metadata: dict[str, Any]
    parts: list[list[dict[str, Any]] | Entry] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    def items(self, now: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for part in self.parts:
            if isinstance(part, list):
                found += part
            elif part.is_done(now) and not part.is_cancelled:
                found += [*part.input_items, *part.final["output"]]
        digits = self.id.partition("_")[2]
        named = [{"id": f"item_{digits}_{position}", **item} for position, item in enumerate(found)]
        return [item for item in named if item["id"] not in self.deleted]

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


class ConversationStore:
    """Conversations by id; the oldest give way.

    Parameters
    ----------
    most : int
        Conversations kept, at least 1.

    Notes
    -----
    The methods named after routes return the JSON that answers them, and raise `Refusal` for what is not there.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Conversation] = OrderedDict()
        self._n_made = 0

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def items(self, conversation_id: str, now: float) -> list[dict[str, Any]]:
        """Return a conversation's items at the Unix time `now`, oldest first."""
        return self._found(conversation_id).items(now)

    def add(self, conversation_id: str, entry: Entry) -> None:
        """Let a response's input and output be part of a conversation once it is done."""
        self._found(conversation_id).parts.append(entry)

    def create(self, body: Mapping[str, Any], seed: int, now: float) -> dict[str, Any]:
        """Make a conversation, with items if there are any."""
        self._n_made += 1
        digits = hashlib.sha256(f"{seed}/conversation/{self._n_made}".encode()).hexdigest()[:48]
        conversation = _Conversation(f"conv_{digits}", int(now), _metadata(body))
        conversation.parts.append(_sent_items(body))
        self._kept[conversation.id] = conversation
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return conversation.described()

    def retrieve(self, conversation_id: str) -> dict[str, Any]:
        """Return a conversation."""
        return self._found(conversation_id).described()

    def update(self, conversation_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Give a conversation other metadata."""
        conversation = self._found(conversation_id)
        conversation.metadata = _metadata(body)
        return conversation.described()

    def delete(self, conversation_id: str) -> dict[str, Any]:
        """Forget a conversation; its responses stay."""
        self._found(conversation_id)
        del self._kept[conversation_id]
        return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}

    def list_items(self, conversation_id: str, query: Mapping[str, str], now: float) -> dict[str, Any]:
        """Return a page of a conversation's items."""
        return page_of(conversation_id, self.items(conversation_id, now), query)

    def add_items(self, conversation_id: str, body: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Add items, and return them as a list."""
        conversation = self._found(conversation_id)
        new = _sent_items(body)
        n_before = len(conversation.items(now))
        conversation.parts.append(new)
        added = conversation.items(now)[n_before:]
        return page_of(conversation_id, added, {"order": "asc", "limit": "100"})

    def item(self, conversation_id: str, item_id: str, now: float) -> dict[str, Any]:
        """Return one item."""
        listed = page_of(conversation_id, self._items_with(conversation_id, item_id, now), {})["data"]
        item: dict[str, Any] = listed[0]
        return item

    def delete_item(self, conversation_id: str, item_id: str, now: float) -> dict[str, Any]:
        """Take one item out, and return the conversation."""
        self._items_with(conversation_id, item_id, now)
        conversation = self._found(conversation_id)
        conversation.deleted.add(item_id)
        return conversation.described()

    def _items_with(self, conversation_id: str, item_id: str, now: float) -> list[dict[str, Any]]:
        found = [item for item in self.items(conversation_id, now) if item["id"] == item_id]
        if not found:
            raise Refusal(
                404, f"Item with id '{item_id}' not found in conversation.", "item_not_found", "item_id"
            )
        return found

    def _found(self, conversation_id: str) -> _Conversation:
        conversation = self._kept.get(conversation_id)
        if conversation is None:
            message = f"Conversation with id '{conversation_id}' not found."
            raise Refusal(404, message, "conversation_not_found", "conversation")
        return conversation


def _sent_items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    sent = body.get("items") or []
    if not isinstance(sent, list) or len(sent) > _MOST_ITEMS_AT_ONCE:
        raise Refusal(400, f"items is no list of at most {_MOST_ITEMS_AT_ONCE}", "invalid_request", "items")
    check_words(sent, "items")
    return items_of({"input": sent})


def _metadata(body: Mapping[str, Any]) -> dict[str, Any]:
    sent = body.get("metadata") or {}
    if not isinstance(sent, Mapping):
        raise Refusal(400, "metadata is no object", "invalid_request", "metadata")
    return dict(sent)
