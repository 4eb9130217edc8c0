"""The CPU time of one contender reading streams, in a process of its own: ``python -m benchmarks.reading``."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.answer import text
from benchmarks.contenders import BLIND, CONTENDERS, ENVIRONMENTS

if TYPE_CHECKING:
    from benchmarks.plan import Plan

__all__ = ["stream_cpu_s"]

# Enough for what is loaded late to be loaded.
_N_WARM_UP = 10


def stream_cpu_s(plan: Plan, contender: str, n_deltas: int, n_streams: int = 1) -> float:
    """Return the CPU seconds per stream, in a fresh process after a short stream that loads what is loaded late."""
    work = ("-m", "benchmarks.reading", contender, plan.feed_url, str(n_deltas), str(n_streams))
    cpu_s: float = plan.result_of(ENVIRONMENTS.get(contender, ""), *work)
    return cpu_s


def _measured(contender: str, feed_url: str, n_deltas: int, n_streams: int) -> float:
    CONTENDERS[contender](f"{feed_url}/{_N_WARM_UP}")()
    read = CONTENDERS[contender](f"{feed_url}/{n_deltas}")
    start_s = time.process_time()
    texts = [read() for _ in range(n_streams)]
    cpu_s = time.process_time() - start_s
    # A contender that lost text did not do the work.
    assert contender in BLIND or set(texts) == {text(n_deltas)}
    return cpu_s / n_streams


if __name__ == "__main__":
    print(json.dumps(_measured(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
