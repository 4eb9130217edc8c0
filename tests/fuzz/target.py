"""What is fuzzed: a function that takes bytes, what it starts from, and how long one input may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOUND", "Seeds", "Target", "no_seeds", "starts"]

FOUND = Path(__file__).parent / "found"
"""Inputs that once showed a defect, as ``NAME-HASH``: each target tries its own again in every run."""

Seeds = Callable[[], Iterable[bytes]]

# What is longer is no start: most of its mutations would be alike, and each slow.
_LONGEST_START = 64_000


def no_seeds() -> Iterable[bytes]:
    """Return nothing to start from."""
    return ()


@dataclass(frozen=True)
class Target:
    """One place that reads foreign bytes.

    Attributes
    ----------
    name : str
        As typed on the command line.
    run : callable
        Takes bytes. It returns for any input on which the documented behaviour holds, our own errors included where
        they are documented, and raises anything else on a defect.
    seeds : callable
        Returns inputs to start from, written for this.
    recorded : callable
        Returns more of them from the recorded traffic; nothing where that is absent.
    tokens : tuple of bytes
        Words of the input's language, to be put in anywhere.
    limit_s : float
        Seconds of processor time after which ``python -m tests.fuzz`` counts one input as a hang.
    n_tested : int
        Mutations tried by the test suite.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Seeds
    recorded: Seeds = no_seeds
    tokens: tuple[bytes, ...] = ()
    limit_s: float = 3.0
    n_tested: int = 200


def starts(target: Target, *, recorded: bool = True) -> list[bytes]:
    """Return what a target starts from: its seeds, what was found before, and the recorded traffic."""
    found = sorted(FOUND.glob(f"{target.name}-*")) if FOUND.is_dir() else []
    own = [*target.seeds(), *(file.read_bytes() for file in found)]
    more = [data for data in target.recorded() if len(data) <= _LONGEST_START] if recorded else []
    return [*own, *more] or [b""]
