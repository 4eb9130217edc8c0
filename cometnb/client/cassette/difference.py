"""What differs between two requests, path by path, in words that fit on a line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.tape import Recording

__all__ = ["differences", "nearest"]

_MOST_COMPARED = 500
_SHOWN, _BEFORE = 48, 12
_MISSING = object()


def differences(recorded: Asked, asked: Asked) -> tuple[str, ...]:
    """Return a line for every place in which two requests differ: ``temperature: recorded 0.2, asked 0.7``."""
    before, after = dict(_leaves(recorded)), dict(_leaves(asked))
    return tuple(
        f"{path}: {_told(before.get(path, _MISSING), after.get(path, _MISSING))}"
        for path in sorted({*before, *after}, key=_order)
        if before.get(path, _MISSING) != after.get(path, _MISSING)
    )


def nearest(recordings: Iterable[Recording], asked: Asked) -> Recording | None:
    """Return the recording that differs least from a request; of two alike, the later one."""
    found, least = None, float("inf")
    mine = dict(_leaves(asked))
    for recording in list(recordings)[-_MOST_COMPARED:]:
        apart = _distance(dict(_leaves(recording.asked)), mine)
        if apart <= least:
            found, least = recording, apart
    return found


def _distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    return sum(_apart(one.get(path, _MISSING), other.get(path, _MISSING)) for path in {*one, *other})


def _apart(one: Any, other: Any) -> float:
    if one is other or one == other:
        return 0.0
    if isinstance(one, str) and isinstance(other, str):
        # Quick and good enough to tell the question that was reworded from another question.
        return 1.0 - difflib.SequenceMatcher(None, one[:2000], other[:2000]).quick_ratio() * 0.9
    return 1.0


def _leaves(asked: Asked) -> Iterator[tuple[str, Any]]:
    yield "call", f"{asked.method} {asked.path}"
    yield from _inner("query", dict(asked.query))
    if isinstance(asked.body, dict):
        for name, value in asked.body.items():
            yield from _inner(name, value)
    elif asked.body is not None:
        yield "body", asked.body


def _inner(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _inner(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _inner(f"{path}[{place}]", inner)
    elif path != "query":
        yield path, value


def _order(path: str) -> tuple[bool, str]:
    return path != "call", path


def _told(recorded: Any, asked: Any) -> str:
    if recorded is _MISSING:
        return f"not recorded, asked {_shown(asked)}"
    if asked is _MISSING:
        return f"recorded {_shown(recorded)}, not asked"
    if isinstance(recorded, str) and isinstance(asked, str):
        at = _first_difference(recorded, asked)
        return f"recorded {_shown(recorded, at)}, asked {_shown(asked, at)}"
    return f"recorded {_shown(recorded)}, asked {_shown(asked)}"


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shown(value: Any, at: int = 0) -> str:
    if not isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    if len(value) <= _SHOWN:
        return json.dumps(value, ensure_ascii=False)
    start = max(0, min(at - _BEFORE, len(value) - _SHOWN))
    part = value[start : start + _SHOWN]
    head, tail = "…" if start else "", "…" if start + _SHOWN < len(value) else ""
    return json.dumps(f"{head}{part}{tail}", ensure_ascii=False)
