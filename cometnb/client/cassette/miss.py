"""The error of a request that a cassette has no answer to: what is nearest, what differs, what to do."""

from __future__ import annotations

from pathlib import Path

from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.difference import differences, nearest
from cometnb.client.cassette.shelf import Shelf
from cometnb.errors import CassetteMissError

__all__ = ["miss"]

_MOST_SHOWN = 3


def miss(path: Path, shelf: Shelf, asked: Asked, *, mode: str) -> CassetteMissError:
    """Return the error.

    Parameters
    ----------
    path : Path
        Of the cassette.
    shelf : Shelf
        What it holds.
    asked : Asked
        What it does not.
    mode : str
        ``auto`` if only the key is missing.
    """
    what = f"{asked.method} {asked.path}"
    near = nearest(shelf.recordings, asked)
    found = () if near is None else differences(near.asked, asked)
    step = f"Ask what was recorded, or record it with your key: %comet record {path} --auto"
    if mode == "auto":
        step = "Set COMETAPI_KEY (or run %comet key) to send and record it, or ask what was recorded."
    if near is None:
        fact = f"{path} holds no calls, and none was sent."
    elif not found:
        times = shelf.n_recorded(asked)
        fact = f"{path} has given all {times} of its answers to this {what}."
        step = f"Begin again with %comet replay {path}, or record more: %comet record {path} --auto"
    else:
        more = f"; and {len(found) - _MOST_SHOWN} more places" if len(found) > _MOST_SHOWN else ""
        shown = "; ".join(found[:_MOST_SHOWN])
        fact = f"{path} has no answer to this {what}. The nearest, line {near.line}, differs: {shown}{more}."
    error = CassetteMissError(fact, step)
    error.difference = found
    error.line = None if near is None else near.line
    return error
