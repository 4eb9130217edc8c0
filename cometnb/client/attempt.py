"""One finished attempt of a call, as observers are handed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cometnb.protocol.response import Response

__all__ = ["Attempt", "Observer"]


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
        The body as sent. It holds the prompt: an observer that stores it must have been asked to.
    response : Response
        What arrived, empty if nothing did.
    status : str
        completed, incomplete, failed, cancelled, queued, in_progress, interrupted, truncated,
        refused_by_budget or error.
    error_code : str or None
        The service's code, or one of ours: ``http_429``, ``connect``, ``idle_timeout``, ``total_timeout``,
        ``budget``.
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

    @property
    def is_unsent(self) -> bool:
        """True if the service has never seen the request, which then cannot have cost anything."""
        return self.status == "refused_by_budget" or self.error_code in ("connect", "connect_timeout")


Observer = Callable[[Attempt], None]
"""Called once for every attempt, on the thread that ran it. What it raises is turned into one warning."""
