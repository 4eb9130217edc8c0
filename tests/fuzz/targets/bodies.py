"""Whole bodies: responses, errors and lists as JSON of any shape, under any status."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from cometnb.errors import CometError
from cometnb.protocol.answer import Head
from cometnb.protocol.exchange import Exchange
from cometnb.protocol.failure import api_error, error_details, failed_error, unexpected_content
from cometnb.protocol.lookup import Lookup
from cometnb.protocol.resumed import ResumedExchange
from tests import corpus
from tests.fuzz.looking import check_error, check_response, check_text
from tests.fuzz.streams import USAGE
from tests.fuzz.target import Target
from tests.protocol.streams import NOW, head, message

__all__ = ["TARGETS", "body", "failure", "headers"]

_STATUSES = (200, 200, 200, 201, 301, 400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 500, 503, 599)
_KINDS = (
    "application/json",
    "application/json",
    "text/html; charset=utf-8",
    "text/plain",
    "",
    "text/event-stream",
)
_TOKENS = (
    b'"error":',
    b'"detail":',
    b'"output":',
    b'"usage":',
    b'"status":"failed"',
    b'"message":',
    b'"code":',
)


def body(data: bytes) -> None:
    """Read a body as the answer to a call, to a resumed call and to a look at something stored."""
    rng = random.Random(data)
    status, kind = rng.choice(_STATUSES), rng.choice(_KINDS)
    made = (
        Exchange({"model": "m"}),
        ResumedExchange("resp_1", so_far={"id": "resp_1", "output": [message("So far")]}),
    )
    for exchange in made:
        exchange.begin(head(status, kind if kind != "text/event-stream" else "application/json"))
        exchange.receive_body(data)
        assert exchange.is_over
        assert status < 300 or exchange.error is not None
        if exchange.error is not None:
            check_error(exchange.error)
        check_response(exchange.response())
    lookup = Lookup()
    lookup.receive(head(status, kind), data)
    assert (lookup.error is None) != (lookup.result is None)
    if lookup.error is not None:
        check_error(lookup.error)


def failure(data: bytes) -> None:
    """Read JSON as what a service says went wrong."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raw = data.decode("utf-8", "replace")
    details = error_details(raw)
    assert details["message"].strip()
    assert set(details) == {"message", "code", "param", "type", "request_id"}
    for value in details.values():
        check_text(value or "")
    status = random.Random(data).choice(_STATUSES)
    errors: list[CometError] = [
        api_error(status, raw, model="m"),
        failed_error(details),
        unexpected_content(status, "text/html", data.decode("utf-8", "replace")),
    ]
    for error in errors:
        check_error(error)


def headers(data: bytes) -> None:
    """Read headers that a service, or who stands before it, made up."""
    text = data.decode("latin-1")
    names = ("retry-after", "retry-after-ms", "content-type", "x-request-id", "x-cometapi-request-id")
    for name in names:
        made = Head(429, {name: text}, NOW)
        delay_s = made.retry_after_s
        assert delay_s is None or 0 <= delay_s < float("inf")
        check_text(made.content_type)
        exchange = Exchange({"model": "m"})
        exchange.begin(made)
        exchange.receive_body(b'{"error": {"message": "Slow down."}}')
        assert exchange.error is not None
        check_error(exchange.error)


def _bodies() -> Iterator[bytes]:
    whole: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "m",
        "created_at": 1_790_000_000,
        "service_tier": "default",
        "output": [
            message("Hello"),
            {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"},
        ],
        "usage": USAGE,
    }
    cited = message("See.", id="msg_1")
    cited["content"][0]["annotations"] = [
        {"type": "url_citation", "url": "https://example.org", "title": "T"}
    ]
    kinds = ("web_search_call", "image_generation_call", "code_interpreter_call")
    yield from (
        json.dumps(raw).encode()
        for raw in [
            whole,
            whole
            | {"output": [cited, *({"type": kind, "id": "t", "status": "completed"} for kind in kinds)]},
            whole | {"status": "failed", "error": {"code": "server_error", "message": "It broke."}},
            whole | {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            whole | {"output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "So."}]}]},
            whole | {"output": [{"type": "message", "content": "A text."}], "usage": {"prompt_tokens": 3}},
            {"object": "list", "data": [whole], "has_more": False},
        ]
    )


def _errors() -> Iterator[bytes]:
    said = {
        "message": "No. (request id: abc)",
        "type": "invalid_request_error",
        "code": "model_not_found",
        "param": None,
    }
    shapes: tuple[Any, ...] = (
        {"error": said},
        {"error": "No."},
        {"type": "error", "message": "No.", "code": 429},
        {"detail": [{"loc": ["body"], "msg": "field required"}]},
        {"error": {"error": {"message": "Inner."}}},
        {"error": {"code": {"a": 1}, "message": ["No."]}},
        "plain",
        None,
        [],
    )
    yield from (json.dumps(shape).encode() for shape in shapes)
    yield b"<html><title>502 Bad Gateway</title></html>"
    yield b"sk-0123456789abcdef is not a valid key"


def _all() -> Iterator[bytes]:
    yield from _bodies()
    yield from _errors()


def _header_seeds() -> Iterator[bytes]:
    yield from (
        b"1",
        b"0.5",
        b"Wed, 21 Oct 2026 07:28:00 GMT",
        b"text/event-stream; charset=utf-8",
        b"1e9",
        b"-1",
        b"",
    )
    yield from (b"Mon, 99 Foo 99999 25:61:61 +9999", b"21 Oct 2026", b"nan", b"inf", b"req_123")


def _recorded() -> Iterator[bytes]:
    yield from (recording.data for recording in corpus.bodies())


TARGETS = (
    Target("body", body, _all, _recorded, _TOKENS),
    Target("failure", failure, _errors, _recorded, _TOKENS),
    Target(
        "headers",
        headers,
        _header_seeds,
        tokens=(b"GMT", b"+0000", b"Oct", b"2026", b":", b", "),
        n_tested=300,
    ),
)
