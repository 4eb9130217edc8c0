"""The sum of what a kernel has used."""

from __future__ import annotations

from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.session.tally import Tally
from tests.client.transports import KEY, Answer, Script, json_answer, stream_answer, text_pieces


def test_attempts_are_added_up() -> None:
    """Tokens of two calls are summed, reasoning included."""
    tally = Tally()
    with Client(transport=Simulator(), observers=[tally]) as client:
        used = [client.respond(text).usage for text in ("one", "two")]
    assert (tally.n_attempts, tally.n_unreported) == (2, 0)
    assert tally.usage == used[0] + used[1]
    assert tally.usage.total_tokens == sum(usage.total_tokens or 0 for usage in used)


def test_what_was_not_reported_is_counted_and_not_added() -> None:
    """A refused and an interrupted attempt have no usage, which is not zero."""
    tally = Tally()
    refused = json_answer({"error": {"message": "busy"}}, 503, retry_after="0")
    cut = Answer(200, {"content-type": "text/event-stream"}, text_pieces("Hello"))
    with Client(KEY, transport=Script(refused, cut, stream_answer("Hello")), observers=[tally]) as client:
        with client.stream("Hi") as stream:
            next(stream)
        client.respond("Hi")
    assert (tally.n_attempts, tally.n_unreported) == (3, 2)
    assert tally.usage.total_tokens == 12


def test_before_any_attempt_there_is_nothing() -> None:
    """An empty sum is falsy and has no numbers."""
    tally = Tally()
    assert (tally.n_attempts, bool(tally.usage), tally.usage.total_tokens) == (0, False, None)
