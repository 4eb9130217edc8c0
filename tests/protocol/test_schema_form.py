"""A schema has the form of one, or the error says where it has not."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.errors import ParamError
from cometnb.protocol.schema import strict
from cometnb.protocol.schema_form import check_form
from cometnb.session.structured import schema_of


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": []}, {"anyOf": 5}, {"allOf": [5]}, {"enum": 5}, {"type": 5}, {"type": [["a"]]}, {"$defs": 5, "type": "object"},
        {"type": "object", "properties": 5}, {"type": "object", "properties": {"a": 5}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": 5},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": "x"}}},
        {"type": "object", "properties": {"a": {"enum": ["\ud800"]}}},
        {"type": "array", "items": 5}, {"$ref": "#/anyOf/" + "9" * 5000, "anyOf": []},
    ],
    ids=range(14),
)  # fmt: skip
def test_a_word_of_another_form_is_an_error_of_the_schema(schema: dict[str, Any]) -> None:
    """Whether it is typed as JSON, given as a mapping or sent by a tool."""
    with pytest.raises(ParamError):
        schema_of(schema)
    with pytest.raises(ParamError):
        strict(schema)


def test_the_place_is_named() -> None:
    """So that it can be found in a long schema."""
    schema = {"properties": {"a": {"items": {"anyOf": [{}, {"required": "x"}]}}}}
    with pytest.raises(
        ParamError, match=r"\$\.a\[\]\.anyOf\[1\] has required 'x', which is not a list of names"
    ):
        check_form(schema)


_AGAIN = {"allOf": [{"$ref": "#/$defs/N"}]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}]}}},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/N"}},
            "$defs": {"N": {"properties": {"n": _AGAIN, "m": _AGAIN}}},
        },
        {"type": "object", "properties": {"a": {"allOf": [True, {"type": "string"}]}}},
    ],
    ids=range(3),
)
def test_what_cannot_be_written_out_is_refused(schema: dict[str, Any]) -> None:
    """A schema that holds itself in an allOf would be written out without end."""
    with pytest.raises(ParamError, match="allOf"):
        strict(schema)


def test_a_reference_that_is_written_out_twice_side_by_side_is_no_circle() -> None:
    """Only inside itself it has no end."""
    both = {"allOf": [{"$ref": "#/$defs/A"}], "description": "one"}
    made = strict(
        {
            "type": "object",
            "properties": {"x": both, "y": both},
            "$defs": {"A": {"type": "object", "properties": {"n": {"type": "string"}}}},
        }
    )
    assert set(made.schema["properties"]) == {"x", "y"}
