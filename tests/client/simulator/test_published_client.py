"""Tools, structured answers, state and background, asked by the client most people use, over HTTP."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import openai
import pydantic
import pytest

from cometnb.client.server import running_server
from tests.client.simulator.talk import WEATHER


@pytest.fixture(scope="module")
def sdk() -> Iterator[openai.OpenAI]:
    """The SDK, pointed at one server for all tests."""
    with (
        running_server(seed=1) as server,
        openai.OpenAI(api_key="sk-made-up-key", base_url=server.base_url, max_retries=0) as client,
    ):
        yield client


def test_the_sdk_runs_five_rounds_of_calls(sdk: openai.OpenAI) -> None:
    """The service keeps the state; the last answer uses every result."""
    tools: Any = [WEATHER]
    response = sdk.responses.create(
        model="gpt-5.4", input="Check the weather in Oslo and Rome in five rounds", tools=tools
    )
    n_rounds = 0
    while calls := [item for item in response.output if item.type == "function_call"]:
        n_rounds += 1
        said: Any = [
            {"type": "function_call_output", "call_id": call.call_id, "output": f"round {n_rounds}"}
            for call in calls
        ]
        response = sdk.responses.create(
            model="gpt-5.4", input=said, tools=tools, previous_response_id=response.id
        )
    assert n_rounds == 5
    assert all(f"`round {number}`" in response.output_text for number in range(1, 6))


def test_the_sdk_is_refused_an_open_call(sdk: openai.OpenAI) -> None:
    """As by the service."""
    tools: Any = [WEATHER]
    response = sdk.responses.create(model="gpt-5.4", input="weather", tools=tools, tool_choice="required")
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_"):
        sdk.responses.create(model="gpt-5.4", input="And?", previous_response_id=response.id)


def test_the_sdk_accumulates_parallel_calls(sdk: openai.OpenAI) -> None:
    """Its helper puts the arguments together from the events, each call in its place."""
    tools: Any = [WEATHER]
    with sdk.responses.stream(model="gpt-5.4", input="The weather in Oslo and Rome", tools=tools) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    found = [json.loads(item.arguments)["city"] for item in final.output if item.type == "function_call"]
    assert found == ["Oslo", "Rome"]
    assert kinds.count("response.function_call_arguments.done") == 2


class _Person(pydantic.BaseModel):
    """Somebody, with what may be missing and a part of the same kind."""

    name: str
    age: Annotated[int, pydantic.Field(ge=0, le=120)]
    born: dt.date
    mood: Literal["happy", "sad"]
    email: str | None
    friends: list[_Person]


class _People(pydantic.BaseModel):
    people: list[_Person]


def test_the_sdk_parses_an_answer_into_its_model(sdk: openai.OpenAI) -> None:
    """The schema it makes is taken as strict, and the answer fits it, whole and streamed."""
    response = sdk.responses.parse(model="gpt-5.4", input="List four people", text_format=_People)
    with sdk.responses.stream(model="gpt-5.4", input="List four people", text_format=_People) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_response()
    for parsed in (response.output_parsed, streamed.output_parsed):
        assert parsed is not None
        assert len({person.name for person in parsed.people}) == 4


def test_the_sdk_sees_a_refusal(sdk: openai.OpenAI) -> None:
    """A refusal is no text and parses to nothing."""
    response = sdk.responses.parse(
        model="gpt-4.1", input="List people", text_format=_People, metadata={"simulate": "refusal"}
    )
    assert (response.output_text, response.output_parsed) == ("", None)
    assert '"type":"refusal"' in response.to_json(indent=None).replace(": ", ":")


def test_the_sdk_takes_a_broken_background_stream_up_again(sdk: openai.OpenAI) -> None:
    """From the last number it saw; nothing is missing and nothing comes twice."""
    broken = sdk.responses.create(
        model="gpt-4.1", input="Hi", background=True, stream=True, metadata={"simulate": "cut:at=30"}
    )
    seen: list[Any] = []
    with pytest.raises(openai.APIConnectionError):
        _note(broken, seen)
    response_id, last = seen[0].response.id, seen[-1].sequence_number
    seen.extend(sdk.responses.retrieve(response_id, stream=True, starting_after=last))
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert text == sdk.responses.retrieve(response_id).output_text


def _note(stream: Iterable[Any], seen: list[Any]) -> None:
    """Keep every event as it comes: what breaks off later does not take it back."""
    for event in stream:
        seen.append(event)  # noqa: PERF402  # a list made at once would be lost with the connection


def test_the_sdk_keeps_a_conversation(sdk: openai.OpenAI) -> None:
    """Made, added to by responses and by hand, listed in pages and deleted."""
    conversation = sdk.conversations.create(metadata={"a": "b"}, items=[{"role": "user", "content": "Hello"}])
    for prompt in ("One", "Two"):
        sdk.responses.create(model="gpt-5.4", input=prompt, conversation=conversation.id)
    sdk.conversations.items.create(conversation.id, items=[{"role": "user", "content": "By hand"}])
    found = list(sdk.conversations.items.list(conversation.id, order="asc", limit=3))
    assert [item.type for item in found] == ["message", *(["message", "reasoning", "message"] * 2), "message"]
    assert sdk.conversations.retrieve(conversation.id).metadata == {"a": "b"}
    assert sdk.conversations.delete(conversation.id).deleted
    with pytest.raises(openai.NotFoundError):
        sdk.conversations.retrieve(conversation.id)


def test_the_sdk_counts_and_compacts(sdk: openai.OpenAI) -> None:
    """What the input would cost, and the short form of a conversation."""
    first = sdk.responses.create(model="gpt-4.1", input="Hello")
    counted = sdk.responses.input_tokens.count(model="gpt-4.1", input="Hello")
    assert first.usage is not None
    assert counted.input_tokens == first.usage.input_tokens
    compacted = sdk.responses.compact(model="gpt-4.1", previous_response_id=first.id, input="More")
    assert [item.type for item in compacted.output] == ["message", "message", "compaction"]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search_preview"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "image_generation", "partial_images": 1},
        {
            "type": "mcp",
            "server_label": "wiki",
            "server_url": "https://example.org",
            "require_approval": "never",
        },
    ],
    ids=lambda tool: str(tool["type"]),
)
def test_the_sdk_streams_built_in_tools(sdk: openai.OpenAI, tool: Any) -> None:
    """Its helper knows every event, and the answer follows."""
    with sdk.responses.stream(model="gpt-4.1", input="What is new?", tools=[tool]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    item = final.output[-2].type
    assert {f"response.{item}.in_progress", f"response.{item}.completed"} <= kinds
    assert final.output_text
