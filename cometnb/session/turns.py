"""The turns of a conversation: a tree in which a cell owns its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cometnb.protocol.response import Response

__all__ = ["WHOLE", "Turn", "Turns"]

WHOLE = frozenset({"completed", "incomplete"})
"""How a response ends that can be gone on from: the service has all of it."""


@dataclass(slots=True)
class Turn:
    """One question with all that was answered to it, tool calls and their results included.

    Attributes
    ----------
    turn_id : str
        Eight hex digits.
    parent_id : str or None
        The turn it was asked after; None for the first.
    owner : str
        The cell that asked; empty if it was not a cell's.
    prompt : str
        The question as text, for people.
    instructions : str or list or None
        What it was asked under; the turns after it are, too, unless they say otherwise.
    n_input : int
        How many of `items` were the question; the rest came after it.
    n_kept : int
        How many of `items` the service has, if it keeps the turn: up to the last response's end.
    items : list of dict
        Input and output items, in order.
    response_ids : list of str
        Of the responses, one per round of tool calls; the last is what the service goes on from.
    status : str
        Of the last response.
    place : str
        The base URL of the service that keeps it up to `n_kept`; empty if none does.
    model : str
        The model that was asked.
    replaced_by : str or None
        The turn that took its place when its cell ran again.
    """

    turn_id: str
    parent_id: str | None
    owner: str = ""
    prompt: str = ""
    instructions: Any = None
    n_input: int = 0
    n_kept: int = 0
    items: list[dict[str, Any]] = field(default_factory=list)
    response_ids: list[str] = field(default_factory=list)
    status: str = "in_progress"
    place: str = ""
    model: str = ""
    replaced_by: str | None = None

    @property
    def text(self) -> str:
        """The answer's text."""
        return Response({"output": self.items[self.n_input :]}).output_text

    def check(self) -> None:
        """Refuse fields that no turn has, as a file could hold them.

        Raises
        ------
        ValueError
            Names the field.
        """
        wrong = [name for name, is_fit in _FORMS.items() if not is_fit(getattr(self, name))]
        if wrong or not 0 <= max(self.n_input, self.n_kept) <= len(self.items):
            raise ValueError(f"{(wrong or ['n_input'])[0]} of a turn is none")
        if self.place and not self.response_ids:
            raise ValueError("a turn that a service keeps has no response")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("turn_id", "owner", "prompt", "status", "place", "model"), _is_text),
    **dict.fromkeys(("parent_id", "replaced_by"), _is_text_or_none),
    **dict.fromkeys(("n_input", "n_kept"), _is_count),
    "items": lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    "response_ids": lambda value: isinstance(value, list) and all(map(_is_text, value)),
}


class Turns:
    """All turns of a conversation, replaced ones included.

    Attributes
    ----------
    head_id : str or None
        The turn that the next question is asked after.
    """

    def __init__(self) -> None:
        self.head_id: str | None = None
        self._turns: dict[str, Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        """Iterate in the order in which they were asked."""
        return iter(self._turns.values())

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._turns

    def get(self, turn_id: str | None) -> Turn | None:
        """Return a turn, or None."""
        return self._turns.get(turn_id) if turn_id is not None else None

    def add(self, turn: Turn) -> None:
        """Keep a turn."""
        self._turns[turn.turn_id] = turn

    def add_new(self, turn: Turn) -> None:
        """Keep a turn of a file.

        Raises
        ------
        ValueError
            If there is one of its id.
        """
        if turn.turn_id in self:
            raise ValueError(f"two turns are called {turn.turn_id}")
        self.add(turn)

    def owned_by(self, owner: str) -> Turn | None:
        """Return the turn that a cell asked last, if it has asked one."""
        owned = [turn for turn in self if owner and turn.owner == owner and turn.replaced_by is None]
        return owned[-1] if owned else None

    def latest(self, turn: Turn) -> Turn:
        """Return the turn that stands in this one's place now: its cell's newest."""
        while turn.replaced_by is not None:
            turn = self._turns[turn.replaced_by]
        return turn

    def path_to(self, turn: Turn | None) -> list[Turn]:
        """Return the turns that lead to one, the first question first, itself included."""
        path: list[Turn] = []
        while turn is not None:
            path.append(turn)
            turn = self.get(turn.parent_id)
        return path[::-1]

    def is_stale(self, turn: Turn) -> bool:
        """Tell whether a turn it was built on has been replaced since."""
        return any(one.replaced_by is not None for one in self.path_to(turn)[:-1])

    def children(self, turn_id: str | None) -> list[Turn]:
        """Return the turns asked right after one, oldest first."""
        return [turn for turn in self if turn.parent_id == turn_id]

    def find(self, name: str) -> Turn | None:
        """Return the turn with this id, or with a response of this id."""
        return next((turn for turn in self if name == turn.turn_id or name in turn.response_ids), None)

    def check(self) -> None:
        """Refuse turns that do not hang together, as a file could hold them.

        Raises
        ------
        ValueError
            If a turn leads nowhere or to itself.
        """
        for turn in self:
            turn.check()
        known: set[str | None] = {None}
        for turn in self:
            if turn.parent_id not in known:
                raise ValueError(f"turn {turn.turn_id} comes before the turn it was asked after")
            known.add(turn.turn_id)
        names = [self.head_id, *(turn.replaced_by for turn in self)]
        places = {turn.turn_id: place for place, turn in enumerate(self)}
        if any(name not in known for name in names):
            raise ValueError("a turn is named that is not there")
        for turn in self:
            if turn.replaced_by is not None and places[turn.replaced_by] <= places[turn.turn_id]:
                raise ValueError(f"turn {turn.turn_id} was replaced by an older one")
