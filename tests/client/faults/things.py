"""What a process holds at a moment, by kind, so that two moments can be compared."""

from __future__ import annotations

import gc
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx

from cometnb.client.call import Call
from cometnb.client.stream import AsyncResponseStream, ResponseStream

__all__ = ["grown", "open_things"]

_KEPT = (ResponseStream, AsyncResponseStream, Call, httpx.Response)
_CLOSE_WAIT = "08"


def open_things() -> Mapping[str, int]:
    """Return how many threads, files, sockets (of them in CLOSE_WAIT), temporary files and answers there are."""
    gc.collect()
    # A type alone: what an object says of itself may be anything.
    kept = Counter(type(one).__name__ for one in gc.get_objects() if type(one) in _KEPT)
    temporary = len(list(Path(tempfile.gettempdir()).iterdir()))
    return {"threads": threading.active_count(), "temporary files": temporary, **_descriptors(), **kept}


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Return what there is more of, a sentence each."""
    return [
        f"{after[name]} {name} are there, {before.get(name, 0)} before"
        for name in after
        if after[name] > before.get(name, 0)
    ]


def _descriptors() -> dict[str, int]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return {}
    targets = []
    for one in folder.iterdir():
        try:
            targets.append(str(one.readlink()))
        except FileNotFoundError:  # that of this listing itself
            continue
    sockets = {name for name in targets if name.startswith("socket:")}
    return {
        "sockets": len(sockets),
        "sockets in CLOSE_WAIT": _left_by_peer(sockets),
        "files": sum(1 for name in targets if name.startswith("/")),
        "other descriptors": sum(1 for name in targets if name.startswith(("pipe:", "anon_inode:"))),
    }


def _left_by_peer(sockets: set[str]) -> int:
    rows = [
        line.split()
        for table in (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
        if table.is_file()
        for line in table.read_text().splitlines()[1:]
    ]
    return sum(1 for row in rows if row[3] == _CLOSE_WAIT and f"socket:[{row[9]}]" in sockets)
