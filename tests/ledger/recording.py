"""A program that records attempts until it is stopped: what a kernel does, without the kernel.

``python -m tests.ledger.recording PLACE FIRST N``: it records N attempts from number FIRST on, and prints the number of
each that is known to be written.
"""

from __future__ import annotations

import sys

from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt

__all__ = ["record"]


def record(place: str, first: int, n_attempts: int) -> bool:
    """Record attempts, every tenth waited for, so that programs take turns; return whether all are written."""
    ledger = Ledger(place)
    last = first
    for number in range(first, first + n_attempts):
        # Of two prices a batch, so that the programs write the same texts at once.
        ledger(an_attempt(number, labels={"tag": f"t{number % 7}"}))
        if number % 10 == 9 and ledger.flush(timeout_s=60):
            print(*range(last, number + 1), sep="\n", flush=True)  # noqa: T201
            last = number + 1
    return ledger.flush(timeout_s=60)


if __name__ == "__main__":
    sys.exit(0 if record(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) else 1)
