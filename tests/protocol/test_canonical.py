"""Requests that ask the same have one form, and others have another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.canonical import canonical, fingerprint
from cometnb.protocol.params import PARAMS

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
_ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["message", "function_call", "function_call_output", "item_reference"]),
            "role": st.sampled_from(["user", "assistant"]),
            "content": _JSON,
            "id": st.sampled_from(["a", "b"]) | _JSON,
            "call_id": st.sampled_from(["a", "b"]) | _JSON,
        },
    ),
    max_size=4,
)
_BODIES = st.fixed_dictionaries(
    {"input": st.text() | _ITEMS}, optional=dict.fromkeys(("store", "text", "tools"), _JSON)
)


def _call(call_id: str, item_id: str | None = None) -> list[dict[str, Any]]:
    called = {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}
    return [
        {"role": "user", "content": "Hi"},
        called if item_id is None else called | {"id": item_id},
        {"type": "function_call_output", "call_id": call_id, "output": "1"},
    ]


@given(_BODIES)
def test_it_is_its_own_form(body: dict[str, Any]) -> None:
    """What is canonical stays so, and has the same fingerprint."""
    once = canonical(body)
    assert json.dumps(canonical(once)) == json.dumps(once)
    assert fingerprint(once) == fingerprint(body)


@given(_BODIES, st.randoms())
def test_the_order_of_keys_does_not_matter(body: dict[str, Any], random: Any) -> None:
    """At any depth; and the body itself is not changed."""
    before = json.dumps(body)
    assert fingerprint(_shuffled(body, random)) == fingerprint(body)
    assert json.dumps(body) == before


def _shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, dict):
        pairs = [(name, _shuffled(inner, random)) for name, inner in value.items()]
        random.shuffle(pairs)
        return dict(pairs)
    return [_shuffled(inner, random) for inner in value] if isinstance(value, list) else value


def test_the_reference_s_defaults_are_left_out() -> None:
    """Every one that the table has, and what is not set at all."""
    defaults = {row.name: row.default for row in PARAMS if row.default is not None}
    assert len(defaults) > 5
    assert canonical({"model": "m", "input": "Hi", **defaults, "tools": [], "metadata": None}) == {
        "input": "Hi",
        "model": "m",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.2),
        ("stream", True),
        ("store", False),
        ("temperature", True),
        ("previous_response_id", "r"),
    ],
)
def test_what_is_set_stays(name: str, value: Any) -> None:
    """Also where Python finds True equal to 1."""
    assert canonical({"model": "m", "input": "Hi", name: value})[name] is value


def test_whole_numbers_are_written_one_way() -> None:
    """2.0 and 2 are the same number in JSON."""
    assert fingerprint({"top_logprobs": 2.0}) == fingerprint({"top_logprobs": 2})


@pytest.mark.parametrize(
    "form",
    [
        [{"role": "user", "content": "Hi"}],
        [{"type": "message", "role": "user", "content": "Hi"}],
        [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
    ],
)
def test_text_is_the_message_that_it_stands_for(form: Any) -> None:
    """A client may send either."""
    assert canonical({"input": form}) == {"input": "Hi"}


def test_generated_ids_do_not_matter() -> None:
    """A call and its result have other ids in every run, and still belong together."""
    first, second = _call("call_1", "fc_1"), _call("call_9", "fc_9")
    assert (
        fingerprint({"input": first}) == fingerprint({"input": second}) == fingerprint({"input": _call("x")})
    )


def test_which_call_a_result_belongs_to_matters() -> None:
    """Two results that change places are another request."""
    calls = [{"type": "function_call", "call_id": one, "name": "f", "arguments": "{}"} for one in "ab"]
    results = [{"type": "function_call_output", "call_id": one, "output": "1"} for one in "ab"]
    assert fingerprint({"input": calls + results}) != fingerprint({"input": calls + results[::-1]})


def test_references_stay_as_they_are() -> None:
    """They say which context is meant."""
    items = [{"type": "item_reference", "id": "msg_1"}]
    assert canonical({"input": items, "previous_response_id": "resp_1"}) == {
        "input": items,
        "previous_response_id": "resp_1",
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_reference_to_an_item_beside_it_is_numbered_with_it(order: int) -> None:
    """Their id is one that a service made, too, and what a cassette holds is read as the same again."""
    forms = [
        canonical({"input": [_call("call_1", id_)[1], {"type": "item_reference", "id": id_}][::order]})
        for id_ in ("fc_1", "fc_2")
    ]
    assert forms[0] == forms[1]
    assert canonical(forms[0]) == forms[0]


def test_padding_of_a_stream_does_not_matter() -> None:
    """It is against eavesdroppers, and changes nothing in the answer."""
    padded = {"stream": True, "stream_options": {"include_obfuscation": False}}
    assert canonical(padded) == {"stream": True}


def test_a_fingerprint_is_64_hex_digits() -> None:
    """Also of text that is no whole Unicode."""
    assert len(bytes.fromhex(fingerprint({"input": "\ud800"}))) == 32
