"""Reads what a request holds: its items, its pieces of text and attachments, and how many tokens they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cometnb.client.simulator.tokens import split_tokens

__all__ = ["Inventory", "Piece", "items_of", "pieces_of", "prompt_tokens", "taken_stock"]

# What an attachment costs whose pixels and pages are not looked at.
_IMAGE_TOKENS = {"low": 85, "high": 1105}
_IMAGE_TOKENS_AUTO = 765
_FILE_TOKENS = 1000
_FILE_BYTES_PER_TOKEN = 4
# Every item carries its role and its borders.
_ITEM_BORDER = ("<item>", "<role>", "<content>", "</item>")

_IMAGE_KINDS = frozenset({"input_image", "computer_screenshot"})
_TEXT_FIELDS = ("text", "refusal", "output", "arguments", "input", "code")
_NAMED = frozenset({"function_call", "custom_tool_call", "mcp_call"})


class Piece(NamedTuple):
    """One thing inside an item.

    Attributes
    ----------
    kind : str
        text, image or file.
    text : str
        The text; of an attachment the place it comes from.
    role : str
        user, system, developer, assistant, or tool for the result of a call.
    n_tokens : int or None
        Of an attachment; None for text, which is counted.
    """

    kind: str
    text: str
    role: str
    n_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What arrived with a request.

    Attributes
    ----------
    n_items, n_characters, n_tokens : int
        Of the input; tokens include instructions, tools and what came before in the conversation.
    n_images, n_files, n_results, n_tools : int
        Attachments, results of function calls, tools on offer.
    n_earlier : int
        Items of the responses this one continues.
    last_text : str
        How the user's last message begins, or the last text of any kind; empty if there is none.
    """

    n_items: int
    n_characters: int
    n_tokens: int
    n_images: int
    n_files: int
    n_results: int
    n_tools: int
    n_earlier: int
    last_text: str


def items_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the request's input as a list of items, whatever form it was sent in."""
    sent = body.get("input")
    if isinstance(sent, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": sent}]}]
    entries = sent if isinstance(sent, list) else []
    return [entry if isinstance(entry, dict) else {"role": "user", "content": entry} for entry in entries]


def pieces_of(items: Iterable[Mapping[str, Any]]) -> Iterator[Piece]:
    """Yield the texts, images and files of the items, in order."""
    for item in items:
        kind = str(item.get("type") or "message")
        if kind == "message":
            yield from _parts(item.get("content"), str(item.get("role") or "user"))
        elif kind.endswith("_output"):
            yield from _parts(item.get("output"), "tool")
        elif kind == "image_generation_call":
            yield Piece("image", "generated", "assistant", _IMAGE_TOKENS_AUTO)
        elif kind != "reasoning":
            name = f"{item.get('name')} " if kind in _NAMED else ""
            yield Piece("text", f"{name}{_text_of(item)}", "assistant")


def prompt_tokens(body: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """Return every token the model would be given, in the order that prefix caching sees.

    Parameters
    ----------
    body : Mapping
        The request.
    earlier : iterable of Mapping
        Items of the responses it continues.
    """
    tokens: list[str] = []
    if body.get("tools"):
        tokens += split_tokens(_json(body["tools"]))
    form = (body.get("text") or {}).get("format")
    if isinstance(form, Mapping) and "schema" in form:
        tokens += split_tokens(_json(form["schema"]))
    if isinstance(body.get("instructions"), str):
        tokens += _ITEM_BORDER + tuple(split_tokens(body["instructions"]))
    for item in [*earlier, *items_of(body)]:
        tokens += _ITEM_BORDER
        for piece in pieces_of([item]):
            tokens += split_tokens(piece.text) if piece.n_tokens is None else [piece.text] * piece.n_tokens
    return tokens


def taken_stock(body: Mapping[str, Any], n_tokens: int, n_earlier: int = 0) -> Inventory:
    """Count what the request holds."""
    items = items_of(body)
    pieces = list(pieces_of(items))
    texts = [piece for piece in pieces if piece.kind == "text"]
    tools = body.get("tools")
    return Inventory(
        n_items=len(items),
        n_characters=sum(len(piece.text) for piece in texts),
        n_tokens=n_tokens,
        n_images=sum(piece.kind == "image" for piece in pieces),
        n_files=sum(piece.kind == "file" for piece in pieces),
        n_results=sum(str(item.get("type")).endswith("_output") for item in items),
        n_tools=len(tools) if isinstance(tools, list) else 0,
        n_earlier=n_earlier,
        last_text=_last_text(items),
    )


def _last_text(items: list[dict[str, Any]]) -> str:
    """Return the first text of the user's last message: attachments may have cut that message into pieces."""
    messages = [[piece for piece in pieces_of([item]) if piece.kind == "text"] for item in items]
    said = [texts for texts in messages if any(piece.role == "user" for piece in texts)]
    told = said or [texts for texts in messages if texts]
    return told[-1][0].text if told else ""


def _parts(content: Any, role: str) -> Iterator[Piece]:
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, Mapping):
            yield _piece(part, role)
        elif part is not None:
            yield Piece("text", part if isinstance(part, str) else _json(part), role)


def _piece(part: Mapping[str, Any], role: str) -> Piece:
    kind = part.get("type")
    if kind in _IMAGE_KINDS:
        place = str(part.get("image_url") or part.get("file_id") or "image")
        return Piece("image", place, role, _IMAGE_TOKENS.get(str(part.get("detail")), _IMAGE_TOKENS_AUTO))
    if kind == "input_file":
        data = part.get("file_data")
        place = str(part.get("file_url") or part.get("file_id") or part.get("filename") or "file")
        return Piece("file", place, role, _file_tokens(data) if isinstance(data, str) else _FILE_TOKENS)
    return Piece("text", _text_of(part), role)


def _file_tokens(data: str) -> int:
    # Four characters of base64 are three bytes.
    encoded = data.partition(",")[2] or data
    return max(1, len(encoded) * 3 // 4 // _FILE_BYTES_PER_TOKEN)


def _text_of(value: Mapping[str, Any]) -> str:
    found = [value[name] for name in _TEXT_FIELDS if isinstance(value.get(name), str)]
    return " ".join(found) if found else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
