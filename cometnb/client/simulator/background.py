"""Streams of responses that work in the background: they go on without a reader, and can be had again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cometnb.client.simulator.reply import Action, Wait
from cometnb.client.simulator.store import Entry
from cometnb.client.simulator.stream import EventStream

__all__ = ["Reader", "followed"]

# A reader looks up that often whether the response was cancelled.
_LOOK_UP_S = 0.5


class Reader(NamedTuple):
    """Where a reader comes in.

    Attributes
    ----------
    after : int
        Number of the last event it has; -1 for none.
    late_s : float
        Seconds since the work began: what would have come by now comes at once.
    """

    after: int = -1
    late_s: float = 0.0


def followed(stream: EventStream, entry: Entry, reader: Reader | None = None) -> Iterator[Action]:
    """Yield the events of a background response as a reader gets them, until it ends or is cancelled."""
    reader = reader or Reader()
    due_s = 0.0
    for action in stream.actions():
        if isinstance(action, bytes):
            if stream.n_events - 1 > reader.after:
                yield action
        elif isinstance(action, Wait) and action.seconds is not None:
            due_s += action.seconds
            left_s = min(action.seconds, due_s - reader.late_s)
            while left_s > 0 and not entry.is_cancelled:
                yield Wait(min(left_s, _LOOK_UP_S))
                left_s -= _LOOK_UP_S
        if entry.is_cancelled:
            # Where it was cancelled after its end, the end has been told.
            if entry.final["status"] == "cancelled":
                yield stream.event("response.cancelled", response=entry.final)
            return
