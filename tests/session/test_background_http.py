"""Background responses over a real connection: streams that are lost and taken up again, gateways that keep nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from cometnb import errors
from cometnb.client.attempt import Attempt
from cometnb.client.client import Client
from cometnb.client.server import LocalServer, running_server
from cometnb.session.background import BackgroundResponse, submit
from cometnb.session.looking import Pace
from tests.client.transports import KEY


@pytest.fixture
def attempts() -> list[Attempt]:
    """What the observers of a test's client were handed."""
    return []


@pytest.fixture
def prompt() -> str:
    """A prompt no other test has: the simulator makes its ids of it."""
    return f"Hi {uuid.uuid4().hex}"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """The simulator behind HTTP, at a pace that leaves time to look."""
    with running_server(text="Hello there. " * 12, tokens_per_s=150) as running:
        yield running


def _at(server: LocalServer, attempts: list[Attempt]) -> Client:
    return Client(KEY, server.base_url, observers=[attempts.append])


def test_its_stream_can_be_taken_up(server: LocalServer, attempts: list[Attempt], prompt: str) -> None:
    """From its first event; the handle then knows the end."""
    with _at(server, attempts) as client:
        work = submit(client, prompt, reasoning={"effort": "none"})
        with work.stream() as stream:
            events = list(stream)
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert stream.response.output_text == "Hello there. " * 12
        assert (work.status, work.response.output_text) == ("completed", "Hello there. " * 12)
    assert [one.method for one in attempts] == ["POST", "GET"]
    assert [bool(one.response.usage) for one in attempts] == [False, True]


def test_a_lost_stream_goes_on_where_it_was(
    server: LocalServer, attempts: list[Attempt], prompt: str
) -> None:
    """Any number of times, over a real connection; nothing is said twice."""
    with _at(server, attempts) as client:
        work = submit(client, prompt, reasoning={"effort": "none"})
        numbers: list[int] = []
        for n_events in (3, 5, 8):
            with work.stream() as stream:
                for event in stream:
                    numbers.append(event.sequence_number)
                    if len(numbers) == n_events:
                        break
        with work.stream() as stream:
            numbers += [event.sequence_number for event in stream]
        assert numbers == sorted(set(numbers))
        assert work.response.output_text == "Hello there. " * 12
        assert work.wait() is work.response
    assert [one.status for one in attempts][1:] == [*["interrupted"] * 3, "completed"]
    assert [bool(one.response.usage) for one in attempts] == [False] * 4 + [True]
    assert not any(one.response.estimated_usage for one in attempts)


def test_a_stream_after_the_end_is_the_whole_stream(
    server: LocalServer, attempts: list[Attempt], prompt: str
) -> None:
    """And it tells the usage no second time."""
    with _at(server, attempts) as client:
        work = submit(client, prompt, reasoning={"effort": "none"}, pace=Pace(0.05, 0.1))
        text = work.wait().output_text
        with work.stream() as stream:
            assert "".join(stream.text_deltas()) == text
    assert [bool(one.response.usage) for one in attempts] == [False, True, False]


def test_a_text_is_resumed_over_http(server: LocalServer, attempts: list[Attempt], prompt: str) -> None:
    """The client's own way: stream, lose it, resume the response."""
    with _at(server, attempts) as client:
        with client.stream(prompt, background=True, reasoning={"effort": "none"}) as stream:
            next(stream.text_deltas())
        with client.resume(stream.response) as again:
            rest = "".join(again.text_deltas())
    assert rest
    assert stream.response.output_text + rest == again.response.output_text == "Hello there. " * 12


@pytest.mark.parametrize("step", ["wait", "cancel", "stream", "pick up"])
def test_every_step_names_a_gateway_without_retrieval(
    attempts: list[Attempt], prompt: str, step: str
) -> None:
    """Over HTTP, whichever way the user comes to it; the words say what to do instead."""
    with running_server(tokens_per_s=1, without=("retrieval",)) as server, _at(server, attempts) as client:
        work = submit(client, prompt, pace=Pace(0.0, 0.0))
        steps: dict[str, Callable[[], object]] = {
            "wait": work.wait,
            "cancel": work.cancel,
            "stream": lambda: list(work.stream()),
            "pick up": lambda: BackgroundResponse.pick_up(work.id, client),
        }
        with pytest.raises(errors.APIError, match="The service does not offer") as caught:
            steps[step]()
    assert "POST /responses" in caught.value.next_step
