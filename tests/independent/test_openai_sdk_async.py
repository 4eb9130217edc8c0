"""The SDK's async client against the local server: the ways to ask, and what each gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import openai
import pydantic
import pytest

from tests.client.simulator.talk import WEATHER

_Made = Callable[[], openai.AsyncOpenAI]
_T = TypeVar("_T")


class _Pair(pydantic.BaseModel):
    """What a parsed answer is to be."""

    word: str
    count: int


def _with(made: _Made, work: Callable[[openai.AsyncOpenAI], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        async with made() as client:
            return await work(client)

    return asyncio.run(run())


def test_a_whole_answer_and_a_stream_say_the_same(async_sdk: _Made) -> None:
    """The request is the same, and so is the text."""

    async def work(client: openai.AsyncOpenAI) -> tuple[str, str]:
        whole = await client.responses.create(model="gpt-5.4", input="Hi")
        stream = await client.responses.create(model="gpt-5.4", input="Hi", stream=True)
        deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        return whole.output_text, "".join(deltas)

    whole, streamed = _with(async_sdk, work)
    assert whole == streamed != ""


def test_the_accumulating_helper_follows_a_reasoned_call(async_sdk: _Made) -> None:
    """Its snapshots grow to the text, the arguments and the response of the last event."""

    async def work(client: openai.AsyncOpenAI) -> tuple[list[str], Any]:
        tools: Any = [WEATHER]
        reasoning: Any = {"effort": "high", "summary": "auto"}
        async with client.responses.stream(
            model="gpt-5.4", input="The weather in Oslo", tools=tools, reasoning=reasoning
        ) as stream:
            snapshots = [
                event.snapshot
                async for event in stream
                if event.type == "response.function_call_arguments.delta"
            ]
            return snapshots, await stream.get_final_response()

    snapshots, final = _with(async_sdk, work)
    assert [item.type for item in final.output] == ["reasoning", "function_call"]
    assert snapshots[-1] == final.output[1].arguments
    assert json.loads(snapshots[-1])["city"] == "Oslo"


def test_an_answer_is_parsed_into_a_model(async_sdk: _Made) -> None:
    """As pydantic has it."""

    async def work(client: openai.AsyncOpenAI) -> Any:
        return await client.responses.parse(model="gpt-5.4", input="A word", text_format=_Pair)

    assert isinstance(_with(async_sdk, work).output_parsed, _Pair)


def test_raw_and_streamed_bodies_are_handed_over(async_sdk: _Made) -> None:
    """With the headers; the request id is among them."""

    async def work(client: openai.AsyncOpenAI) -> tuple[Any, str, list[str]]:
        raw = await client.responses.with_raw_response.create(model="gpt-5.4", input="Hi")
        asked = client.responses.with_streaming_response.create(model="gpt-5.4", input="Hi", stream=True)
        async with asked as reply:
            lines = [line async for line in reply.iter_lines()]
        return raw.parse(), raw.headers["x-cometapi-request-id"], lines

    parsed, request_id, lines = _with(async_sdk, work)
    assert parsed.status == "completed"
    assert len(request_id) == 24
    assert lines[0] == "event: response.created"


def test_a_background_response_is_polled_to_its_end(async_sdk: _Made) -> None:
    """Queued, then in progress, then completed with its text."""

    async def work(client: openai.AsyncOpenAI) -> tuple[list[Any], str]:
        response = await client.responses.create(
            model="gpt-4.1", input="Later", background=True, metadata={"simulate": "polls=4"}
        )
        seen = [response.status]
        while response.status in ("queued", "in_progress"):
            response = await client.responses.retrieve(response.id)
            seen.append(response.status)
        return list(dict.fromkeys(seen)), response.output_text

    seen, text = _with(async_sdk, work)
    assert seen == ["queued", "in_progress", "completed"]
    assert text


def test_errors_are_mapped_and_a_broken_stream_is_one(async_sdk: _Made) -> None:
    """Refusals before the answer, and a connection that breaks in it."""

    async def failed(client: openai.AsyncOpenAI, fault: str) -> type[Exception]:
        try:
            stream = await client.responses.create(
                model="gpt-5.4", input="Hi", stream=True, metadata={"simulate": fault}
            )
            async for _ in stream:
                pass
        except openai.APIError as error:
            return type(error)
        raise AssertionError(fault)

    async def work(client: openai.AsyncOpenAI) -> list[type[Exception]]:
        return [await failed(client, fault) for fault in ("429", "500", "cut")]

    assert _with(async_sdk, work) == [
        openai.RateLimitError,
        openai.InternalServerError,
        openai.APIConnectionError,
    ]


@pytest.mark.parametrize("n_streams", [20])
def test_many_streams_run_side_by_side(async_sdk: _Made, n_streams: int) -> None:
    """Each gets the answer to its own question."""

    async def text_of(client: openai.AsyncOpenAI, prompt: str) -> str:
        async with client.responses.stream(model="gpt-4.1", input=prompt) as stream:
            return (await stream.get_final_response()).output_text

    async def work(client: openai.AsyncOpenAI) -> list[str]:
        return await asyncio.gather(*(text_of(client, f"question-{n}") for n in range(n_streams)))

    texts = _with(async_sdk, work)
    assert all(f"`question-{number}`" in text for number, text in enumerate(texts))
