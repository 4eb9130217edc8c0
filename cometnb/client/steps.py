"""What a call wants done on the wire, step by step, and what it is sent for it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from cometnb.client.turnstile import Pass, Turnstile
from cometnb.protocol.answer import Fault, Head

__all__ = ["Enter", "Flow", "ReadBody", "Reply", "Send", "Step", "Wait"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request, answered in full by a time of the setup's clock; the reply is its Head, or a Fault.

    `is_capped` says that a gate has set its ``max_output_tokens``: whoever asks the same again may get another.
    """

    method: str
    path: str
    content: bytes | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float = inf
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class ReadBody:
    """Read the whole body, up to a time of the setup's clock, and free the connection; the reply is bytes, or a Fault."""

    deadline_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait; the reply is None."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Enter:
    """Wait until a turnstile lets an attempt through; the reply is its `Pass`."""

    turnstile: Turnstile
    call_id: str
    body: Mapping[str, Any]


Step = Send | ReadBody | Wait | Enter
Reply = Head | bytes | Fault | Pass | None
Flow = Generator[Step, Reply, Any]
