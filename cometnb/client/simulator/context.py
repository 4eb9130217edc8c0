"""What comes before a request: the history it continues, and the items it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.client.simulator.compaction import since_compaction
from cometnb.client.simulator.conversations import ConversationStore
from cometnb.client.simulator.prompt import items_of
from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.store import ResponseStore

__all__ = ["conversation_id", "earlier_items", "with_references"]

_NOT_KEPT = (
    "Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this "
    "item from your input."
)


def conversation_id(body: Mapping[str, Any]) -> str | None:
    """Return the id of the conversation a request belongs to; None if it names none.

    Raises
    ------
    Refusal
        400, if what it names is no id.
    """
    named = body.get("conversation")
    found = named.get("id") if isinstance(named, Mapping) else named
    if named is None or (isinstance(found, str) and found):
        return found
    raise Refusal(400, "conversation is no id and no object with one", "invalid_request", "conversation")


def earlier_items(
    body: Mapping[str, Any], store: ResponseStore, conversations: ConversationStore, now: float
) -> list[Mapping[str, Any]]:
    """Return the items that a request continues, oldest first.

    Raises
    ------
    Refusal
        400 for a response that is not kept or not done, 404 for a conversation that is not there.
    """
    conversation = conversation_id(body)
    if conversation is not None:
        return since_compaction(conversations.items(conversation, now))
    response_id = body.get("previous_response_id")
    if response_id is None:
        return []
    entry, param = store.get(response_id), "previous_response_id"
    if entry is None:
        message = f"Previous response with id '{response_id}' not found"
        raise Refusal(400, message, "previous_response_not_found", param)
    if not entry.is_done(now):
        raise Refusal(
            400, f"Previous response with id '{response_id}' is still in progress", "invalid_request", param
        )
    return since_compaction(entry.context)


def with_references(body: Mapping[str, Any], store: ResponseStore) -> list[dict[str, Any]]:
    """Return a request's items with what they refer to put in its place.

    Raises
    ------
    Refusal
        404, if a reference, or reasoning without its encrypted content, names an item that is not kept.
    """
    items = items_of(body)
    if not any(_refers(item) for item in items):
        return items
    known = {item.get("id"): item for item in store.items()}
    resolved = []
    for item in items:
        found = known.get(item.get("id"), item) if _refers(item) else item
        if _refers(found) and found.get("id") not in known:
            raise Refusal(404, f"Item with id '{item.get('id')}' not found. {_NOT_KEPT}", "", "input")
        resolved.append(found)
    return resolved


def _refers(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    if kind == "reasoning":
        return "id" in item and not item.get("encrypted_content")
    return kind == "item_reference" or (set(item) == {"id"} and kind is None)
