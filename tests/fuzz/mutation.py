"""Seeded changes to an input: of its bytes, its lines, and the JSON in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["mutated"]

_LONGEST = 200_000
_MOST_STEPS = 6

# Words that mean something to JSON, to event streams or to nobody.
_TOKENS = (
    b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80",
    "\u2028".encode(), "\u202e".encode(), "\u00ad".encode(), b"null", b"true", b'""', b"{}", b"[]", b"{", b"}",
    b"[", b"]", b'"', b"\\", b"\\u0000", b"\\ud83d", b"\\ude00", b":", b",", b"0", b"-0", b"-1", b"1e308",
    b"1e999", b"NaN", b"Infinity", b"9" * 40, b"9" * 5000, b"data: ", b"event: ", b"id: 1\n", b"retry: 1\n",
    b": ping\n\n", b"data: [DONE]\n\n", b"error", b"<", b">", b"&", b"'", b"`", b"$", b"%s", b"../",
)  # fmt: skip

# Stand for JSON that Python would not write itself; put in their places afterwards.
_WRITTEN_OUT = {
    "@@digits@@": b"1" + b"0" * 5000,
    "@@deep list@@": b"[" * 3000 + b"]" * 3000,
    "@@deep object@@": b'{"a":' * 1500 + b"1" + b"}" * 1500,
    "@@nested@@": b"[" * 90 + b"1" + b"]" * 90,
    "@@halves@@": b'"\\ud83d"',
    "@@other half@@": b'"\\ude00 \\udfff"',
    "@@exponent@@": b"1e400",
}
_ODD: tuple[Any, ...] = (
    None, "", 0, -1, 1, True, False, 0.5, -0.0, 1e308, float("nan"), float("inf"), 2**31, 2**53 + 1, 2**63, 2**64,
    [], {}, [[]], [None], {"": None}, {"type": None}, "\0", "\ud800", "a" * 3000, "NaN", "1", "null", "[DONE]", "é",
    [1, "a", {}], {"a": {"b": []}}, *_WRITTEN_OUT,
)  # fmt: skip
_NAMES = (
    "type", "id", "status", "output", "content", "text", "delta", "index", "usage", "error", "item", "part", "response",
    "output_index", "content_index", "sequence_number", "name", "arguments", "call_id", "summary", "role", "model", "",
    "$ref", "properties", "items", "anyOf", "enum", "required", "__class__", "message", "code", "object", "detail",
)  # fmt: skip

_JSON_IN_LINE = re.compile(rb"^([^{\[\n]{0,40})([{\[].*)$", re.DOTALL)
_PLACEHOLDER = re.compile(rb'"(@@[a-z ]+@@)"')

_Random = random.Random


def mutated(data: bytes, others: Sequence[bytes], tokens: Sequence[bytes], rng: _Random) -> bytes:
    """Return `data` after a few changes.

    Parameters
    ----------
    data : bytes
    others : sequence of bytes
        Inputs of the same kind, to splice with.
    tokens : sequence of bytes
        Words of the input's language.
    rng : random.Random
        Decides; the same state gives the same result.
    """
    words = (*tokens, *tokens, *_TOKENS)
    for _ in range(rng.choice((1, 1, 2, 2, 3, _MOST_STEPS))):
        step = rng.choice(_STEPS)
        data = step(data, others, words, rng)[:_LONGEST]
    return data


def _cut(data: bytes, rng: _Random, most: int = 64) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.randint(1, most))


def _flip(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    if not data:
        return bytes([rng.randrange(256)])
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _remove(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    start, end = _cut(data, rng, rng.choice((1, 8, 64, 4096)))
    return data[:start] + data[end:]


def _repeat(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    start, end = _cut(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 30, 300)) + data[end:]


def _insert(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(words) + data[place:]


def _overwrite(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    word = rng.choice(words)
    place = rng.randint(0, len(data))
    return data[:place] + word + data[place + len(word) :]


def _truncate(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _splice(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    other = rng.choice(others) if others else data
    lines, more = data.splitlines(keepends=True), other.splitlines(keepends=True)
    if len(lines) > 2 and len(more) > 2 and rng.random() < 0.7:
        return b"".join(lines[: rng.randint(0, len(lines))] + more[rng.randint(0, len(more)) :])
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _lines(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    """Repeat, drop, move or exchange lines, or a run of them."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return _insert(data, others, words, rng)
    start = rng.randrange(len(lines))
    end = min(len(lines), start + rng.choice((1, 1, 2, 3, 8)))
    taken, kept = lines[start:end], lines[:start] + lines[end:]
    place = rng.randint(0, len(kept))
    match rng.randrange(4):
        case 0:
            return b"".join(lines[:end] + taken + lines[end:])
        case 1:
            return b"".join(kept)
        case 2:
            return b"".join(kept[:place] + taken + kept[place:])
        case _:
            return b"".join(lines[:start] + taken[::-1] + lines[end:])


def _json(data: bytes, others: Sequence[bytes], words: Sequence[bytes], rng: _Random) -> bytes:
    """Change a value inside the JSON that the input is, or that one of its lines holds."""
    tree = _loaded(data)
    if tree is not None:
        return _written(_changed(tree[0], rng))
    lines = data.splitlines(keepends=True)
    holding = [place for place, line in enumerate(lines) if b"{" in line or b"[" in line]
    if not holding:
        return _overwrite(data, others, words, rng)
    place = rng.choice(holding)
    line = lines[place]
    found = _JSON_IN_LINE.match(line.rstrip(b"\r\n"))
    tree = _loaded(found[2]) if found else None
    if found is None or tree is None:
        return _overwrite(data, others, words, rng)
    end = line[len(line.rstrip(b"\r\n")) :]
    lines[place] = found[1] + _written(_changed(tree[0], rng)) + end
    return b"".join(lines)


def _loaded(data: bytes) -> tuple[Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return (value,) if isinstance(value, dict | list) else None


def _written(value: Any) -> bytes:
    try:
        text = json.dumps(value).encode()
    except (ValueError, RecursionError):
        return b"null"
    return _PLACEHOLDER.sub(lambda found: _WRITTEN_OUT.get(found[1].decode(), b"0"), text)


def _changed(tree: Any, rng: _Random) -> Any:
    places = list(_places(tree))
    if not places:
        return rng.choice(_ODD)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        owner, key = rng.choice(places)
        if key not in (owner if isinstance(owner, dict) else range(len(owner))):
            continue
        _change_at(owner, key, places, rng)
    return tree


def _change_at(owner: Any, key: Any, places: list[tuple[Any, Any]], rng: _Random) -> None:
    match rng.randrange(6):
        case 0 | 1:
            owner[key] = rng.choice(_ODD)
        case 2:
            del owner[key]
        case 3:
            other, there = rng.choice(places)
            if there in (other if isinstance(other, dict) else range(len(other))):
                owner[key] = _copy(other[there])
        case 4:
            owner[key] = rng.choice(([owner[key]], {"type": owner[key]}, [owner[key], owner[key]], str(key)))
        case _:
            if isinstance(owner, dict):
                owner[rng.choice(_NAMES)] = rng.choice(_ODD)
            else:
                owner.insert(key, rng.choice(_ODD))


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        owner = waiting.pop()
        if isinstance(owner, dict | list):
            inner = list(owner.items()) if isinstance(owner, dict) else list(enumerate(owner))
            found += [(owner, key) for key, _ in inner]
            waiting += [value for _, value in inner]
    return found


_Step = Callable[[bytes, Sequence[bytes], Sequence[bytes], _Random], bytes]

# JSON and lines are where most inputs have their meaning, so they are drawn more often.
_STEPS: tuple[_Step, ...] = (
    _flip, _remove, _repeat, _insert, _overwrite, _truncate, _splice, _lines, _lines, _lines, *[_json] * 6,
)  # fmt: skip
