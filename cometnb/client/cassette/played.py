"""How a recording comes out again: in which steps, and how fast."""

from __future__ import annotations

from collections.abc import Generator

from cometnb.client.cassette.framing import bytes_of
from cometnb.client.cassette.tape import Recording
from cometnb.client.simulator.reply import Action, Break, Wait

__all__ = ["PACES", "actions", "gap_s", "headers"]

PACES = ("fast", "real", "instant")
# Fast is ten times as fast, and nobody waits longer than this.
_TIMES_FASTER, _LONGEST_FAST_S = 10.0, 0.05
_FIRST_FAILURE = 400

_WHY = {
    "left": "the recording ends here: whoever recorded it had stopped reading",
    "broken": "the recording ends here: the connection broke when it was recorded",
    "timeout": "the recording ends here: nothing more had come in time when it was recorded",
    "": "the recording ends here: its file was cut",
}


def gap_s(recorded_s: float, pace: str) -> float:
    """Return how long to wait where the recording waited `recorded_s`."""
    if pace == "instant":
        return 0.0
    return recorded_s if pace == "real" else min(recorded_s / _TIMES_FASTER, _LONGEST_FAST_S)


def actions(recording: Recording, pace: str) -> Generator[Action, None, None]:
    """Yield what is sent and when, from the head of the answer on."""
    if recording.gap_s and pace != "instant":
        yield Wait(gap_s(recording.gap_s, pace))
    for piece in recording.pieces:
        if piece.gap_s and pace != "instant":
            yield Wait(gap_s(piece.gap_s, pace))
        yield bytes_of(piece)
    how = recording.end.how if recording.end is not None else ""
    if how != "whole":
        yield Break(_WHY[how])


def headers(recording: Recording, pace: str, *, is_tried_again: bool) -> dict[str, str]:
    """Return the headers of the answer; where the next try is recorded too, nobody need wait for it."""
    found = dict(recording.headers)
    is_failure = recording.status >= _FIRST_FAILURE or "retry-after" in found
    if is_tried_again and is_failure and pace != "real":
        # Also where the service named no time: a client would wait one of its own.
        found["retry-after"] = "0"
    return found
