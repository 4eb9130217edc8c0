"""Answers that are no answer: errors in every shape, web pages, redirects, time limits. Two lines each."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from cometnb import errors
from cometnb.client.client import AsyncClient, Client
from tests.client.asking import Kind, both_kinds, responded, streamed
from tests.client.transports import (
    KEY,
    SSE,
    Answer,
    Clock,
    Script,
    at_once,
    body_of,
    json_answer,
    stream_answer,
    text_pieces,
)

_HTML = {"content-type": "text/html; charset=utf-8"}
_PLAIN = {"content-type": "text/plain"}


def _two_lines(error: errors.CometError | None) -> str:
    assert error is not None
    text = str(error)
    assert len(text.splitlines()) == 2, text
    return text


@both_kinds
@pytest.mark.parametrize("ask", [responded, streamed], ids=["respond", "stream"])
@pytest.mark.parametrize(
    ("answer", "kind_of_error", "words"),
    [
        (Answer(200, _HTML, [b"<!doctype html><p>Hi"]), errors.UnexpectedContentError, "a web page"),
        (Answer(404, _HTML, [b"<html>nginx</html>"]), errors.UnexpectedContentError, "HTTP 404"),
        (Answer(502, _HTML, [b"<html>Bad gateway</html>"]), errors.UnexpectedContentError, "HTTP 502"),
        (Answer(200, _PLAIN, [b"Hello"]), errors.UnexpectedContentError, "starting 'Hello'"),
        (Answer(200, {}, []), errors.UnexpectedContentError, "an empty body"),
        (json_answer(None), errors.UnexpectedContentError, "application/json"),
        (json_answer([]), errors.UnexpectedContentError, "application/json"),
        (json_answer({"hello": "world"}), errors.UnexpectedContentError, "other JSON"),
        (Answer(200, _PLAIN, [b"\xff\xfe\x00"]), errors.UnexpectedContentError, "text/plain"),
        (Answer(401, _PLAIN, [b"who are you?"]), errors.AuthenticationError, "who are you?"),
        (json_answer({"detail": "Not Found"}, 404), errors.NotFoundError, "Not Found"),
        (json_answer({"detail": "gone"}), errors.APIError, "gone"),
        (json_answer({"error": {"message": "no"}}), errors.APIError, "no"),
        (json_answer({"error": "just text"}, 400), errors.BadRequestError, "just text"),
        (
            json_answer({"error": {"message": "no", "code": "x", "param": "top_p"}}, 400),
            errors.APIError,
            "param top_p",
        ),
        (json_answer({"error": {"message": "no"}}, 403), errors.PermissionDeniedError, "HTTP 403"),
        (json_answer({"error": {"message": "no"}}, 413), errors.BadRequestError, "HTTP 413"),
        (json_answer({"error": {"message": "no"}}, 418), errors.BadRequestError, "HTTP 418"),
        (json_answer({"error": {"message": "no"}}, 429), errors.RateLimitError, "HTTP 429"),
        (json_answer({"error": {"message": "no"}}, 500), errors.ServerError, "HTTP 500"),
        (
            Answer(400, SSE, [b'data: {"type":"error","message":"in a stream"}\n\n']),
            errors.APIError,
            "in a stream",
        ),
    ],
)
def test_what_is_no_answer_is_an_error(
    kind: Kind, ask: Any, answer: Answer, kind_of_error: type[errors.CometError], words: str
) -> None:
    """Status and words of the service stand in line 1, the next step in line 2, and the status is error."""
    asked = ask(kind, Script(answer))
    assert isinstance(asked.error, kind_of_error)
    assert words in _two_lines(asked.error)
    assert asked.attempts[-1].status == asked.response.status == "error"


@both_kinds
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(kind: Kind, status: int) -> None:
    """The key goes nowhere else; the error says that it was a redirect, and what to check."""
    script = Script(Answer(status, {"location": "https://elsewhere.example/v1/responses"}, []))
    asked = responded(kind, script)
    assert "a redirect, which is not followed" in _two_lines(asked.error)
    assert "COMETAPI_BASE_URL" in str(asked.error)
    assert [request.url.host for request in script.requests] == ["api.cometapi.com"]


@both_kinds
def test_an_unknown_model_is_named(kind: Kind) -> None:
    """Behind a 503 too, as some gateways say it."""
    answer = json_answer({"error": {"message": "no channel", "code": "model_not_found"}}, 503)
    asked = responded(kind, Script(answer), model="gpt-99")
    assert isinstance(asked.error, errors.ModelNotFoundError)
    assert "'gpt-99'" in _two_lines(asked.error)


@both_kinds
def test_an_error_carries_what_support_asks_for(kind: Kind) -> None:
    """Status, code, param, type and request id are attributes of the error."""
    failure = {"message": "no", "code": "bad_value", "param": "top_p", "type": "invalid_request_error"}
    asked = responded(kind, Script(json_answer({"error": failure}, 400, x_cometapi_request_id="req-7")))
    error = asked.error
    assert isinstance(error, errors.BadRequestError)
    assert (error.status_code, error.code, error.param) == (400, "bad_value", "top_p")
    assert (error.error_type, error.request_id) == ("invalid_request_error", "req-7")
    assert "req-7" in str(error)
    assert asked.response.request_id == "req-7"


@both_kinds
def test_a_rate_limit_carries_the_wait(kind: Kind) -> None:
    """The seconds the service asked for, for those who retry themselves."""
    answer = json_answer({"error": {"message": "slow", "code": "insufficient_quota"}}, 429, retry_after="30")
    error = responded(kind, Script(answer)).error
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after_s == 30


@both_kinds
@pytest.mark.parametrize(
    ("fault", "kind_of_error", "words"),
    [
        (httpx.ConnectError("name or service not known"), errors.ConnectionFailedError, "not known"),
        (httpx.ConnectTimeout(""), errors.ResponseTimeoutError, "within 10 s"),
        (httpx.ReadTimeout(""), errors.ResponseTimeoutError, "for 120 s"),
        (httpx.WriteTimeout(""), errors.ResponseTimeoutError, "for 120 s"),
        (httpx.ProxyError("403 Forbidden"), errors.ConnectionFailedError, "proxy"),
        (httpx.RemoteProtocolError("server disconnected"), errors.ConnectionFailedError, "disconnected"),
        (httpx.DecodingError("bad gzip"), errors.ConnectionFailedError, "encoding"),
        (httpx.ReadError(""), errors.ConnectionFailedError, "ReadError"),
    ],
)
def test_a_fault_of_the_wire_says_where_and_how(
    kind: Kind, fault: Exception, kind_of_error: type[errors.CometError], words: str
) -> None:
    """The URL, what happened or how long was waited, and what to check."""
    asked = responded(kind, Script(fault))
    assert isinstance(asked.error, kind_of_error)
    assert words in _two_lines(asked.error)
    assert "api.cometapi.com" in str(asked.error)


@both_kinds
def test_silence_in_the_middle_keeps_the_text(kind: Kind) -> None:
    """An idle timeout in mid-stream carries what had come."""
    asked = streamed(kind, Script(Answer(200, SSE, [*text_pieces("Hello")[:3], httpx.ReadTimeout("")])))
    assert isinstance(asked.error, errors.ResponseTimeoutError)
    assert asked.error.response is not None
    assert asked.error.response.output_text == asked.response.output_text == "Hello"


@both_kinds
def test_a_break_after_the_last_event_changes_nothing(kind: Kind) -> None:
    """The service has said how it ended."""
    asked = responded(kind, Script(Answer(200, SSE, [*text_pieces("Hello"), httpx.ReadError("reset")])))
    assert (asked.error, asked.response.status) == (None, "completed")


@both_kinds
def test_the_limit_for_the_whole_call_ends_a_stream(kind: Kind) -> None:
    """Bytes that keep coming do not extend it; every event that came is handed over and kept."""
    clock = Clock(step_s=1.0)
    asked = streamed(
        kind, Script(stream_answer(*"abcdefghijklmnop")), setup={"clock": clock, "timeout_s": 10.0}
    )
    assert isinstance(asked.error, errors.ResponseTimeoutError)
    assert "longer than 10 s" in _two_lines(asked.error)
    assert asked.attempt.error_code == "total_timeout"
    assert asked.response.output_text == "".join(event.raw.get("delta", "") for event in asked.events)
    assert asked.response.output_text


@both_kinds
def test_the_limit_for_the_whole_call_ends_a_body(kind: Kind) -> None:
    """The same for a JSON body that drips."""
    drips = [bytes([byte]) for byte in json.dumps(body_of()).encode()]
    answer = Answer(200, {"content-type": "application/json"}, drips)
    asked = responded(kind, Script(answer), setup={"clock": Clock(step_s=1.0), "timeout_s": 10.0})
    assert asked.attempt.error_code == "total_timeout"
    assert answer.n_closed >= 1


@both_kinds
def test_the_limit_begins_when_the_call_does(kind: Kind) -> None:
    """A stream may be made long before it is used."""
    clock = Clock()

    def made_early(client: Any) -> Any:
        stream = client.stream("Hi")
        clock.now_s += 1e6
        return stream

    async def run() -> list[str]:
        async with AsyncClient(KEY, transport=script) as client:
            at_once(client, clock=clock)
            return [text async for text in made_early(client).text_deltas()]

    script = Script(json_answer(body_of("Hello.")))
    if kind == "async":
        texts = asyncio.run(run())
    else:
        with Client(KEY, transport=script) as client:
            at_once(client, clock=clock)
            texts = list(made_early(client).text_deltas())
    assert texts == ["Hello."]


@both_kinds
@pytest.mark.parametrize("parts", [1, 7, 4096])
def test_compressed_answers_are_read(kind: Kind, parts: int) -> None:
    """A gateway may compress a stream; events come as its bytes do."""
    data = gzip.compress(b"".join(piece for piece in text_pieces("Hello") if isinstance(piece, bytes)))
    pieces = [data[start : start + parts] for start in range(0, len(data), parts)]
    asked = responded(kind, Script(Answer(200, SSE | {"content-encoding": "gzip"}, pieces)))
    assert asked.response.output_text == "Hello"


@both_kinds
@pytest.mark.parametrize("coding", ["gzip, gzip", "GZIP,gzip", "x, gzip", "br"])
def test_nothing_is_unpacked_twice_or_by_what_was_not_asked_for(kind: Kind, coding: str) -> None:
    """Layer upon layer, a few bytes would fill any memory in one step; such an answer is none."""
    data = gzip.compress(gzip.compress(b"".join(map(bytes, text_pieces("Hello")))))  # type: ignore[arg-type]
    for headers in (SSE, {"content-type": "application/json"}):
        script = Script(Answer(200, {**headers, "content-encoding": coding}, [data]))
        assert isinstance(responded(kind, script).error, errors.UnexpectedContentError)
        assert script.requests[0].headers["accept-encoding"] == "gzip, deflate"
