"""The usage of a response that is fetched by its id: told to observers once, however often and by whomever it is fetched."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

from cometnb.client.attempt import Attempt, tell
from cometnb.client.setup import Setup
from cometnb.protocol.response import TERMINAL_STATUSES, Response

__all__ = ["bring_home", "claim", "fetched", "known_params"]

_REMEMBERED = 10_000

_claimed: dict[str, None] = {}
_lock = Lock()


def claim(base_url: str, response: Response) -> str | None:
    """Return the id of the one attempt that tells a response's usage; None if that has been told in this process.

    Parameters
    ----------
    base_url : str
    response : Response

    Notes
    -----
    The id, 32 hex digits, follows from the base URL, the response's id and the moment the service made it. Two
    kernels that wait for the same response come to the same id, and a ledger keeps one row of it.
    """
    made_at = response.raw.get("created_at")
    # A replay is told apart from the call that was recorded, which may be in the same ledger.
    place = f"cassette {base_url}" if response.backend == "cassette" else base_url
    attempt_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{place} {response.id} {made_at}").hex
    with _lock:
        if attempt_id in _claimed:
            return None
        _claimed[attempt_id] = None
        if len(_claimed) > _REMEMBERED:
            del _claimed[next(iter(_claimed))]
    return attempt_id


def fetched(attempt: Attempt) -> Attempt:
    """Return an attempt as one of a GET: with the response's usage if this is where it comes home, else without.

    The usage of a response that did not run in the background came with the request that made it.
    """
    response = attempt.response
    attempt_id = None
    if response.usage and response.raw.get("background") is not False:
        attempt_id = claim(attempt.base_url, response)
    return replace(
        attempt,
        method="GET",
        attempt_id=attempt_id or attempt.attempt_id,
        response=response if attempt_id else _without_usage(response),
    )


def bring_home(
    setup: Setup, response: Response, *, params: Mapping[str, Any], labels: Mapping[str, str]
) -> None:
    """Tell the observers how a response in the background has ended, if nobody in this process has yet.

    Parameters
    ----------
    setup : Setup
    response : Response
        As it was fetched; one that has not ended is not told.
    params : Mapping
        The body of the request that made it; empty if that is not known.
    labels : Mapping of str to str
    """
    if response.status not in TERMINAL_STATUSES or response.raw.get("background") is False:
        return
    attempt_id = claim(setup.base_url, response)
    if attempt_id is None:
        return
    labels = dict(labels)
    attempt = Attempt(
        attempt_id=attempt_id,
        call_id=labels.pop("call_id", attempt_id),
        created_at=response.timing.sent_at or setup.now(),
        backend=response.backend,
        base_url=setup.base_url,
        params=params or known_params(response),
        response=response,
        status=response.status,
        error_code=(response.error or {}).get("code") if response.status == "failed" else None,
        http_status=200,
        duration_s=response.timing.duration_s or 0.0,
        labels=labels,
        method="GET",
    )
    tell(setup.observers, attempt)


def known_params(response: Response) -> dict[str, Any]:
    """Return what a response says of the request that made it: the model asked for, and how much to reason."""
    params: dict[str, Any] = {"model": response.model_requested} if response.model_requested else {}
    reasoning = response.raw.get("reasoning")
    return params | ({"reasoning": reasoning} if isinstance(reasoning, dict) else {})


def _without_usage(response: Response) -> Response:
    bare = copy.copy(response)
    bare.raw = {**response.raw, "usage": None}
    return bare
