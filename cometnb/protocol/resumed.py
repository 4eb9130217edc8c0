"""An attempt to take a stream up again after its connection was lost: what came before goes on, and nothing comes twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.protocol.events import Event, parse
from cometnb.protocol.exchange import Exchange
from cometnb.protocol.fold import Fold
from cometnb.protocol.fuller import fuller
from cometnb.protocol.offered import unoffered
from cometnb.protocol.response import TERMINAL_STATUSES
from cometnb.protocol.slots import index_of

__all__ = ["ResumedExchange"]


class ResumedExchange(Exchange):
    """The answer to ``GET /responses/{id}?stream=true&starting_after=N``.

    Parameters
    ----------
    response_id : str
    so_far : Mapping, optional
        The response object that the events up to `starting_after` came to. Without it folding begins at nothing: the
        first event need not be ``response.created``, and the last one tells the whole.
    starting_after : int, optional
        The number of the last event that is known. A server that sends it and earlier ones again is not believed
        twice.
    strict : bool
        As for `Exchange`.
    """

    def __init__(
        self,
        response_id: str,
        *,
        so_far: Mapping[str, Any] | None = None,
        starting_after: int | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__({}, strict=strict)
        self._response_id = response_id
        self._so_far = dict(so_far or {"id": response_id})
        self._starting_after = -1 if starting_after is None else starting_after
        self._is_behind = starting_after is not None
        self._fold = Fold(strict=strict, so_far=self._so_far)

    def receive_body(self, data: bytes) -> list[Event]:
        """Take a whole body: the response as it stands, of a service that does not stream again; or an error."""
        events = super().receive_body(data)
        if self.error is not None:
            self.error = unoffered(self.error, "retrieval of responses", self._response_id)
        elif self._body is not None and str(self._body.get("status")) not in TERMINAL_STATUSES:
            # One that is not finished often holds no text yet, although some had come.
            self._body = fuller(self._so_far, self._body)
        return events

    def _folded(self, received: list[tuple[str, str]]) -> list[Event]:
        return super()._folded(self._unknown(received) if self._is_behind else received)

    def _unknown(self, received: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return what was not known before; the first new event ends the looking."""
        kept = []
        for place, (name, data) in enumerate(received):
            event = parse(name, data)
            number = index_of(event.raw, "sequence_number") if event is not None else None
            if number is None:
                kept.append((name, data))
            elif number > self._starting_after:
                self._is_behind = False
                return kept + received[place:]
        return kept
