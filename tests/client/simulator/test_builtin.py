"""Built-in tools and remote tool servers: their items, events, citations and limits."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from PIL import Image
from pydantic import TypeAdapter

from cometnb.client.simulator import Simulator
from tests.client.simulator.talk import WEATHER, asked, calls_of, events, text_of

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_SEARCH = {"type": "web_search_preview"}
_FILES = {"type": "file_search", "vector_store_ids": ["vs_1"]}
_CODE = {"type": "code_interpreter", "container": {"type": "auto"}}
_IMAGE = {"type": "image_generation", "partial_images": 2, "size": "512x256"}
_MCP: dict[str, Any] = {"type": "mcp", "server_label": "wiki", "server_url": "https://example.org/mcp"}
_FREE_MCP = {**_MCP, "require_approval": "never", "allowed_tools": ["ask_wiki", "read_page"]}
_INCLUDE = ["web_search_call.action.sources", "file_search_call.results", "code_interpreter_call.outputs"]
_PROMPT = "What was a positive news story from today?"


def _asked(*tools: dict[str, Any], simulator: Simulator | None = None, **params: Any) -> dict[str, Any]:
    given = {"model": "gpt-4.1", "input": _PROMPT, "tools": list(tools), **params}
    return asked(simulator or Simulator(), **given)


def _kinds(response: dict[str, Any]) -> list[str]:
    return [item["type"] for item in response["output"]]


@pytest.mark.parametrize(
    ("tool", "item", "seen"),
    [
        (_SEARCH, "web_search_call", ["in_progress", "searching", "completed"]),
        ({"type": "web_search_2025_08_26"}, "web_search_call", ["in_progress", "searching", "completed"]),
        (_FILES, "file_search_call", ["in_progress", "searching", "completed"]),
        (_CODE, "code_interpreter_call", ["in_progress", "interpreting", "completed"]),
        (
            _IMAGE,
            "image_generation_call",
            ["in_progress", "generating", "partial_image", "partial_image", "completed"],
        ),
        (_FREE_MCP, "mcp_call", ["in_progress", "completed"]),
    ],
)
def test_each_has_its_item_and_events(tool: dict[str, Any], item: str, seen: list[str]) -> None:
    """In order, in types that others published, and an answer follows."""
    stream = events(Simulator(), model="gpt-4.1", input=_PROMPT, tools=[tool], include=_INCLUDE)
    for event in stream:
        _EVENT.validate_python(event, strict=True)
    final = stream[-1]["response"]
    Response.model_validate(final, strict=True)
    own = [
        event["type"].removeprefix(f"response.{item}.")
        for event in stream
        if f"response.{item}." in event["type"]
    ]
    assert own == seen
    assert _kinds(final)[-2:] == [item, "message"]
    done = [event["item"] for event in stream if event["type"] == "response.output_item.done"]
    assert done == final["output"]


def test_a_search_is_cited_where_the_link_stands() -> None:
    """Start and end of the citation cut the link out of the text."""
    response = _asked(_SEARCH)
    (part,) = response["output"][-1]["content"]
    assert part["annotations"]
    for citation in part["annotations"]:
        link = part["text"][citation["start_index"] : citation["end_index"]]
        assert link == f"[{citation['title']}]({citation['url']})"


def test_citations_are_streamed() -> None:
    """An event for each, before the text is done."""
    stream = events(Simulator(), model="gpt-4.1", input=_PROMPT, tools=[_SEARCH])
    kinds = [event["type"] for event in stream]
    sent = [event["annotation"] for event in stream if event["type"].endswith("annotation.added")]
    assert sent == stream[-1]["response"]["output"][-1]["content"][0]["annotations"]
    assert kinds.index("response.output_text.annotation.added") < kinds.index("response.output_text.done")


def test_a_file_is_cited() -> None:
    """By its id and name, at a place in the text."""
    response = _asked(_FILES)
    (citation,) = response["output"][-1]["content"][0]["annotations"]
    assert citation["type"] == "file_citation"
    assert text_of(response)[: citation["index"]].endswith(f"`{citation['filename']}`")


@pytest.mark.parametrize(
    ("tool", "include", "path"),
    [
        (_SEARCH, "web_search_call.action.sources", ("action", "sources")),
        (_FILES, "file_search_call.results", ("results",)),
        (_CODE, "code_interpreter_call.outputs", ("outputs",)),
    ],
)
def test_include_adds_what_was_found(tool: dict[str, Any], include: str, path: tuple[str, ...]) -> None:
    """And without it that is not there."""
    plain: Any = _asked(tool)["output"][0]
    more: Any = _asked(tool, include=[include])["output"][0]
    for name in path:
        plain, more = plain.get(name), more[name]
    assert not plain
    assert len(more) >= 1


def test_the_interpreters_log_is_true() -> None:
    """Its code prints what the log says."""
    item = _asked(_CODE, include=_INCLUDE)["output"][0]
    printed: list[str] = []
    exec(item["code"], {"print": lambda value: printed.append(f"{value}\n")})  # noqa: S102  # what is tested
    assert item["outputs"] == [{"type": "logs", "logs": "".join(printed)}]


def test_the_picture_is_a_real_one() -> None:
    """A PNG of the size that was asked for."""
    item = _asked(_IMAGE)["output"][0]
    picture = Image.open(io.BytesIO(base64.b64decode(item["result"])))
    picture.load()
    assert (picture.format, picture.size, item["size"]) == ("PNG", (512, 256), "512x256")
    assert len(item["result"]) < 4000


def test_a_remote_server_lists_its_tools_once() -> None:
    """The conversation remembers them."""
    simulator = Simulator()
    first = _asked(_FREE_MCP, simulator=simulator, input="read page one")
    second = _asked(_FREE_MCP, simulator=simulator, previous_response_id=first["id"])
    listed, called, _ = first["output"]
    assert [tool["name"] for tool in listed["tools"]] == ["ask_wiki", "read_page"]
    assert (called["name"], called["server_label"], called["error"]) == ("read_page", "wiki", None)
    assert json.loads(called["arguments"]) == {"query": "read page one"}
    assert _kinds(second) == ["mcp_call", "message"]


@pytest.mark.parametrize("approve", [True, False])
def test_a_remote_call_waits_for_approval(approve: bool) -> None:
    """It is asked for unless the request says never; approved it is made, declined it is not."""
    simulator = Simulator()
    first = _asked(_MCP, simulator=simulator)
    assert _kinds(first) == ["mcp_list_tools", "mcp_approval_request"]
    wanted = first["output"][1]
    answer = {"type": "mcp_approval_response", "approval_request_id": wanted["id"], "approve": approve}
    second = _asked(_MCP, simulator=simulator, previous_response_id=first["id"], input=[answer])
    assert _kinds(second) == (["mcp_call", "message"] if approve else ["message"])
    if approve:
        assert second["output"][0]["approval_request_id"] == wanted["id"]
        assert second["output"][0]["arguments"] == wanted["arguments"]


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ("always", "mcp_approval_request"),
        ({"never": {"tool_names": ["ask_wiki"]}}, "mcp_call"),
        ({"always": {"tool_names": ["ask_wiki"]}}, "mcp_approval_request"),
        ({"always": {"tool_names": ["other"]}}, "mcp_call"),
    ],
)
def test_approval_can_be_for_some_tools(rule: Any, item: str) -> None:
    """By name."""
    assert _kinds(_asked({**_FREE_MCP, "require_approval": rule}, input="ask the wiki"))[1] == item


@pytest.mark.parametrize(
    ("params", "kinds"),
    [
        ({"max_tool_calls": 1}, ["web_search_call", "message"]),
        ({"max_tool_calls": 0}, ["message"]),
        ({"tool_choice": "none"}, ["message"]),
        ({"tool_choice": {"type": "file_search"}}, ["file_search_call", "message"]),
        ({"input": "Tell me a joke"}, ["web_search_call", "message"]),
        ({"input": "search the files"}, ["web_search_call", "file_search_call", "message"]),
    ],
)
def test_which_tools_are_used(params: dict[str, Any], kinds: list[str]) -> None:
    """Those the prompt speaks of or else the first, within the choice and the limit."""
    assert _kinds(_asked(_SEARCH, _FILES, **{"input": "search the files", **params})) == kinds


def test_functions_and_built_in_tools_side_by_side() -> None:
    """The search comes first, then the call; after its result the answer."""
    simulator = Simulator()
    prompt = "Search the news on the weather in Oslo"
    first = _asked(_SEARCH, WEATHER, simulator=simulator, input=prompt)
    assert _kinds(first) == ["web_search_call", "function_call"]
    said = {"type": "function_call_output", "call_id": calls_of(first)[0]["call_id"], "output": "sun"}
    second = _asked(_SEARCH, WEATHER, simulator=simulator, previous_response_id=first["id"], input=[said])
    assert _kinds(second) == ["message"]


def test_tools_that_are_not_played_are_passed_over() -> None:
    """They are echoed and the answer comes."""
    tool = {"type": "some_future_tool", "level": 3}
    response = _asked(tool)
    assert (response["tools"], _kinds(response)) == ([tool], ["message"])
