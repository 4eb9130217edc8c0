"""The conversation and the tools of a ``%%respond`` cell, from its options and the notebook's names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cometnb.errors import CellError
from cometnb.protocol.response import Response
from cometnb.session.cell_line import Arguments
from cometnb.session.conversation import Conversation
from cometnb.session.named_tools import toolbox_of
from cometnb.session.tools import Toolbox

if TYPE_CHECKING:
    from cometnb.defaults import Shared
    from cometnb.session.cell import Cell

__all__ = ["chat_of", "is_talk", "owner_of", "planned"]


def chat_of(
    shared: Shared, arguments: Arguments, namespace: Mapping[str, Any]
) -> tuple[Conversation, str | None]:
    """Return the conversation a cell continues, and what it asks after if that is not the end; nothing is kept.

    Without ``--chat`` it is one of its own, or the one that holds what ``--from`` names.

    Raises
    ------
    CellError
        ``--new`` without a name, or a ``--from`` that is in no conversation.
    """
    after = _after(arguments.after, namespace)
    if arguments.is_new and not arguments.chat:
        raise CellError("--new begins a conversation anew, and none is named.", "Write --chat NAME --new.")
    if arguments.chat:
        known = None if arguments.is_new else shared.chats.get(arguments.chat)
        if known is None or (
            arguments.conversation_id and known.conversation_id != arguments.conversation_id
        ):
            known = Conversation(
                arguments.chat, conversation_id=arguments.conversation_id, forgetful=shared.forgetful
            )
        return known, after
    if after is None:
        return Conversation(forgetful=shared.forgetful), None
    for chat in shared.chats.values():
        if chat.turns.find(after) is not None:
            return chat, after
    raise CellError(
        f"--from {arguments.after}: no conversation of this kernel has it.",
        f"Write --previous-response-id {after} to go on from a response that only the service knows.",
    )


def is_talk(arguments: Arguments, toolbox: Toolbox) -> bool:
    """Tell whether a cell asks for more than a single call: a conversation, or functions to run."""
    return bool(arguments.chat or arguments.after or arguments.is_new or toolbox.runs_functions)


def planned(
    shared: Shared, arguments: Arguments, params: Mapping[str, Any], namespace: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Return the first request a cell would send, with what its conversation adds to it.

    Raises
    ------
    CometError
        As the cell itself would.
    """
    toolbox = toolbox_of(arguments.tools, namespace)
    whole = {"model": shared.options.model, "stream": True, **params, **toolbox.offered()}
    if not is_talk(arguments, toolbox):
        return whole
    chat, after = chat_of(shared, arguments, namespace)
    turn = chat.begin(whole.pop("input", ""), owner=owner, after=after)
    return chat.request(turn, shared.options.base_url, whole)


def owner_of(cell: Cell, line: str, body: str, watcher: str) -> str:
    """Return what tells a cell from another: its id, or where the front end sends none, what it says.

    In a terminal every input is a new one, whatever it says, and where nobody watches every cell runs once.
    """
    if cell.cell_id:
        return cell.cell_id
    if watcher != "front end":
        return ""
    return "text:" + hashlib.sha256(f"{line}\n{body}".encode("utf-8", "replace")).hexdigest()[:16]


def _after(text: str, namespace: Mapping[str, Any]) -> str | None:
    if not text:
        return None
    value = namespace.get(text) if text.isidentifier() else None
    if isinstance(value, Response):
        if value.id is None:
            raise CellError(f"--from {text}: this response has no id.", "Name a turn by its id: %comet tree")
        return value.id
    return value if isinstance(value, str) and value else text
