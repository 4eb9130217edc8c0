"""Answers that shall have a form: schemas from text, the JSON in a text, arguments of a function that a model wrote."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Literal, TypedDict

from cometnb.errors import CometError, SchemaMismatchError
from cometnb.session.answer_json import json_in
from cometnb.session.structured import Schema, schema_of
from cometnb.session.tools import Tool
from cometnb.view.rows import as_markdown
from tests.fuzz.looking import check_error
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of

__all__ = ["TARGETS", "answer", "schema_text", "tool_arguments"]


@dataclass
class Person:
    """What a structured answer may be made into."""

    name: str
    age: int
    born: date | None = None
    mood: Literal["glad", "sad"] = "glad"
    tags: list[str] = field(default_factory=list)


class Place(TypedDict, total=False):
    """A dict with names."""

    city: str
    at: tuple[float, float]


_TABLE = {
    "type": "object",
    "properties": {
        "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    },
}


@cache
def _schemas() -> tuple[Schema, ...]:
    specs = (
        Person,
        list[Person],
        Place,
        _TABLE,
        "[name, age int?, mood glad|sad, on date]",
        Literal["a", 1],
        dict[str, int],
    )
    found = []
    for spec in specs:
        try:
            found.append(schema_of(spec))
        except CometError:
            continue
    assert len(found) >= 5
    return tuple(found)


def answer(data: bytes) -> None:
    """Parse any text as an answer of any form: a value of that form, or a SchemaMismatchError; tables take any rows."""
    text = text_of(data)
    found = json_in(text)
    assert found.is_whole or found.fault is not None
    schema = random.Random(data).choice(_schemas())
    as_markdown(schema, text)
    schema.frame_of_plain(found.rows)
    try:
        value = schema.parse(text)
    except SchemaMismatchError as error:
        check_error(error)
        return
    _check_value(value)
    try:
        frame = schema.frame(value)
    except SchemaMismatchError as error:
        check_error(error)
        return
    assert list(frame.columns) == [column.name for column in schema.columns]


def _check_value(value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Person):
            assert type(one.name) is str
            assert type(one.age) is int
            assert one.born is None or type(one.born) is date
            assert one.mood in ("glad", "sad")
            assert all(type(tag) is str for tag in one.tags)


def schema_text(data: bytes) -> None:
    """Make a schema of any text, with names and without: one that strict mode takes, or a CometError."""
    text = text_of(data)
    for names in (None, {"Person": Person, "Place": Place, "a": _TABLE, "o": _Touchy()}):
        try:
            made = schema_of(text, names)
        except CometError as error:
            check_error(error)
            continue
        json.dumps(made.schema)
        assert made.schema["type"] == "object"
        repr(made)
        made.frame_of_plain([{}, None, 1, {"a": [1]}])


class _Touchy:
    """An object whose attributes raise."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


_called: list[tuple[Any, ...]] = []


def _taken(
    city: str, year: int, ratio: float = 0.5, *, person: Person | None = None, tags: tuple[str, ...] = ()
) -> str:
    """Note what a model's arguments became."""
    _called.append((city, year, ratio, person, tags))
    return "done"


@cache
def _tools() -> tuple[Tool, ...]:
    return Tool(_taken), Tool(_taken, name="loose", strict=False)


def tool_arguments(data: bytes) -> None:
    """Call a function with any text for arguments: it runs with the types it names, or it does not run."""
    _called.clear()
    for tool in _tools():
        try:
            assert asyncio.run(tool.run(text_of(data))) == "done"
        except ValueError as error:
            str(error).encode("utf-8", "replace")
    for city, year, ratio, person, tags in _called:
        assert type(city) is str
        assert type(year) is int
        assert type(ratio) is float
        assert person is None or type(person) is Person
        assert type(tags) is tuple
        assert all(type(tag) is str for tag in tags)


def _answer_seeds() -> Iterator[bytes]:
    person = {"name": "Ada", "age": 36, "born": "1815-12-10", "mood": "glad", "tags": ["a"]}
    yield json.dumps(person).encode()
    yield json.dumps({"rows": [person, {**person, "born": None}]}).encode()
    yield f"Here you are:\n```json\n{json.dumps([person])}\n``` done".encode()
    yield b'{"city": "Paris", "at": [48.8, 2.3]}'
    yield b'{"rows": [{"n": 1}, {"n": 9223372036854775808}, {"n": null}]}'
    yield b'{"rows": [{"name": "x|y", "age": 1, "mood": "sad", "on": "2026-02-30"}]} {"value": "a"}'


def _schema_seeds() -> Iterator[bytes]:
    yield b"name, age int?, mood glad|sad, tags list[str], born date?, bio: one\\, line"
    yield b"[name, age int]"
    yield b"list[Person] | None"
    yield b"dict[str, Place]"
    yield json.dumps(_TABLE).encode()
    node = {
        "type": "object",
        "properties": {"n": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"allOf": [{"$ref": "#/$defs/N"}]}},
    }
    yield json.dumps(node).encode()
    yield b'{"anyOf": [{"type": "string", "enum": ["a"]}, {"type": ["integer", "null"], "minimum": 1}], "title": "T"}'


def _argument_seeds() -> Iterator[bytes]:
    yield b'{"city": "Berlin", "year": 2025, "ratio": 1, "person": {"name": "a", "age": 1}, "tags": ["x"]}'
    yield b'{"city": "1", "year": 1.0, "ratio": "0.5", "person": null, "tags": []}'
    yield b""


_JSON_TOKENS = (
    b'"name":',
    b'"age":',
    b'"rows":[',
    b"```json\n",
    b"```",
    b"1e400",
    b'"1"',
    b"1.5",
    b"NaN",
    b"null",
    b"}",
    b"{",
)
_SCHEMA_TOKENS = (
    b"list[", b"]", b"[", b"?", b"|", b":", b",", b"Person", b"o.x", b'"$ref":"#"', b'"allOf":[{"$ref":"#"}]', b'"enum":[]',
    b'"properties":', b'"items":', b'"type":"object"', b'"anyOf":', b'"required":', b'"$defs":', b" int", b"\\,",
)  # fmt: skip

TARGETS = (
    Target("answer", answer, _answer_seeds, tokens=_JSON_TOKENS, n_tested=120),
    Target("schema_text", schema_text, _schema_seeds, tokens=_SCHEMA_TOKENS, n_tested=120),
    Target("tool_arguments", tool_arguments, _argument_seeds, tokens=_JSON_TOKENS, n_tested=120),
)
