"""What a budget counts: costs, what is held where no cost is known, chats, days, kernels side by side."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.errors import BudgetExceededError, CometWarning, ParamError
from cometnb.ledger.budget import Budget
from cometnb.ledger.store import Ledger
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from tests.ledger.spenders import MODEL, admitted, ended, planned, prices_in, prices_of, usage_of


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    """Ten cents, enough for 10,000 tokens of output."""
    return Budget(0.10, prices=prices_of(tmp_path))


# What is counted.


def test_an_answer_counts_by_its_cost(budget: Budget) -> None:
    """And no longer by its worst case."""
    call = planned()
    admitted(budget, call)
    budget(ended(call, usage_of(1_000, 200)))
    standing = budget.standing()
    assert standing.known_usd == pytest.approx(0.003)
    assert (standing.reserved_usd, standing.n_running, standing.held_usd) == (0.0, 0, 0.0)


def test_an_attempt_counts_once_however_often_it_is_told(budget: Budget) -> None:
    """A client may have been given the budget twice."""
    call = planned()
    admitted(budget, call)
    for _ in range(2):
        budget(ended(call, usage_of(1_000, 200)))
    assert budget.standing().known_usd == pytest.approx(0.003)


def test_a_call_that_ran_before_there_was_a_budget_counts_when_it_ends(budget: Budget) -> None:
    """It was not let through, but it is money of this kernel."""
    budget(ended(planned(), usage_of(1_000, 200)))
    assert budget.standing().known_usd == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("fields", "is_held"),
    [
        ({"status": "refused_by_budget", "http_status": None}, False),
        ({"status": "error", "error_code": "connect", "http_status": None}, False),
        ({"status": "error", "error_code": "http_429", "http_status": 429}, False),
        ({"status": "error", "error_code": "http_503", "http_status": 503}, False),
        ({"status": "error", "error_code": "http_504", "http_status": 504}, True),
        ({"status": "error", "error_code": "idle_timeout", "http_status": None}, True),
        ({"status": "failed", "error_code": "server_error"}, True),
        ({"status": "interrupted"}, True),
    ],
)
def test_an_end_without_a_cost_is_held_unless_nothing_can_have_been_billed(
    budget: Budget, fields: dict[str, Any], is_held: bool
) -> None:
    """Not sent and refused cost nothing; where nobody knows, the worst case goes on counting."""
    call = planned(max_output_tokens=1_000)
    admitted(budget, call)
    reserved_usd = budget.standing().reserved_usd
    budget(ended(call, **fields))
    standing = budget.standing()
    assert standing.reserved_usd == standing.known_usd == 0.0
    assert (standing.held_usd, standing.n_held) == ((reserved_usd, 1) if is_held else (0.0, 0))


def test_a_call_in_the_background_stays_reserved_until_its_end_comes_home(budget: Budget) -> None:
    """Its usage comes in an attempt of its own, and takes the place of the worst case, once."""
    call = planned(max_output_tokens=1_000)
    admitted(budget, call)
    reserved_usd = budget.standing().reserved_usd
    begun = Response({"id": "resp_1", "model": MODEL}, status="queued")
    budget(replace(ended(call, status="queued"), response=begun))
    assert budget.standing().reserved_usd == reserved_usd
    home = replace(ended(call, usage_of(1_000, 200)), attempt_id="f" * 32, method="GET")
    home.response.raw["id"] = "resp_1"
    budget(home)
    standing = budget.standing()
    assert (standing.reserved_usd, standing.held_usd) == (0.0, 0.0)
    assert standing.known_usd == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("output", "params", "is_held"),
    [
        ([{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}], {}, False),
        ([{"type": "reasoning", "summary": []}, {"type": "message", "content": []}], {}, True),
        ([], {}, True),
        ([], {"reasoning": {"effort": "none"}}, False),
    ],
)
def test_an_estimate_is_believed_where_no_reasoning_can_hide(
    budget: Budget, output: list[Any], params: dict[str, Any], is_held: bool
) -> None:
    """What is visible is estimated; what was thought before it may be billed as well."""
    call = planned(max_output_tokens=1_000, **params)
    admitted(budget, call)
    reserved_usd = budget.standing().reserved_usd
    response = Response({"model": MODEL, "output": output}, status="interrupted")
    response.base_url, response.model_requested = call.base_url, MODEL
    response.estimated_usage = Usage(usage_of(1_000, 100))
    budget(ended(call, status="interrupted", response=response))
    standing = budget.standing()
    assert standing.known_usd == pytest.approx(0.002, rel=0.5)
    assert standing.spent_usd == pytest.approx(
        max(reserved_usd, standing.known_usd) if is_held else standing.known_usd
    )


def test_fees_of_tools_count(tmp_path: Path) -> None:
    """They are extra to the tokens, and money all the same."""
    prices = prices_in(
        tmp_path,
        f'[[price]]\nmodel = "{MODEL}"\ninput = 1.0\noutput = 10.0\ntool_fees_per_1000 = {{ web_search_call = 10.0 }}\n',
    )
    budget = Budget(1, prices=prices)
    call = planned(tools=[{"type": "web_search"}])
    admitted(budget, call)
    attempt = ended(call, usage_of(1_000, 100))
    attempt.response.raw["output"] = [{"type": "web_search_call", "status": "completed"}] * 2
    budget(attempt)
    assert budget.standing().known_usd == pytest.approx(0.022)


def test_simulated_money_is_apart(budget: Budget) -> None:
    """A demo eats nothing of the real budget, and is held to the same limit."""
    admitted(budget, planned(backend="simulator", max_output_tokens=9_000))
    with pytest.raises(BudgetExceededError, match=r"budget of simulated \$0\.10"):
        budget.admit(planned(backend="simulator", max_output_tokens=9_000))
    admitted(budget, planned(max_output_tokens=9_000))
    assert budget.standing("simulator").n_running == budget.standing("api").n_running == 1


def test_a_replay_costs_nothing(budget: Budget) -> None:
    """It passes whatever is left, uncapped."""
    budget.count_before(1.0)
    assert budget.admit(planned(backend="cassette")) is None


def test_a_warning_comes_once_from_80_percent_on(budget: Budget) -> None:
    """As a note on the next call, and not on the one after."""
    budget.count_before(0.079)
    notes = [admitted(budget, planned(max_output_tokens=100)).note]
    budget.count_before(0.003)
    notes += [admitted(budget, planned(max_output_tokens=100)).note for _ in range(2)]
    assert notes[0] == notes[2] == ""
    assert notes[1].startswith("82% of the budget of $0.10 for this kernel is spent: $0.0820 spent")


def test_a_change_keeps_what_was_spent(budget: Budget) -> None:
    """Setting it again gives nobody the money a second time."""
    call = planned()
    admitted(budget, call)
    budget(ended(call, usage_of(1_000, 5_000)))
    budget.change(0.06)
    assert budget.standing().left_usd == pytest.approx(0.06 - 0.051)
    with pytest.raises(ParamError):
        budget.change(-1)
    assert budget.limit_usd == 0.06


# Per chat.


def test_every_chat_has_its_own_account(budget: Budget) -> None:
    """The calls without one share theirs."""
    budget.change(0.10, per="chat")
    for conversation in ("a", "b", ""):
        labels = {"conversation": conversation} if conversation else {}
        call = planned(labels=labels, max_output_tokens=9_000)
        admitted(budget, call)
        budget(ended(call, usage_of(0, 9_000)))
    with pytest.raises(BudgetExceededError, match=r"for the chat 'a'") as raised:
        budget.admit(planned(labels={"conversation": "a"}, max_output_tokens=2_000))
    assert raised.value.next_step.endswith(', per="chat")')
    with pytest.raises(BudgetExceededError, match="calls without a chat"):
        budget.admit(planned(max_output_tokens=2_000))
    assert budget.conversations() == ["a", "b", ""]


# Per day.


def test_a_day_is_shared_through_the_ledger(tmp_path: Path) -> None:
    """What another kernel has written counts, what it wrote yesterday does not."""
    prices, path = prices_of(tmp_path), tmp_path / "ledger.sqlite"
    other = Ledger(path)
    mine = Budget(0.10, per="day", ledger=Ledger(path), prices=prices)
    for age_days in (0, 1):
        at = datetime.now(UTC) - timedelta(days=age_days)
        call = planned("Hi", model="gpt-5.4")
        other(ended(call, usage_of(1_000, 1_000), created_at=at))
    assert other.flush(30)
    row = other.usage("today")
    assert mine.standing().known_usd == pytest.approx(float(row["cost_usd"].iloc[-1]))
    assert mine.standing().known_usd > 0


def test_a_days_own_calls_count_once(tmp_path: Path) -> None:
    """They are in the ledger and in this kernel's memory, waiting or written."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    budget = Budget(0.50, per="day", ledger=ledger)
    call = planned(model="gpt-5.4", max_output_tokens=2_000)
    admitted(budget, call)
    attempt = ended(call, usage_of(1_000, 1_000))
    ledger(attempt)
    budget(attempt)
    waiting_usd = budget.standing().known_usd
    assert ledger.flush(30)
    assert budget.standing().known_usd == pytest.approx(waiting_usd)
    assert waiting_usd == pytest.approx(ledger.usage()["cost_usd"].sum())


def test_a_day_counts_without_a_ledger_too(budget: Budget) -> None:
    """Then it is this kernel's."""
    budget.change(0.10, per="day")
    call = planned()
    admitted(budget, call)
    budget(ended(call, usage_of(1_000, 200)))
    assert budget.standing().known_usd == pytest.approx(0.003)


def test_a_ledger_that_cannot_be_read_is_one_warning(tmp_path: Path) -> None:
    """The budget goes on with this kernel's own figures."""
    place = tmp_path / "ledger.sqlite"
    place.mkdir()
    budget = Budget(0.10, per="day", ledger=Ledger(place), prices=prices_of(tmp_path))
    with pytest.warns(CometWarning, match="goes on with what this kernel has spent") as warned:
        _asks_twice(budget)
    assert len(warned) == 1
    assert budget.standing().known_usd == pytest.approx(0.051)


def _asks_twice(budget: Budget) -> None:
    call = planned(max_output_tokens=5_000)
    admitted(budget, call)
    budget(ended(call, usage_of(1_000, 5_000)))
    admitted(budget, planned(max_output_tokens=100))


def spend(path: str, limit_usd: float, has_refused: Any) -> None:
    """Ask the simulator under a day's budget until it refuses."""
    ledger = Ledger(path)
    budget = Budget(limit_usd, per="day", ledger=ledger)
    client = Client(transport=Simulator(text="word " * 200), gates=[budget], observers=[ledger, budget])
    for _ in range(200):
        try:
            client.respond("Hi", max_output_tokens=300, reasoning={"effort": "none"})
        except BudgetExceededError:
            has_refused.set()
            break
        ledger.flush(30)
    ledger.close()


def test_two_processes_share_a_day(tmp_path: Path) -> None:
    """Both are refused in the end, and together they have not crossed it by more than what ran side by side."""
    path, limit_usd = tmp_path / "ledger.sqlite", 0.05
    context = multiprocessing.get_context("spawn")
    refused = [context.Event(), context.Event()]
    processes = [context.Process(target=spend, args=(str(path), limit_usd, event)) for event in refused]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0]
    assert all(event.is_set() for event in refused)
    frame = Ledger(path).usage()
    answered = frame[frame["status"] != "refused_by_budget"]
    largest_usd = answered["cost_usd"].max()
    assert limit_usd - 0.005 < answered["cost_usd"].sum() <= limit_usd + largest_usd
