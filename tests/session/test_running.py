"""A call on the session's thread, watched from another: batches, waiting, stopping, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cometnb import errors
from cometnb.client.attempt import Attempt
from cometnb.client.server import running_server
from cometnb.client.simulator import Simulator
from cometnb.session.running import Running
from cometnb.session.session import Session
from tests.client.transports import (
    KEY,
    SSE,
    Answer,
    Script,
    body_of,
    json_answer,
    sse,
    stream_answer,
    text_events,
)
from tests.session.gate import Gate


@pytest.fixture
def attempts() -> list[Attempt]:
    """What the observers of a test's session were handed."""
    return []


@pytest.fixture
def session(attempts: list[Attempt]) -> Iterator[Session]:
    """A session on the simulator."""
    with_text = Session(transport=Simulator(text="Hello there."), observers=[attempts.append])
    yield with_text
    with_text.close()


def _session(transport: Any, attempts: list[Attempt], **settings: Any) -> Session:
    return Session(api_key=KEY, transport=transport, observers=[attempts.append], **settings)


def test_a_call_gives_its_response(session: Session, attempts: list[Attempt]) -> None:
    """Start returns at once, wait gives the whole answer, and its row is there by then."""
    running = session.start("Hi")
    response = running.wait()
    assert (str(response), response.status, running.is_done) == ("Hello there.", "completed", True)
    assert running.result().output_text == running.response.output_text == "Hello there."
    assert [attempt.status for attempt in attempts] == ["completed"]


def test_batches_hold_every_event_once(session: Session) -> None:
    """In order, and the iteration ends with the call."""
    running = session.start("Hi")
    events = [event for batch in running.batches(0.0) for event in batch]
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(events)))
    assert events[-1].type == "response.completed"


def test_the_first_batch_comes_at_once(attempts: list[Attempt]) -> None:
    """However long the period is, what came first is shown first."""
    gate = Gate("Hello", " there")
    session = _session(gate, attempts)
    batches = session.start("Hi").batches(period_s=60.0)
    gate.let_pass(1)
    assert [event.type for event in next(batches)] == ["response.created"]
    gate.let_pass(99)
    # The end is not held back by the period either.
    rest = [event.type for batch in batches for event in batch]
    assert rest[-1] == "response.completed"
    session.close()


def test_what_comes_within_a_period_comes_together(attempts: list[Attempt]) -> None:
    """At most one batch a period: a fast answer is two batches, the first and the rest."""
    gate = Gate(*"abcdefgh")
    session = _session(gate, attempts)
    running = session.start("Hi")
    batches = running.batches(period_s=60.0)
    gate.let_pass(1)
    next(batches)
    gate.let_pass(99)
    assert [len(batch) for batch in batches if batch] == [11]
    session.close()


def test_an_empty_batch_tells_of_silence(attempts: list[Attempt]) -> None:
    """With idle_s the watcher is called while nothing comes, so that a clock can go on."""
    gate = Gate("Hello")
    session = _session(gate, attempts)
    running = session.start("Hi")
    batches = running.batches(period_s=0.0, idle_s=0.01)
    assert next(batches) == []
    gate.let_pass(99)
    assert [event.type for batch in batches for event in batch][-1] == "response.completed"
    session.close()


def test_batches_may_be_taken_up_again(session: Session) -> None:
    """A watcher that was interrupted gets the rest, and one that comes after the end gets an end."""
    running = session.start("Hi")
    first = next(running.batches(0.0))
    running.wait()
    rest = [event for batch in running.batches(0.0) for event in batch]
    assert [event.sequence_number for event in [*first, *rest]] == list(range(len(first) + len(rest)))
    assert [event for batch in running.batches(0.0) for event in batch] == []


def _begun(session: Session, gate: Gate) -> Running:
    """Start a call of which the first word has come."""
    running = session.start("Hi")
    batches = running.batches(0.0)
    gate.let_pass(3)
    seen = 0
    while seen < 3:
        seen += len(next(batches))
    return running


def test_the_response_so_far_can_be_seen_meanwhile(attempts: list[Attempt]) -> None:
    """A look from the watching thread shows what has come."""
    gate = Gate("Hello", " there")
    session = _session(gate, attempts)
    running = _begun(session, gate)
    assert (running.response.output_text, running.response.status) == ("Hello", "in_progress")
    gate.let_pass(99)
    assert running.wait().output_text == "Hello there"
    session.close()


def test_stopping_keeps_what_came(attempts: list[Attempt]) -> None:
    """The connection is closed, the text so far stays, and its row is written when stop returns."""
    gate = Gate("Hello", " there")
    session = _session(gate, attempts)
    running = _begun(session, gate)
    response = running.stop()
    assert (response.status, response.output_text) == ("interrupted", "Hello")
    assert (gate.is_closed, running.is_done, running.error) == (True, True, None)
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert running.wait().status == running.stop().status == "interrupted"
    session.close()


def test_stopping_twice_is_stopping_once(attempts: list[Attempt]) -> None:
    """Stop pressed again, or Stop and then the kernel's own button, does not break off the closing of the connection."""
    gate = Gate("Hello", " there")
    gate.n_turns_to_close = 1000
    session = _session(gate, attempts)
    running = _begun(session, gate)
    while not running.is_done:
        running.ask_to_stop()
    assert (running.stop().output_text, gate.is_closed) == ("Hello", True)
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    session.close()


@pytest.mark.parametrize("place", ["in process", "server"])
def test_stopping_a_stalled_server_ends_the_call(place: str, attempts: list[Attempt]) -> None:
    """Nothing has to come for a stop to work."""
    with running_server(fault="stall") as server:
        settings: dict[str, Any] = (
            {"api_key": KEY, "base_url": server.base_url}
            if place == "server"
            else {"transport": Simulator(fault="stall")}
        )
        session = Session(observers=[attempts.append], **settings)
        running = session.start("What is a monad?")
        next(running.batches(0.0))
        assert running.stop().status == "interrupted"
        assert running.is_done
        assert [attempt.status for attempt in attempts] == ["interrupted"]
        session.close()


def test_stopping_before_anything_was_sent(attempts: list[Attempt]) -> None:
    """Stop may come first; then there is an empty response, and those who wait are woken."""
    session = _session(Gate("Hello"), attempts)
    running = session.start("Hi")
    assert running.stop().output_text == ""
    assert running.is_done
    assert [event for batch in running.batches(0.0) for event in batch] == []
    assert {attempt.status for attempt in attempts} <= {"interrupted"}
    session.close()


def test_two_calls_run_at_once(attempts: list[Attempt]) -> None:
    """The second is answered while the first waits."""
    slow = Session(transport=Simulator(fault="stall:times=1", text="Done."), observers=[attempts.append])
    first, second = slow.start("one"), None
    next(first.batches(0.0))
    second = slow.start("two", metadata={"simulate": "stall:times=0"})
    assert second.wait().output_text == "Done."
    assert not first.is_done
    first.stop()
    slow.close()
    assert sorted(attempt.status for attempt in attempts) == ["completed", "interrupted"]


def test_an_error_is_raised_where_somebody_waits(attempts: list[Attempt]) -> None:
    """Also on a second look; the response holds what came."""
    pieces = [sse(event) for event in text_events("Hello")[:3]]
    session = _session(Script(Answer(200, SSE, pieces)), attempts)
    running = session.start("Hi")
    with pytest.raises(errors.StreamInterruptedError):
        running.wait()
    with pytest.raises(errors.StreamInterruptedError):
        running.result()
    assert isinstance(running.error, errors.StreamInterruptedError)
    assert (running.response.status, running.response.output_text) == ("truncated", "Hello")
    session.close()


def test_what_is_no_error_of_ours_is_raised_too(attempts: list[Attempt]) -> None:
    """A transport's own exception reaches the thread that waits, and does not hang it."""
    session = _session(Script(RuntimeError("a bug")), attempts)
    with pytest.raises(RuntimeError, match="a bug"):
        session.start("Hi").wait()
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    session.close()


def test_a_wait_before_a_retry_says_why(attempts: list[Attempt]) -> None:
    """The watcher can show what is waited for."""
    refusal = json_answer({"error": {"message": "slow down"}}, 429, retry_after="30")
    session = _session(Script(refusal), attempts)
    running = session.start("Hi")
    for _ in running.batches(0.0, idle_s=0.01):
        if running.waiting:
            break
    assert running.waiting == "http_429: trying again in 30.0 s"
    running.stop()
    assert [attempt.error_code for attempt in attempts] == ["http_429"]
    session.close()


def test_a_call_that_does_not_stream_has_one_event(attempts: list[Attempt]) -> None:
    """`stream=False` gives the whole body as one event."""
    script = Script(json_answer(body_of("Hello.")))
    session = _session(script, attempts)
    running = session.start("Hi", stream=False)
    assert [event.type for batch in running.batches(0.0) for event in batch] == ["response.completed"]
    assert running.wait().output_text == "Hello."
    assert b'"stream":false' in script.requests[0].content
    session.close()


def test_labels_reach_the_row(attempts: list[Attempt]) -> None:
    """What the caller says of a call stands in its row."""
    session = _session(Script(stream_answer("Hi")), attempts)
    session.start("Hi", labels={"tag": "t"}).wait()
    assert attempts[0].labels == {"tag": "t"}
    session.close()


def test_the_first_text_does_not_sit_out_a_period(attempts: list[Attempt]) -> None:
    """What announces an answer is a batch of its own; the text behind it comes at once, whatever the period."""
    gate = Gate("Hello")
    running = _session(gate, attempts).start("Hi")
    batches = running.batches(period_s=3600)
    gate.let_pass(1)
    assert [event.type for event in next(batches)] == ["response.created"]
    gate.let_pass(100)
    seen: set[str] = set()
    while "response.output_text.delta" not in seen:
        seen |= {event.type for event in next(batches)}
    running.stop()
