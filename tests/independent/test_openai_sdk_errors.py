"""What goes wrong on the simulator's side, as the SDK's error classes tell it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from cometnb.client.server import LocalServer


def _events(sdk: openai.OpenAI, fault: str, seen: list[Any]) -> None:
    for event in sdk.responses.create(model="gpt-4.1", input="Hi", stream=True, metadata={"simulate": fault}):
        seen.append(event)  # noqa: PERF402  # what came before the error is looked at


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"temperature": 7}, "temperature"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"text": {"format": {"type": "json_object"}}}, "input"),
        ({"previous_response_id": "resp_none"}, "previous_response_id"),
        ({"input": []}, "input"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named(sdk: openai.OpenAI, params: dict[str, Any], param: str) -> None:
    """With 400 and the parameter's name in its own field."""
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(**{"model": "gpt-5.4", "input": "Hi", **params})
    assert (caught.value.param or "").startswith(param)


def test_what_does_not_fit_the_context_is_refused(sdk: openai.OpenAI) -> None:
    """By the code that clients look for."""
    fault = {"simulate": "400:context_length_exceeded"}
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.responses.create(model="gpt-4.1", input="Hi", metadata=fault)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("fault", ["error_event", "failed", "eof"])
def test_an_answer_that_ends_badly_keeps_what_came(sdk: openai.OpenAI, fault: str) -> None:
    """The SDK hands on an error event and a failed response as events, typed, and takes a clean early end as an end."""
    seen: list[Any] = []
    _events(sdk, fault, seen)
    ends = {"error_event": "error", "failed": "response.failed", "eof": "response.output_text.delta"}
    assert seen[-1].type == ends[fault]
    assert any(event.type == "response.output_text.delta" for event in seen)


def test_a_stream_that_breaks_keeps_what_came(sdk: openai.OpenAI) -> None:
    """It is a connection error, behind the events that came."""
    seen: list[Any] = []
    with pytest.raises(openai.APIConnectionError):
        _events(sdk, "cut", seen)
    assert any(event.type == "response.output_text.delta" for event in seen)


def test_a_web_page_is_no_response(sdk: openai.OpenAI) -> None:
    """The SDK hands it over as text."""
    answer: Any = sdk.responses.create(model="gpt-4.1", input="Hi", metadata={"simulate": "html"})
    assert "<html>" in answer


def test_the_sdks_own_retries_get_through(server: LocalServer, sdk: openai.OpenAI) -> None:
    """Two refusals that ask to wait no time, then a stream."""
    patient = sdk.with_options(max_retries=2)
    before = len(server.requests)
    stream = patient.responses.create(
        model="gpt-4.1", input="Retried", stream=True, metadata={"simulate": "503:times=2,retry_after=0"}
    )
    *_, last = stream
    assert last.type == "response.completed"
    assert len(server.requests) - before == 3


def test_the_wait_that_is_asked_for_is_in_the_headers(sdk: openai.OpenAI) -> None:
    """As seconds, where the SDK looks for it."""
    with pytest.raises(openai.RateLimitError) as caught:
        sdk.responses.create(model="gpt-4.1", input="Hi", metadata={"simulate": "429:retry_after=7"})
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "rate_limit_exceeded"


def test_what_is_not_there_is_not_found(sdk: openai.OpenAI) -> None:
    """Each route says so in its own words."""
    for look in (
        lambda: sdk.responses.retrieve("resp_none"),
        lambda: sdk.responses.cancel("resp_none"),
        lambda: sdk.responses.input_items.list("resp_none"),
        lambda: sdk.conversations.retrieve("conv_none"),
        lambda: sdk.models.retrieve("gpt-none"),
    ):
        with pytest.raises(openai.NotFoundError):
            look()
