"""A request is checked, settled or refused before anything is sent."""

from __future__ import annotations

import copy
import enum
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ParamError
from cometnb.protocol.params import PARAMS, Param
from cometnb.protocol.request import prepare
from tests.protocol.streams import JSON

_ASK: dict[str, Any] = {"model": "m", "input": "hi"}
_LOGPROBS = "message.output_text.logprobs"


def _body(**params: Any) -> dict[str, Any]:
    return prepare(_ASK | params).body


def _refused(**params: Any) -> ParamError:
    with pytest.raises(ParamError) as caught:
        prepare(_ASK | params)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


@pytest.mark.parametrize(
    ("params", "param", "words"),
    [
        ({"temperature": 2.5}, "temperature", "2.5 is above its maximum 2"),
        ({"temperature": -0.1}, "temperature", "-0.1 is below its minimum 0"),
        ({"temperature": "hot"}, "temperature", "'hot' is str, not a number"),
        ({"temperature": True}, "temperature", "bool"),
        ({"temperature": math.nan}, "temperature", "not a finite number"),
        ({"temperature": math.inf}, "temperature", "not a finite number"),
        ({"top_p": 1.01}, "top_p", "maximum 1"),
        ({"top_logprobs": 21, "include": [_LOGPROBS]}, "top_logprobs", "maximum 20"),
        ({"max_output_tokens": 0}, "max_output_tokens", "minimum 1"),
        ({"max_output_tokens": 10.5}, "max_output_tokens", "10.5 is float, not a whole number"),
        ({"max_tool_calls": -1}, "max_tool_calls", "minimum 0"),
        ({"truncation": "always"}, "truncation", "not one of: auto, disabled"),
        ({"stream": "yes"}, "stream", "not True or False"),
        ({"reasoning": "high"}, "reasoning", "not a dict"),
        ({"reasoning": {"effort": 3}}, "reasoning.effort", "not text"),
        ({"reasoning": {"efort": "high"}}, "reasoning.efort", "not a parameter"),
        ({"text": {"format": {"json_schema": "x"}}}, "text.format.json_schema", "not a dict"),
        ({"include": [5]}, "include", "not text"),
        ({"include": "x"}, "include", "not a list"),
        ({"tools": {}}, "tools", "not a list"),
        ({"temprature": 1}, "temprature", "not a parameter"),
        ({"max_tokens": 5}, "max_tokens", "not a parameter"),
        ({"efort": "low"}, "efort", "not a parameter"),
        ({"messages": []}, "messages", "not a parameter"),
        ({"conversation": "c", "previous_response_id": "r"}, "conversation", "cannot be sent together"),
        ({"top_logprobs": 3}, "top_logprobs", _LOGPROBS),
        ({"top_logprobs": 3, "include": []}, "top_logprobs", _LOGPROBS),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options", "stream=True"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "17 pairs; 16 is the most"),
        ({"metadata": {"k" * 65: ""}}, "metadata", "key of 65"),
        ({"metadata": {"k": "v" * 513}}, "metadata", "value of 513"),
        ({"metadata": {"k": 1}}, "metadata.k", "int, not text"),
        ({"metadata": {1: "v"}}, "metadata", "key 1"),
        ({"model": " "}, "model", "blank"),
        ({"model": 5}, "model", "not text"),
        ({"input": " \n"}, "input", "empty"),
        ({"input": []}, "input", "empty"),
        ({"input": 5}, "input", "not text or a list"),
        ({"input": [5]}, "input", r"input[0]"),
        ({"user": object()}, "user", "no JSON form"),
        ({"tools": [{"x": {1, 2}}]}, "tools[0].x", "no JSON form"),
        ({"tools": [{"x": math.nan}]}, "tools[0].x", "not a finite number"),
        ({"extra_body": 5}, "extra_body", "not a dict"),
    ],
)
def test_what_is_refused(params: dict[str, Any], param: str, words: str) -> None:
    """Two lines that name the value, the bound and the parameter."""
    error = _refused(**params)
    assert words in error.fact
    assert error.param == param


@pytest.mark.parametrize("missing", ["model", "input"])
def test_what_is_required(missing: str) -> None:
    """A request without model or input is not sent."""
    with pytest.raises(ParamError, match=f"{missing} is missing"):
        prepare({name: value for name, value in _ASK.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("temprature", "temperature"),
        ("max_tokens", "max_output_tokens"),
        ("reasoning_effort", 'reasoning={"effort": …}'),
        ("response_format", 'text={"format": …}'),
        ("system", "instructions"),
    ],
)
def test_a_name_close_to_a_known_one_is_asked_about(name: str, instead: str) -> None:
    """The next step names what was meant, and how to send it all the same."""
    error = _refused(**{name: "x"})
    assert f"Did you mean {instead}?" in error.next_step
    assert _body(extra_body={name: "x"})[name] == "x"


@pytest.mark.parametrize("name", ["wholly_different", "provider", "moderation", "prompt_cache_options"])
def test_a_name_close_to_nothing_passes(name: str) -> None:
    """What the table does not know goes through untouched."""
    assert _body(**{name: {"a": [1]}})[name] == {"a": [1]}


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ({"temperature": None}, {}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"max_output_tokens": 16.0}, {"max_output_tokens": 16}),
        ({"temperature": np.float64(0.5)}, {"temperature": 0.5}),
        ({"temperature": np.float32(0.5)}, {"temperature": 0.5}),
        ({"max_output_tokens": np.int64(16)}, {"max_output_tokens": 16}),
        ({"stream": np.bool_(True)}, {"stream": True}),
        ({"include": (_LOGPROBS,), "top_logprobs": 2}, {"include": [_LOGPROBS], "top_logprobs": 2}),
        ({"stream": True, "stream_options": {}}, {"stream": True, "stream_options": {}}),
        ({"reasoning": {"generate_summary": "auto"}}, {"reasoning": {"summary": "auto"}}),
        (
            {"reasoning": {"generate_summary": "auto", "summary": "auto"}},
            {"reasoning": {"summary": "auto"}},
        ),
        ({"reasoning": {"generate_summary": "auto", "summary": None}}, {"reasoning": {"summary": "auto"}}),
        ({"reasoning": {"generate_summary": None, "summary": "auto"}}, {"reasoning": {"summary": "auto"}}),
        ({"metadata": {"k" * 64: "v" * 512}}, {"metadata": {"k" * 64: "v" * 512}}),
    ],
)
def test_what_is_sent(params: dict[str, Any], sent: dict[str, Any]) -> None:
    """None is not sent, older spellings and other numbers are settled."""
    body = _body(**params)
    assert body == _ASK | sent
    json.dumps(body, allow_nan=False)


def test_an_enumeration_is_its_text() -> None:
    """A str enumeration is sent as what it stands for."""

    class Effort(enum.StrEnum):
        HIGH = "high"

    assert json.loads(json.dumps(_body(reasoning={"effort": Effort.HIGH})))["reasoning"] == {"effort": "high"}


def test_two_spellings_that_differ_are_refused() -> None:
    """Nobody can say which summary was meant."""
    assert "differ" in _refused(reasoning={"generate_summary": "auto", "summary": "concise"}).fact


@pytest.mark.parametrize(
    "nested",
    [
        {"schema": {"type": "object"}, "name": "n", "strict": True},
        {"type": "object"},
    ],
)
def test_a_nested_format_is_flattened(nested: dict[str, Any]) -> None:
    """Both forms the documents show are sent in the flat one, with a name."""
    prepared = prepare(_ASK | {"text": {"format": {"type": "json_schema", "json_schema": nested}}})
    form = prepared.body["text"]["format"]
    assert (form["type"], form["schema"]) == ("json_schema", {"type": "object"})
    assert form["name"] == nested.get("name", "answer")
    assert "json_schema" not in form
    assert len(prepared.notes) == 1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"reasoning": {"effort": "ultra"}}, "reasoning.effort='ultra' is not a known value"),
        ({"service_tier": "warp"}, "service_tier='warp'"),
        ({"include": ["new.thing"]}, "include='new.thing'"),
        ({"user": "u"}, "user is deprecated"),
        ({"safety_identifier": "x" * 65}, "65 characters"),
    ],
)
def test_what_passes_with_one_note(params: dict[str, Any], words: str) -> None:
    """Choices that grow upstream are sent as given, and the caller is told once."""
    prepared = prepare(_ASK | params)
    assert prepared.body == _ASK | params
    assert len(prepared.notes) == 1
    assert words in prepared.notes[0]


def test_what_is_usual_has_no_note() -> None:
    """Nothing is said where there is nothing to say."""
    assert prepare(_ASK | {"temperature": 1, "reasoning": {"effort": "xhigh"}}).notes == ()


def test_extra_fields_are_laid_over_unchecked() -> None:
    """They go in field by field, and may break the table's bounds."""
    body = _body(reasoning={"effort": "low"}, extra_body={"reasoning": {"mode": "x"}, "temperature": 9})
    assert body["reasoning"] == {"effort": "low", "mode": "x"}
    assert body["temperature"] == 9


def test_rules_across_parameters_hold_for_the_whole_body() -> None:
    """What comes through `extra_body` counts, for and against."""
    assert _body(stream_options={}, extra_body={"stream": True})["stream"] is True
    assert (
        "17 pairs"
        in _refused(metadata={"a": ""}, extra_body={"metadata": {str(n): "" for n in range(16)}}).fact
    )


@pytest.mark.parametrize("name", ["prompt", "conversation", "previous_response_id"])
def test_an_empty_input_is_fine_with_context(name: str) -> None:
    """A template or an earlier turn may be all there is to say."""
    value = {"id": "p"} if name == "prompt" else "x"
    assert _body(input=[], **{name: value})["input"] == []


def test_a_parameter_that_holds_itself_is_refused() -> None:
    """Also one that is nested beyond all reason."""
    itself: list[Any] = []
    itself.append(itself)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (itself, deep):
        with pytest.raises(ParamError, match="nested too deep"):
            prepare(_ASK | {"tools": value})


def test_names_are_text() -> None:
    """A dict from elsewhere may have other keys."""
    with pytest.raises(ParamError, match="key 5"):
        prepare(_ASK | {5: "x"})  # type: ignore[arg-type]


def test_the_body_is_a_copy() -> None:
    """Later changes to what was passed do not reach it, and it is not changed itself."""
    tools = [{"type": "function", "parameters": {"a": [1]}}]
    reasoning = {"generate_summary": "auto"}
    before = copy.deepcopy((tools, reasoning))
    body = _body(tools=tools, reasoning=reasoning)
    assert (tools, reasoning) == before
    tools[0]["parameters"]["a"].append(2)  # type: ignore[index]
    assert body["tools"] == before[0]


@given(value=JSON, row=st.sampled_from(PARAMS))
def test_nothing_that_should_be_refused_is_sent(value: Any, row: Param) -> None:
    """Any JSON as any parameter: it is a ParamError, or it has a type and bounds of the table."""
    try:
        body = prepare(
            _ASK | {row.name: value, "include": [_LOGPROBS], "stream": True} | {row.name: value}
        ).body
    except ParamError as error:
        assert len(str(error).splitlines()) == 2
        return
    json.dumps(body, allow_nan=False)
    sent = body.get(row.name)
    if sent is None:
        assert value is None
        return
    kinds = {
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    assert any(isinstance(sent, kinds[kind]) for kind in row.kinds)
    assert isinstance(sent, bool) == (row.kinds == ("boolean",))
    if row.minimum is not None:
        assert sent >= row.minimum
    if row.maximum is not None:
        assert sent <= row.maximum
    if row.closed:
        assert sent in row.choices
