"""What a batch takes and gives: a job to ask, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cometnb.errors import CometError
from cometnb.protocol.response import Response

__all__ = ["Job", "Outcome"]


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to ask.

    Attributes
    ----------
    key : str
        Jobs of the same key are the same question: it is asked once, and its answer is handed to every place. Use
        `cometnb.protocol.canonical.fingerprint` of the parameters.
    params : Mapping
        The API's parameters, ``input`` among them.
    labels : Mapping of str to str
        Handed to the observers.
    place : int
        The caller's own number, such as a row's; a batch only hands it back.
    """

    key: str
    params: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    place: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
    response : Response or None
        The answer; None exactly if there is an `error`. What had come of one that failed is in ``error.response``.
    error : CometError or None
        Why there is no answer.
    is_stored : bool
        It was not asked in this run: it stood in the checkpoint.
    n_asked : int
        Requests sent for it in this run, retries and rounds of tools included; 0 if it was stored, or asked by
        another job of the same key.
    """

    job: Job
    response: Response | None = None
    error: CometError | None = None
    is_stored: bool = False
    n_asked: int = 0
