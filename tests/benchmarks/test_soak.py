"""A short soak: after every kind of cell has run once, running them all again leaves nothing more behind."""

from __future__ import annotations

from benchmarks.kernel import fresh_kernel
from benchmarks.soak import KINDS, grows, soak

# Counted one by one; memory and objects go up while IPython keeps results.
_COUNTED = ("threads", "sockets", "widgets", "comms")


def test_what_cells_open_they_close() -> None:
    """Answers, errors, interrupts, sweeps, panels and the background: two rounds more, and the counts are the same.

    ``python -m benchmarks.soak --cells 10000`` is the long form of this.
    """
    with fresh_kernel(is_lab=True, has_ledger=True) as kernel:
        moments = list(soak(kernel, 4 * len(KINDS), n_moments=4))
    (_, before), (_, after) = moments[1], moments[3]
    assert {name: after[name] for name in _COUNTED} == {name: before[name] for name in _COUNTED}
    assert after["tasks"] == 0


def test_the_verdict_names_what_grows() -> None:
    """Compared are the last two quarters; memory has some slack, and what is counted has none."""
    steady = [(done, {"memory_mb": 100 + done % 2, "sockets": 5}) for done in range(8)]
    assert grows(steady) == []
    assert grows([(done, {**found, "sockets": done}) for done, found in steady]) == ["sockets from 4 to 6"]
    assert grows([(done, {**found, "memory_mb": 2**done}) for done, found in steady])[0].startswith(
        "memory_mb"
    )
