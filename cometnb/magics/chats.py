"""``%comet chats`` and ``tree``: the conversations of this kernel, and how one of them branches."""

from __future__ import annotations

from pathlib import Path

from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.session.conversation import Conversation
from cometnb.view.publish import publish
from cometnb.view.tree import as_markdown, as_text, summary

__all__ = ["CHATS_USAGE", "list_chats", "show_tree"]

CHATS_USAGE = "[save NAME FILE|load FILE [NAME]|drop NAME]"


def list_chats(kernel: Kernel, words: list[str]) -> None:
    """List the conversations; save one to a file, load one, or drop one.

    Raises
    ------
    CellError
        A conversation that is not there, or words that are no command.
    ConfigError
        A file that cannot be written, or is no conversation.
    """
    chats = kernel.shared.chats
    if not words:
        say(
            "\n".join(map(summary, chats.values()))
            or "No conversation yet: %%respond --chat NAME begins one."
        )
        return
    command, *rest = words
    if command == "save" and len(rest) == 2:
        chat = _named(kernel, rest[0])
        chat.save(rest[1])
        say(f"Saved {summary(chat)}, prompts and answers included, to {rest[1]}.")
    elif command == "load" and len(rest) in (1, 2):
        chat = Conversation.load(rest[0], forgetful=kernel.shared.forgetful)
        chat.name = rest[1] if len(rest) == 2 else chat.name or Path(rest[0]).stem
        chats[chat.name] = chat
        say(f"Loaded {summary(chat)}. %%respond --chat {chat.name} goes on.")
    elif command == "drop" and len(rest) == 1:
        chats.pop(_named(kernel, rest[0]).name)
        say(f"Dropped {rest[0]}; its rows in the ledger stay.")
    else:
        raise CellError(
            f"%comet chats does not know {' '.join(words)!r}.", f"Usage: %comet chats {CHATS_USAGE}"
        )


def show_tree(kernel: Kernel, words: list[str]) -> None:
    """Draw a conversation as a tree; without a name, the one that was used last.

    Raises
    ------
    CellError
        If it is not there.
    """
    if len(words) > 1:
        raise CellError("%comet tree takes one name.", "Write %comet tree NAME; %comet chats lists them.")
    chats = kernel.shared.chats
    if not words and not chats:
        raise CellError("There is no conversation yet.", "%%respond --chat NAME begins one.")
    chat = _named(kernel, words[0]) if words else next(reversed(chats.values()))
    publish({"text/markdown": as_markdown(chat), "text/plain": as_text(chat)})


def _named(kernel: Kernel, name: str) -> Conversation:
    chats = kernel.shared.chats
    if name not in chats:
        known = (
            f"This kernel has: {', '.join(chats)}." if chats else "There is none yet: %%respond --chat NAME."
        )
        raise CellError(f"There is no conversation {name!r}.", known)
    return chats[name]
