"""Any valid request: Hypothesis strategies drawn from the parameter table, for tests of every form a call can have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from cometnb.protocol.params import PARAMS, Param
from cometnb.protocol.request import LOGPROBS

__all__ = ["TEXTS", "bodies", "json_values"]

# What editors, shells, quoting and templates trip over.
_NASTY = (
    "{{x}}", "\\{{", "{{{", "}}", "{", "\\", "\n", "\r\n", "\r", "\t", "\x85", "\u2028", "\x0b\x0c", "\x00", "\x1b[31m",
    ">>> x", "... y", "In [1]: z", "%%respond", "%comet", "!ls", "?", "'", '"', "'''", '"""', "`id`", "$HOME", "$(id)",
    "@file", "-m", "--model", "--no-store", "low", "auto", "df", "true", "null", "NaN", "1", "1.0", "[1]", '{"a": 1}',
    " ", "\u00a0", "\u200b", "\ufeff", "a=b", "a.b", "a,b", "JSON", "#", ";", "❤", "é", "👩\u200d💻", "\U000e0001",
)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(_NASTY),
    st.lists(st.one_of(st.sampled_from(_NASTY), st.text(max_size=6)), max_size=5).map("".join),
    st.text(max_size=30),
)


def json_values(max_leaves: int = 6) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=max_leaves,
    )


def _objects(row: Param) -> st.SearchStrategy[Any]:
    if row.name == "metadata":
        return st.dictionaries(TEXTS, TEXTS, max_size=3)
    if not row.fields:
        return st.dictionaries(TEXTS, json_values(), max_size=3)
    known = st.fixed_dictionaries({}, optional={one.name: _values(one) | st.none() for one in row.fields})
    return st.builds(
        lambda some, more: {**more, **some}, known, st.dictionaries(TEXTS, json_values(), max_size=1)
    )


def _numbers(row: Param) -> st.SearchStrategy[Any]:
    whole = st.integers(int(row.minimum or 0), int(row.maximum if row.maximum is not None else 10**6))
    return whole if row.kinds == ("integer",) else whole | st.floats(row.minimum, row.maximum)


def _values(row: Param) -> st.SearchStrategy[Any]:
    """Values that a row allows, and a few that pass only unchecked."""
    choices = st.sampled_from(row.choices) if row.choices else TEXTS
    words = choices if row.closed else choices | TEXTS
    kinds: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "string": lambda: words,
        "boolean": st.booleans,
        "integer": lambda: _numbers(row),
        "number": lambda: _numbers(row),
        "array": lambda: st.lists(words if row.choices else json_values(3), max_size=3),
        "object": lambda: _objects(row),
    }
    return st.one_of(*(kinds[kind]() for kind in row.kinds))


_TOOLS = st.lists(
    st.sampled_from(["web_search", "code_interpreter"]).map(lambda kind: {"type": kind})
    | st.builds(lambda text: {"type": "mcp", "server_label": text}, TEXTS)
    | st.builds(lambda value: {"type": "function", "name": "f", "parameters": {"x": value}}, json_values(3)),
    max_size=2,
)
_ITEMS = st.lists(
    st.builds(lambda text: {"role": "user", "content": text}, TEXTS) | TEXTS | json_values(3),
    min_size=1,
    max_size=3,
)
_LINKED = st.builds(
    lambda text, parts: [{"role": "user", "content": [{"type": "input_text", "text": text}, *parts]}],
    TEXTS,
    st.lists(
        st.sampled_from(
            [
                {"type": "input_image", "image_url": "https://example.org/a.png"},
                {"type": "input_image", "image_url": "https://example.org/b c.png", "detail": "low"},
                {"type": "input_image", "image_url": "https://example.org/\u2028.png"},
                {"type": "input_file", "file_url": "https://example.org/a.pdf"},
                {"type": "input_image", "image_url": "a.png"},
                {"type": "input_text", "text": "x"},
            ]
        ),
        max_size=3,
    ),
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies that `prepare` lets through, with fields the table does not know and values it would not allow."""
    rows = [row for row in PARAMS if row.name not in ("model", "input", "tools")]
    chosen = draw(st.lists(st.sampled_from(rows), unique=True, max_size=6))
    body: dict[str, Any] = {
        "model": draw(TEXTS.filter(str.strip)),
        "input": draw(TEXTS.filter(str.strip) | _ITEMS | _LINKED),
    }
    body |= {row.name: draw(_values(row)) for row in chosen}
    if draw(st.booleans()):
        body["tools"] = draw(_TOOLS)
    body |= draw(st.dictionaries(TEXTS, json_values(), max_size=2))
    if "previous_response_id" in body:
        body.pop("conversation", None)
    if "top_logprobs" in body:
        body["include"] = [LOGPROBS]
    if "stream_options" in body:
        body["stream"] = True
    # What looks like a key is masked wherever it goes, which is another rule.
    safe: dict[str, Any] = json.loads(json.dumps(body).replace("sk-", "sk+"))
    return safe
