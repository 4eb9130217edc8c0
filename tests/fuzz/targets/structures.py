"""JSON in the hand of the protocol: unfinished texts, usage, canonical bodies, parameters."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.errors import CometError, ParamError
from cometnb.protocol.canonical import canonical, fingerprint
from cometnb.protocol.partial_json import PartialJSON
from cometnb.protocol.request import prepare
from cometnb.protocol.response import whole_text
from cometnb.protocol.usage import Usage
from tests.fuzz.looking import check_error, check_usage
from tests.fuzz.streams import USAGE
from tests.fuzz.target import Target

__all__ = ["TARGETS", "canonical_body", "partial_json", "request", "usage"]

# Deeper than that Python itself stops, and every one of these says so in an error of its own or is given less.
_DEEPEST = 100


def partial_json(data: bytes) -> None:
    """Feed a text in random pieces and by the letter; at the end it is what JSON says it is."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    whole = _fed([text])
    rng = random.Random(data)
    places = sorted(rng.randint(0, len(text)) for _ in range(6))
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    for other in [_fed(pieces), *([_fed(list(text))] if len(text) < 3000 else [])]:
        assert _told(other) == _told(whole)
    _check_prefix(text, rng)
    value = _json(text.strip())
    # Numbers beyond a documented length are not read, so that one without an end costs no more.
    is_read = "a number that never ends" not in str(whole.fault)
    if isinstance(value, dict | list) and len(text) < 20_000 and is_read:
        assert whole.is_complete, whole.fault
        assert _same(whole.value, _plain(value))


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _fed(pieces: list[str]) -> PartialJSON:
    partial = PartialJSON()
    for piece in pieces:
        partial.feed(piece)
        _ = partial.value
    return partial


def _told(partial: PartialJSON) -> str:
    return repr((partial.value, partial.rows, partial.is_complete, partial.fault))


def _check_prefix(text: str, rng: random.Random) -> None:
    """What a part of the text says is a part of what all of it says, and whole rows stay as they are."""
    partial = PartialJSON()
    place = rng.randint(0, len(text))
    partial.feed(text[:place])
    rows = copy.deepcopy(partial.rows)
    before = copy.deepcopy(partial.value)
    partial.feed(text[place:])
    assert _same(partial.rows[: len(rows)], rows) or _has_twice(text)
    assert before is None or type(before) is type(partial.value)
    for row in partial.rows:
        assert isinstance(row, dict)


def _has_twice(text: str) -> bool:
    try:
        json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {whole_text(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return whole_text(value) if isinstance(value, str) else value


def _same(left: Any, right: Any) -> bool:
    return repr(left) == repr(right)


def usage(data: bytes) -> None:
    """Read any JSON as a usage, and add two."""
    parts = [_json(line) for line in data.decode("utf-8", "replace").splitlines()][:8]
    read = [Usage(part) for part in parts]
    for one in read:
        check_usage(one)
        assert one == Usage(one.raw)
    total = sum(read, Usage())
    check_usage(total)
    if all(_is_simple(part) for part in parts):
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            known = [count for one in read if (count := getattr(one, name)) is not None]
            found = getattr(total, name)
            assert found == (sum(known) if known else None)
    json.dumps(total.raw)


def _is_simple(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and all(
            type(value) is int and 0 <= value < 2**40
            for name, value in part.items()
            if name in ("input_tokens", "output_tokens", "total_tokens")
        )
        and not any(name.startswith(("prompt", "completion")) for name in part)
    )


def canonical_body(data: bytes) -> None:
    """Bring a body into its canonical form: once is enough, and the order of keys means nothing."""
    value = _json(data.decode("utf-8", "replace"))
    if not isinstance(value, dict) or _depth(value) > _DEEPEST:
        return
    before = json.dumps(value)
    form = canonical(value)
    assert json.dumps(value) == before
    assert _same(canonical(form), form)
    assert fingerprint(_reversed(value)) == fingerprint(value) == fingerprint(form)
    assert len(fingerprint(value)) == 64


def request(data: bytes) -> None:
    """Prepare any JSON object as a call's parameters: a body that can be sent, or a ParamError."""
    value = _json(data.decode("utf-8", "replace"))
    if not isinstance(value, dict):
        return
    try:
        prepared = prepare(value)
    except ParamError as error:
        check_error(error)
        return
    except CometError as error:
        raise AssertionError("another error than ParamError") from error
    json.dumps(prepared.body)
    assert all(isinstance(note, str) for note in prepared.notes)
    fingerprint(prepared.body)


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _reversed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _reversed(value[name]) for name in reversed(list(value))}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


def _partial_seeds() -> Iterator[bytes]:
    yield from (
        b'{"rows": [{"name": "Ada", "born": 1815}, {"name": "Gra", "x": [1, -2.5e3, true, null]}]}',
        b'[{"a": "\\u00e9\\ud83d\\ude00\\n\\"\\\\"}, {"b": {}}, {}]',
        b'Here it is:\n```json\n{"a": [[], {}, [[]]], "b": ""}\n``` that is all',
        b'{"a": 1, "a": 2, "": "", "rows": [1, {"x": 1}, [{"y": 2}]],}',
        b"[]", b"{}", b"[1,2", b'{"a"', b"nothing",
    )  # fmt: skip


def _usage_seeds() -> Iterator[bytes]:
    chat = {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 1},
        "cost": 0.1,
    }
    yield json.dumps(USAGE).encode()
    yield json.dumps(USAGE).encode() + b"\n" + json.dumps(chat).encode()
    yield b'{"input_tokens": 1.0}\n{"input_tokens": 2, "tier": "a"}\n{"tier": "b"}\nnull'


def _body_seeds() -> Iterator[bytes]:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_9", "name": "f", "arguments": "{}"}
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        call,
        {"type": "function_call_output", "call_id": "call_9", "output": "1"},
        {"type": "item_reference", "id": "fc_1"},
    ]
    tool = {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
        "strict": True,
    }
    form = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {}}}}
    bodies: tuple[dict[str, Any], ...] = (
        {"model": "gpt-5.4", "input": "Hello", "stream": False, "temperature": 1.0},
        {"model": "m", "input": items, "tools": [tool], "tool_choice": "auto", "store": True},
        {"model": "m", "input": "x", "text": form, "reasoning": {"effort": "low", "summary": "auto"}},
        {"model": "m", "input": "x", "metadata": {"a": "b"}, "max_output_tokens": 16, "top_p": 0.5},
        {
            "model": "m",
            "input": "x",
            "previous_response_id": "resp_1",
            "include": ["reasoning.encrypted_content"],
        },
        {
            "model": "m",
            "input": [{"role": "user", "content": "Hi"}],
            "extra_body": {"seed": 1},
            "background": True,
        },
        {"model": "m", "instructions": "Be brief.", "prompt": {"id": "p", "variables": {"a": "b"}}},
    )
    yield from (json.dumps(one).encode() for one in bodies)


_JSON_TOKENS = (b'{"a":', b"[{", b"}]", b'"\\u', b"\\ud83d", b"-", b"e5", b"1.5", b",}", b",]", b"```")
TARGETS = (
    Target("partial_json", partial_json, _partial_seeds, tokens=_JSON_TOKENS, n_tested=400),
    Target("usage", usage, _usage_seeds, n_tested=400),
    Target("canonical", canonical_body, _body_seeds, n_tested=400),
    Target("request", request, _body_seeds, n_tested=400),
)
