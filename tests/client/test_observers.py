"""Observers are handed every attempt once, whatever its end, with what is known of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cometnb.client.attempt import Attempt
from cometnb.errors import CometWarning
from tests.client.asking import Kind, both_kinds, responded, streamed
from tests.client.transports import (
    KEY,
    NOW,
    SSE,
    Answer,
    Clock,
    Script,
    body_of,
    json_answer,
    sse,
    stream_answer,
    text_events,
    text_pieces,
)

_ERROR_EVENT = {"type": "error", "code": "overloaded", "message": "busy", "param": None}
_FAILURE = {"code": "server_error", "message": "out of memory"}

# What is answered -> status, error_code, http_status, n_events of the one row.
_ENDS: dict[str, tuple[Answer | Exception, tuple[str, str | None, int | None, int]]] = {
    "completed": (stream_answer("Hi"), ("completed", None, 200, 5)),
    "completed, one body": (json_answer(body_of()), ("completed", None, 200, 0)),
    "incomplete": (stream_answer("Hi", ending="incomplete"), ("incomplete", None, 200, 5)),
    "cancelled": (stream_answer("Hi", ending="cancelled"), ("cancelled", None, 200, 5)),
    "queued": (json_answer(body_of(status="queued", output=[])), ("queued", None, 200, 0)),
    "failed": (stream_answer("Hi", ending="failed", error=_FAILURE), ("failed", "server_error", 200, 5)),
    "failed, one body": (
        json_answer(body_of(status="failed", error=_FAILURE)),
        ("failed", "server_error", 200, 0),
    ),
    "error event": (
        Answer(200, SSE, [*text_pieces("Hi")[:3], sse(_ERROR_EVENT)]),
        ("failed", "overloaded", 200, 4),
    ),
    "truncated": (Answer(200, SSE, text_pieces("Hi")[:3]), ("truncated", "truncated", 200, 3)),
    "broken": (
        Answer(200, SSE, [*text_pieces("Hi")[:3], httpx.ReadError("reset by peer")]),
        ("truncated", "broken", 200, 3),
    ),
    "broken body": (
        Answer(200, {"content-type": "application/json"}, [b'{"id"', httpx.ReadError("reset")]),
        ("error", "broken", 200, 0),
    ),
    "empty stream": (Answer(200, SSE, []), ("truncated", "truncated", 200, 0)),
    "refused": (json_answer({"error": {"message": "no", "code": "bad"}}, 400), ("error", "bad", 400, 0)),
    "refused without a code": (json_answer({"error": "no"}, 404), ("error", "http_404", 404, 0)),
    "a web page": (Answer(200, {"content-type": "text/html"}, [b"<html>"]), ("error", "http_200", 200, 0)),
    "a redirect": (Answer(307, {"location": "/"}, []), ("error", "http_307", 307, 0)),
    "idle": (httpx.ReadTimeout("timed out"), ("error", "idle_timeout", None, 0)),
    "idle in a stream": (
        Answer(200, SSE, [*text_pieces("Hi")[:3], httpx.ReadTimeout("timed out")]),
        ("truncated", "idle_timeout", 200, 3),
    ),
}


def _told(attempt: Attempt) -> tuple[str, str | None, int | None, int]:
    return attempt.status, attempt.error_code, attempt.http_status, attempt.n_events


@both_kinds
@pytest.mark.parametrize("end", _ENDS)
def test_every_end_is_one_row(kind: Kind, end: str) -> None:
    """Once per attempt, with status, code, HTTP status and count of events; the row agrees with the response."""
    answer, row = _ENDS[end]
    asked = responded(kind, Script(answer))
    assert _told(asked.attempt) == row
    assert asked.attempt.response.status == asked.response.status == asked.attempt.status


@both_kinds
@pytest.mark.parametrize(
    ("error", "code"),
    [(httpx.ConnectError("refused"), "connect"), (httpx.ConnectTimeout("slow"), "connect_timeout")],
)
def test_every_attempt_to_connect_is_a_row(kind: Kind, error: Exception, code: str) -> None:
    """Without any connection there is no HTTP status, and still a row for each of three attempts."""
    asked = responded(kind, Script(error))
    assert [_told(attempt) for attempt in asked.attempts] == [("error", code, None, 0)] * 3


@both_kinds
def test_a_row_says_what_was_sent_and_who_answered(kind: Kind) -> None:
    """Base URL, backend, body, labels and time stand in the row."""
    labels = {"notebook": "a.ipynb", "tag": "t"}
    attempt = responded(kind, Script(json_answer(body_of())), labels=labels, temperature=0.2).attempt
    assert attempt.params == {"model": "gpt-5.4", "input": "Hi", "temperature": 0.2}
    assert (attempt.base_url, attempt.backend) == ("https://api.cometapi.com/v1", "api")
    assert (attempt.labels, attempt.created_at) == (labels, NOW)
    assert len(attempt.attempt_id) == len(attempt.call_id) == 32
    assert attempt.response.usage.total_tokens == 12


@both_kinds
def test_times_are_measured_from_sending(kind: Kind) -> None:
    """The first delta and the end, in seconds, and the response says the same."""
    clock = Clock()
    pieces = text_pieces("Hello", " there")

    def later(response: Any) -> None:
        clock.now_s += 1.0

    asked = streamed(kind, Script(Answer(200, SSE, pieces)), at_each=later, setup={"clock": clock})
    # Two events are looked at before the first delta comes, and five before the last event does.
    assert (asked.attempt.ttft_s, asked.attempt.duration_s) == (2.0, 5.0)
    assert asked.response.timing.ttft_s == 2.0
    assert asked.response.timing.duration_s == 5.0


@both_kinds
def test_no_delta_has_no_time_to_it(kind: Kind) -> None:
    """Missing is None and not zero."""
    assert responded(kind, Script(json_answer(body_of()))).attempt.ttft_s is None
    assert streamed(kind, Script(Answer(200, SSE, [sse(text_events("x")[0])]))).attempt.ttft_s is None


@both_kinds
def test_an_observer_that_fails_costs_nothing(kind: Kind) -> None:
    """One warning that names it, without the key; the answer is there, and the other observers are called."""
    attempts: list[Attempt] = []

    def broken(attempt: Attempt) -> None:
        raise OSError(f"the disk is full, says {KEY}")

    with pytest.warns(CometWarning, match="broken failed") as warned:
        asked = responded(kind, Script(stream_answer("Hi")), setup={"observers": (broken, attempts.append)})
    assert len(warned) == 1
    assert KEY not in str(warned[0].message)
    assert asked.response.output_text == "Hi"
    assert len(attempts) == 1


@both_kinds
@pytest.mark.parametrize("answer", [json_answer(body_of()), stream_answer("Hi")], ids=["body", "stream"])
def test_a_row_is_written_before_the_last_event_is_handed_over(kind: Kind, answer: Answer) -> None:
    """Whoever sees the last event can already find the row."""
    attempts: list[Attempt] = []
    counts: list[int] = []
    streamed(
        kind,
        Script(answer),
        at_each=lambda response: counts.append(len(attempts)),
        setup={"observers": (attempts.append,)},
    )
    assert counts[-1] == 1


def test_an_attempt_cannot_be_changed() -> None:
    """Observers are handed the same object; none can change it for the next."""
    attempt = responded("sync", Script(json_answer(body_of()))).attempt
    with pytest.raises(AttributeError):
        attempt.status = "other"  # type: ignore[misc]  # that is the point
