"""Schemas given as text: which of the readings is taken, and that nothing is called."""

from __future__ import annotations

import types
from typing import Any

import pytest

from cometnb.errors import ParamError
from cometnb.session.schema_words import from_text


class _Person:
    pass


class _Pet:
    pass


_NAMESPACE: dict[str, Any] = {
    "Person": _Person,
    "Pet": _Pet,
    "models": types.SimpleNamespace(Person=_Person),
    "schemas": {"person": _Person},
    "line": "name, age int",
}


def test_a_name_is_a_variable() -> None:
    """With a namespace; dots, subscripts and alternatives are followed."""
    assert from_text("Person", _NAMESPACE) is _Person
    assert from_text(" models.Person ", _NAMESPACE) is _Person
    assert from_text("schemas['person']", _NAMESPACE) is _Person
    assert from_text("list[Person]", _NAMESPACE) == list[_Person]
    assert from_text("tuple[Person, int]", _NAMESPACE) == tuple[_Person, int]
    assert from_text("Person | Pet | None", _NAMESPACE) == _Person | _Pet | None
    assert from_text("line", _NAMESPACE) == "name, age int"


@pytest.mark.parametrize("text", ["name, age int", "name str", "mood happy|sad", "bio: one line", "age int?"])
def test_fields_in_one_line_stay_fields(text: str) -> None:
    """With a namespace and without."""
    assert from_text(text, _NAMESPACE) == from_text(text)
    assert from_text(text)["type"] == "object"


def test_brackets_mean_a_list() -> None:
    """The schema is that of the list itself."""
    assert from_text("[name]", _NAMESPACE)["items"]["properties"] == {"name": {"type": "string"}}


def test_one_word_without_a_namespace_is_a_field() -> None:
    """There are no variables that it could name."""
    assert list(from_text("Person")["properties"]) == ["Person"]


def test_an_unknown_name_is_an_error_with_the_closest_one() -> None:
    """A slip of the finger does not become a field."""
    with pytest.raises(ParamError, match="There is no variable 'Persn'") as raised:
        from_text("Persn", _NAMESPACE)
    assert (
        raised.value.next_step == "Did you mean Person? A single field is written with its type: 'Persn str'."
    )


@pytest.mark.parametrize(
    "text", ["models.Gone", "schemas['gone']", "Person[3]", "list[Person()]", "Person + Pet"]
)
def test_what_cannot_be_looked_up_is_an_error(text: str) -> None:
    """Calls too: a schema is looked up and never run."""
    with pytest.raises(ParamError, match="cannot be read"):
        from_text(text, _NAMESPACE)


def test_json_in_braces_is_a_json_schema() -> None:
    """And an error if it is no JSON."""
    assert from_text(' {"type": "object"} ') == {"type": "object"}
    with pytest.raises(ParamError, match="begins like JSON and is none"):
        from_text("{type: object}")


class _Touchy:
    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "a|" * 20_000 + "a",
        "a." * 20_000 + "a",
        '{"a":' * 100_000,
        "o.part",
        "a[" * 300 + "]" * 300,
    ],
    ids=range(6),
)
def test_words_that_python_cannot_read_are_errors_of_the_schema(text: str) -> None:
    """What is nested too deep, and an object whose attributes raise."""
    with pytest.raises(ParamError) as caught:
        from_text(text, {"a": int, "o": _Touchy()})
    assert len(str(caught.value).splitlines()) <= 2
