"""The JSON in an answer's text: whole, or as far as it came, with a fence or a sentence around it or not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cometnb.protocol.partial_json import PartialJSON

__all__ = ["FoundJSON", "json_in"]

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_LINE_WITH_JSON = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FoundJSON:
    """What was found.

    Attributes
    ----------
    is_whole : bool
        Whether the JSON is closed.
    is_all : bool
        Whether the text, fences aside, is this JSON and nothing else.
    value : object
        The JSON, or what there is of it; None if nothing has begun.
    rows : list of dict
        The rows that are closed.
    fault : str
        Why it is no JSON, as the rest of a sentence; empty if it only ends too early.
    """

    is_whole: bool
    is_all: bool
    value: Any
    rows: list[Any]
    fault: str


def json_in(text: str) -> FoundJSON:
    """Find the JSON in a text.

    Whole JSON is preferred; of what is not whole, the one that came furthest is taken.
    """
    fenced = [found[1] for found in _FENCE.finditer(text)]
    for candidate in [text, *fenced]:
        found = _whole(candidate)
        if found is not None:
            return found
    partial = [_partial(candidate) for candidate in [*fenced, *_starts(text)]]
    whole = [one for one in partial if one.is_whole]
    # What breaks off is an answer that was cut; what is wrong may be no JSON at all.
    cut = [one for one in partial if not one.fault]
    if whole:
        # Words in brackets before it can be JSON, too, and are shorter.
        return max(whole, key=lambda one: _size(one.value))
    if cut:
        return cut[0]
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    fault = partial[0].fault if partial else f"it says {shown!r}" if shown else "it has no text"
    return FoundJSON(
        is_whole=False,
        is_all=False,
        value=partial[0].value if partial else None,
        rows=partial[0].rows if partial else [],
        fault=fault,
    )


def _whole(text: str) -> FoundJSON | None:
    stripped = text.strip()
    # A lone half of a surrogate pair is put right by the tolerant reader only.
    if "\\ud" in stripped.lower():
        partial = PartialJSON()
        partial.feed(stripped)
        if stripped[:1] in ("{", "[") and partial.is_complete and _loads(stripped):
            return FoundJSON(is_whole=True, is_all=True, value=partial.value, rows=partial.rows, fault="")
    loaded = _loads(stripped)
    return FoundJSON(is_whole=True, is_all=True, value=loaded[0], rows=[], fault="") if loaded else None


def _loads(text: str) -> tuple[Any] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _size(value: Any) -> float:
    try:
        return len(json.dumps(value))
    except RecursionError:
        return math.inf


def _starts(text: str) -> Iterator[str]:
    """Yield the text from where JSON is likely to begin: the first brace, and the first line that begins with one."""
    if not ("{" in text or "[" in text):
        return
    yield text
    found = _LINE_WITH_JSON.search(text)
    if found and text[: found.start()].strip():
        yield text[found.end() :]
    brace = text.find("{")
    if brace > 0 and "[" in text[:brace]:
        yield text[brace:]


def _partial(text: str) -> FoundJSON:
    partial = PartialJSON()
    partial.feed(text)
    return FoundJSON(
        is_whole=partial.is_complete,
        is_all=False,
        value=partial.value,
        rows=partial.rows,
        fault=partial.fault or ("" if partial.value is not None else "it has no object and no list"),
    )
