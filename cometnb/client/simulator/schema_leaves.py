"""Candidates for text and numbers within a schema's bounds, the likeliest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.client.simulator.plausible import Wanted, a_number, a_text
from cometnb.client.simulator.schema_strings import FORMATS, spelled

__all__ = ["numbers", "texts"]

_MORE = " and a little more of it"
_STEPS = 12
_NAMES_BY_FORMAT = {"email": "email", "uri": "url", "date": "date"}


def texts(schema: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """Yield texts that a schema may take; whether one fits is still to be checked."""
    least, most = _length(schema.get("minLength"), 0), _length(schema.get("maxLength"), math.inf)
    known = FORMATS.get(str(schema.get("format")), ())
    if schema.get("format") in _NAMES_BY_FORMAT:
        yield a_text(wanted._replace(name=_NAMES_BY_FORMAT[schema["format"]]))
    if known:
        start = wanted.record % len(known)
        yield from (*known[start:], *known[:start])
    if isinstance(schema.get("pattern"), str):
        longest = int(min(most, least + 100))
        for turn in range(3):
            yield from spelled(schema["pattern"], int(least), longest, wanted.record + turn)
    for step in range(_STEPS):
        text = a_text(wanted._replace(record=wanted.record + step, row=wanted.row + step))
        yield text
        yield _fitted(text, least, most)
    yield from (_fitted(one, least, most) for one in ("", "a", "b", "0"))


def numbers(schema: Mapping[str, Any], wanted: Wanted, *, whole: bool) -> Iterator[float]:
    """Yield numbers that a schema may take; whether one fits is still to be checked."""
    low = max(_bound(schema.get("minimum"), -math.inf), _bound(schema.get("exclusiveMinimum"), -math.inf))
    high = min(_bound(schema.get("maximum"), math.inf), _bound(schema.get("exclusiveMaximum"), math.inf))
    for step in range(_STEPS):
        base = a_number(wanted._replace(record=wanted.record + step, row=wanted.row + step))
        for number in (base, *_within(base, low, high)):
            if not whole:
                yield number
            if math.isfinite(number):
                yield from (round(number), math.ceil(number), math.floor(number))
    factor = schema.get("multipleOf")
    if isinstance(factor, int | float) and not isinstance(factor, bool) and factor > 0:
        yield from _multiples(factor, low, high, wanted)


def _within(base: float, low: float, high: float) -> Iterator[float]:
    """Yield numbers between the bounds, spread by `base`, and those next to the bounds."""
    if math.isfinite(low) and math.isfinite(high):
        if high - low >= 1:
            yield low + base % (high - low)
            yield low + int(base) % int(high - low + 1)
        yield low + (high - low) * (base % 10) / 10
        yield (low + high) / 2
    if math.isfinite(low):
        yield from (low + abs(base), low + 1, low, math.nextafter(low, math.inf))
    if math.isfinite(high):
        yield from (high - abs(base), high - 1, high, math.nextafter(high, -math.inf))


def _multiples(factor: float, low: float, high: float, wanted: Wanted) -> Iterator[float]:
    if math.isfinite(low):
        start = math.ceil(low / factor)
    elif math.isfinite(high):
        start = math.floor(high / factor) - 3 * _STEPS
    else:
        start = 0
    yield from ((start + (wanted.record + step) % (3 * _STEPS)) * factor for step in range(3 * _STEPS))
    yield from ((start + step) * factor for step in range(3 * _STEPS, 400))


def _fitted(text: str, least: float, most: float) -> str:
    if len(text) < least:
        text += _MORE * (int(least - len(text)) // len(_MORE) + 1)
        text = text[: int(least)]
    return text if len(text) <= most else text[: int(most)]


def _length(told: Any, default: float) -> float:
    return _bound(told, default) if _bound(told, default) >= 0 else default


def _bound(told: Any, default: float) -> float:
    return told if isinstance(told, int | float) and not isinstance(told, bool) else default
