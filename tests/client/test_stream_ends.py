"""Streams that are left early: closed, broken out of, interrupted, cancelled. One row each, and no open connection."""

from __future__ import annotations

import asyncio
import gc

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.client.retry import Backoff
from cometnb.client.server import running_server
from cometnb.client.simulator import Simulator
from tests.client.asking import Kind, both_kinds, called, responded, streamed
from tests.client.transports import KEY, SSE, Answer, Script, json_answer, stream_answer, text_pieces


@both_kinds
@pytest.mark.parametrize("as_text", [False, True])
def test_closing_keeps_what_came(kind: Kind, as_text: bool) -> None:
    """After close the status is interrupted, the text so far is there, the connection is closed, one row written."""
    answer = stream_answer("Hello", " there", ".")
    asked = streamed(kind, Script(answer), stop_after=1 if as_text else 3, as_text=as_text)
    assert (asked.response.status, asked.response.output_text) == ("interrupted", "Hello")
    assert (asked.attempt.status, asked.attempt.n_events, asked.error) == ("interrupted", 3, None)
    assert answer.n_closed >= 1


@both_kinds
def test_closing_after_the_end_changes_nothing(kind: Kind) -> None:
    """A whole answer stays completed, and has one row."""
    asked = streamed(kind, Script(stream_answer("Hello")))
    assert asked.response.status == asked.attempt.status == "completed"


@both_kinds
def test_stopping_at_the_last_event_counts_as_completed(kind: Kind) -> None:
    """The user saw the whole answer, and left at the moment it ended."""
    asked = streamed(kind, Script(stream_answer("Hello")), stop_after=5)
    assert asked.response.status == asked.attempt.status == "completed"


def test_leaving_the_loop_ends_a_stream_that_nobody_holds() -> None:
    """`break` without `with` drops the stream; its connection and its row do not wait for the garbage collector."""
    answer, attempts = stream_answer("Hello", " there"), list[Attempt]()
    with Client(KEY, transport=Script(answer), observers=[attempts.append]) as client:
        gc.disable()
        try:
            for _ in client.stream("Hi"):
                break
            assert answer.n_closed >= 1
            assert [attempt.status for attempt in attempts] == ["interrupted"]
        finally:
            gc.enable()


def test_leaving_the_loop_ends_an_async_stream_that_nobody_holds() -> None:
    """The same for an asynchronous stream, as soon as the loop turns."""
    answer, attempts = stream_answer("Hello", " there"), list[Attempt]()

    async def run() -> None:
        async with AsyncClient(KEY, transport=Script(answer), observers=[attempts.append]) as client:
            async for _ in client.stream("Hi"):
                break
            for _ in range(5):
                await asyncio.sleep(0)
            assert answer.n_closed >= 1

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()
    assert [attempt.status for attempt in attempts] == ["interrupted"]


@both_kinds
def test_an_error_in_the_loop_body_passes_through(kind: Kind) -> None:
    """What the caller's own code raises is raised, after the stream was closed and recorded."""
    answer, attempts = stream_answer("Hello"), list[Attempt]()

    def fail(_: object) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        streamed(kind, Script(answer), at_each=fail, setup={"observers": (attempts.append,)})
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert answer.n_closed >= 1


@both_kinds
def test_a_closed_stream_sends_nothing_any_more(kind: Kind) -> None:
    """Closing before the first event is final: nothing is sent, nothing recorded, iterating ends at once."""
    script, attempts = Script(stream_answer("Hello")), list[Attempt]()

    async def run() -> list[object]:
        async with AsyncClient(KEY, transport=script, observers=[attempts.append]) as client:
            stream = client.stream("Hi")
            await stream.close()
            return [event async for event in stream]

    if kind == "async":
        assert asyncio.run(run()) == []
    else:
        with Client(KEY, transport=script, observers=[attempts.append]) as client:
            stream = client.stream("Hi")
            stream.close()
            assert list(stream) == []
    assert (script.requests, attempts) == ([], [])


@both_kinds
@pytest.mark.parametrize("method", ["respond", "stream"])
def test_an_interrupt_while_bytes_come_is_recorded(kind: Kind, method: str) -> None:
    """Ctrl-C inside the client raises KeyboardInterrupt, and the row says interrupted with the text so far."""
    answer = Answer(200, SSE, [*text_pieces("Hello", " there")[:3], KeyboardInterrupt()])
    attempts: list[Attempt] = []
    ask = {"respond": responded, "stream": streamed}[method]
    with pytest.raises(KeyboardInterrupt):
        ask(kind, Script(answer), setup={"observers": (attempts.append,)})
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert attempts[0].response.output_text == "Hello"


@both_kinds
def test_an_interrupt_before_an_answer_is_recorded(kind: Kind) -> None:
    """The same while nothing has come."""
    attempts: list[Attempt] = []
    with pytest.raises(KeyboardInterrupt):
        responded(kind, Script(KeyboardInterrupt()), setup={"observers": (attempts.append,)})
    assert [(attempt.status, attempt.http_status) for attempt in attempts] == [("interrupted", None)]


@both_kinds
def test_an_interrupt_inside_a_body_is_recorded(kind: Kind) -> None:
    """The same in the middle of a JSON body."""
    attempts: list[Attempt] = []
    answer = Answer(200, {"content-type": "application/json"}, [b'{"id":', KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        responded(kind, Script(answer), setup={"observers": (attempts.append,)})
    assert [attempt.status for attempt in attempts] == ["interrupted"]


@pytest.mark.parametrize("method", ["respond", "stream"])
def test_cancelling_a_task_is_recorded(method: str) -> None:
    """A cancelled asyncio task closes its connection and leaves one row with what came."""
    attempts, begun = list[Attempt](), asyncio.Event()

    async def tell(seconds: float) -> None:
        begun.set()
        await asyncio.Event().wait()

    simulator = Simulator(tokens_per_s=1, async_sleep=tell)

    async def consume(client: AsyncClient) -> None:
        if method == "respond":
            await client.respond("Hi", stream=True)
        async for _ in client.stream("Hi"):
            pass

    async def run() -> None:
        async with AsyncClient(transport=simulator, observers=[attempts.append]) as client:
            task = asyncio.create_task(consume(client))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert attempts[0].n_events > 0
    assert simulator.open_streams == 0


@pytest.mark.parametrize("place", ["in process", "server"])
def test_closing_from_another_task_ends_the_wait(place: str) -> None:
    """A Stop button is another task: close ends the iteration that waits, without an error, and the row is there."""
    attempts: list[Attempt] = []
    text: list[str] = []

    async def run(client: AsyncClient) -> None:
        stream = client.stream("Hi")

        async def consume() -> None:
            async for delta in stream.text_deltas():
                text.append(delta)
                begun.set()

        begun = asyncio.Event()
        task = asyncio.create_task(consume())
        await begun.wait()
        await stream.close()
        await asyncio.wait_for(task, 10)
        assert stream.response.status == "interrupted"
        await client.close()

    if place == "server":
        with running_server(fault="stall") as server:
            asyncio.run(run(AsyncClient(KEY, server.base_url, observers=[attempts.append])))
    else:
        asyncio.run(run(AsyncClient(transport=Simulator(fault="stall"), observers=[attempts.append])))
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert attempts[0].response.output_text == "".join(text)


@both_kinds
def test_an_interrupted_wait_before_a_retry_adds_no_row(kind: Kind) -> None:
    """The failed attempt has its row; leaving during the wait that follows is no second attempt."""
    attempts: list[Attempt] = []

    def interrupt(low: float, high: float) -> float:
        raise KeyboardInterrupt

    changes = {"observers": (attempts.append,), "backoff": Backoff(draw=interrupt)}
    script = Script(json_answer({"error": {"message": "busy"}}, 503))
    with pytest.raises(KeyboardInterrupt):
        called(kind, "respond", "Hi", transport=script, setup=changes)
    assert [attempt.error_code for attempt in attempts] == ["http_503"]
