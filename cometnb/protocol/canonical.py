"""One form for all bodies that ask the same: what two requests are compared, found and counted by.

1. The order of keys does not matter, nor whether a whole number is written 1 or 1.0.
2. What is not set, and what is set to the reference's own default, is left out: `stream` false, `store` true,
   `temperature` 1, `tool_choice` auto and so on; an empty list of tools is no list of tools.
3. Text as input, and the same text as the one message of a user, are the same; so are text and the one part of it.
4. Ids that a service generates for items differ from run to run. An item's own id is left out unless another item
   refers to it; calls and their results are numbered in order of appearance.
5. What only pads a stream (`stream_options`) is left out.

`previous_response_id`, `conversation` and references to stored items stay: they say which context is meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.protocol.params import PARAMS

__all__ = ["canonical", "fingerprint"]

_DEFAULTS = {row.name: row.default for row in PARAMS if row.default is not None}
_NO_ANSWER_CHANGES_WITH = frozenset({"stream_options"})
# Fields of input items that refer to an item, whose id or call_id the service made.
_REFERENCES = ("call_id", "approval_request_id", "container_id")
_BY_ID = ("id",)
_TEXT_PARTS = ("input_text", "text")


def canonical(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form that every body which asks the same has.

    Parameters
    ----------
    body : Mapping
        Of ``POST /responses``: JSON values only. It is not changed.

    Returns
    -------
    dict
        JSON values, keys sorted at every depth. It is for comparing and reading, not for sending.

    Examples
    --------
    >>> canonical({"stream": False, "model": "gpt-5.4", "temperature": 1.0, "input": "Hello"})
    {'input': 'Hello', 'model': 'gpt-5.4'}
    """
    kept = {
        name: value
        for name, value in body.items()
        if name not in _NO_ANSWER_CHANGES_WITH and not _is_default(name, value)
    }
    if isinstance(kept.get("input"), list):
        kept["input"] = _input(kept["input"])
    ordered: dict[str, Any] = _ordered(kept)
    return ordered


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return 64 hex digits that are the same for all bodies with the same canonical form."""
    text = json.dumps(canonical(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _is_default(name: str, value: Any) -> bool:
    if value is None or (isinstance(value, list | dict) and not value and name != "input"):
        return True
    if name not in _DEFAULTS:
        return False
    default = _DEFAULTS[name]
    # 1 equals True in Python, and not in JSON.
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_ordered(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _input(items: list[Any]) -> Any:
    # A reference to none of these items is to one that is stored: its id says which, and stays.
    stored = set(_referred(items, _BY_ID)) - set(_own_ids(items))
    referred = {*_referred(items, _BY_ID), *_referred(items, _REFERENCES)}
    numbers: dict[str, str] = {}
    plain = [_item(item, referred, stored, numbers) if isinstance(item, Mapping) else item for item in items]
    if len(plain) == 1 and isinstance(plain[0], dict):
        only = plain[0]
        if set(only) == {"role", "content"} and only["role"] == "user" and isinstance(only["content"], str):
            return only["content"]
    return plain


def _referred(items: list[Any], names: tuple[str, ...]) -> Iterator[str]:
    """Yield every id by which an item names another one under `names`."""
    for item in items:
        if isinstance(item, Mapping) and _is_reference(item) == (names is _BY_ID):
            yield from (item[name] for name in names if isinstance(item.get(name), str))


def _own_ids(items: list[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and not _is_reference(item) and isinstance(item.get("id"), str):
            yield item["id"]


def _is_reference(item: Mapping[str, Any]) -> bool:
    return item.get("type") == "item_reference"


def _item(
    item: Mapping[str, Any], referred: set[str], stored: set[str], numbers: dict[str, str]
) -> dict[str, Any]:
    plain = {name: value for name, value in item.items() if value is not None}
    if "role" in plain and plain.get("type") == "message":
        del plain["type"]
    if "role" in plain and "content" in plain:
        plain["content"] = _content(plain["content"])
    id_ = plain.get("id")
    if _is_reference(plain) and (not isinstance(id_, str) or id_ in stored):
        return plain
    if not (isinstance(id_, str) and id_ in referred):
        plain.pop("id", None)
    for name in _BY_ID if _is_reference(plain) else (*_BY_ID, *_REFERENCES):
        if isinstance(plain.get(name), str):
            plain[name] = numbers.setdefault(plain[name], f"#{len(numbers) + 1}")
    return plain


def _content(parts: Any) -> Any:
    """Return the text of a content that is one piece of text and nothing else."""
    only = parts[0] if isinstance(parts, list) and len(parts) == 1 else None
    is_text = isinstance(only, Mapping) and set(only) == {"type", "text"} and only["type"] in _TEXT_PARTS
    return only["text"] if is_text and only is not None else parts
