"""Judges what the simulator sent by the types of the openai package: nothing missing, nothing of another type."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic
from openai.types import Model
from openai.types.conversations import Conversation, ConversationDeletedResource, ConversationItem
from openai.types.responses import CompactedResponse, Response, ResponseItem, ResponseStreamEvent
from openai.types.responses.input_token_count_response import InputTokenCountResponse

__all__ = ["misfits"]

# Sent by the service, and in no type: the SDK passes them on as they are.
_UNTYPED = frozenset(
    {
        ("Response", "content_filters"),
        ("Response", "frequency_penalty"),
        ("Response", "presence_penalty"),
        ("Response", "store"),
        ("Logprob", "bytes"),
        ("LogprobTopLogprob", "bytes"),
        ("ResponseTextDeltaEvent", "obfuscation"),
    }
)

# By method and path below /v1: the type of a JSON body. A list is typed by what it holds.
_BODIES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/responses", Response),
    ("GET", "/models", Model),
    ("POST", "/responses/input_tokens", InputTokenCountResponse),
    ("POST", "/responses/compact", CompactedResponse),
    ("GET", "/responses/[^/]+", Response),
    ("POST", "/responses/[^/]+/cancel", Response),
    ("GET", "/responses/[^/]+/input_items", ResponseItem),
    ("DELETE", "/conversations/[^/]+", ConversationDeletedResource),
    ("POST|GET", "/conversations(/[^/]+)?", Conversation),
    ("POST|GET", "/conversations/[^/]+/items(/[^/]+)?", ConversationItem),
    ("DELETE", "/conversations/[^/]+/items/[^/]+", Conversation),
)


def _by_name(union: Any) -> Iterator[tuple[str, type[pydantic.BaseModel]]]:
    for member in typing.get_args(typing.get_args(union)[0]):
        for name in typing.get_args(member.model_fields["type"].annotation):
            yield name, member


_EVENTS = dict(_by_name(ResponseStreamEvent))


def misfits(method: str, path: str, status: int, content_type: str, body: bytes) -> list[str]:
    """Return what the SDK's types find wrong in one reply; empty if nothing.

    Parameters
    ----------
    method, path : str
        Of the request; the path begins with ``/v1``.
    status : int
    content_type : str
    body : bytes
        Whole, or cut: the last block of a stream that broke off is not looked at.
    """
    if content_type.startswith("text/event-stream"):
        return [line for event in _events(body) for line in _event_misfits(event)]
    # Of a reply that is to be retried the SDK does not read the body.
    if not content_type.startswith("application/json") or not body:
        return []
    sent = json.loads(body)
    if status >= 400:
        return _error_misfits(sent)
    kind = _type_of(method, path.removeprefix("/v1"))
    if kind is None:
        return [] if sent.get("deleted") is True else [f"{method} {path} has no type"]
    parts = sent["data"] if sent.get("object") == "list" else [sent]
    if kind is CompactedResponse:
        # The user's own messages are kept as they were, which the SDK's type does not foresee.
        kept = [item for item in sent["output"] if item.get("role") == "user"]
        sent["output"] = [item for item in sent["output"] if item not in kept]
        return [line for item in kept for line in _misfits(ResponseItem, item, path)] + _misfits(
            kind, sent, path
        )
    return [line for part in parts for line in _misfits(kind, part, path)]


def _type_of(method: str, path: str) -> Any:
    for methods, pattern, kind in _BODIES:
        if method in methods.split("|") and re.fullmatch(pattern, path):
            return kind
    return None


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    for block in body.decode().split("\n\n")[:-1]:
        for line in block.split("\n"):
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def _event_misfits(event: Mapping[str, Any]) -> list[str]:
    kind = _EVENTS.get(event["type"])
    return [f"no event {event['type']}"] if kind is None else _misfits(kind, event, event["type"])


def _error_misfits(sent: Any) -> list[str]:
    error = sent.get("error") if isinstance(sent, dict) else None
    if not isinstance(error, dict) or "param" not in error:
        return [f"no error object: {sent}"]
    return [f"error.{word}" for word in ("message", "type", "code") if not isinstance(error.get(word), str)]


def _misfits(kind: Any, sent: Any, place: str) -> list[str]:
    try:
        # From JSON, so that nothing is taken for what it is not: no number for a string, no string for a number.
        model = pydantic.TypeAdapter(kind).validate_json(json.dumps(sent), strict=True)
    except pydantic.ValidationError as error:
        return [f"{place}: {found['loc']} {found['msg']}" for found in error.errors()]
    return [f"{place}: {where}" for where in _untyped(model)]


def _untyped(value: Any) -> Iterator[str]:
    """Yield the fields that no type knows."""
    if isinstance(value, pydantic.BaseModel):
        name = type(value).__name__
        yield from (f"{name}.{extra}" for extra in value.model_extra or {} if (name, extra) not in _UNTYPED)
        for field in type(value).model_fields:
            yield from _untyped(getattr(value, field, None))
    elif isinstance(value, list):
        for one in value:
            yield from _untyped(one)
