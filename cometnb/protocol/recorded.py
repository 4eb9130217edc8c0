"""What is known of an answer's recording, where the answer is a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["BACKEND", "CAPPED", "RECORDED", "Recorded", "together"]

BACKEND, RECORDED = "cometnb.backend", "cometnb.recorded"
"""Under which names a transport may say who answered, and how the answer came when it was recorded."""

CAPPED = "cometnb.capped"
"""Under which name a transport is told that a gate, and not the caller, has set a request's ``max_output_tokens``."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """How an answer that is replayed came when it was recorded; None where that is not known.

    Attributes
    ----------
    at : str or None
        The time of day, UTC: ``2026-03-01T12:00:00Z``.
    backend : str
        Who answered then: ``api`` or ``simulator``.
    ttft_s, duration_s : float or None
        Seconds from sending the request to the first delta, and to the end.
    cost_usd : float or None
        What it cost then, in US dollars; of the simulator, what it would have cost.
    price_source : str
        Where that price was from.
    """

    at: str | None = None
    backend: str = "api"
    ttft_s: float | None = None
    duration_s: float | None = None
    cost_usd: float | None = None
    price_source: str = ""


def together(parts: Sequence[Recorded | None]) -> Recorded | None:
    """Return the recording of several answers that make one; None unless all of them were recorded."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    first = known[0]
    return Recorded(
        first.at,
        first.backend,
        first.ttft_s,
        _sum(part.duration_s for part in known),
        _sum(part.cost_usd for part in known),
        first.price_source,
    )


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = list(amounts)
    return None if None in known else sum(amount or 0.0 for amount in known)
