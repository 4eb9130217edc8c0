"""Structured output: JSON that fits any schema offered, and the refusal of those strict mode does not take."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator import Simulator
from tests.client.simulator.schemas import ANY_SCHEMA, STRICT_SCHEMA
from tests.client.simulator.talk import asked, deltas, events, posted, text_of

_PEOPLE = {
    "type": "object",
    "properties": {
        "people": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "age": {"type": "integer"},
                    "email": {"type": "string", "format": "email"},
                    "mood": {"enum": ["happy", "sad"]},
                },
                "required": ["name", "age", "email", "mood"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["people"],
    "additionalProperties": False,
}


def _format(schema: Any, **fields: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "name": "answer", "schema": schema, **fields}}


def _valid(value: Any, schema: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value)


def _people(**params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        text_of(asked(Simulator(), text=_format(_PEOPLE, strict=True), **params))
    )["people"]
    return found


@given(ANY_SCHEMA, st.integers(0, 99))
def test_the_answer_fits_any_schema(schema: Any, seed: int) -> None:
    """Not strict: every keyword of JSON Schema may come."""
    wanted = schema if isinstance(schema, dict) else {"anyOf": [schema]}
    _valid(json.loads(text_of(asked(Simulator(seed=seed), text=_format(wanted)))), wanted)


@given(STRICT_SCHEMA, st.integers(0, 99))
def test_the_answer_fits_any_strict_schema(schema: dict[str, Any], seed: int) -> None:
    """With definitions that refer to themselves, the answer ends all the same."""
    _valid(json.loads(text_of(asked(Simulator(seed=seed), text=_format(schema, strict=True)))), schema)


def test_the_nested_spelling_is_taken() -> None:
    """As some documents write it."""
    nested = {"type": "json_schema", "json_schema": {"name": "answer", "schema": _PEOPLE, "strict": True}}
    _valid(json.loads(text_of(asked(Simulator(), text={"format": nested}))), _PEOPLE)


def test_rows_are_plausible_and_different() -> None:
    """Records of a list differ, and what belongs together fits."""
    people = _people()
    assert 3 <= len(people) == len({person["name"] for person in people})
    for person in people:
        assert person["email"].startswith(person["name"].split()[0].lower())
        assert 18 <= person["age"] < 80


@pytest.mark.parametrize(
    ("params", "n_rows"),
    [
        ({"metadata": {"simulate": "rows=40"}}, 40),
        ({"metadata": {"simulate": "rows=0"}}, 0),
        ({"input": "List seven people"}, 7),
        ({"input": "Give me 12 happy people, please"}, 12),
    ],
)
def test_the_number_of_rows_on_demand(params: dict[str, Any], n_rows: int) -> None:
    """By the simulator's own word, or by the prompt."""
    assert len(_people(**params)) == n_rows


def test_what_the_prompt_names_is_in_the_first_row() -> None:
    """An extraction looks like one; the other rows are others."""
    first, *others = _people(input='name: "Zoë Kaplan", age: 36, mood is sad')
    assert (first["name"], first["age"], first["mood"]) == ("Zoë Kaplan", 36, "sad")
    assert "Zoë Kaplan" not in {person["name"] for person in others}


def test_choices_that_the_prompt_lists_are_all_taken() -> None:
    """A classification into several classes uses several."""
    moods = {person["mood"] for person in _people(input="Classify 8 people as happy or sad")}
    assert moods == {"happy", "sad"}


def test_seeds_give_other_records() -> None:
    """And the same seed the same ones."""
    texts = [text_of(asked(Simulator(seed=seed), text=_format(_PEOPLE))) for seed in (1, 1, 2, 3, 4)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 2


def test_it_streams_as_text() -> None:
    """Piece by piece, and the pieces join to the JSON."""
    stream = events(Simulator(), text=_format(_PEOPLE))
    assert deltas(stream) == text_of(stream[-1]["response"])
    assert len(stream) > 30


def test_any_json_object() -> None:
    """Where a message speaks of JSON; otherwise it is refused as by the service."""
    form = {"format": {"type": "json_object"}}
    assert isinstance(json.loads(text_of(asked(Simulator(), text=form, input="Answer in JSON"))), dict)
    assert isinstance(json.loads(text_of(asked(Simulator(), text=form, instructions="Use JSON"))), dict)
    answer = posted(Simulator(), text=form)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")


_OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_CLOSED = {**_OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (_OPEN, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
        ({**_CLOSED, "required": []}, "including every key in properties. Missing 'a'."),
        ({**_CLOSED, "required": ["a", "b"]}, "'b', which is not in properties"),
        ({"type": "array", "items": _CLOSED}, "schema must be a JSON Schema of 'type: \"object\"'"),
        ({**_CLOSED, "anyOf": [_CLOSED]}, "'anyOf' is not permitted at the root"),
        ({**_CLOSED, "properties": {"a": _OPEN}}, "In context=('properties', 'a'), 'additionalProperties'"),
        ({**_CLOSED, "properties": {"a": {"oneOf": [{"type": "null"}]}}}, "'oneOf' is not permitted"),
        ({**_CLOSED, "properties": {"a": {}}}, "schema must have a 'type' key"),
        ({**_CLOSED, "properties": {"a": {"type": "array"}}}, "array schema missing items"),
        ({**_CLOSED, "$defs": {"b": _OPEN}}, "In context=('$defs', 'b'), 'additionalProperties'"),
    ],
)
def test_a_schema_that_is_not_strict_is_refused(schema: dict[str, Any], said: str) -> None:
    """In the service's words, for an answer and for a function."""
    answer = posted(Simulator(), text=_format(schema, strict=True))
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, "text.format.schema")
    assert (error["code"], said in error["message"]) == ("invalid_json_schema", True)
    tool = {"type": "function", "name": "f", "parameters": schema, "strict": True}
    error = posted(Simulator(), tools=[tool]).json()["error"]
    assert (error["param"], said in error["message"]) == ("tools[0].parameters", True)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "json_schema", "schema": _CLOSED}, "text.format.name"),
        ({"type": "json_schema", "name": "a name", "schema": _CLOSED}, "text.format.name"),
        ({"type": "json_schema", "name": "a"}, "text.format.schema"),
        ({"type": "json_schema", "name": "a", "schema": {"allOf": 5}}, "text.format.schema"),
        (
            {"type": "json_schema", "name": "a", "schema": {"type": "string", "enum": [1]}},
            "text.format.schema",
        ),
    ],
)
def test_a_form_that_cannot_be_is_refused(form: dict[str, Any], param: str) -> None:
    """No name, no schema, none that can be read, none that anything fits."""
    answer = posted(Simulator(), text={"format": form})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_refusal_on_demand() -> None:
    """A part of its own kind, and no text."""
    stream = events(Simulator(), text=_format(_PEOPLE), metadata={"simulate": "refusal"})
    (part,) = stream[-1]["response"]["output"][-1]["content"]
    said = "".join(event["delta"] for event in stream if event["type"] == "response.refusal.delta")
    assert (part["type"], part["refusal"], deltas(stream)) == ("refusal", said, "")


@pytest.mark.parametrize(
    ("word", "reason"), [("truncated", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_a_truncation_on_demand(word: str, reason: str) -> None:
    """Half of the JSON, which is none."""
    response = asked(Simulator(), text=_format(_PEOPLE), metadata={"simulate": word})
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of(response))


def test_a_schema_counts_as_input() -> None:
    """It is sent, so it is paid for."""
    plain, formed = asked(Simulator()), asked(Simulator(), text=_format(_PEOPLE))
    assert formed["usage"]["input_tokens"] > plain["usage"]["input_tokens"] + 50


def test_a_forced_text_goes_before_the_schema() -> None:
    """So that a mismatch can be tried."""
    assert text_of(asked(Simulator(text="no JSON"), text=_format(_PEOPLE))) == "no JSON"
