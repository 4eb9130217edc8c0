"""Schemas in one line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.protocol.one_line import one_line
from cometnb.protocol.schema import strict


def test_the_line_of_the_guide() -> None:
    """Names are text, a type may follow, and a meaning after a colon."""
    assert one_line("name, age int, bio: one line") == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "bio": {"type": "string", "description": "one line"},
        },
        "required": ["name", "age", "bio"],
    }


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        ("a float", {"type": "number"}),
        ("a Bool", {"type": "boolean"}),
        ("a date", {"type": "string", "format": "date"}),
        ("a datetime", {"type": "string", "format": "date-time"}),
        ("a list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("a list", {"type": "array", "items": {"type": "string"}}),
        ("a list[x|y]", {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}}),
        ("a list[list[int]]", {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
        ("a glad|so so|'sad'", {"type": "string", "enum": ["glad", "so so", "sad"]}),
        ("a int: years\\, whole", {"type": "integer", "description": "years, whole"}),
        ("größe float: in cm", {"type": "number", "description": "in cm"}),
        ("a: a time: 12:30", {"type": "string", "description": "a time: 12:30"}),
    ],
)
def test_types_and_meanings(field: str, schema: dict[str, Any]) -> None:
    """Each way to write a field."""
    assert list(one_line(field)["properties"].values()) == [schema]


def test_a_question_mark_lets_a_field_be_absent() -> None:
    """After the type, or after the name."""
    schema = one_line("a int?, b?, c x|y?, d")
    assert schema["required"] == ["d"]
    assert schema["properties"]["c"]["enum"] == ["x", "y"]


def test_brackets_make_it_rows() -> None:
    """A root has to be an object, so the list has a name."""
    schema = one_line(" [name, age int] ")
    assert schema["properties"]["rows"]["items"] == one_line("name, age int")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no field"),
        (" , ", "no field"),
        ("[]", "no field"),
        ("a, a int", "'a' twice"),
        ("1a int", "begin with a name"),
        ("a nonsense", "'nonsense' in 'a nonsense' is no type"),
        ("a x|", "is no type"),
        (": meaning", "begin with a name"),
        ("[name, age int", "opens a bracket and does not end with"),
    ],
)
def test_what_cannot_be_read_is_named(line: str, words: str) -> None:
    """Line 1 says which field, line 2 how fields are written."""
    with pytest.raises(ParamError, match=words.replace("|", r"\|")) as raised:
        one_line(line)
    assert "name, age int" in raised.value.next_step


@given(st.text(max_size=40))
def test_any_line_is_a_schema_or_one_error(line: str) -> None:
    """What is read fits strict mode."""
    try:
        schema = one_line(line)
    except ParamError:
        return
    strict(schema)


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, "a " + "list[" * 5000 + "]" * 5000], ids=range(2))
def test_brackets_without_end_are_refused(text: str) -> None:
    """No answer has as many lists inside each other."""
    with pytest.raises(ParamError, match="brackets"):
        one_line(text)
