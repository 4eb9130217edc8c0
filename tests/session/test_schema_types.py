"""Python types as schemas: what each dumps fits its strict schema, and comes back equal."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import typing
import uuid
from typing import Any, Literal, NotRequired, Optional, Required, TypedDict

import jsonschema
import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError, SchemaMismatchError
from cometnb.session.structured import Schema, schema_of


class _Mood(enum.Enum):
    GLAD = "glad"
    SAD = "sad"


class _Address(pydantic.BaseModel):
    street: str
    number: int | None = None


@dataclasses.dataclass
class _Pet:
    name: str
    legs: int = 4


class _Film(TypedDict):
    title: str
    year: NotRequired[int]


class _Series(_Film, total=False):
    parts: list[_Film]
    first: Required[_Film]
    after: _Series


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    born: dt.date
    mood: _Mood
    pair: tuple[int, str]


_FILMS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"title": st.text(max_size=3)}, optional={"year": st.integers(1888, 2030)}
)

# A type, and values of it.
_PLAIN: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text(max_size=5)),
    (int, st.integers(-5, 5)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (_Mood, st.sampled_from(_Mood)),
    (Literal["a", "b", 3], st.sampled_from(["a", "b", 3])),
    (dt.date, st.dates()),
    (dt.datetime, st.datetimes(timezones=st.just(dt.UTC))),
    (uuid.UUID, st.uuids()),
    (_Address, st.builds(_Address, street=st.text(max_size=3), number=st.none() | st.integers(0, 9))),
    (_Pet, st.builds(_Pet, name=st.text(max_size=3), legs=st.integers(0, 8))),
    (_Film, _FILMS),
]


def _made(form: Any, inner: Any) -> Any:
    """Return a type that is known only at run time."""
    return form[inner]


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        inner.map(lambda pair: (_made(list, pair[0]), st.lists(pair[1], max_size=2)))
        | inner.map(lambda pair: (_made(Optional, pair[0]), st.none() | pair[1]))
        | st.tuples(inner, inner).map(
            lambda pairs: (_made(tuple, (pairs[0][0], pairs[1][0])), st.tuples(pairs[0][1], pairs[1][1]))
        )
    )


# In Python 3.11 a pydantic class takes no `typing.TypedDict` for a field.
_TYPES = st.recursive(st.sampled_from([pair for pair in _PLAIN if pair[0] is not _Film]), _more, max_leaves=3)
_NO_DEFAULT = object()


@st.composite
def _classes(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a pydantic class with fields of any of these types, some with defaults, and an object of it."""
    fields: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for n, (kind, of_kind) in enumerate(draw(st.lists(_TYPES, min_size=1, max_size=4))):
        default = draw(st.just(_NO_DEFAULT) | of_kind)
        fields[f"f{n}"] = (kind, ... if default is _NO_DEFAULT else default)
        values[f"f{n}"] = draw(of_kind)
    made = pydantic.create_model("Made", **fields)
    return made, made(**values)


def _answer(schema: Schema, value: Any) -> str:
    """Return what a service that holds to the schema writes for a value."""
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
        type(value) if schema.spec is None else schema.spec
    )
    plain = adapter.dump_python(value, mode="json", by_alias=True)
    names = list(schema.schema["properties"])
    return json.dumps({names[0]: plain} if names in (["rows"], ["value"]) else plain)


@given(_classes())
def test_what_a_class_dumps_fits_and_comes_back(drawn: tuple[Any, Any]) -> None:
    """Any fields, alone and in a list."""
    made, value = drawn
    for spec, whole in ((made, value), (_made(list, made), [value, value])):
        schema = schema_of(spec)
        text = _answer(schema, whole)
        jsonschema.validate(json.loads(text), schema.schema)
        assert schema.parse(text) == whole
        few, many = schema.frame([] if schema.is_rows and spec is not made else whole), schema.frame(whole)
        assert few.dtypes.equals(many.dtypes)


@pytest.mark.parametrize(("kind", "values"), _PLAIN, ids=str)
def test_any_type_can_be_asked_for(kind: Any, values: st.SearchStrategy[Any]) -> None:
    """What is no object is put into one, and taken out again."""

    @given(values)
    def comes_back(value: Any) -> None:
        schema = schema_of(kind)
        plain = pydantic.TypeAdapter(Any).dump_python(value, mode="json")
        name = next(iter(schema.schema["properties"]))
        text = json.dumps({"value": plain} if name == "value" else plain)
        filled = {**dict.fromkeys(schema.schema["properties"]), **json.loads(text)}
        jsonschema.validate(filled, schema.schema)
        assert schema.parse(json.dumps(filled)) == value

    comes_back()


def test_a_typed_dict_of_python_3_11_keeps_what_is_required() -> None:
    """Also where the annotations are text, inherited, in a list, and where it holds itself."""
    node = schema_of(list[_Series]).schema["$defs"]["_Series"]
    is_nullable = {name: "null" in json.dumps(one) for name, one in node["properties"].items()}
    assert is_nullable == {"title": False, "year": True, "parts": True, "first": False, "after": True}
    film = {"title": "x", "year": None}
    row = {"title": "t", "year": 1990, "parts": [film], "first": film, "after": None}
    assert schema_of(list[_Series]).parse(json.dumps({"rows": [row]})) == [
        {"title": "t", "year": 1990, "parts": [{"title": "x"}], "first": {"title": "x"}}
    ]


def test_both_kinds_of_typed_dict_give_the_same() -> None:
    """The one of `typing` and the one of `typing_extensions`."""

    class _Theirs(typing_extensions.TypedDict):
        title: str
        year: NotRequired[int]

    ours, theirs = schema_of(_Film).schema, schema_of(_Theirs).schema
    assert ours["properties"] == theirs["properties"]
    assert ours["required"] == theirs["required"]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: _made(list, one), lambda one: one | None])
def test_typed_dicts_are_found_wherever_they_stand(wrap: Any) -> None:
    """In lists and alternatives."""
    assert "title" in json.dumps(schema_of(wrap(_Film)).schema)


def test_a_class_that_is_strict_with_python_values_takes_an_answer() -> None:
    """A date, an enum and a tuple have no other form in JSON."""
    found = schema_of(_Strict).parse('{"born": "1815-12-10", "mood": "glad", "pair": [1, "a"]}')
    assert found == _Strict(born=dt.date(1815, 12, 10), mood=_Mood.GLAD, pair=(1, "a"))


def test_a_default_takes_the_place_of_null() -> None:
    """What may be absent comes as null in strict mode."""
    assert schema_of(_Pet).parse('{"name": "Rex", "legs": null}') == _Pet("Rex", 4)
    assert schema_of(_Pet).frame(_Pet("Rex")).to_dict("records") == [{"name": "Rex", "legs": 4}]


def test_titles_that_say_nothing_are_left_out() -> None:
    """Each would be paid for as input; one that was written stays."""

    class _Titled(pydantic.BaseModel):
        title: str = pydantic.Field(title="The title")
        age: int

    properties = schema_of(_Titled).schema["properties"]
    assert properties["age"] == {"type": "integer"}
    assert properties["title"]["title"] == "The title"


def test_aliases_are_the_names_in_the_answer_and_the_frame() -> None:
    """The class's own names are Python's."""

    class _Aliased(pydantic.BaseModel):
        full_name: str = pydantic.Field(alias="fullName")

    schema = schema_of(_Aliased)
    value = schema.parse('{"fullName": "Ada"}')
    assert value.full_name == "Ada"
    assert list(schema.frame(value).columns) == ["fullName"]


def test_what_a_class_computes_is_in_the_frame() -> None:
    """Though nobody is asked for it."""

    class _Sum(pydantic.BaseModel):
        a: int

        @pydantic.computed_field  # type: ignore[prop-decorator]  # mypy takes no decorator over a property
        @property
        def double(self) -> int:
            return 2 * self.a

    schema = schema_of(list[_Sum])
    assert "double" not in json.dumps(schema.schema)
    assert schema.frame(schema.parse('{"rows": [{"a": 2}]}')).to_dict("records") == [{"a": 2, "double": 4}]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{"name": "Rex", "legs": "four"}', "$.legs", "'four' at $.legs does not fit the schema"),
        ('{"legs": 4}', "$.name", "$.name is missing."),
        ("[]", "$", "[] at $ does not fit the schema"),
    ],
)
def test_a_misfit_names_place_and_value(text: str, place: str, words: str) -> None:
    """In the words of pydantic."""
    with pytest.raises(SchemaMismatchError) as raised:
        schema_of(_Pet).parse(text)
    assert raised.value.fact.startswith(words)
    assert raised.value.place == place


def test_a_misfit_in_a_row_has_its_place_in_the_answer() -> None:
    """With the property the rows are in; the others are counted."""
    with pytest.raises(SchemaMismatchError, match="1 more such place") as raised:
        schema_of(list[_Pet]).parse('{"rows": [{"name": "a"}, {"name": 1, "legs": "x"}]}')
    assert raised.value.place == "$.rows[1].name"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (dict[str, int], "properties that are not named"),
        (list[Any], "takes any value"),
        (list[dict[str, str]], "properties that are not named"),
        (object(), "is no schema"),
        (3, "is no schema"),
        (type("Own", (), {}), "is no schema"),
        (typing.Callable[[int], int], "has no JSON Schema"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(spec: Any, words: str) -> None:
    """Before anything is sent, with what to write instead."""
    with pytest.raises(ParamError, match=words) as raised:
        schema_of(spec)
    assert raised.value.next_step


def test_decimals_come_back() -> None:
    """As the numbers that they are."""
    assert schema_of(list[decimal.Decimal]).parse('{"rows": [0.1, "0.20"]}') == [
        decimal.Decimal("0.1"), decimal.Decimal("0.20")
    ]  # fmt: skip


def test_an_object_whose_attributes_raise_is_no_schema() -> None:
    """Whatever they raise."""

    class Touchy:
        def __getattr__(self, name: str) -> Any:
            raise ValueError(name)

    with pytest.raises(ParamError, match="is no schema"):
        schema_of(Touchy())
