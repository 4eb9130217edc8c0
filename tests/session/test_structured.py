"""What an answer shall be: the name, the schema that is sent, the value and the frame, whatever it was made from."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import re
from typing import Any, Literal

import jsonschema
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError, SchemaMismatchError
from cometnb.session.structured import schema_of, text_format


@dataclasses.dataclass
class Person:
    """A person."""

    name: str
    age: int | None = None


class _People(pydantic.BaseModel):
    people: list[Person]


class _Many(pydantic.BaseModel):
    count: int
    people: list[Person]


_PERSON_SCHEMA: dict[str, Any] = {
    "title": "A person!",
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}},
    "required": ["name"],
}
_LIKE = pd.DataFrame({"name": ["x"], "age": [1]})
_SPECS: list[tuple[Any, str, list[str], bool]] = [
    (Person, "Person", ["name", "age"], False),
    (list[Person], "Person_rows", ["rows"], True),
    (Person | None, "Person", ["value"], False),
    (_People, "People", ["people"], True),
    (_Many, "Many", ["count", "people"], False),
    (int, "int", ["value"], False),
    (Literal["a", "b"], "answer", ["value"], False),
    (list[int], "int_rows", ["rows"], True),
    (tuple[int, str], "int_str", ["value"], False),
    (pydantic.TypeAdapter(list[Person]), "rows", ["rows"], True),
    (_PERSON_SCHEMA, "A_person", ["name", "age"], False),
    ({"type": "array", "items": _PERSON_SCHEMA}, "answer", ["rows"], True),
    ({"anyOf": [_PERSON_SCHEMA, {"type": "null"}]}, "answer", ["value"], False),
    (
        {"type": "json_schema", "name": "mine", "strict": True, "schema": _PERSON_SCHEMA},
        "mine",
        ["name", "age"],
        False,
    ),
    ({"json_schema": {"name": "mine", "schema": _PERSON_SCHEMA}}, "mine", ["name", "age"], False),
    (_LIKE, "rows", ["rows"], True),
    ("name, age int?", "answer", ["name", "age"], False),
    ("[name, age int?]", "answer", ["rows"], True),
    (json.dumps(_PERSON_SCHEMA), "A_person", ["name", "age"], False),
]


@pytest.mark.parametrize(("spec", "name", "properties", "is_rows"), _SPECS)
def test_a_schema_can_be_made_from_it(spec: Any, name: str, properties: list[str], is_rows: bool) -> None:
    """With a name the API takes and an object at the root."""
    schema = schema_of(spec)
    assert (schema.name, list(schema.schema["properties"]), schema.is_rows) == (name, properties, is_rows)
    jsonschema.Draft202012Validator.check_schema(schema.schema)


@pytest.mark.parametrize("spec", [spec for spec, *_ in _SPECS])
def test_the_format_of_the_request_is_flat(spec: Any) -> None:
    """As the Responses API takes it."""
    schema = schema_of(spec)
    assert text_format(schema) == {
        "type": "json_schema", "name": schema.name, "strict": True, "schema": schema.schema
    }  # fmt: skip
    json.dumps(text_format(schema))


@given(st.text(max_size=80))
def test_any_class_name_becomes_one_the_api_takes(name: str) -> None:
    """Letters, digits, _ and -, at most 64."""
    schema = schema_of({"title": name, "type": "object", "properties": {"a": {"type": "string"}}})
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", schema.name)


def test_each_rewrite_is_told() -> None:
    """What strict mode needed, and that a list was put into an object."""
    rewrites = schema_of({"type": "array", "items": _PERSON_SCHEMA}).rewrites
    assert rewrites[0].startswith('$: put into an object, {"rows": …}')
    assert "$.rows[].age: may be absent, so it may be null" in rewrites
    assert schema_of(Person | None).schema["properties"].keys() == {"value"}


_ROW = {"name": "Ada", "age": None}


@pytest.mark.parametrize(
    ("spec", "answer", "value"),
    [
        (Person, _ROW, Person("Ada")),
        (list[Person], {"rows": [_ROW]}, [Person("Ada")]),
        (Person | None, {"value": None}, None),
        (_People, {"people": [_ROW]}, _People(people=[Person("Ada")])),
        (int, {"value": 3}, 3),
        (list[int], {"rows": [1, 2]}, [1, 2]),
        (_PERSON_SCHEMA, _ROW, {"name": "Ada"}),
        ({"type": "array", "items": _PERSON_SCHEMA}, {"rows": [_ROW]}, [{"name": "Ada"}]),
        ("name, age int?", _ROW, {"name": "Ada"}),
        ("[name, age int?]", {"rows": [_ROW]}, [{"name": "Ada"}]),
        (_LIKE, {"rows": [{"name": "Ada", "age": 36}]}, [{"name": "Ada", "age": 36}]),
    ],
)
def test_an_answer_becomes_a_value(spec: Any, answer: Any, value: Any) -> None:
    """Typed, out of its wrapping, without the nulls for what is absent; in a fence too."""
    schema = schema_of(spec)
    assert schema.parse(json.dumps(answer)) == value
    assert schema.parse(f"```json\n{json.dumps(answer, indent=1)}\n```") == value


@pytest.mark.parametrize(
    ("spec", "answer", "value"),
    [
        (list[Person], [_ROW], [Person("Ada")]),
        (int, 3, 3),
        (Person, {"name": "Ada"}, Person("Ada")),
        (list[int], {"rows": [1], "note": "done"}, [1]),
    ],
)
def test_an_answer_that_is_not_strict_is_understood(spec: Any, answer: Any, value: Any) -> None:
    """Some services take a schema as advice: no wrapping, what is optional left out, a word too many."""
    assert schema_of(spec).parse(json.dumps(answer)) == value


@pytest.mark.parametrize(
    ("spec", "text", "fact"),
    [
        (_PERSON_SCHEMA, '{"name": 3, "age": null}', "3 at $.name does not fit the schema: it should be of type string."),
        (_PERSON_SCHEMA, '{"name": "", "age": 1}', "'' at $.name does not fit the schema: it should have 1 or more characters."),
        (_PERSON_SCHEMA, '{"age": 1}', "$.name is missing."),
        ("[name, mood a|b]", '{"rows": [{"name": "x", "mood": "$"}]}', "'$' at $.rows[0].mood does not fit the schema: it should be one of a, b."),
        (Person, "Dear me!", "The answer is no whole JSON: it says 'Dear me!'."),
        (Person, '{"name": ', "The answer is no whole JSON: it ends before it is closed."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error(spec: Any, text: str, fact: str) -> None:
    """With the place and the value, and what to do."""
    with pytest.raises(SchemaMismatchError) as raised:
        schema_of(spec).parse(text)
    assert raised.value.fact == fact
    assert raised.value.next_step


def test_deep_nesting_is_an_error_of_ours() -> None:
    """Not Python's."""
    with pytest.raises(SchemaMismatchError):
        schema_of(Person).parse('{"name": ' + "[" * 50_000 + "]" * 50_000 + "}")


@pytest.mark.parametrize(
    ("spec", "value", "records"),
    [
        (Person, Person("Ada"), [{"name": "Ada", "age": None}]),
        (
            list[Person],
            [Person("Ada", 36), Person("Bo", 1)],
            [{"name": "Ada", "age": 36}, {"name": "Bo", "age": 1}],
        ),
        (list[Person], [], []),
        (_People, _People(people=[Person("Ada", 36)]), [{"name": "Ada", "age": 36}]),
        (_Many, _Many(count=1, people=[]), [{"count": 1, "people": []}]),
        (list[int], [1, 2], [{"value": 1}, {"value": 2}]),
        (int, 3, [{"value": 3}]),
        ("[name]", [{"name": "Ada"}], [{"name": "Ada"}]),
    ],
)
def test_a_value_becomes_a_frame(spec: Any, value: Any, records: list[dict[str, Any]]) -> None:
    """A row each, or one for what is no list; the columns are there without rows too."""
    schema = schema_of(spec)
    frame = schema.frame(value)
    assert frame.astype(object).where(frame.notna(), None).to_dict("records") == records
    assert list(frame.columns) == [column.name for column in schema.columns]


def test_a_list_that_is_the_only_property_gives_the_rows() -> None:
    """The dtypes are those of its entries."""
    frame = schema_of(_People).frame(_People(people=[]))
    assert frame.dtypes.astype(str).to_dict() == {"name": "string", "age": "Int64"}


def test_a_reference_to_the_root_follows_it_into_the_wrapping() -> None:
    """A list of lists of itself stays one."""
    schema = schema_of({"type": "array", "items": {"$ref": "#"}})
    jsonschema.validate({"rows": [[], [[]]]}, schema.schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"rows": [{"rows": []}]}, schema.schema)
    assert schema.parse('{"rows": [[], [[]]]}') == [[], [[]]]


def test_a_schema_is_its_own() -> None:
    """And text may name a variable, also one that holds a line."""
    schema = schema_of(Person)
    assert schema_of(schema) is schema
    assert schema_of("person", {"person": schema}) is schema
    assert schema_of("list[Person]", {"Person": Person}).is_rows
    assert list(schema_of("line", {"line": "name, age int"}).schema["properties"]) == ["name", "age"]


@pytest.mark.parametrize("spec", [Person, list[Person], _PERSON_SCHEMA, "[name, age int?]", _LIKE])
def test_a_schema_can_be_pickled_and_copied(spec: Any) -> None:
    """With a response that has it, to another process."""
    schema = schema_of(spec)
    for again in (pickle.loads(pickle.dumps(schema)), copy.deepcopy(schema)):  # noqa: S301
        assert (again.name, again.schema, again.columns) == (schema.name, schema.schema, schema.columns)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"name": "str"}, "is no JSON Schema"),
        ({}, "is no JSON Schema"),
        ({"type": "object"}, "properties that are not named"),
        ({"type": "array"}, "list of anything"),
        ({"$ref": "#/$defs/gone"}, "not in the schema"),
        ("", "names no field"),
    ],
)
def test_what_is_no_schema_is_refused(spec: Any, words: str) -> None:
    """With what to write instead."""
    with pytest.raises(ParamError, match=words) as raised:
        schema_of(spec)
    assert raised.value.next_step


def test_it_shows_its_columns() -> None:
    """In a notebook one sees what was understood."""
    assert repr(schema_of("name, age int")) == "<Schema answer: name, age>"


@pytest.mark.parametrize("answer", ['{"rows": [{"n": 1}], "more": 2}', '{"more": 2}', '{"more": [{"n": 1}]}'])
def test_an_object_that_is_not_closed_may_come_with_more(answer: str) -> None:
    """Its frame has the rows of its one list, or none."""
    row = {"type": "object", "properties": {"n": {"type": "integer"}}}
    schema = schema_of({"type": "object", "properties": {"rows": {"type": "array", "items": row}}})
    frame = schema.frame(schema.parse(answer))
    assert list(frame.columns) == ["n"]
    assert len(frame) == ('"rows"' in answer)
