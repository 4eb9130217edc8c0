"""One finished attempt of a call, as observers are handed it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cometnb.errors import CometWarning, masked
from cometnb.protocol.response import TERMINAL_STATUSES, Response

__all__ = ["Attempt", "Observer", "tell"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one HTTP request of a call came to, whatever its end.

    A call that is retried twice is three attempts under one `call_id`.

    Attributes
    ----------
    attempt_id, call_id : str
        32 hex digits each.
    created_at : datetime
        When the request was sent, aware, UTC.
    backend : str
        ``api``, ``simulator`` or ``cassette``.
    base_url : str
        Where it went.
    params : Mapping
        The body as sent. It holds the prompt: an observer that stores it must have been asked to. Of a GET, which has
        none: what is known of the request that made the response.
    response : Response
        What arrived, empty if nothing did. Of a GET it holds usage only if no other attempt of this process did: the
        service bills a response once, however often it is fetched.
    status : str
        completed, incomplete, failed, cancelled, queued, in_progress, interrupted, truncated,
        refused_by_budget or error.
    error_code : str or None
        The service's code, or one of ours: ``http_429``, ``connect``, ``cassette``, ``idle_timeout``, ``total_timeout``,
        ``too_large``, ``budget``.
    http_status : int or None
        None if no answer began.
    ttft_s : float or None
        Seconds from sending to the first delta of any kind; None if none came.
    duration_s : float
        Seconds from sending to the end.
    n_events : int
        Server-sent events received; 0 for a JSON body.
    n_retries : int
        Attempts of the same call before this one.
    labels : Mapping of str to str
        What the caller said of it: notebook, cell_id, tag, conversation.
    method : str
        ``POST`` made the response. ``GET`` is the end of one that ran in the background, or a stream of it that was
        taken up again; with a usage, its `attempt_id` is the same in every process that fetches this response.
    """

    attempt_id: str
    call_id: str
    created_at: datetime
    backend: str
    base_url: str
    params: Mapping[str, Any]
    response: Response
    status: str
    error_code: str | None = None
    http_status: int | None = None
    ttft_s: float | None = None
    duration_s: float = 0.0
    n_events: int = 0
    n_retries: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    @property
    def is_unsent(self) -> bool:
        """True if the service has never seen the request, which then cannot have cost anything."""
        return self.status == "refused_by_budget" or self.error_code in (
            "connect",
            "connect_timeout",
            "cassette",
        )

    @property
    def is_in_background(self) -> bool:
        """True if the service goes on working on it: its usage comes with the end, as an attempt of its own.

        So it is, too, where only this side stopped listening: to a stream of a response in the background.
        """
        if self.method != "POST" or self.status in TERMINAL_STATUSES:
            return False
        is_left_alone = bool(self.params.get("background") and self.response.id and not self.response.usage)
        return is_left_alone or self.status in ("queued", "in_progress")

    @property
    def is_free(self) -> bool:
        """True if it cannot have cost anything by itself: unsent, or a GET of what is billed elsewhere."""
        return self.is_unsent or (self.method == "GET" and not self.response.usage)


Observer = Callable[[Attempt], None]
"""Called once for every attempt, on the thread that ran it. What it raises is turned into one warning."""


def tell(observers: Iterable[Observer], attempt: Attempt) -> None:
    """Hand an attempt to every observer; one that fails costs a warning."""
    for observer in observers:
        try:
            observer(attempt)
        except Exception as error:  # noqa: BLE001  # an observer's fault must not cost the answer
            name = getattr(observer, "__name__", type(observer).__name__)
            warnings.warn(
                masked(f"The observer {name} failed: {error!r}; the answer is complete."),
                CometWarning,
                stacklevel=3,
            )
