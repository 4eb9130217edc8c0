"""A response in the background: submitted, waited for, streamed, cancelled, picked up, and told of once."""

from __future__ import annotations

import signal
import threading
import uuid
from typing import Any

import httpx
import pytest

from cometnb import errors
from cometnb.client.attempt import Attempt
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.ledger.store import Ledger
from cometnb.protocol.response import Response
from cometnb.session.background import BackgroundResponse, submit, use_client
from cometnb.session.looking import Pace
from tests.client.transports import KEY, SSE, Answer, Script, at_once, body_of, json_answer, sse, text_events

_RUNNING = ("queued", "in_progress")
_AT_ONCE = Pace(shortest_s=0.0, longest_s=0.0, longest_asked_s=0.0)


@pytest.fixture
def attempts() -> list[Attempt]:
    """What the observers of a test's client were handed."""
    return []


@pytest.fixture
def prompt() -> str:
    """A prompt no other test has: the simulator makes its ids of it."""
    return f"Hi {uuid.uuid4().hex}"


def _client(transport: Any, attempts: list[Attempt], **settings: Any) -> Client:
    client = Client(KEY, transport=transport, observers=[attempts.append], **settings)
    at_once(client)
    return client


def _body(response_id: str, status: str, **fields: Any) -> Answer:
    made: dict[str, Any] = {
        "id": response_id,
        "status": status,
        "background": True,
        "created_at": 1_770_000_000,
    }
    if status in _RUNNING:
        made |= {"output": [], "usage": None}
    return json_answer(body_of("Hello.", **made | fields))


def _script(*statuses: str, **fields: Any) -> Script:
    """A service that works on a response in so many looks."""
    response_id = f"resp_{uuid.uuid4().hex}"
    *before, last = statuses
    return Script(*(_body(response_id, status) for status in before), _body(response_id, last, **fields))


def _told(attempts: list[Attempt]) -> list[tuple[str, str, int | None]]:
    return [(one.method, one.status, one.response.usage.total_tokens) for one in attempts]


# Submitting and waiting.


def test_a_response_is_waited_for(attempts: list[Attempt]) -> None:
    """Submit returns what is queued; each look is a step of the progress; the end is the response."""
    script = _script("queued", "queued", "in_progress", "completed")
    work = submit(_client(script, attempts), "Hi", pace=_AT_ONCE)
    assert (work.status, work.is_done) == ("queued", False)
    seen: list[str] = []
    response = work.wait(progress=lambda response: seen.append(response.status))
    assert seen == ["queued", "queued", "in_progress", "completed"]
    assert (str(response), response is work.response, work.is_done) == ("Hello.", True, True)
    assert [request.method for request in script.requests] == ["POST", "GET", "GET", "GET"]


def test_what_has_ended_is_not_looked_at_again(attempts: list[Attempt]) -> None:
    """Waiting, refreshing and updates give what is known."""
    script = _script("queued", "completed")
    work = submit(_client(script, attempts), "Hi", pace=_AT_ONCE)
    work.wait()
    assert work.wait() is work.refresh() is work.response
    assert [response.status for response in work.updates()] == ["completed"]
    assert len(script.requests) == 2


def test_a_service_may_answer_at_once(attempts: list[Attempt]) -> None:
    """One that knows no background answers whole: the handle has ended, its usage is told."""
    answer = Answer(200, SSE, [sse(event) for event in text_events("Hel", "lo")])
    for each in (answer, json_answer(body_of("Hello"))):
        work = submit(_client(Script(each), attempts), "Hi")
        assert (str(work.wait()), work.status) == ("Hello", "completed")
    assert _told(attempts) == [("POST", "completed", 12)] * 2


def test_what_cannot_be_asked_for_again_is_an_error(attempts: list[Attempt]) -> None:
    """A response without an id; what came stays on the error."""
    with pytest.raises(errors.UnexpectedContentError, match="no id") as caught:
        submit(_client(Script(json_answer(body_of("Hi", id=None))), attempts), "Hi")
    assert str(caught.value.response) == "Hi"


def test_a_failure_is_an_error(attempts: list[Attempt]) -> None:
    """With the service's words and what it had written."""
    failure = {"code": "server_error", "message": "out of memory"}
    work = submit(_client(_script("queued", "failed", error=failure), attempts), "Hi", pace=_AT_ONCE)
    with pytest.raises(errors.ResponseFailedError, match="out of memory") as caught:
        work.wait()
    assert caught.value.response is work.response
    assert "out of memory" in repr(work)


@pytest.mark.parametrize("status", ["incomplete", "cancelled"])
def test_other_ends_are_responses(attempts: list[Attempt], status: str) -> None:
    """As of any call."""
    work = submit(_client(_script("queued", status), attempts), "Hi", pace=_AT_ONCE)
    assert work.wait().status == status


def test_a_wait_may_have_a_limit(attempts: list[Attempt]) -> None:
    """The error says that the work goes on, and how to come back to it."""
    work = submit(_client(_script("queued", "in_progress"), attempts), "Hi", pace=_AT_ONCE)
    with pytest.raises(errors.ResponseTimeoutError, match="goes on") as caught:
        work.wait(timeout_s=0.01)
    assert work.how_to_pick_up in caught.value.next_step
    assert caught.value.response is work.response


@pytest.mark.parametrize("timeout_s", [-1, "5", True, float("nan")])
def test_a_limit_is_a_number_of_seconds(attempts: list[Attempt], timeout_s: Any) -> None:
    """Anything else is refused."""
    work = submit(_client(_script("queued", "completed"), attempts), "Hi")
    with pytest.raises(errors.ParamError, match="timeout_s"):
        work.wait(timeout_s)


def test_a_look_that_fails_is_told_while_it_is_waited(attempts: list[Attempt]) -> None:
    """`trouble` says why nothing is new; the next good look ends it."""
    client = _client(None, attempts, max_retries=0)
    client.close()
    script = _script("queued", "completed")
    script._answers.insert(1, httpx.ConnectError("refused"))
    work = submit(_client(script, attempts, max_retries=0), "Hi", pace=Pace(0.01, 0.01))
    troubles = [work.trouble for _ in work.updates(idle_s=0.0)]
    assert any(trouble and "No connection" in trouble for trouble in troubles)
    assert work.trouble is None


def test_a_clock_can_be_shown_between_two_looks(attempts: list[Attempt]) -> None:
    """The same snapshot comes again while nothing is new."""
    work = submit(_client(_script("queued", "completed"), attempts), "Hi", pace=Pace(0.3, 0.3))
    statuses = [response.status for response in work.updates(idle_s=0.01)]
    assert statuses.count("queued") > 2
    assert statuses[-1] == "completed"


def test_a_service_without_retrieval_is_named(attempts: list[Attempt]) -> None:
    """At the first look, with the response as it was."""
    script = _script("queued", "completed")
    script._answers[1] = Answer(405, {"content-type": "text/plain"}, [b"Method Not Allowed"])
    work = submit(_client(script, attempts), "Hi", pace=_AT_ONCE)
    with pytest.raises(errors.APIError, match="does not offer retrieval of responses") as caught:
        work.wait()
    assert caught.value.response is not None
    assert caught.value.response.status == "queued"


# Interrupts.


def test_an_interrupt_ends_the_wait_and_not_the_work(attempts: list[Attempt]) -> None:
    """At once, although the service has not answered the look; the words say how to go on."""
    is_asked, may_answer = threading.Event(), threading.Event()
    script = _script("queued", "completed")

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "GET":
                is_asked.set()
                may_answer.wait(30)
            return script.handle_request(request)

    work = submit(_client(Slow(), attempts), "Hi", pace=_AT_ONCE)

    def interrupt() -> None:
        is_asked.wait(30)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt, match="goes on at the service") as caught:
        work.wait()
    assert work.how_to_pick_up in str(caught.value)
    assert work.status == "queued"
    may_answer.set()
    assert work.wait().status == "completed"


# Cancelling.


def test_it_can_be_cancelled(attempts: list[Attempt], prompt: str) -> None:
    """The service stops, and the handle knows."""
    with _client(Simulator(tokens_per_s=1), attempts) as client:
        work = submit(client, prompt)
        assert work.cancel().status == "cancelled"
        assert work.wait().status == work.status == "cancelled"
    posted, ended = attempts
    assert (posted.method, posted.status in _RUNNING) == ("POST", True)
    assert (ended.method, ended.status, ended.is_free) == ("GET", "cancelled", True)


def test_a_cancel_from_another_thread_ends_the_wait(attempts: list[Attempt], prompt: str) -> None:
    """A button may do it; the last update is the end."""
    with _client(Simulator(tokens_per_s=1), attempts) as client:
        work = submit(client, prompt, pace=Pace(60.0, 60.0))
        updates = work.updates()
        assert next(updates).status in _RUNNING
        threading.Thread(target=work.cancel).start()
        assert [response.status for response in updates] == ["cancelled"]


# What is told, and picking up.


def test_the_usage_comes_home_once(attempts: list[Attempt], prompt: str) -> None:
    """However many handles see the end: queued without usage, then the end with it, under the same labels."""
    with _client(Simulator(tokens_per_s=2000), attempts) as client:
        work = submit(client, prompt, labels={"tag": "t"}, pace=Pace(0.01, 0.01))
        total = work.wait().usage.total_tokens
        for _ in range(2):
            assert BackgroundResponse.pick_up(work.id, client).wait().usage.total_tokens == total
    assert [(method, tokens) for method, _, tokens in _told(attempts)] == [("POST", None), ("GET", total)]
    assert [one.labels for one in attempts] == [{"tag": "t"}] * 2
    assert attempts[0].params == attempts[1].params
    assert attempts[0].response.id == attempts[1].response.id


def test_a_ledger_has_the_usage_in_one_row(prompt: str) -> None:
    """The row of the end has the tokens and the price."""
    ledger = Ledger("off")
    with Client(transport=Simulator(tokens_per_s=2000), observers=[ledger]) as client:
        work = submit(client, prompt, stream=False, pace=Pace(0.01, 0.01))
        work.wait()
        BackgroundResponse.pick_up(work.id, client)
    frame = ledger.usage()
    assert list(frame["status"]) == ["queued", "completed"]
    assert frame["output_tokens"].sum() == work.response.usage.output_tokens
    assert frame["response_id"].nunique() == 1


def test_a_ledger_of_two_kernels_keeps_one_row() -> None:
    """Both come to the same attempt."""
    ledger = Ledger("off")
    made: dict[str, Any] = {"id": f"resp_{uuid.uuid4().hex}", "background": True, "created_at": 1}
    attempts: list[Attempt] = []
    client = _client(Script(json_answer(body_of("Hi", **made))), attempts)
    BackgroundResponse.pick_up(str(made["id"]), client)
    for _ in range(2):
        ledger(attempts[0])
    assert ledger.usage()["attempt_id"].nunique() == 1


def test_a_response_is_found_in_another_kernel(attempts: list[Attempt], prompt: str) -> None:
    """By its id alone; its status is known at once."""
    simulator = Simulator(tokens_per_s=1)
    response_id = submit(_client(simulator, attempts), prompt).id
    found = BackgroundResponse.pick_up(f" {response_id}\n", _client(simulator, attempts))
    assert (found.id, found.is_done) == (response_id, False)
    assert response_id in found.how_to_pick_up


def test_the_kernels_own_client_is_used(attempts: list[Attempt], prompt: str) -> None:
    """Where none is given: the line that errors and interrupts show works as it stands."""
    client = _client(Simulator(), attempts)
    response_id = submit(client, prompt).id
    use_client(lambda: client)
    try:
        assert BackgroundResponse.pick_up(response_id).status == "completed"
    finally:
        use_client(Client)


def test_an_unknown_id_is_an_error(attempts: list[Attempt]) -> None:
    """The service's own."""
    with pytest.raises(errors.NotFoundError):
        BackgroundResponse.pick_up("resp_nobody", _client(Simulator(), attempts))


def test_how_long_it_took_is_the_services_word(attempts: list[Attempt]) -> None:
    """From its two moments; else from submitting to seeing the end; else not known."""
    told = _script("queued", "completed", completed_at=1_770_000_042)
    assert submit(_client(told, attempts), "Hi", pace=_AT_ONCE).wait().timing.duration_s == 42.0
    silent = _script("queued", "completed")
    assert submit(_client(silent, attempts), "Hi", pace=_AT_ONCE).wait().timing.duration_s == 0.0
    found = BackgroundResponse.pick_up("resp_1", _client(_script("completed"), attempts))
    assert found.response.timing.duration_s is None


def test_it_says_what_can_be_done_with_it(attempts: list[Attempt]) -> None:
    """While it runs how to go on, and then the beginning of the text."""
    work = submit(_client(_script("queued", "completed"), attempts), "Hi", pace=_AT_ONCE)
    assert repr(work) == f"<BackgroundResponse {work.id} queued: wait() for it, stream() or cancel() it>"
    work.wait()
    assert repr(work) == f"<BackgroundResponse {work.id} completed: 'Hello.'>"
    long = BackgroundResponse(Response(body_of("a" * 99)), _client(Script(_body("x", "queued")), attempts))
    assert repr(long).endswith("aaa...'>")
