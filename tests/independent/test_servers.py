"""Calls to servers that others wrote: the text is kept, the status is right, and each attempt is one row."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cometnb.client.client import AsyncClient, Client
from cometnb.client.stream import ResponseStream
from cometnb.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    CometError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ServerError,
    StreamInterruptedError,
)
from cometnb.ledger.store import Ledger
from cometnb.protocol.response import Response
from tests.independent.others import KEY, Theirs

_GREETING = "Grüße aus der Ferne – 你好 🎈\nand a second line."


def _client(theirs: Theirs, ledger: Ledger, **settings: Any) -> Client:
    return Client(KEY, theirs.base_url, model=theirs.model, observers=[ledger], **settings)


def _asked(client: Client, prompt: str, *, streams: bool) -> Response:
    if not streams:
        return client.respond(prompt, stream=False)
    with client.stream(prompt) as stream:
        pieces = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    assert stream.response.output_text == pieces
    return stream.response


def _check_row(ledger: Ledger, response: Response) -> None:
    """There is one row, and what was not reported is missing in it and never zero."""
    (row,) = ledger.usage().to_dict("records")
    assert (row["status"], row["response_id"]) == (response.status, response.id)
    assert row["usage_source"] in ("reported", "estimated")
    if row["usage_source"] == "reported":
        assert row["input_tokens"] == response.usage.input_tokens
        assert row["output_tokens"] == response.usage.output_tokens


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
def test_an_answer_is_kept_and_recorded(theirs: Theirs, ledger: Ledger, streams: bool) -> None:
    """Asked by the sync client; letters from afar come whole."""
    with _client(theirs, ledger) as client:
        response = _asked(client, "greet me", streams=streams)
    assert response.status == "completed"
    assert response.output_text
    assert not theirs.is_scripted or response.output_text == _GREETING
    _check_row(ledger, response)


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
def test_the_async_client_keeps_many_at_once(theirs: Theirs, ledger: Ledger, streams: bool) -> None:
    """Six side by side, each with its row."""

    async def work() -> list[Response]:
        client = AsyncClient(KEY, theirs.base_url, model=theirs.model, observers=[ledger])
        async with client:
            return await asyncio.gather(*(client.respond("greet me", stream=streams) for _ in range(6)))

    responses = asyncio.run(work())
    assert all(response.output_text for response in responses)
    usage = ledger.usage()
    assert usage["status"].tolist() == ["completed"] * 6
    assert set(usage["response_id"]) == {response.id for response in responses}


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize(
    "told",
    [
        ("ponder", "Seven.", ["reasoning", "message"]),
        ("blend", "First a look. Then the rest.", ["message", "function_call", "message"]),
        ("research", "It is so.", ["web_search_call", "message"]),
    ],
)
def test_every_kind_of_item_is_kept(
    scripted: Theirs, ledger: Ledger, told: tuple[str, str, list[str]], streams: bool
) -> None:
    """Reasoning, calls between texts, and searches of the service."""
    prompt, text, kinds = told
    with _client(scripted, ledger) as client:
        response = _asked(client, prompt, streams=streams)
    assert response.output_text == text
    assert [item["type"] for item in response.output] == kinds
    _check_row(ledger, response)


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
def test_an_answer_that_stops_early_is_incomplete(scripted: Theirs, ledger: Ledger, streams: bool) -> None:
    """With what there is of it."""
    with _client(scripted, ledger) as client:
        response = _asked(client, "stop early", streams=streams)
    assert (response.status, response.output_text) == ("incomplete", "As far as it goes")
    _check_row(ledger, response)


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
def test_a_failed_answer_keeps_its_text(scripted: Theirs, ledger: Ledger, streams: bool) -> None:
    """The event says completed and the response says failed: the response is right."""
    with _client(scripted, ledger) as client, pytest.raises(ResponseFailedError) as caught:
        _asked(client, "censor", streams=streams)
    assert caught.value.response is not None
    assert caught.value.response.output_text == "Up to here"
    assert ledger.usage()["status"].tolist() == ["failed"]


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize(
    "told",
    [
        (AuthenticationError, 401, "wrong key", "not known"),
        (PermissionDeniedError, 403, "forbidden", "Not from here"),
        (BadRequestError, 400, "bad field", "unknown"),
        (RateLimitError, 429, "too often", "Slow down"),
        (ServerError, 500, "explode", "It broke inside"),
    ],
)
def test_an_error_is_named_with_the_servers_words(
    scripted: Theirs, ledger: Ledger, told: tuple[type[APIError], int, str, str], streams: bool
) -> None:
    """Its class follows the status, its text holds what the server said, and the key is nowhere."""
    error, status, prompt, words = told
    with _client(scripted, ledger, max_retries=0) as client, pytest.raises(error) as caught:
        _asked(client, prompt, streams=streams)
    assert words in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.status_code == status
    assert ledger.usage()["status"].tolist() == ["error"]


def test_a_refusal_that_passes_is_tried_again(scripted: Theirs, ledger: Ledger) -> None:
    """As often as is set, one row for each attempt."""
    with _client(scripted, ledger, max_retries=1) as client, pytest.raises(RateLimitError):
        client.respond("too often")
    assert ledger.usage()["n_retries"].tolist() == [0, 1]


@pytest.mark.parametrize("prompt", ["truncate", "unplug"])
def test_a_stream_that_breaks_keeps_what_came(scripted: Theirs, ledger: Ledger, prompt: str) -> None:
    """By itself it is interrupted; behind a gateway it may fail with the gateway's words. One row either way."""
    with _client(scripted, ledger) as client:
        stream: ResponseStream = client.stream(prompt)
        with stream, pytest.raises((StreamInterruptedError, ResponseFailedError)) as caught:
            for _ in stream:
                pass
    assert caught.value.response is not None
    assert "These words end".startswith(caught.value.response.output_text[:10])
    assert ledger.usage()["status"].tolist() in (["truncated"], ["failed"])


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
def test_a_garbled_body_is_an_error_of_ours(scripted: Theirs, ledger: Ledger, streams: bool) -> None:
    """Whatever layer notices it, nothing else comes out."""
    with _client(scripted, ledger, max_retries=0) as client, pytest.raises(CometError):
        _asked(client, "garble", streams=streams)
    assert ledger.usage()["status"].tolist() in (["error"], ["failed"])


def test_an_unknown_request_is_refused_by_name(theirs: Theirs, ledger: Ledger) -> None:
    """A model or a prompt that the server does not know: an error of ours with a status, whatever shape it came in."""
    with _client(theirs, ledger, max_retries=0) as client, pytest.raises(APIError) as caught:
        client.respond("never heard of", model="none/such")
    assert caught.value.status_code is not None
    assert caught.value.status_code >= 400
    assert len(ledger.usage()) == 1
