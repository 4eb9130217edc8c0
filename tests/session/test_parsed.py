"""The value of a response, and the three reasons why there may be none."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from cometnb.errors import IncompleteAnswerError, RefusalError, SchemaMismatchError
from cometnb.protocol.response import Response
from cometnb.session.parsed import frame_of, parsed, parsed_of
from cometnb.session.structured import Schema, schema_of


@dataclasses.dataclass
class _Person:
    name: str
    age: int = 18


_ROWS = schema_of(list[_Person])
_ANSWER = {"rows": [{"name": "Ada", "age": 36}, {"name": "Bo", "age": None}]}
_PEOPLE = [_Person("Ada", 36), _Person("Bo", 18)]


def _response(text: str, status: str = "completed", schema: Schema | None = None, **more: Any) -> Response:
    content = [{"type": "output_text", "text": text}]
    response = Response({"status": status, "output": [{"type": "message", "content": content}], **more})
    if schema is not None:
        response.schema = schema  # type: ignore[attr-defined,unused-ignore]
    return response


def test_a_whole_answer_is_its_value() -> None:
    """With defaults where null stands for absent."""
    response = _response(json.dumps(_ANSWER))
    assert parsed(response, _ROWS) == _PEOPLE
    assert frame_of(response, list[_Person])["age"].tolist() == [36, 18]


def test_a_response_knows_what_it_was_asked_with() -> None:
    """Then nothing more needs to be said."""
    response = _response(json.dumps(_ANSWER), schema=_ROWS)
    assert parsed_of(response) == _PEOPLE
    assert frame_of(response).dtypes.astype(str).to_dict() == {"name": "string", "age": "Int64"}


def test_without_a_schema_json_is_plain() -> None:
    """And its rows make a frame in the dtypes that pandas finds."""
    response = _response(f"```json\n{json.dumps(_ANSWER)}\n```")
    assert parsed_of(response) == _ANSWER
    assert frame_of(response)["name"].tolist() == ["Ada", "Bo"]


def test_without_a_schema_text_says_how_to_ask_with_one() -> None:
    """The text is kept."""
    response = _response("There are two people.")
    with pytest.raises(SchemaMismatchError, match="no JSON: it says 'There are two people") as raised:
        parsed_of(response)
    assert "--schema" in raised.value.next_step
    assert raised.value.response is response


def test_a_refusal_has_the_model_s_words() -> None:
    """It is no misfit."""
    response = Response(
        {
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I can't."}]}],
        }
    )
    with pytest.raises(RefusalError, match='The model refused to answer: "I can') as raised:
        parsed(response, _ROWS)
    assert raised.value.response is response
    with pytest.raises(RefusalError):
        frame_of(response)


_CUT = json.dumps(_ANSWER)[:-10]


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (
            "incomplete",
            {"incomplete_details": {"reason": "max_output_tokens"}},
            "it reached max_output_tokens",
        ),
        ("incomplete", {"incomplete_details": {"reason": "content_filter"}}, "a content filter stopped it"),
        ("incomplete", {"incomplete_details": {"reason": "odd"}}, "it ended as odd"),
        ("interrupted", {}, "it was interrupted"),
        ("truncated", {}, "the connection ended before it did"),
        ("cancelled", {}, "it was cancelled"),
        ("failed", {}, "the service failed"),
        ("in_progress", {}, "it is still being written"),
        ("completed", {}, "its JSON ends before it is closed"),
    ],
)
def test_a_cut_answer_says_how_far_it_came(status: str, more: dict[str, Any], words: str) -> None:
    """Why it ended, what is whole, and what to do; the whole rows and the text are kept."""
    response = _response(_CUT, status, **more)
    with pytest.raises(IncompleteAnswerError, match=words) as raised:
        parsed(response, _ROWS)
    error = raised.value
    assert error.fact.endswith(f"; {len(_CUT)} characters came, 1 row is whole.")
    assert error.next_step.endswith("The whole rows are in error.rows.")
    assert error.rows == [{"name": "Ada", "age": 36}]
    assert error.response is response


def test_an_answer_that_never_began_says_so() -> None:
    """The limit may be used up by reasoning."""
    response = _response("", "incomplete", incomplete_details={"reason": "max_output_tokens"})
    with pytest.raises(IncompleteAnswerError, match=r"no text came, 0 rows are whole\."):
        parsed(response, _ROWS)
    with pytest.raises(IncompleteAnswerError, match=r"no text came\."):
        parsed(response, schema_of(_Person))


@pytest.mark.parametrize("status", ["truncated", "interrupted", "incomplete", "in_progress"])
def test_json_that_is_closed_is_whole(status: str) -> None:
    """However the stream went on after it."""
    assert parsed(_response(json.dumps(_ANSWER), status), _ROWS) == _PEOPLE


@pytest.mark.parametrize("text", ["4", '{"a": 1} and then', "tru"])
def test_of_other_text_that_was_cut_one_cannot_be_sure(text: str) -> None:
    """Half a number is a number, too."""
    with pytest.raises(IncompleteAnswerError):
        parsed(_response(text, "truncated"), None)


def test_a_misfit_names_place_and_value_and_keeps_the_text() -> None:
    """It is no JSON error."""
    response = _response('{"rows": [{"name": 3, "age": 1}]}')
    with pytest.raises(SchemaMismatchError, match=r"3 at \$\.rows\[0\]\.name") as raised:
        parsed(response, _ROWS)
    error = raised.value
    assert (error.place, error.value, error.response) == ("$.rows[0].name", 3, response)


def test_broken_json_says_where() -> None:
    """And what to think of it."""
    with pytest.raises(SchemaMismatchError, match="'maybe}' where a value should be") as raised:
        parsed(_response('{"rows": maybe}'), _ROWS)
    assert raised.value.next_step == "Ask again; some models and services do not hold to a schema."


def test_a_response_that_only_calls_tools_says_so() -> None:
    """The value comes after the tool's output."""
    call = {"type": "function_call", "name": "lookup", "call_id": "c", "arguments": "{}"}
    with pytest.raises(SchemaMismatchError, match="it asks for a call of lookup"):
        parsed(Response({"status": "completed", "output": [call]}), _ROWS)
    with pytest.raises(SchemaMismatchError, match="it has no text"):
        parsed(_response(""), _ROWS)


def test_a_number_too_long_for_a_frame_is_kept_in_the_value() -> None:
    """The frame says so, with the response."""
    response = _response(json.dumps({"rows": [{"name": "x", "age": 2**70}]}), schema=_ROWS)
    assert parsed_of(response)[0].age == 2**70
    with pytest.raises(SchemaMismatchError, match="does not fit the column 'age'") as raised:
        frame_of(response)
    assert raised.value.response is response
