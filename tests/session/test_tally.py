"""The sum of what a kernel has used."""

from __future__ import annotations

import tracemalloc

import httpx
import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.errors import CometError
from cometnb.session.tally import Tally
from tests.client.transports import KEY, Answer, Script, body_of, json_answer, stream_answer, text_pieces


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


def test_what_was_spent_keeps_real_and_simulated_apart() -> None:
    """Nobody pays for a simulated call; one of a model without a price is counted, not added."""
    tally = Tally()
    priced = {"input_tokens": 1_000_000, "output_tokens": 0, "output_tokens_details": {"reasoning_tokens": 0}}
    script = Script(
        json_answer({**body_of(), "model": "gpt-5.4-mini", "usage": priced}),
        json_answer({**body_of(), "model": "house-model-1", "usage": priced}),
    )
    with Client(KEY, "https://api.cometapi.com/v1", transport=script, observers=[tally]) as client:
        client.respond("one", model="gpt-5.4-mini")
        client.respond("two", model="house-model-1")
    with Client(transport=Simulator(), observers=[tally]) as client:
        client.respond("three")
    spent = tally.spent
    assert spent.usd == pytest.approx(0.6)
    assert (spent.n_priced, spent.n_unpriced, spent.n_simulated, spent.n_estimated) == (1, 1, 1, 0)
    assert spent.simulated_usd > 0
    assert str(spent).startswith("$0.60, $0.00")
    assert str(spent).endswith("simulated, 1 of unknown cost")


def test_an_answer_that_was_cut_off_is_estimated_and_said_to_be() -> None:
    """Its tokens count as far as they came."""
    tally = Tally()
    cut = Answer(200, {"content-type": "text/event-stream"}, text_pieces("Hello"))
    with (
        Client(KEY, "https://api.cometapi.com/v1", transport=Script(cut), observers=[tally]) as client,
        client.stream("Hi", model="gpt-5.4-mini") as stream,
    ):
        next(stream)
    assert tally.spent.n_estimated == 1
    assert "(1 estimated)" in str(tally.spent)


def test_nothing_spent_is_said_in_words() -> None:
    """And an attempt that was never sent costs nothing."""
    tally = Tally()
    refused = Script(httpx.ConnectError("refused"))
    with (
        Client(KEY, transport=refused, observers=[tally], max_retries=0) as client,
        pytest.raises(CometError),
    ):
        client.respond("Hi")
    assert (tally.n_attempts, tally.n_unreported, str(tally.spent)) == (1, 0, "nothing spent")


def test_simulated_calls_of_unknown_or_estimated_cost_are_counted() -> None:
    """A sum says what it leaves out and what it guessed, also where nobody pays."""
    tally = Tally()
    simulator = Simulator(models=["gpt-5.4", "house-model-1"], text="word " * 50, events_per_chunk=1)
    with Client(transport=simulator, observers=[tally]) as client:
        client.respond("one", model="house-model-1")
        with client.stream("two", model="gpt-5.4", reasoning={"effort": "none"}) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    break
    spent = tally.spent
    assert (spent.n_simulated_unpriced, spent.n_simulated, spent.n_simulated_estimated) == (1, 1, 1)
    assert "simulated (1 estimated), 1 simulated of unknown cost" in str(spent)


def test_what_waits_for_its_price_does_not_grow() -> None:
    """A batch of many calls, of which nobody asks what they cost."""
    tally, attempts = Tally(), list[Attempt]()
    with Client(transport=Simulator(), observers=[attempts.append]) as client:
        client.respond("one")
    for _ in range(600):
        tally(attempts[0])
    tracemalloc.start()
    for _ in range(600):
        tally(attempts[0])
    grown_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown_bytes < 600_000
    assert tally.spent.n_simulated == 1_200


def test_fees_of_tools_are_added_up_apart() -> None:
    """They are money besides the tokens; a page that was opened for a search costs none, an unknown fee is counted."""
    tally = Tally()
    output = [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "web_search_call", "id": "ws_2", "status": "completed", "action": {"type": "open_page"}},
    ]
    unknown = [{"type": "code_interpreter_call", "id": "ci_1", "status": "completed"}]
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    script = Script(
        *(
            json_answer({**body_of(), "model": "gpt-5.4", "usage": usage, "output": items})
            for items in (output, unknown)
        )
    )
    with Client(KEY, "https://api.cometapi.com/v1", transport=script, observers=[tally]) as client:
        client.respond("one")
        client.respond("two")
    spent = tally.spent
    assert spent.fees_usd == pytest.approx(0.008)
    assert (spent.n_priced, spent.n_unknown_fees, spent.simulated_fees_usd) == (2, 1, 0.0)
    assert str(spent).endswith("$0.0080 of tool fees, 1 with tool fees that are not known")
