"""The engine that needs nothing but Python: seeded mutations of a target's seeds, one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target, starts
from tests.fuzz.trying import Defect, defect_of

__all__ = ["inputs", "searched"]


def inputs(target: Target, seed: int, *, recorded: bool = True) -> Iterator[bytes]:
    """Yield everything a target starts from, and then mutations without end; the same seed gives the same."""
    begun = starts(target, recorded=recorded)
    yield from begun
    rng = random.Random(f"{target.name} {seed}")
    while True:
        yield mutated(rng.choice(begun), begun, target.tokens, rng)


def searched(target: Target, seed: int, seconds: float) -> Iterator[tuple[int, bytes, Defect | None]]:
    """Try inputs for a time; yield each new defect with its input, and at the end how many were tried."""
    # What is loaded only when it is used counts as nobody's time.
    target.run(b"")
    until, seen, n_tried = time.monotonic() + seconds, set[str](), 0
    for data in inputs(target, seed):
        defect = defect_of(target, data)
        n_tried += 1
        if defect is not None and defect.where not in seen:
            seen.add(defect.where)
            yield n_tried, data, defect
        if time.monotonic() > until:
            break
    yield n_tried, b"", None
