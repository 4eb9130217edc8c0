"""Where a value does not fit a schema: the same verdict as a validator's, and a place that can be found."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.session.schema_misfits import misfit

_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"], "minimum": 0},
        "boss": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ([], "$", "should be of type object"),
        ({}, "$.name", "should be there"),
        ({"name": "x", "age": "3"}, "$.age", "should be of type integer, null"),
        ({"name": "x", "age": -1}, "$.age", "should be 0 or more"),
        ({"name": "x", "born": 1}, "$.born", "is no property of the schema"),
        ({"name": "x", "boss": {"name": 3}}, "$.boss.name", "should be of type string"),
        ({"name": "x", "boss": 3}, "$.boss", "should be of type object or should be of type null"),
    ],
)
def test_the_first_misfit_is_named(value: Any, place: str, reason: str) -> None:
    """Its place, and what should be there."""
    found = misfit(value, _PERSON, _PERSON)
    assert found is not None
    assert (found.place, found.reason) == (place, reason)


def test_what_fits_has_no_misfit() -> None:
    """Recursive schemas too."""
    assert misfit({"name": "x", "boss": {"name": "y", "boss": None}}, _PERSON, _PERSON) is None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"enum": [1, "a"]}, True),
        ({"const": [1, {"a": 1}]}, [True, {"a": 1}]),
        ({"type": "string", "minLength": 2}, "a"),
        ({"type": "string", "maxLength": 2}, "abc"),
        ({"type": "string", "pattern": "^a"}, "b"),
        ({"type": "string", "format": "date"}, "yesterday"),
        ({"type": "string", "format": "date-time"}, "2026-13-01T00:00:00Z"),
        ({"type": "number", "exclusiveMinimum": 1}, 1),
        ({"type": "number", "exclusiveMaximum": 1}, 1),
        ({"type": "number", "maximum": 1}, 2),
        ({"type": "number", "multipleOf": 0.1}, 0.25),
        ({"type": "array", "items": {}, "minItems": 1}, []),
        ({"type": "array", "items": {}, "maxItems": 1}, [1, 2]),
        ({"type": "array", "uniqueItems": True}, [1, 2, 1.0]),
        ({"type": "array", "prefixItems": [{"type": "string"}], "items": False}, ["a", "b"]),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, [1]),
        ({"allOf": [{"type": "string"}, {"minLength": 3}]}, "ab"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": 1}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, 1),
    ],
)
def test_each_keyword_is_kept_to(schema: dict[str, Any], value: Any) -> None:
    """What breaks it is found."""
    assert misfit(value, schema, schema) is not None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 3.0),
        ({"enum": [1]}, 1.0),
        ({"minLength": 2}, 1),
        ({"type": "number", "multipleOf": 0.1}, 0.3),
        ({"type": "string", "pattern": r"\p{L}"}, "a"),
        ({"type": "string", "nullable": True}, None),
        ({"type": "array", "uniqueItems": True}, [1, True, "1", [1], {"a": 1}]),
        ({"type": "string", "format": "date"}, "1815-12-10"),
        ({"type": "string", "format": "date-time"}, "1815-12-10T00:00:00.5Z"),
        ({"type": "string", "format": "uri"}, "anything"),
        (True, 3),
    ],
)
def test_what_a_keyword_allows_passes(schema: Any, value: Any) -> None:
    """As JSON sees it: 3.0 is an integer, true is not 1, and a keyword leaves other types alone."""
    assert misfit(value, schema, {}) is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
_TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
_SCHEMAS = st.recursive(
    st.sampled_from([{"type": name} for name in _TYPES])
    | st.builds(lambda values: {"enum": values}, st.lists(_VALUES, min_size=1, max_size=2))
    | st.sampled_from(
        [
            {"minimum": 1},
            {"maxLength": 1},
            {"minItems": 1},
            {"uniqueItems": True},
            {"type": ["string", "null"]},
        ]
    ),
    lambda inner: (
        st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner)
        | st.builds(lambda one, other: {"allOf": [one, other]}, inner, inner)
        | st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(
            lambda one, required, extra: {
                "type": "object",
                "properties": {"a": one},
                "required": required,
                "additionalProperties": extra,
            },
            inner,
            st.sampled_from([[], ["a"]]),
            st.booleans() | inner,
        )
    ),
    max_leaves=5,
)


@given(_SCHEMAS, _VALUES)
def test_the_verdict_is_a_validator_s(schema: dict[str, Any], value: Any) -> None:
    """For any schema of these keywords, and any value."""
    is_right = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (misfit(value, schema, schema) is None) == is_right
