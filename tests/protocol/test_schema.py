"""Schemas in strict mode's form: what changes, what is refused, and that nothing right becomes wrong."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import jsonschema
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.protocol.schema import strict


def _object(properties: Mapping[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(required), **more}


_TEXT = {"type": "string"}


def test_a_schema_in_strict_form_stays() -> None:
    """Nothing is changed, and nothing is reported."""
    given = _object({"a": _TEXT}, "a", additionalProperties=False)
    result = strict(given)
    assert result.schema == given
    assert result.changes == ()


def test_what_may_be_absent_may_be_null() -> None:
    """Each such property is reported with its place; those that are required stay."""
    result = strict(_object({"a": _TEXT, "b": {"type": "integer", "minimum": 1}, "c": {"enum": ["x"]}}, "a"))
    assert result.schema["required"] == ["a", "b", "c"]
    assert result.schema["properties"]["b"] == {"type": ["integer", "null"], "minimum": 1}
    assert result.schema["properties"]["c"] == {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}
    assert "$.b: may be absent, so it may be null" in result.changes
    assert "$: closed (additionalProperties is false)" in result.changes


def test_nulls_that_stood_for_absent_go_again() -> None:
    """A null that the original takes stays."""
    result = strict(
        _object(
            {
                "a": _TEXT,
                "b": {"type": ["string", "null"]},
                "rows": {"type": "array", "items": _object({"n": _TEXT})},
            }
        )
    )
    answer = {"a": None, "b": None, "rows": [{"n": None}, {"n": "x"}]}
    assert result.restored(answer) == {"b": None, "rows": [{}, {"n": "x"}]}
    assert answer["a"] is None


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ({"type": "string", "minLength": 2}, "minLength: 2"),
        ({"type": "array", "items": _TEXT, "uniqueItems": True}, "uniqueItems: true"),
        ({"type": "integer", "default": 3}, "default: 3"),
        ({"type": "string", "format": "uri"}, 'format: "uri"'),
    ],
)
def test_what_strict_mode_does_not_hold_to_is_told_the_model(node: dict[str, Any], word: str) -> None:
    """The keyword goes into the description, beside what is there."""
    result = strict(_object({"a": {**node, "description": "An a."}}, "a"))
    inner = result.schema["properties"]["a"]
    assert inner["description"] == f"An a. ({word})"
    assert any("moved into the description" in change for change in result.changes)


def test_what_strict_mode_holds_to_stays() -> None:
    """Patterns, known formats and bounds."""
    node = {"type": "string", "pattern": "^a", "format": "date"}
    bounds = {"type": "array", "items": {"type": "number", "multipleOf": 0.5}, "minItems": 1, "maxItems": 3}
    assert strict(_object({"a": node, "b": bounds}, "a", "b")).schema["properties"] == {
        "a": node,
        "b": bounds,
    }


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": _TEXT}, "root"),
        (_object({"a": {}}), "takes any value"),
        (_object({"a": True}), "takes any value"),
        (_object({"a": {"description": "x"}}), "takes any value"),
        (_object({"a": {"type": "object"}}), "not named"),
        (_object({"a": {"type": "object", "additionalProperties": _TEXT}}), "not named"),
        (_object({"a": _object({}, patternProperties={"^x": _TEXT})}), "patternProperties"),
        (_object({"a": {"type": "array"}}), "list of anything"),
        (_object({"a": {"not": _TEXT}}), "uses not"),
        (_object({"a": {"$ref": "#/$defs/gone"}}), "not in the schema"),
        (_object({"a": {"$ref": "https://example.org/x"}}), "not in the schema"),
        (_object({"a": 3}), "not an object of schemas"),
        (_object({"a": {"allOf": [{"type": "string"}, {"type": "integer"}]}}), "twice in allOf"),
    ],
)
def test_what_it_cannot_express_is_refused_with_a_place(schema: dict[str, Any], words: str) -> None:
    """Two lines: where and what, and what to write instead."""
    with pytest.raises(ParamError, match=words) as raised:
        strict(schema)
    assert "$" in raised.value.fact
    assert raised.value.next_step


def test_limits_are_named() -> None:
    """More levels or properties than strict mode takes are refused before anything is sent."""
    deep: dict[str, Any] = _TEXT
    for _ in range(11):
        deep = _object({"a": deep}, "a")
    with pytest.raises(ParamError, match="11 levels of objects; strict mode takes at most 10"):
        strict(deep)
    with pytest.raises(ParamError, match="5,001 properties"):
        strict(_object({f"p{n}": _TEXT for n in range(5_001)}))


def test_all_of_is_merged_and_one_of_opened() -> None:
    """Both are said; bounds take the narrower."""
    node = {"allOf": [_object({"a": {"type": "integer"}}, "a"), _object({"b": _TEXT}, "b")]}
    result = strict(_object({"x": node, "y": {"oneOf": [_TEXT, {"type": "null"}]}}, "x", "y"))
    assert result.schema["properties"]["x"]["required"] == ["a", "b"]
    assert result.schema["properties"]["y"] == {"anyOf": [_TEXT, {"type": "null"}]}
    assert {"$.x: allOf is merged into one", "$.y: oneOf is written as anyOf"} <= set(result.changes)


class _Mood(enum.Enum):
    GLAD = "glad"
    SAD = "sad"


class _Address(pydantic.BaseModel):
    street: str
    number: int | None = None


class _Person(pydantic.BaseModel):
    """A person."""

    name: str = pydantic.Field(min_length=1, description="Full name.")
    age: int = pydantic.Field(default=18, ge=0, le=150)
    mood: _Mood = _Mood.GLAD
    home: _Address
    others: list[_Address] = []
    pair: tuple[int, int] = (1, 2)
    kind: Literal["a", "b"] | None = None
    friend: _Person | None = None


@dataclasses.dataclass
class _Record:
    a: int
    b: str = "x"


def _addresses() -> st.SearchStrategy[_Address]:
    return st.builds(_Address, street=st.text(max_size=5), number=st.none() | st.integers(-5, 5))


def _people() -> st.SearchStrategy[_Person]:
    base = st.builds(
        _Person,
        name=st.text(min_size=1, max_size=5),
        age=st.integers(0, 150),
        mood=st.sampled_from(_Mood),
        home=_addresses(),
        others=st.lists(_addresses(), max_size=2),
        pair=st.tuples(st.integers(0, 3), st.integers(0, 3)),
        kind=st.sampled_from(["a", "b", None]),
        friend=st.none(),
    )
    return base | st.builds(lambda one, friend: one.model_copy(update={"friend": friend}), base, base)


@given(_people())
def test_what_a_pydantic_class_takes_its_strict_schema_takes(person: _Person) -> None:
    """And the answer in strict form becomes the same object again."""
    result = strict(_Person.model_json_schema())
    value = person.model_dump(mode="json")
    jsonschema.validate(value, result.schema)
    assert _Person.model_validate(result.restored(value)) == person


@pytest.mark.parametrize("kind", [_Person, _Record])
def test_every_object_is_closed_and_whole(kind: Any) -> None:
    """Whatever the type it came from: no open object, no property left out of required."""
    result = strict(pydantic.TypeAdapter(kind).json_schema())
    jsonschema.Draft202012Validator.check_schema(result.schema)
    objects = [node for node in _nodes(result.schema) if node.get("type") == "object"]
    assert objects
    for node in objects:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


_LEAVES = st.sampled_from(
    [
        _TEXT,
        {"type": "integer"},
        {"type": "boolean"},
        {"enum": ["x", 1]},
        {"type": ["number", "null"]},
        {"const": "k"},
    ]
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
    return names.flatmap(
        lambda keys: st.builds(
            lambda nodes, required: _object(
                dict(zip(keys, nodes, strict=True)), *required, additionalProperties=False
            ),
            st.lists(inner, min_size=len(keys), max_size=len(keys)),
            st.lists(st.sampled_from(keys), unique=True, max_size=3),
        )
    )


_SCHEMAS = _objects(
    st.recursive(
        _LEAVES,
        lambda inner: (
            _objects(inner)
            | st.builds(lambda one: {"type": "array", "items": one}, inner)
            | st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner)
        ),
        max_leaves=6,
    )
)


def _filled(value: Any, schema: Any) -> Any:
    """Return a value with null for every property that is absent, as strict mode gives it."""
    for variant in [schema, *schema.get("anyOf", ())]:
        if (
            isinstance(value, dict)
            and variant.get("properties")
            and set(value) <= set(variant.get("properties", ()))
            and _fits(value, variant)
        ):
            return {name: _filled(value.get(name), node) for name, node in variant["properties"].items()}
        if isinstance(value, list) and "items" in variant and _fits(value, variant):
            return [_filled(entry, variant["items"]) for entry in value]
    for variant in schema.get("anyOf", ()):
        if _fits(value, variant):
            return _filled(value, variant)
    return value


def _fits(value: Any, schema: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def _values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of([_values(one) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if schema["type"] == "object":
        required = {name: _values(schema["properties"][name]) for name in schema["required"]}
        rest = {name: _values(node) for name, node in schema["properties"].items() if name not in required}
        return st.fixed_dictionaries(required, optional=rest)
    if schema["type"] == "array":
        return st.lists(_values(schema["items"]), max_size=2)
    return _PLAIN[str(schema["type"])]


_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=3),
    "integer": st.integers(-3, 3),
    "boolean": st.booleans(),
    "['number', 'null']": st.none() | st.floats(-1, 1),
}


@given(_SCHEMAS.flatmap(lambda schema: st.tuples(st.just(schema), _values(schema))))
def test_a_rewrite_takes_what_the_original_takes(drawn: tuple[dict[str, Any], Any]) -> None:
    """Any value, with null for what is absent, is right in strict form too, and right in the original when restored."""
    schema, value = drawn
    result = strict(schema)
    answer = _filled(value, schema)
    jsonschema.validate(answer, result.schema)
    jsonschema.validate(result.restored(answer), schema)
