"""Every kind of answer, whole and streamed, judged by the types that the openai package has for it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.client.simulator.talk import WEATHER
from tests.independent.judged import Reply

_PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_FORM = {
    "type": "json_schema",
    "name": "pair",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"word": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["word", "count"],
        "additionalProperties": False,
    },
}
_WIKI = {"type": "mcp", "server_label": "wiki", "server_url": "https://example.org"}


def _parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "What is it?"}, *parts]}]}


def _tool(prompt: str, *tools: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {"input": prompt, "tools": list(tools), **params}


_ASKED: dict[str, dict[str, Any]] = {
    "plain": {},
    "reasoning with a summary": {"reasoning": {"effort": "high", "summary": "detailed"}},
    "no reasoning": {"reasoning": {"effort": "none"}},
    "encrypted reasoning": {"include": ["reasoning.encrypted_content"], "store": False},
    "logprobs": {"model": "gpt-4.1", "include": ["message.output_text.logprobs"], "top_logprobs": 3},
    "every setting": {
        "model": "gpt-4.1",
        "instructions": "Be brief.",
        "max_tool_calls": 3,
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "me",
        "service_tier": "flex",
        "temperature": 0.2,
        "text": {"verbosity": "medium"},
        "top_p": 0.5,
        "truncation": "auto",
        "user": "me",
    },
    "a prompt template": {"prompt": {"id": "pmpt_1", "variables": {"a": "b"}}},
    "several roles": {
        "input": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "Again."},
        ]
    },
    "an image": _parts({"type": "input_image", "image_url": _PIXEL}),
    "a file": _parts({"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="}),
    "a schema": {"text": {"format": _FORM}},
    "a JSON object": {"input": "As JSON, please", "text": {"format": {"type": "json_object"}}},
    "stopped in the reasoning": {"max_output_tokens": 16},
    "stopped in the text": {"model": "gpt-4.1", "max_output_tokens": 16},
    "filtered": {"metadata": {"simulate": "content_filter"}},
    "refused": {"metadata": {"simulate": "refusal"}},
    "failed": {"metadata": {"simulate": "failed"}},
    "parallel calls": _tool("The weather in Oslo and Rome", WEATHER),
    "calls one by one": _tool("The weather in Oslo and Rome", WEATHER, parallel_tool_calls=False),
    "a call that is not strict": _tool("The weather in Oslo", {**WEATHER, "strict": False}),
    "a custom tool": _tool("Use it", {"type": "custom", "name": "run"}, tool_choice="required"),
    "a grammar": _tool(
        "Use it",
        {
            "type": "custom",
            "name": "run",
            "format": {"type": "grammar", "syntax": "regex", "definition": "[a-z]+"},
        },
        tool_choice={"type": "custom", "name": "run"},
    ),
    "web search": _tool(
        "Search the web",
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["example.org"]},
            "search_context_size": "low",
            "user_location": {"type": "approximate", "city": "Oslo"},
        },
        include=["web_search_call.action.sources"],
    ),
    "web search, preview": _tool("Search the web", {"type": "web_search_preview"}),
    "file search": _tool(
        "Look in the files",
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        include=["file_search_call.results"],
    ),
    "code interpreter": _tool(
        "Compute and plot",
        {"type": "code_interpreter", "container": {"type": "auto"}},
        include=["code_interpreter_call.outputs"],
    ),
    "image generation": _tool(
        "Draw an image",
        {"type": "image_generation", "partial_images": 2, "size": "1024x1024", "quality": "low"},
    ),
    "remote tools": _tool(
        "Search",
        {
            **_WIKI,
            "allowed_tools": {"tool_names": ["search"]},
            "headers": {"a": "b"},
            "require_approval": {"never": {"tool_names": ["search"]}},
        },
    ),
    "remote tools to approve": _tool("Search", _WIKI),
}
_CHOICES: list[Any] = [
    "auto",
    "none",
    "required",
    {"type": "function", "name": "get_weather"},
    {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_weather"}]},
]


def _asked(sdk: openai.OpenAI, params: dict[str, Any]) -> None:
    """Ask whole and streamed, and read back what was kept."""
    asked = {"model": "gpt-5.4", "input": "What is a monad?", **params}
    whole = sdk.responses.create(**asked)
    *_, last = sdk.responses.create(**asked, stream=True)
    assert last.response.status == whole.status
    assert [item.type for item in last.response.output] == [item.type for item in whole.output]
    if params.get("store") is not False:
        assert sdk.responses.retrieve(whole.id).to_dict() == whole.to_dict()
        assert len(sdk.responses.input_items.list(whole.id).data) >= 1


@pytest.mark.parametrize("params", _ASKED.values(), ids=_ASKED)
def test_an_answer_fits_the_types(sdk: openai.OpenAI, params: dict[str, Any]) -> None:
    """Whole, event by event, fetched again, and the items that were its input."""
    _asked(sdk, params)


@pytest.mark.parametrize("choice", _CHOICES, ids=str)
def test_every_choice_of_tools_is_echoed_in_its_type(sdk: openai.OpenAI, choice: Any) -> None:
    """The forms a choice can be sent in."""
    _asked(sdk, _tool("The weather in Oslo", WEATHER, tool_choice=choice))


def test_the_judge_finds_what_is_missing_mistyped_or_unheard_of() -> None:
    """It would see a fault in a body, an event and an error."""

    def judged(kind: str, body: str, status: int = 200) -> list[str]:
        return Reply("POST", "/v1/responses", status, kind, bytearray(body.encode())).misfits()

    assert any("created_at" in line for line in judged("application/json", '{"object": "response"}'))
    delta = (
        'data: {"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":7,'
        '"sequence_number":"4","logprobs":[]}\n\n'
    )
    assert len(judged("text/event-stream", delta)) == 2
    assert judged("text/event-stream", 'data: {"type":"response.unheard_of"}\n\n') == [
        "no event response.unheard_of"
    ]
    assert judged("application/json", '{"detail": "no"}', 400) == ["no error object: {'detail': 'no'}"]
