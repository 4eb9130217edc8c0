"""A conversation as a tree: which turn was asked after which, where it goes on, and what is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cometnb.errors import masked, printable
from cometnb.session.conversation import Conversation
from cometnb.session.turns import Turn
from cometnb.view.neutral import plain_markdown

__all__ = ["as_markdown", "as_text", "summary"]

_LONGEST_PROMPT, _LONGEST_ANSWER = 60, 60


@dataclass(frozen=True, slots=True)
class _Row:
    depth: int
    turn: Turn
    remarks: tuple[str, ...]


def summary(chat: Conversation) -> str:
    """Return one line: the name, how long the way to the head is, and how many turns stand beside it."""
    n_path, n_all = len(chat.path), len(chat.turns)
    turns = "1 turn" if n_path == 1 else f"{n_path} turns"
    beside = f", {n_all - n_path} beside it" if n_all > n_path else ""
    place = f" in {chat.conversation_id}" if chat.conversation_id else ""
    return printable(f"{chat.name or '(no name)'}: {turns}{beside}{place}")


def as_text(chat: Conversation) -> str:
    """Return the tree as text; a turn that follows another stands below it, a branch is indented."""
    lines = [summary(chat)]
    for row in _rows(chat):
        remarks = f"  ({', '.join(row.remarks)})" if row.remarks else ""
        turn = printable(f"{row.turn.turn_id}  {_words(row.turn)}{remarks}")
        lines.append(f"{'   ' * row.depth}{'└─ ' if row.depth else ''}{turn}")
    return "\n".join(lines)


def as_markdown(chat: Conversation) -> str:
    """Return the tree as a nested list."""
    lines = [f"**{_shown(summary(chat))}**", ""]
    for row in _rows(chat):
        remarks = f" *({_shown(', '.join(row.remarks))})*" if row.remarks else ""
        lines.append(f"{'  ' * row.depth}- {_code(row.turn.turn_id)} {_shown(_words(row.turn))}{remarks}")
    return "\n".join(lines)


def _rows(chat: Conversation) -> Iterator[_Row]:
    """Yield the turns from the first on; only a branch goes one step in, so that a long chat stays readable."""
    on_path = {turn.turn_id for turn in chat.path}
    open_turns = [(turn, 0) for turn in reversed(chat.turns.children(None))]
    while open_turns:
        turn, depth = open_turns.pop()
        yield _Row(depth, turn, tuple(_remarks(chat, turn, turn.turn_id in on_path)))
        children = chat.turns.children(turn.turn_id)
        step = 1 if len(children) > 1 else 0
        # The way to the head comes last, so that what is current stands at the end.
        children.sort(key=lambda child: child.turn_id in on_path)
        open_turns += [
            (child, depth + (step if child.turn_id not in on_path else 0)) for child in reversed(children)
        ]


def _remarks(chat: Conversation, turn: Turn, is_on_path: bool) -> Iterator[str]:
    if turn.turn_id == chat.turns.head_id:
        yield "goes on here"
    if turn.replaced_by is not None:
        yield "replaced"
    elif chat.turns.is_stale(turn):
        yield "stale: built on a replaced turn" if not is_on_path else "built on a replaced turn"
    if turn.status not in ("completed", "in_progress"):
        yield turn.status


def _words(turn: Turn) -> str:
    return f"{_short(turn.prompt, _LONGEST_PROMPT)} → {_short(turn.text, _LONGEST_ANSWER) or '…'}"


def _short(text: str, longest: int) -> str:
    text = masked(" ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _shown(text: str) -> str:
    return plain_markdown(printable(text))


def _code(turn_id: str) -> str:
    # Eight hex digits, unless the conversation was loaded from a file that somebody has changed.
    return f"`{turn_id}`" if turn_id.isalnum() else _shown(turn_id)
