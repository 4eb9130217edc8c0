"""Which recording answers a request: by its canonical form, and in the order of recording where one was repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.tape import Piece, Recording

__all__ = ["Shelf"]

_FIRST_FAILURE = 400
_UNFINISHED = frozenset({"queued", "in_progress"})


class Shelf:
    """Recordings, found by what they answer.

    Parameters
    ----------
    only_good : bool
        Play no failure, no answer that was cut and no look at work that goes on: another try is better.

    Attributes
    ----------
    recordings : list of Recording
        As they were asked.
    names : dict of str to str
        Ids of recorded responses to the ``@key`` that stands for them in later requests.
    """

    def __init__(self, *, only_good: bool = False) -> None:
        self._only_good = only_good
        self.recordings: list[Recording] = []
        self.names: dict[str, str] = {}
        self._by_key: dict[str, list[Recording]] = {}
        self._played: dict[str, int] = {}

    def add(self, recordings: Iterable[Recording]) -> None:
        """Add recordings that may be played."""
        for recording in recordings:
            if not recording.status:
                # Cut off before the answer began: there is nothing to play.
                continue
            self.recordings.append(recording)
            self._put(recording)
            for piece in recording.pieces:
                self.learn(recording, piece)

    def _put(self, recording: Recording) -> None:
        if self._only_good and not _is_good(recording):
            return
        fit = self._by_key.setdefault(recording.asked.key, [])
        if fit and _is_abandoned(fit[-1]):
            # Asked once more, it has an answer now.
            del fit[-1]
        fit.append(recording)

    def learn(self, recording: Recording, piece: Piece) -> None:
        """Take note of the id that a piece gives to a response, where a call makes one."""
        if (recording.asked.method, recording.asked.path) == ("POST", "/responses"):
            for id_ in _ids(piece):
                self.names.setdefault(id_, f"@{recording.label}")

    def take(self, asked: Asked, *, repeats: bool) -> tuple[Recording, bool] | None:
        """Return the next recording for a request, and whether another one follows; None if there is none (left).

        Parameters
        ----------
        asked : Asked
        repeats : bool
            After the last one, give that again, unless it is a look at work that goes on.
        """
        if not self.has(asked, repeats=repeats):
            return None
        fit = self._by_key[asked.key]
        at = self._played.get(asked.key, 0)
        self._played[asked.key] = at + 1
        return fit[min(at, len(fit) - 1)], at + 1 < len(fit)

    def has(self, asked: Asked, *, repeats: bool) -> bool:
        """Tell whether `take` would return one."""
        fit = self._by_key.get(asked.key)
        if not fit:
            return False
        return self._played.get(asked.key, 0) < len(fit) or (repeats and not _is_unfinished(fit[-1]))

    def n_recorded(self, asked: Asked) -> int:
        """Return how often a request was recorded."""
        return len(self._by_key.get(asked.key, []))

    def skip(self, asked: Asked) -> None:
        """Count a recording that has just been made as played."""
        self._played[asked.key] = len(self._by_key.get(asked.key, []))

    def rewind(self) -> None:
        """Begin again with the first recording of every request."""
        self._played.clear()


def _ids(piece: Piece) -> Iterator[str]:
    value: Any = piece.value
    if piece.kind == "event":
        value = value.get("response")
    elif piece.kind != "body" or (isinstance(value, dict) and value.get("object") not in (None, "response")):
        return
    if isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"]:
        yield value["id"]


def _is_unfinished(recording: Recording) -> bool:
    """Tell whether a recording is a look at work that goes on: whoever got it forever would wait forever."""
    return recording.asked.method == "GET" and any(
        _status(piece) in _UNFINISHED for piece in recording.pieces if piece.kind == "body"
    )


def _is_good(recording: Recording) -> bool:
    is_whole = recording.end is not None and recording.end.how == "whole"
    return recording.status < _FIRST_FAILURE and is_whole and not _is_unfinished(recording)


def _is_abandoned(recording: Recording) -> bool:
    """Tell whether it was the recording that ended, and not the answer."""
    return recording.end is None or recording.end.how == "left"


def _status(piece: Piece) -> Any:
    return piece.value.get("status") if isinstance(piece.value, dict) else None
