"""When each event of a stream came, of what type and how long: enough to draw an answer's course, and little to keep."""

from __future__ import annotations

from collections.abc import Sequence
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
    last_sequence_number : int or None
        The server's number of the latest event that has one; after it a stream can be taken up again.
    """

    __slots__ = ("at_s", "last_sequence_number", "n_characters", "output_indices", "types")

    def __init__(self, last_sequence_number: int | None = None) -> None:
        self.last_sequence_number = last_sequence_number
        self.at_s: list[float] = []
        self.types: list[str] = []
        self.output_indices: list[int | None] = []
        self.n_characters: list[int] = []

    def add(self, at_s: float, events: Sequence[Event]) -> None:
        """Note events that came together."""
        for event in events:
            raw = event.raw
            delta, index = raw.get("delta"), raw.get("output_index")
            self.at_s.append(at_s)
            self.types.append(event.type)
            self.output_indices.append(index if type(index) is int else None)
            self.n_characters.append(len(delta) if isinstance(delta, str) else 0)
        if events:
            # Of events that came together the last nearly always has one; looking no further costs next to nothing.
            number = raw.get("sequence_number")
            self.last_sequence_number = number if type(number) is int else self._last_of(events)

    def _last_of(self, events: Sequence[Event]) -> int | None:
        numbers = (_index(event.raw.get("sequence_number")) for event in reversed(events))
        return next((number for number in numbers if number is not None), self.last_sequence_number)

    def __len__(self) -> int:
        return len(self.types)


def _index(value: Any) -> int | None:
    return value if type(value) is int else None
