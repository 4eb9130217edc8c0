"""One input tried on a target: within its time, with the defect and a smaller input that shows the same."""

from __future__ import annotations

import faulthandler
import hashlib
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.target import Target
from tests.needs import ROOT

__all__ = ["Defect", "TooSlow", "defect_of", "kept", "shrunk"]

_FOLDER = ROOT / "build" / "fuzz"
# A wait that takes no processor time, or a loop in C that hears no signal.
_STUCK_S = 600.0
_MOST_TRIES = 600


class TooSlow(BaseException):
    """One input took longer than its target allows; nothing that is tried may catch it."""


@dataclass(frozen=True)
class Defect:
    """What went wrong.

    Attributes
    ----------
    where : str
        The kind of exception and where it was raised: the same defect found twice has the same.
    told : str
        The traceback.
    """

    where: str
    told: str


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    faulthandler.dump_traceback_later(_STUCK_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def defect_of(target: Target, data: bytes, *, has_limit: bool = True) -> Defect | None:
    """Return what goes wrong with an input; None if all is as documented.

    Parameters
    ----------
    target : Target
    data : bytes
    has_limit : bool
        Whether taking longer than `Target.limit_s` goes wrong. What is slow is a matter of the machine, and the test
        suite asks only whether it ends.
    """
    try:
        with _limited(target.limit_s) if has_limit else nullcontext():
            target.run(data)
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1]
        slow = isinstance(error, TooSlow)
        where = "TooSlow" if slow else f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        return Defect(where, "".join(traceback.format_exception(error)))
    return None


def shrunk(target: Target, data: bytes, defect: Defect) -> bytes:
    """Return the smallest input that could be found with the same defect, by leaving out parts of it."""
    if defect.where == "TooSlow":
        return data
    tries, size = 0, max(1, len(data) // 2)
    while size and tries < _MOST_TRIES:
        place, is_smaller = 0, False
        while place < len(data) and tries < _MOST_TRIES:
            less = data[:place] + data[place + size :]
            tries += 1
            found = defect_of(target, less)
            if found is not None and found.where == defect.where:
                data, is_smaller = less, True
            else:
                place += size
        size = size if is_smaller and size == 1 else size // 2
    return data


def kept(target: Target, data: bytes) -> Path:
    """Write an input into ``build/fuzz`` and return the file."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    file = _FOLDER / f"{target.name}-{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    return file
