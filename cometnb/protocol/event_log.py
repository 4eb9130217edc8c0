"""When each event of a stream came, of what type and how long: enough to draw an answer's course, and little to keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cometnb.protocol.events import Event

__all__ = ["EventLog"]


class EventLog:
    """The course of a stream, in four sequences of equal length.

    Attributes
    ----------
    at_s : list of float
        Seconds from sending the request to the arrival of the piece of the stream that brought the event.
    types : list of str
        The events' types.
    output_indices : list of int or None
        Which output item each was about; None where it did not say.
    n_characters : list of int
        Characters of its delta; 0 if it had none.
    """

    __slots__ = ("at_s", "n_characters", "output_indices", "types")

    def __init__(self) -> None:
        self.at_s: list[float] = []
        self.types: list[str] = []
        self.output_indices: list[int | None] = []
        self.n_characters: list[int] = []

    def add(self, at_s: float, events: Iterable[Event]) -> None:
        """Note events that came together."""
        for event in events:
            raw = event.raw
            delta, index = raw.get("delta"), raw.get("output_index")
            self.at_s.append(at_s)
            self.types.append(event.type)
            self.output_indices.append(_index(index))
            self.n_characters.append(len(delta) if isinstance(delta, str) else 0)

    def __len__(self) -> int:
        return len(self.types)


def _index(value: Any) -> int | None:
    return value if type(value) is int else None
