"""Calls of functions: when they are made, with what, and that a loop of them ends."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from cometnb.client.simulator import Simulator
from tests.client.simulator.schemas import ANY_SCHEMA
from tests.client.simulator.talk import WEATHER, asked, calls_of, events, outputs, posted, text_of

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_ADD: dict[str, Any] = {
    "type": "function",
    "name": "add",
    "description": "Sum of two numbers",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    },
}
_TOOLS = [WEATHER, _ADD]
_IN_OSLO = "What is the weather in Oslo for 3 days in fahrenheit?"


def _names(**params: Any) -> list[str]:
    return [found["name"] for found in calls_of(asked(Simulator(), tools=_TOOLS, **params))]


def test_arguments_come_from_the_prompt() -> None:
    """A name, a number and a choice each find their property."""
    (found,) = calls_of(asked(Simulator(), tools=_TOOLS, input=_IN_OSLO))
    assert found["arguments"] == {"city": "Oslo", "unit": "fahrenheit", "days": 3}


@pytest.mark.parametrize("prompt", ["The weather in paris?", 'weather at "paris"', "weather, city: paris"])
def test_text_comes_as_people_write_it(prompt: str) -> None:
    """Small, quoted or named."""
    (found,) = calls_of(asked(Simulator(), tools=_TOOLS, input=prompt))
    assert found["arguments"]["city"] == "paris"


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("add 2 and 3.5", {"a": 2, "b": 3.5}),
        ("Please add b: 7 and a: -1", {"a": -1, "b": 7}),
        ("add 007", {"a": 7}),
    ],
)
def test_numbers_come_by_name_and_then_in_order(prompt: str, arguments: dict[str, float]) -> None:
    """What the prompt does not say is made up."""
    (found,) = calls_of(asked(Simulator(), tools=_TOOLS, input=prompt))
    assert arguments.items() <= found["arguments"].items()


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Tell me a joke", []),
        ("Use get_weather", ["get_weather"]),
        ("Use get weather now", ["get_weather"]),
        ("How is the weather?", ["get_weather"]),
        ("Which city?", ["get_weather"]),
        ("The sum of these numbers", ["add"]),
        ("Call both tools", ["get_weather", "add"]),
        ("weather, then add", ["add"]),
    ],
)
def test_a_function_is_called_when_the_prompt_speaks_of_it(prompt: str, names: list[str]) -> None:
    """Its full name goes before words of its name, description and required parameters."""
    assert _names(input=prompt) == names


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("none", []),
        ("required", ["get_weather"]),
        ({"type": "function", "name": "add"}, ["add"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "add"}]},
            ["add"],
        ),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]}, []),
    ],
)
def test_the_choice_of_tools_is_kept(choice: Any, names: list[str]) -> None:
    """Whatever the prompt says."""
    assert _names(input="Tell me a joke", tool_choice=choice) == names


def test_no_call_is_made_against_the_choice() -> None:
    """Not even one the prompt names."""
    assert _names(input="Use get_weather", tool_choice="none") == []


def test_several_names_are_several_calls() -> None:
    """One for each, unless only one call at a time is wanted."""
    prompt = "How is the weather in Oslo, Lima and in Rome?"
    found = calls_of(asked(Simulator(), tools=_TOOLS, input=prompt))
    single = calls_of(asked(Simulator(), tools=_TOOLS, input=prompt, parallel_tool_calls=False))
    assert [one["arguments"]["city"] for one in found] == ["Oslo", "Lima", "Rome"]
    assert len({one["call_id"] for one in found} | {one["id"] for one in found}) == 6
    assert len(single) == 1


def test_one_after_the_other_when_parallel_calls_are_off() -> None:
    """Then the answer uses both results."""
    simulator, items = Simulator(), [{"role": "user", "content": "Call both tools"}]
    names = []
    for _ in range(3):
        response = asked(
            simulator, tools=_TOOLS, input=items, parallel_tool_calls=False, store=False, model="gpt-4.1"
        )
        names += [found["name"] for found in calls_of(response)]
        items += [*response["output"], *outputs(response)]
    assert names == ["get_weather", "add"]
    assert text_of(response).count("returned `done`") == 2


def test_the_answer_uses_the_results() -> None:
    """A loop ends: what was returned stands in the text, and nothing in it acts as Markdown."""
    simulator = Simulator()
    first = asked(simulator, tools=_TOOLS, input=_IN_OSLO)
    said = outputs(first, '{"sky": "`clear`"}')
    second = asked(simulator, tools=_TOOLS, previous_response_id=first["id"], input=said)
    assert calls_of(second) == []
    assert "`get_weather`" in text_of(second)
    assert '`{"sky": "\'clear\'"}`' in text_of(second)
    assert "no model was asked" in text_of(second)


@pytest.mark.parametrize(
    "ask", [{"metadata": {"simulate": "rounds=5"}}, {"input": "Check the weather in five rounds"}]
)
def test_rounds_on_demand(ask: dict[str, Any]) -> None:
    """By the simulator's own word or by the prompt; the state is the service's."""
    simulator, previous = Simulator(), None
    params: dict[str, Any] = {"input": "weather?", "tools": _TOOLS, **ask}
    n_rounds = 0
    for _ in range(9):
        response = asked(simulator, **{**params, **({"previous_response_id": previous} if previous else {})})
        if not calls_of(response):
            break
        n_rounds += 1
        previous, params = response["id"], {**params, "input": outputs(response)}
    assert n_rounds == 5
    assert "5 calls in 5 rounds" in text_of(response)


def test_calls_on_demand() -> None:
    """That many at once."""
    found = calls_of(asked(Simulator(), tools=_TOOLS, input="weather", metadata={"simulate": "calls=4"}))
    assert len({one["call_id"] for one in found}) == 4


def test_a_required_call_is_made_every_time() -> None:
    """As by the service: who requires it in a loop has to stop requiring it."""
    simulator = Simulator()
    first = asked(simulator, tools=_TOOLS, tool_choice="required")
    second = asked(
        simulator,
        tools=_TOOLS,
        tool_choice="required",
        previous_response_id=first["id"],
        input=outputs(first),
    )
    assert calls_of(second)


@given(ANY_SCHEMA)
def test_arguments_fit_any_schema(schema: Any) -> None:
    """Whatever stands in a function's parameters."""
    parameters = {
        "type": "object",
        "properties": {"value": schema, "city": {"type": "string"}},
        "required": ["value"],
    }
    tool = {"type": "function", "name": "f", "parameters": parameters}
    (found,) = calls_of(
        asked(Simulator(), tools=[tool], tool_choice="required", input='Take 3 for "x" in Oslo')
    )
    jsonschema.Draft202012Validator(parameters).validate(found["arguments"])


def test_a_stream_of_calls_fits_the_types_of_others() -> None:
    """Arguments come in pieces that join to the whole, each call in its place."""
    stream = events(Simulator(), tools=_TOOLS, input="Call both tools", model="gpt-4.1")
    for event in stream:
        _EVENT.validate_python(event, strict=True)
    final = stream[-1]["response"]
    Response.model_validate(final, strict=True)
    for index, item in enumerate(final["output"]):
        deltas = [
            event["delta"]
            for event in stream
            if event["type"] == "response.function_call_arguments.delta" and event["output_index"] == index
        ]
        assert "".join(deltas) == item["arguments"]
        assert len(deltas) > 1
    assert final["usage"]["output_tokens"] > 10


def test_a_custom_tool_is_called_with_plain_text() -> None:
    """Its input is no JSON, and its output is asked for too."""
    simulator, tool = Simulator(), {"type": "custom", "name": "shout"}
    stream = events(simulator, tools=[tool], input="shout it", model="gpt-4.1")
    for event in stream:
        _EVENT.validate_python(event, strict=True)
    final = stream[-1]["response"]
    (item,) = final["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "shout it")
    refused = posted(simulator, previous_response_id=final["id"])
    assert "No tool output found for custom tool call" in refused.json()["error"]["message"]


def test_a_limit_cuts_the_arguments() -> None:
    """The call is there as far as it came, and marked."""
    response = asked(Simulator(), tools=_TOOLS, input=_IN_OSLO, model="gpt-4.1", max_output_tokens=6)
    (item,) = response["output"]
    assert (response["status"], item["status"]) == ("incomplete", "incomplete")
    assert item["arguments"].startswith("{")
    assert not item["arguments"].endswith("}")


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (
            [{"type": "function_call", "call_id": "call_a", "name": "f", "arguments": "{}"}],
            "No tool output found for function call call_a.",
        ),
        (
            [{"type": "function_call_output", "call_id": "call_b", "output": "1"}],
            "No tool call found for function call output with call_id call_b.",
        ),
    ],
)
def test_half_a_call_is_refused(items: list[dict[str, Any]], said: str) -> None:
    """In the service's words."""
    answer = posted(Simulator(), input=items)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")
    assert said in answer.json()["error"]["message"]


def test_a_stored_call_without_its_output_is_refused() -> None:
    """Also when the call is the service's to remember."""
    simulator = Simulator()
    first = asked(simulator, tools=_TOOLS, input=_IN_OSLO)
    call_id = calls_of(first)[0]["call_id"]
    answer = posted(simulator, previous_response_id=first["id"], input="And now?")
    assert answer.status_code == 400
    assert f"No tool output found for function call {call_id}." in answer.json()["error"]["message"]


def test_tools_calls_and_outputs_count_as_input() -> None:
    """Each of them is sent, so each of them is paid for."""
    simulator = Simulator()
    plain = asked(simulator, input=_IN_OSLO)["usage"]["input_tokens"]
    first = asked(simulator, input=_IN_OSLO, tools=_TOOLS)
    second = asked(
        simulator, tools=_TOOLS, previous_response_id=first["id"], input=outputs(first, "word " * 50)
    )
    assert first["usage"]["input_tokens"] > plain + 50
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] + 50


@given(st.text(max_size=200))
@example("౦")
@example("days: " + "9" * 5000)
def test_any_prompt_gets_an_answer(prompt: str) -> None:
    """However it is written, it is called for or answered."""
    answer = posted(Simulator(), tools=_TOOLS, input=f"weather {prompt}")
    assert answer.status_code == 200
