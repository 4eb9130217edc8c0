"""Requests that must have one effect: what came of each idempotency key, for whoever sends it again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.store import Entry

__all__ = ["Once"]


class Once:
    """Responses by idempotency key; the oldest are forgotten.

    Parameters
    ----------
    most : int
        Keys remembered, at least 1.

    Notes
    -----
    A response is kept from its beginning, also if its reader went away before it was sent: it was made.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, Entry, Generation]] = OrderedDict()

    def get(self, idempotency_key: str, request_key: bytes) -> tuple[Entry, Generation] | None:
        """Return what came of the first request with this key; None if there was none.

        Raises
        ------
        Refusal
            422, if that was another request.
        """
        with self._lock:
            kept = self._kept.get(idempotency_key) if idempotency_key else None
        if kept is None:
            return None
        first, entry, generation = kept
        if first != request_key:
            message = "This Idempotency-Key was used with another request"
            raise Refusal(422, message, "idempotency_key_reused")
        return entry, generation

    def keep(self, idempotency_key: str, request_key: bytes, entry: Entry, generation: Generation) -> None:
        """Remember what came of a request with a key; one without is not remembered."""
        if not idempotency_key:
            return
        with self._lock:
            self._kept.setdefault(idempotency_key, (request_key, entry, generation))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
