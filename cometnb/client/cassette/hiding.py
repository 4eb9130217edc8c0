"""Secrets that must not come into a cassette, taken out of everything that is about to be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cometnb.client.cassette.tape import Piece
from cometnb.errors import maskable, masked
from cometnb.protocol.keyless import keyless, open_length, settled

__all__ = ["Hider", "SplitKeys"]

_CHANNEL = ("type", "output_index", "content_index", "summary_index", "item_id")


class Hider:
    """Replaces every key in texts and JSON values.

    Parameters
    ----------
    *secrets : str
        Keys in force; they are hidden even if they do not look like a key.
    """

    def __init__(self, *secrets: str) -> None:
        self._secrets = tuple({one for one in secrets if maskable(one)})

    def text(self, text: str) -> str:
        """Return a text without keys."""
        return masked(text, *self._secrets)

    def value(self, value: Any) -> Any:
        """Return a JSON value without keys, also in the names of its fields."""
        return keyless(value, *self._secrets)

    def piece(self, piece: Piece) -> Piece:
        """Return a piece of an answer without keys."""
        delta = _delta(piece)
        if delta is not None:
            # Its neighbours decide what it is; see SplitKeys.
            return piece._replace(value={**self.value(piece.value), "delta": delta})
        if piece.kind != "base64":
            return piece._replace(value=self.value(piece.value))
        # Bytes that are no text may hold a key all the same.
        return piece._replace(value=self.text(piece.value.decode("latin-1")).encode("latin-1"))

    def open_length(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a key."""
        longest = open_length(text)
        for secret in self._secrets:
            most = min(len(secret) - 1, len(text))
            longest = max(longest, next((n for n in range(most, 0, -1) if text.endswith(secret[:n])), 0))
        return longest


@dataclass
class _Channel:
    """The text of one part of an answer, as far as it may still turn out to be a key."""

    before: str = ""  # the characters before it: a key begins at the beginning of a word, or behind an escape
    held: list[int] = field(default_factory=list)


class SplitKeys:
    """Finds keys that a stream brings in pieces: holds pieces back while they may be the beginning of one.

    As many pieces come out as went in, in the same order; of a key, the first piece is ``sk-***`` and the others
    are empty.
    """

    def __init__(self, hider: Hider) -> None:
        self._hider = hider
        self._queue: deque[Piece] = deque()
        self._first = 0  # the number of the first piece in the queue
        self._channels: dict[tuple[Any, ...], _Channel] = {}

    def feed(self, piece: Piece) -> Iterable[Piece]:
        """Take a piece, and return those that may be written now."""
        at = self._first + len(self._queue)
        self._queue.append(piece)
        if _delta(piece) is not None:
            channel = self._channels.setdefault(
                tuple(str(piece.value.get(name)) for name in _CHANNEL), _Channel()
            )
            channel.held.append(at)
            if not self._hider.open_length(channel.before + self._text(channel)):
                self._settle(channel)
        held = min((channel.held[0] for channel in self._channels.values() if channel.held), default=at + 1)
        return self._released(held)

    def close(self) -> Iterable[Piece]:
        """Return what was held back: nothing more comes."""
        for channel in self._channels.values():
            self._settle(channel)
        return self._released(self._first + len(self._queue))

    def _text(self, channel: _Channel) -> str:
        return "".join(self._queue[at - self._first].value["delta"] for at in channel.held)

    def _settle(self, channel: _Channel) -> None:
        text = self._text(channel)
        hidden, channel.before = settled(channel.before, text, self._hider.text)
        if hidden != text:
            for at in channel.held:
                piece = self._queue[at - self._first]
                self._queue[at - self._first] = piece._replace(value={**piece.value, "delta": hidden})
                hidden = ""
        channel.held = []

    def _released(self, end: int) -> list[Piece]:
        pieces = [self._hider.piece(self._queue.popleft()) for _ in range(end - self._first)]
        self._first = end
        return pieces


def _delta(piece: Piece) -> str | None:
    is_delta = piece.kind == "event" and isinstance(piece.value, dict)
    delta = piece.value.get("delta") if is_delta else None
    return delta if isinstance(delta, str) else None
