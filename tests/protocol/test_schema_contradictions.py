"""Schemas that nothing can meet are found before a model is asked; those that something meets are left alone."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.schema_contradictions import contradiction


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 1}, "$", "minimum 5 is above maximum 1"),
        ({"type": "number", "exclusiveMinimum": 1, "maximum": 1}, "$", "nothing is above 1 and up to 1"),
        ({"type": "number", "minimum": 1, "exclusiveMaximum": 1}, "$", "nothing is from 1 up and below 1"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "$", "minLength 5 is above maxLength 2"),
        ({"type": "array", "minItems": 3, "maxItems": 1}, "$", "minItems 3 is above maxItems 1"),
        ({"type": "array", "minItems": 1, "items": False}, "$[0]", "takes nothing"),
        ({"enum": []}, "$", "enum is empty"),
        ({"type": "string", "enum": [1, 2]}, "$", "none of [1, 2] is of type string"),
        ({"type": ["string", "null"], "const": 3}, "$", "of type string or null"),
        ({"anyOf": []}, "$", "no alternative"),
        ({"anyOf": [{"enum": []}, {"type": "string", "const": 1}]}, "$", "enum is empty"),
        ({"allOf": [{"type": "string"}, {"enum": []}]}, "$", "enum is empty"),
        (_object(age={"type": "integer", "minimum": 5, "maximum": 1}), "$.age", "minimum 5"),
        (
            {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False},
            "$.a",
            "required",
        ),
        (_object(next={"$ref": "#"}), "$.next.next", "without an end"),
    ],
)
def test_a_contradiction_is_found(schema: dict[str, Any], place: str, reason: str) -> None:
    """With its place and its reason."""
    found = contradiction(schema)
    assert found is not None
    assert found[0] == place
    assert reason in found[1]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "integer", "minimum": 1, "maximum": 1},
        {"type": ["integer", "null"], "minimum": 5, "maximum": 1},
        {"type": "array", "items": {"enum": []}},
        {"type": "object", "properties": {"a": {"enum": []}}},
        {"anyOf": [{"enum": []}, {"type": "string"}]},
        _object(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
        _object(children={"type": "array", "items": {"$ref": "#"}}),
        {"type": "frog"},
        {"type": "string", "minimum": 5, "maximum": 1},
    ],
)
def test_what_something_can_meet_passes(schema: dict[str, Any]) -> None:
    """Null, an empty list, an absent property are values; what is not understood is not judged."""
    assert contradiction(schema) is None


_BOUNDS = st.integers(-3, 3)
_LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": _BOUNDS, "maximum": _BOUNDS}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer"]), "enum": st.lists(st.sampled_from([1, "a"]))}
    ),
    st.just({"type": "null"}),
)
_SCHEMAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=2)}),
        st.builds(_object, a=inner),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner, "minItems": st.integers(0, 1)}),
    ),
    max_leaves=4,
)
_VALUES = st.recursive(
    st.sampled_from([None, "a", *range(-3, 4)]),
    lambda inner: st.one_of(st.lists(inner, max_size=1), st.fixed_dictionaries({"a": inner})),
    max_leaves=3,
)


@given(_SCHEMAS, _VALUES)
def test_no_value_meets_what_is_called_impossible(schema: dict[str, Any], value: Any) -> None:
    """By another's judgement."""
    if contradiction(schema) is not None:
        # An empty list of alternatives is no schema to it.
        judge = jsonschema.Draft202012Validator(schema)
        assert not judge.is_valid(value)
