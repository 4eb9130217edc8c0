"""A budget at work: streams that run, clients that share it, and the rule that holds for every course of calls."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.attempt import Attempt, Observer
from cometnb.client.client import AsyncClient
from cometnb.client.gate import Planned
from cometnb.client.simulator import Simulator
from cometnb.errors import BudgetExceededError
from cometnb.ledger.budget import Budget
from cometnb.ledger.prices import Billable
from cometnb.ledger.purse.worst_case import INPUT_MARGIN, INPUT_SPARE_TOKENS
from cometnb.ledger.store import Ledger
from cometnb.protocol.estimate import estimated_input_tokens
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from tests.client.asking import Kind, both_kinds, called, responded, streamed
from tests.client.transports import Script, body_of, json_answer, stream_answer
from tests.ledger.spenders import MODEL, admitted, ended, planned, prices_of, usage_of


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    """Ten cents, enough for 10,000 tokens of output."""
    return Budget(0.10, prices=prices_of(tmp_path))


# A stream that runs.


def deltas(*texts: str) -> list[Event]:
    """Return text as it comes."""
    return [Event("response.output_text.delta", {"delta": text}) for text in texts]


def test_a_stream_within_its_limit_is_never_stopped(budget: Budget) -> None:
    """However far the estimate of its tokens is off: the limit bounds what it can cost."""
    terms = admitted(budget, planned())
    assert terms.watch is not None
    assert all(terms.watch(deltas("word " * 200)) is None for _ in range(49))


def test_a_service_that_ignores_the_limit_is_stopped(budget: Budget) -> None:
    """Once so much has come that no estimate is that wrong."""
    terms = admitted(budget, planned())
    assert terms.watch is not None
    errors = [terms.watch(deltas("word " * 200)) for _ in range(100)]
    first = next(at for at, error in enumerate(errors) if error is not None)
    assert 50 <= first < 80
    assert "Stopped after about" in str(errors[first])
    assert len(str(errors[first]).splitlines()) == 2


def test_a_stream_is_stopped_when_others_have_spent_the_money(budget: Budget) -> None:
    """What counts is the money so far, of this call and of all others."""
    terms = admitted(budget, planned(max_output_tokens=5_000))
    assert terms.watch is not None
    assert terms.watch(deltas("word " * 400)) is None
    budget.count_before(0.099)
    error = terms.watch(deltas("word " * 400))
    assert isinstance(error, BudgetExceededError)
    assert "is used up" in error.fact


def test_an_input_that_was_underestimated_stops_the_stream(budget: Budget) -> None:
    """Where the service says at the beginning what it read."""
    terms = admitted(budget, planned(max_output_tokens=1_000))
    assert terms.watch is not None
    opening = Event("response.in_progress", {"response": {"usage": {"input_tokens": 200_000}}})
    assert isinstance(terms.watch([opening]), BudgetExceededError)


# All together, by the clients.


def _setup(*budgets: Budget) -> dict[str, Any]:
    return {"gates": budgets, "observers": budgets}


@both_kinds
def test_a_refused_call_sends_nothing(kind: Kind, budget: Budget) -> None:
    """The error is the budget's, and the transport has seen no request."""
    script = Script(stream_answer("Hello"))
    asked = responded(kind, script, model=MODEL, max_output_tokens=20_000, setup=_setup(budget))
    assert isinstance(asked.error, BudgetExceededError)
    assert asked.response.status == "refused_by_budget"
    assert script.requests == []
    assert budget.standing().spent_usd == budget.standing().reserved_usd == 0.0


@both_kinds
def test_a_call_that_is_tried_again_counts_once(kind: Kind, budget: Budget) -> None:
    """The attempt that was turned away cost nothing; the cap stays the same."""
    busy = json_answer({"error": {"message": "busy"}}, 429, retry_after="0")
    script = Script(busy, busy, json_answer(body_of(model=MODEL, usage=usage_of(1_000, 200))))
    asked = responded(kind, script, model=MODEL, setup=_setup(budget))
    assert asked.error is None
    caps = [json.loads(request.content)["max_output_tokens"] for request in script.requests]
    assert len(caps) == 3
    assert len(set(caps)) == 1
    standing = budget.standing()
    assert standing.known_usd == pytest.approx(0.003)
    assert (standing.held_usd, standing.reserved_usd) == (0.0, 0.0)


@both_kinds
def test_a_stopped_stream_keeps_its_text(kind: Kind, budget: Budget) -> None:
    """It ends as interrupted by the budget, and what it cost so far is counted."""
    script = Script(stream_answer(*["word " * 200] * 200, model=MODEL))
    asked = streamed(kind, script, model=MODEL, max_output_tokens=9_000, setup=_setup(budget))
    assert isinstance(asked.error, BudgetExceededError)
    assert asked.response.status == "interrupted"
    assert 40_000 < len(asked.response.output_text) < 100_000
    assert budget.standing().n_running == 0
    assert budget.standing().spent_usd > 0.08


@both_kinds
def test_a_reader_that_stops_leaves_no_reservation(kind: Kind, budget: Budget) -> None:
    """The estimate of what came takes its place."""
    script = Script(stream_answer(*["word "] * 50, model=MODEL))
    streamed(kind, script, stop_after=20, model=MODEL, setup=_setup(budget))
    standing = budget.standing()
    assert (standing.n_running, standing.n_held) == (0, 0)
    assert 0 < standing.known_usd < 0.001


def test_a_sync_and_an_async_client_share_a_budget(budget: Budget) -> None:
    """What the one has spent is gone for the other."""
    answer = json_answer(body_of(model=MODEL, usage=usage_of(1_000, 6_000)))
    for kind, is_sent in (("sync", True), ("async", False)):
        script = Script(answer)
        asked = responded(kind, script, model=MODEL, max_output_tokens=6_000, setup=_setup(budget))  # type: ignore[arg-type]
        assert bool(script.requests) is is_sent
        assert (asked.error is None) is is_sent
    assert budget.standing().known_usd == pytest.approx(0.061)


def test_calls_side_by_side_cannot_cross_it_together() -> None:
    """Twenty at a time ask for more than there is: some are refused, the others stay within."""
    limit_usd = 0.03
    attempts: list[Attempt] = []
    budget = Budget(limit_usd)

    async def ask_all() -> list[Any]:
        transport = Simulator(text="word " * 300)
        observers: list[Observer] = [budget, attempts.append]
        async with AsyncClient(transport=transport, gates=[budget], observers=observers) as client:
            asked = (
                client.respond("Hi", max_output_tokens=400, stream=True, reasoning={"effort": "none"})
                for _ in range(20)
            )
            return await asyncio.gather(*asked, return_exceptions=True)

    ended_well = [one for one in asyncio.run(ask_all()) if isinstance(one, Response)]
    assert 2 < len(ended_well) < 20
    assert len(attempts) == 20
    assert sum(one.cost.usd for one in ended_well) <= limit_usd
    standing = budget.standing("simulator")
    assert standing.known_usd == pytest.approx(sum(one.cost.usd for one in ended_well))
    assert standing.n_running == standing.n_held == 0


def test_the_refused_call_is_a_row(budget: Budget, tmp_path: Path) -> None:
    """The ledger says so, with no tokens and no cost."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    setup = {"gates": (budget,), "observers": (ledger, budget)}
    with pytest.raises(BudgetExceededError):
        called(
            "sync", "respond", "Hi", transport=Script(), model=MODEL, max_output_tokens=20_000, setup=setup
        )
    row = ledger.usage().iloc[-1]
    assert (row["status"], row["error_code"], row["cost_usd"]) == ("refused_by_budget", "budget", 0.0)


def test_threads_cannot_cross_it_together(tmp_path: Path) -> None:
    """Eight of them ask as fast as they can for more than there is."""
    budget = Budget(0.10, prices=prices_of(tmp_path))
    with pytest.raises(BudgetExceededError):
        # The first call reads the table of prices.
        budget.admit(planned(max_output_tokens=20_000))
    n_sent = []

    def ask() -> None:
        for _ in range(20):
            call = planned(max_output_tokens=900)
            try:
                budget.admit(call)
            except BudgetExceededError:
                continue
            n_sent.append(call)
            budget(ended(call, usage_of(0, 900)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    standing = budget.standing()
    assert standing.known_usd == pytest.approx(len(n_sent) * 0.009)
    assert 0.09 < standing.known_usd <= 0.10
    assert standing.n_running == 0


# The rule, for every course of things.

_RATES = st.floats(0.0, 50.0)
# A service that takes all it may is the one that crosses first.
_SHARES = st.sampled_from([1.0, 1.0, 0.7, 0.0])
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "end", "reason", "drop", "429", "504"]),
        st.integers(0, 3_000),
        st.none() | st.integers(1, 30_000),
        _SHARES,
        _SHARES,
    ),
    max_size=40,
)


@given(
    limit_usd=st.floats(1e-4, 5.0),
    rates=st.fixed_dictionaries(
        {"input": _RATES, "output": _RATES}, optional={"cached": _RATES, "cache_write": _RATES}
    ),
    steps=_STEPS,
)
def test_no_course_of_calls_crosses_the_limit(
    limit_usd: float, rates: dict[str, float], steps: list[tuple[str, int, int | None, float, float]]
) -> None:
    """Whatever runs side by side and however it ends: what the service bills in the end, told or not, is within."""
    with tempfile.TemporaryDirectory() as folder:
        prices = prices_of(Path(folder), **rates)
        budget = Budget(limit_usd, prices=prices)
        running: list[tuple[Planned, int]] = []
        billed_usd = 0.0
        for what, n_words, limit, share_in, share_out in steps:
            if what == "ask" or not running:
                call = planned("word " * n_words, max_output_tokens=limit)
                try:
                    terms = budget.admit(call)
                except BudgetExceededError:
                    continue
                cap = limit or (terms.max_output_tokens if terms is not None else None) or 0
                running.append((call, cap))
                continue
            call, cap = running.pop(n_words % len(running))
            n_in = int(
                share_in * (estimated_input_tokens(call.params) * (1 + INPUT_MARGIN) + INPUT_SPARE_TOKENS)
            )
            usage = _usage(n_in, int(cap * share_out), n_words % 3 / 2, rates)
            # A service that answers 429 bills nothing; any other end may be billed, whatever it says.
            billed_usd += 0.0 if what == "429" else _bill(prices, usage)
            budget(_ENDS[what](call, usage))
            standing = budget.standing()
            assert standing.spent_usd + standing.reserved_usd <= limit_usd * (1 + 1e-6)
        assert billed_usd <= limit_usd * (1 + 1e-6)


def _usage(n_in: int, n_out: int, share: float, rates: dict[str, float]) -> dict[str, Any]:
    cached = int(n_in * share) if "cached" in rates else 0
    written = n_in - cached if "cache_write" in rates else 0
    return usage_of(n_in, n_out, cached=cached, written=written)


def _bill(prices: Any, usage: dict[str, Any]) -> float:
    tokens = Usage(usage)
    bill = Billable(
        model=MODEL,
        input_tokens=tokens.input_tokens,
        cached_tokens=tokens.cached_tokens,
        cache_write_tokens=tokens.cache_write_tokens,
        output_tokens=tokens.output_tokens,
    )
    usd: float = prices.cost(bill).usd
    return usd


_ENDS: dict[str, Callable[[Planned, dict[str, Any]], Any]] = {
    "end": ended,
    "reason": lambda call, usage: ended(call, status="interrupted"),
    "drop": lambda call, usage: ended(call, status="truncated", error_code="broken"),
    "429": lambda call, usage: ended(call, status="error", error_code="http_429", http_status=429),
    "504": lambda call, usage: ended(call, status="error", error_code="http_504", http_status=504),
}
