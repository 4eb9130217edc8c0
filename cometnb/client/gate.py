"""Who is asked before a request is sent, and may refuse it, cap it, or stop its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from cometnb.errors import CometError
from cometnb.protocol.events import Event

__all__ = ["Admitted", "Gate", "Planned", "Watch"]

Watch: TypeAlias = Callable[[Sequence[Event]], CometError | None]
"""Handed the events of a stream as they come, on the thread that reads them; an error ends the stream."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An attempt that is about to be sent.

    Attributes
    ----------
    attempt_id, call_id : str
        As in the `Attempt` that observers are handed when it has ended.
    params : Mapping
        The body as it would be sent.
    backend, base_url : str
    labels : Mapping of str to str
        What the caller said of it.
    """

    attempt_id: str
    call_id: str
    params: Mapping[str, Any]
    backend: str
    base_url: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Admitted:
    """On what terms an attempt may be sent.

    Attributes
    ----------
    max_output_tokens : int or None
        Is put into the request if it has none.
    note : str
        A line for the user; empty for none.
    watch : Watch or None
        Is asked while the answer streams.
    """

    max_output_tokens: int | None = None
    note: str = ""
    watch: Watch | None = None


class Gate(Protocol):
    """Is asked before every attempt. One that is an observer, too, learns how the attempt ended."""

    def admit(self, planned: Planned) -> Admitted | None:
        """Let an attempt through, on terms or without (None).

        Raises
        ------
        CometError
            To refuse it: nothing is sent, and the attempt is recorded as ``refused_by_budget``.
        """
