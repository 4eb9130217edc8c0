"""Routes, checks, the echo of parameters, and what is kept between requests."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cometnb.client.simulator import Engine, Simulator
from cometnb.client.simulator.models import MODELS
from cometnb.client.simulator.reply import Request
from cometnb.errors import ConfigError
from cometnb.protocol.params import PARAMS
from tests.client.simulator.talk import EMPTY, asked, call, posted, text_of

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _error(answer: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error


def test_what_was_sent_is_echoed() -> None:
    """The response repeats every parameter it has a field for."""
    sent = {
        "instructions": "Be brief.",
        "max_output_tokens": 5000,
        "max_tool_calls": 3,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "s",
        "store": False,
        "temperature": 0.3,
        "tool_choice": "none",
        "top_p": 0.5,
        "truncation": "auto",
        "user": "u",
    }
    response = asked(Simulator(), **sent)
    assert {name: response[name] for name in sent} == sent


def test_what_was_not_sent_is_echoed_with_its_default() -> None:
    """The documented defaults of the parameter table are what the response shows."""
    response = asked(Simulator())
    shown = {
        row.name: response[row.name] for row in PARAMS if row.default is not None and row.name in response
    }
    assert shown == {row.name: row.default for row in PARAMS if row.name in shown}
    assert (response["service_tier"], response["text"]) == (
        "default",
        {"format": {"type": "text"}, "verbosity": "medium"},
    )


def test_the_model_that_was_asked_is_the_model_that_answers() -> None:
    """A dated snapshot of a known model is known too."""
    assert asked(Simulator(), model="gpt-5.4-mini-2026-03-17")["model"] == "gpt-5.4-mini-2026-03-17"


def test_an_unknown_model_is_named_with_close_ones() -> None:
    """404, in the service's shape."""
    answer = posted(Simulator(), model="gpt-5.4-maxi")
    error = _error(answer)
    assert (answer.status_code, error["code"], error["type"]) == (404, "model_not_found", "comet_api_error")
    assert "'gpt-5.4-maxi'" in error["message"]
    assert "gpt-5.4-mini" in error["message"]


def test_the_models_are_listed() -> None:
    """Its own list, or the one it was given, which is then the only one it knows."""
    own = call(Simulator(), "GET", "/models").json()
    given_ones = Simulator(models=["my-model"])
    assert [model["id"] for model in own["data"]] == list(MODELS)
    assert [model["id"] for model in call(given_ones, "GET", "/models").json()["data"]] == ["my-model"]
    assert posted(given_ones).status_code == 404
    assert asked(given_ones, model="my-model")["status"] == "completed"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"input": ""}, "input"),
        ({"model": ""}, "model"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"metadata": {"n": 1}}, "metadata.n"),
        ({"background": True, "store": False}, "background"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(params: dict[str, Any], param: str) -> None:
    """400 with the parameter's name, by the same table the client checks with."""
    answer = posted(Simulator(), **params)
    error = _error(answer)
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", param)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    """400, not a crash."""
    reply = Engine().handle(Request("POST", "/v1/responses", {}, body))
    assert reply.status == 400


def test_the_clients_way_around_the_checks_does_not_work_on_the_wire() -> None:
    """`extra_body` is a word of the client only."""
    assert asked(Simulator(), extra_body={"model": 5})["model"] == EMPTY["model"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/responses", 405),
        ("PUT", "/responses/resp_1", 405),
        ("GET", "/responses/resp_1", 404),
        ("DELETE", "/responses/resp_1", 404),
        ("POST", "/responses/resp_1/cancel", 404),
        ("GET", "/responses/resp_1/input_items", 404),
    ],
)
def test_what_is_not_there_is_an_error_in_json(method: str, path: str, status: int) -> None:
    """The message carries the request id that the header carries."""
    answer = call(Simulator(), method, path)
    assert answer.status_code == status
    assert f"(request id: {answer.headers['x-cometapi-request-id']})" in _error(answer)["message"]


def test_a_response_can_be_fetched_until_it_is_deleted() -> None:
    """Whether it was streamed or not."""
    simulator = Simulator()
    for stream in (False, True):
        answer = posted(simulator, stream=stream)
        body = json.loads(answer.text.split("data: ")[-1])["response"] if stream else answer.json()
        path = f"/responses/{body['id']}"
        assert call(simulator, "GET", path).json() == body
        assert call(simulator, "DELETE", path).json() == {
            "id": body["id"],
            "object": "response",
            "deleted": True,
        }
        assert call(simulator, "GET", path).status_code == 404


def test_a_response_that_was_not_to_be_stored_is_not() -> None:
    """`store=False` is honoured."""
    simulator = Simulator()
    response = asked(simulator, store=False)
    assert call(simulator, "GET", f"/responses/{response['id']}").status_code == 404


def test_input_items_come_in_pages() -> None:
    """Newest first unless asked otherwise; text becomes a message with parts."""
    simulator = Simulator()
    response = asked(simulator, input=[{"role": "user", "content": text} for text in ("one", "two", "three")])
    path = f"/responses/{response['id']}/input_items"
    first = call(simulator, "GET", path, limit="2").json()
    rest = call(simulator, "GET", path, limit="2", after=first["last_id"]).json()
    assert [item["content"][0]["text"] for item in first["data"]] == ["three", "two"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [item["content"] for item in rest["data"]] == [[{"type": "input_text", "text": "one"}]]
    assert call(simulator, "GET", path, order="asc").json()["data"][0] == rest["data"][0]


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_a_page_size_out_of_bounds_is_refused(limit: str) -> None:
    """1 to 100."""
    simulator = Simulator()
    answer = call(simulator, "GET", f"/responses/{asked(simulator)['id']}/input_items", limit=limit)
    assert (answer.status_code, _error(answer)["param"]) == (400, "limit")


def test_a_continued_response_counts_what_came_before() -> None:
    """Input grows by the earlier prompt and answer, and the answer says that it goes on."""
    simulator = Simulator()
    first = asked(simulator)
    second = asked(simulator, previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    text_tokens = (
        first["usage"]["output_tokens"] - first["usage"]["output_tokens_details"]["reasoning_tokens"]
    )
    assert second["usage"]["input_tokens"] >= 2 * first["usage"]["input_tokens"] + text_tokens
    assert "**Conversation** goes on after 3 earlier items" in text_of(second)


def test_a_previous_response_that_is_unknown_is_refused() -> None:
    """400, so that a client can send the history instead."""
    answer = posted(Simulator(), previous_response_id="resp_gone")
    assert (answer.status_code, _error(answer)["code"]) == (400, "previous_response_not_found")


def test_a_background_response_is_fetched_later() -> None:
    """First queued, in progress while the pace lasts, then there."""
    slow, fast = Simulator(tokens_per_s=0.001), Simulator()
    waiting, ready = asked(slow, background=True), asked(fast, background=True)
    assert waiting["status"] == ready["status"] == "queued"
    assert call(slow, "GET", f"/responses/{waiting['id']}").json()["status"] == "in_progress"
    assert call(fast, "GET", f"/responses/{ready['id']}").json()["status"] == "completed"


def test_a_background_response_can_be_cancelled_while_it_runs() -> None:
    """It stays cancelled; one that is done stays done; another kind cannot be."""
    slow, fast = Simulator(tokens_per_s=0.001), Simulator()
    waiting = f"/responses/{asked(slow, background=True)['id']}"
    ready = f"/responses/{asked(fast, background=True)['id']}"
    assert call(slow, "POST", f"{waiting}/cancel").json()["status"] == "cancelled"
    assert call(slow, "GET", waiting).json()["status"] == "cancelled"
    assert call(fast, "POST", f"{ready}/cancel").json()["status"] == "completed"
    assert call(fast, "POST", f"/responses/{asked(fast)['id']}/cancel").status_code == 400


def test_a_long_prompt_that_came_before_counts_as_cached() -> None:
    """From 1,024 tokens on, in steps of 128; the first time and for another model nothing is."""
    simulator = Simulator()
    prompt = " ".join(f"word{n}" for n in range(700))

    def cached(**params: Any) -> int:
        return int(asked(simulator, **params)["usage"]["input_tokens_details"]["cached_tokens"])

    assert cached(input=prompt) == 0
    again = cached(input=prompt + " and a new end")
    assert again >= 1024
    assert again % 128 == 0
    assert cached(input=prompt, model="gpt-4.1") == 0


def test_the_bodies_that_were_sent_can_be_looked_at() -> None:
    """The last 200, refused ones too."""
    simulator = Simulator(text="")
    posted(simulator, temperature=9)
    for number in range(200):
        posted(simulator, input=str(number))
    assert len(simulator.requests) == 200
    assert simulator.requests[-1] == {**EMPTY, "input": "199"}
    assert simulator.requests[0]["input"] == "0"


@pytest.mark.parametrize("settings", [{"tokens_per_s": 0}, {"tokens_per_s": -1}, {"first_token_s": -0.1}])
def test_an_impossible_pace_is_refused_at_once(settings: dict[str, float]) -> None:
    """Two lines that name value and bound."""
    with pytest.raises(ConfigError, match=r"=-?[0-9.]+ is ") as caught:
        Simulator(**settings)  # type: ignore[arg-type]  # one name at a time
    assert caught.value.next_step


@given(st.dictionaries(st.sampled_from([row.name for row in PARAMS]), _JSON, max_size=5))
def test_any_parameters_get_an_answer(params: dict[str, Any]) -> None:
    """Whatever JSON is sent, it is answered or refused, and its stream ends."""
    body = json.dumps(EMPTY | params).encode()
    reply = Engine().handle(Request("POST", "/v1/responses", {}, body))
    assert reply.status in (200, 400, 404)
    assert b"".join(action for action in reply.actions if isinstance(action, bytes))


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=4), st.booleans())
def test_any_input_item_gets_an_answer(item: dict[str, Any], stream: bool) -> None:
    """Items of kinds that are not known are counted as the JSON they are."""
    # Words that have a meaning of their own are tried below.
    assume(not {"id", "type", "role", "call_id"} & item.keys())
    body = json.dumps(
        {**EMPTY, "input": [{"role": "user", "content": "Hi"}, item], "stream": stream}
    ).encode()
    reply = Engine().handle(Request("POST", "/v1/responses", {}, body))
    assert reply.status == 200
    assert b'"completed"' in b"".join(action for action in reply.actions if isinstance(action, bytes))


_ITEM_KINDS = (
    "message",
    "function_call",
    "function_call_output",
    "reasoning",
    "item_reference",
    "compaction",
)
_ITEMS = st.lists(
    st.dictionaries(
        st.sampled_from(["type", "role", "content", "output", "call_id", "name", "arguments", "id"]),
        _JSON | st.sampled_from(_ITEM_KINDS),
        max_size=4,
    ),
    min_size=1,
    max_size=3,
)
_TOOL_KINDS = (
    "function",
    "custom",
    "mcp",
    "web_search",
    "file_search",
    "code_interpreter",
    "image_generation",
)
_ANY_TOOL = st.dictionaries(
    st.sampled_from(
        ["type", "name", "description", "parameters", "strict", "server_label", "size", "container"]
    ),
    _JSON | st.sampled_from(_TOOL_KINDS),
    max_size=5,
)


@given(st.lists(_ANY_TOOL, max_size=3), _ANY_TOOL | st.just("required"), _ITEMS, st.booleans())
def test_any_tools_and_items_get_an_answer(tools: Any, choice: Any, items: Any, stream: bool) -> None:
    """Well-formed or not, they are used, passed over or refused."""
    body = {**EMPTY, "tools": tools, "tool_choice": choice, "input": items, "stream": stream}
    reply = Engine().handle(Request("POST", "/v1/responses", {}, json.dumps(body).encode()))
    assert reply.status in (200, 400, 404)
    assert b"".join(action for action in reply.actions if isinstance(action, bytes))


@given(_JSON)
def test_any_schema_gets_an_answer(schema: Any) -> None:
    """Also what is none."""
    form = {
        "type": "json_schema",
        "name": "a",
        "schema": {"properties": schema, "items": schema, "required": ["a"]},
    }
    reply = Engine().handle(
        Request("POST", "/v1/responses", {}, json.dumps({**EMPTY, "text": {"format": form}}).encode())
    )
    assert reply.status in (200, 400)


@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/responses/input_tokens", "/v1/responses/compact"])
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"metadata": 5}', b'{"items": [{"type": 5}]}', b'{"items": 5}']
)
def test_a_body_that_cannot_be_is_refused_everywhere(path: str, body: bytes) -> None:
    """On every route that takes one."""
    assert Engine().handle(Request("POST", path, {}, body)).status == 400
