"""The SDK's sync client against the local server: helpers, tools, what the service keeps, and what it counts."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic
import pytest

from cometnb.client.server import running_server
from tests.client.simulator.talk import WEATHER


class _City(pydantic.BaseModel):
    """The arguments of a call, as the SDK parses them."""

    city: str


def test_the_helper_keeps_one_snapshot_that_only_grows(sdk: openai.OpenAI) -> None:
    """Each delta's snapshot is the one before with the delta behind it."""
    with sdk.responses.stream(model="gpt-4.1", input="Hi") as stream:
        text = ""
        for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
                assert event.snapshot == text
        assert stream.get_final_response().output_text == text


def test_the_helper_takes_a_background_stream_up_again(sdk: openai.OpenAI) -> None:
    """By the response's id and the number of the last event."""
    first = list(sdk.responses.create(model="gpt-4.1", input="Hi", background=True, stream=True))
    assert first[0].type == "response.created"
    with sdk.responses.stream(response_id=first[0].response.id, starting_after=5) as stream:
        again = list(stream)
    assert [event.type for event in again] == [event.type for event in first[6:]]


def test_arguments_are_parsed_into_the_tools_model(sdk: openai.OpenAI) -> None:
    """A tool made from a model comes back as that model."""
    tools: Any = [openai.pydantic_function_tool(_City, name="get_weather")["function"]]
    flat: Any = [{"type": "function", **tools[0]}]
    response = sdk.responses.parse(model="gpt-5.4", input="The weather in Oslo", tools=flat)
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert _City.model_validate_json(call.arguments).city == "Oslo"


def test_calls_are_answered_without_the_service_keeping_anything(sdk: openai.OpenAI) -> None:
    """The items go back as the SDK's models dump them, encrypted reasoning among them."""
    tools: Any = [WEATHER]
    include: Any = ["reasoning.encrypted_content"]
    asked: list[Any] = [{"role": "user", "content": "The weather in Oslo and Rome"}]
    settings: Any = {"model": "gpt-5.4", "tools": tools, "store": False, "include": include}
    first = sdk.responses.create(input=asked, **settings)
    calls = [item for item in first.output if item.type == "function_call"]
    said: list[Any] = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"sunny in {number}"}
        for number, call in enumerate(calls)
    ]
    output: list[Any] = [item.to_dict(mode="json") for item in first.output]
    then = sdk.responses.create(input=[*asked, *output, *said], **settings)
    assert len(calls) == 2
    assert all(f"sunny in {number}" in then.output_text for number in range(2))


def test_a_remote_call_is_approved(sdk: openai.OpenAI) -> None:
    """The approval goes back as an item, and the call and an answer come."""
    tools: Any = [{"type": "mcp", "server_label": "wiki", "server_url": "https://example.org"}]
    first = sdk.responses.create(model="gpt-4.1", input="Search", tools=tools)
    (asked,) = [item for item in first.output if item.type == "mcp_approval_request"]
    said: Any = [{"type": "mcp_approval_response", "approve": True, "approval_request_id": asked.id}]
    then = sdk.responses.create(model="gpt-4.1", previous_response_id=first.id, input=said, tools=tools)
    assert [item.type for item in then.output] == ["mcp_call", "message"]


def test_input_items_come_in_pages(sdk: openai.OpenAI) -> None:
    """The SDK turns the pages by itself, in both orders."""
    given: Any = [{"role": "user", "content": f"number {number}"} for number in range(5)]
    response = sdk.responses.create(model="gpt-4.1", input=given)
    orders: Any = (("asc", [0, 1, 2, 3, 4]), ("desc", [4, 3, 2, 1, 0]))
    for order, wanted in orders:
        found: Any = sdk.responses.input_items.list(response.id, limit=2, order=order)
        texts = [item.to_dict()["content"][0]["text"] for item in found]
        assert texts == [f"number {number}" for number in wanted]


def test_what_is_not_stored_cannot_be_fetched(sdk: openai.OpenAI) -> None:
    """With store=False it is as if it had never been."""
    response = sdk.responses.create(model="gpt-4.1", input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(response.id)


def test_turns_are_continued_by_id(sdk: openai.OpenAI) -> None:
    """The second counts the first one's tokens among its input, and echoes the id."""
    first = sdk.responses.create(model="gpt-4.1", input="The word is cobalt.")
    then = sdk.responses.create(model="gpt-4.1", input="Which word?", previous_response_id=first.id)
    assert then.previous_response_id == first.id
    assert first.usage is not None
    assert then.usage is not None
    assert then.usage.input_tokens > first.usage.total_tokens


def test_a_conversations_items_are_read_one_by_one(sdk: openai.OpenAI) -> None:
    """Made, updated, an item fetched and an item taken out."""
    talk = sdk.conversations.create(items=[{"role": "user", "content": "Hello"}])
    sdk.responses.create(model="gpt-4.1", input="And?", conversation=talk.id)
    items = list(sdk.conversations.items.list(talk.id, order="asc"))
    ids = [str(item.id) for item in items]
    assert sdk.conversations.items.retrieve(ids[0], conversation_id=talk.id).type == "message"
    sdk.conversations.items.delete(ids[0], conversation_id=talk.id)
    assert [item.id for item in sdk.conversations.items.list(talk.id, order="asc")] == ids[1:]
    assert sdk.conversations.update(talk.id, metadata={"a": "b"}).metadata == {"a": "b"}


def test_a_cache_key_leads_to_cached_tokens(sdk: openai.OpenAI) -> None:
    """The same long beginning again is read from the cache."""
    long = "This is a long document about prefixes. " * 400
    usages = [
        sdk.responses.create(model="gpt-4.1", input=f"{long} {end}", prompt_cache_key="doc").usage
        for end in ("One", "Two")
    ]
    assert usages[0] is not None
    assert usages[1] is not None
    assert usages[0].input_tokens_details.cached_tokens == 0
    assert usages[1].input_tokens_details.cached_tokens > 1000


def test_the_input_is_counted_with_tools_and_schema(sdk: openai.OpenAI) -> None:
    """As the call itself is billed for it."""
    tools: Any = [WEATHER]
    counted = sdk.responses.input_tokens.count(
        model="gpt-5.4", input="The weather in Oslo", tools=tools, instructions="Be brief."
    )
    response = sdk.responses.create(
        model="gpt-5.4", input="The weather in Oslo", tools=tools, instructions="Be brief."
    )
    assert response.usage is not None
    assert counted.input_tokens == response.usage.input_tokens


def test_a_conversation_is_compacted_and_goes_on(sdk: openai.OpenAI) -> None:
    """What compaction gives is taken as input."""
    first = sdk.responses.create(model="gpt-4.1", input="The word is cobalt.")
    compacted = sdk.responses.compact(model="gpt-4.1", previous_response_id=first.id)
    counted = sdk.responses.input_tokens.count(model="gpt-4.1", previous_response_id=first.id)
    assert counted.input_tokens > 0
    given: Any = [item.to_dict(mode="json", warnings=False) for item in compacted.output]
    then = sdk.responses.create(model="gpt-4.1", input=[*given, {"role": "user", "content": "Which word?"}])
    assert then.status == "completed"


def test_raw_and_streamed_replies_have_headers_and_bytes(sdk: openai.OpenAI) -> None:
    """The body parses to the same, and the lines are those of the wire."""
    raw = sdk.responses.with_raw_response.create(model="gpt-5.4", input="Hi")
    assert json.loads(raw.text)["id"] == raw.parse().id
    with sdk.responses.with_streaming_response.create(model="gpt-5.4", input="Hi") as reply:
        assert reply.headers["content-type"].startswith("application/json")
        assert reply.parse().status == "completed"


@pytest.mark.parametrize("include_obfuscation", [True, False])
def test_padding_comes_only_where_it_is_wanted(sdk: openai.OpenAI, include_obfuscation: bool) -> None:
    """Deltas are padded to hide their length, unless the request says no."""
    options: Any = {"include_obfuscation": include_obfuscation}
    stream = sdk.responses.create(model="gpt-4.1", input="Hi", stream=True, stream_options=options)
    deltas = [event.to_dict() for event in stream if event.type == "response.output_text.delta"]
    assert all(("obfuscation" in delta) == include_obfuscation for delta in deltas)


def test_a_background_response_is_cancelled_and_deleted(sdk: openai.OpenAI) -> None:
    """It is cancelled while it runs; cancelled once more it stays so; deleted it is gone."""
    response = sdk.responses.create(
        model="gpt-4.1", input="Later", background=True, metadata={"simulate": "polls=100"}
    )
    for _ in range(2):
        assert sdk.responses.cancel(response.id).status == "cancelled"
    sdk.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.cancel(response.id)


def test_the_models_are_typed(sdk: openai.OpenAI) -> None:
    """Each has an id, an owner and a date."""
    listed = list(sdk.models.list())
    assert "gpt-5.4" in {model.id for model in listed}
    assert all(model.created > 0 and model.owned_by for model in listed)


def test_a_slow_answer_runs_into_the_sdks_timeout() -> None:
    """Its own error class says so, and the server goes on serving."""
    with (
        running_server(first_token_s=60) as server,
        openai.OpenAI(api_key="sk-made-up-key", base_url=server.base_url, max_retries=0) as client,
    ):
        with pytest.raises(openai.APITimeoutError):
            client.responses.create(model="gpt-4.1", input="Hi", timeout=0.2)
        assert list(client.models.list())
