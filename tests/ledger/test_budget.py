"""The budget: what it lets through, what it refuses, and what it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import BudgetExceededError, ParamError
from cometnb.ledger.budget import CAP_TOKENS, Budget
from cometnb.ledger.purse.worst_case import INPUT_MARGIN
from cometnb.protocol.estimate import estimated_input_tokens
from tests.ledger.spenders import MODEL, admitted, ended, planned, prices_in, prices_of, usage_of


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    """Ten cents, enough for 10,000 tokens of output."""
    return Budget(0.10, prices=prices_of(tmp_path))


# What is let through.


def test_a_call_without_a_limit_gets_what_the_budget_affords(budget: Budget) -> None:
    """The cap is noted, and its worst case and the input stay within the budget."""
    terms = admitted(budget, planned())
    assert terms.max_output_tokens is not None
    assert 9_900 < terms.max_output_tokens < 10_000
    assert terms.note == (
        f"max_output_tokens={terms.max_output_tokens} was added, so that the answer cannot cross the budget of "
        "$0.10 for this kernel."
    )
    standing = budget.standing()
    assert standing.n_running == 1
    assert 0.0 <= standing.left_usd < 0.001


def test_the_cap_is_bounded_however_large_the_budget(tmp_path: Path) -> None:
    """A budget of a hundred dollars lets no single answer run for hours."""
    assert admitted(Budget(100, prices=prices_of(tmp_path)), planned()).max_output_tokens == CAP_TOKENS


def test_a_limit_of_ones_own_is_kept(budget: Budget) -> None:
    """Where it fits there is neither a cap nor a note."""
    terms = admitted(budget, planned(max_output_tokens=2_000))
    assert (terms.max_output_tokens, terms.note) == (None, "")
    assert budget.standing().reserved_usd == pytest.approx(0.02, rel=0.01)


def test_a_model_that_costs_nothing_is_neither_capped_nor_refused(tmp_path: Path) -> None:
    """Also when nothing is left."""
    budget = Budget(0.01, prices=prices_of(tmp_path, input=0.0, output=0.0))
    budget.count_before(5.0)
    terms = admitted(budget, planned())
    assert terms.max_output_tokens is None
    assert budget.standing().reserved_usd == 0.0


def test_the_dearest_kind_of_input_is_reserved(tmp_path: Path) -> None:
    """Nobody knows beforehand whether the input is written to the cache."""
    prices = prices_of(tmp_path, input=1.0, cached=0.1, cache_write=1.25, output=0.0)
    budget = Budget(1, prices=prices)
    call = planned("word " * 5_000)
    admitted(budget, call)
    tokens = estimated_input_tokens(call.params)
    assert budget.standing().reserved_usd == pytest.approx(tokens * (1 + INPUT_MARGIN) * 1.25e-6, rel=0.01)


def test_the_dearer_tier_of_a_long_input_is_reserved(tmp_path: Path) -> None:
    """And the dearer price of a service tier, which the service may not grant."""
    prices = prices_in(
        tmp_path,
        f'[[price]]\nmodel = "{MODEL}"\ninput = 1.0\noutput = 10.0\n'
        "[[price.tier]]\nabove_input_tokens = 1_000\ninput = 2.0\noutput = 15.0\n"
        f'[[price]]\nmodel = "{MODEL}"\nservice_tier = "flex"\ninput = 0.5\noutput = 5.0\n',
    )
    budget = Budget(1, prices=prices)
    admitted(budget, planned(max_output_tokens=1_000, service_tier="flex"))
    short_usd = budget.standing().reserved_usd
    admitted(budget, planned("word " * 2_000, max_output_tokens=1_000))
    assert short_usd == pytest.approx(0.010, rel=0.01)
    assert budget.standing().reserved_usd - short_usd > 0.015


def test_a_turn_that_continues_another_pays_for_both(budget: Budget) -> None:
    """The service sends the turns before again; how long they were is known from their answer."""
    first = planned()
    admitted(budget, first)
    attempt = ended(first, usage_of(10_000, 500))
    budget(attempt)
    spent_usd = budget.standing().spent_usd
    admitted(budget, planned(previous_response_id=attempt.response.id, max_output_tokens=16))
    assert spent_usd == pytest.approx(0.015)
    assert budget.standing().reserved_usd > 0.0105


def test_turns_nobody_here_has_seen_are_said(budget: Budget) -> None:
    """Once: the next such call goes without the remark."""
    notes = [
        admitted(budget, planned(previous_response_id="resp_old", max_output_tokens=16)).note
        for _ in range(2)
    ]
    assert "the turns before it" in notes[0]
    assert notes[1] == ""


def test_a_conversation_at_the_service_is_known_by_its_last_turn(budget: Budget) -> None:
    """By its id, given as text or as an object."""
    first = planned(conversation={"id": "conv_1"}, max_output_tokens=16)
    admitted(budget, first)
    budget(ended(first, usage_of(10_000, 500)))
    terms = admitted(budget, planned(conversation="conv_1", max_output_tokens=16))
    assert terms.note == ""
    assert budget.standing().reserved_usd > 0.0105


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]},
            "its files",
        ),
        ({"prompt": {"id": "pmpt_1"}}, "stored prompt"),
    ],
)
def test_what_the_request_does_not_show_is_said(budget: Budget, params: dict[str, Any], said: str) -> None:
    """It may be any length."""
    assert said in admitted(budget, planned(**{"max_output_tokens": 16} | params)).note


@pytest.mark.parametrize("max_tool_calls", [None, 3])
def test_built_in_tools_are_counted_where_they_can_be(tmp_path: Path, max_tool_calls: int | None) -> None:
    """With a bound on the calls and a known fee; what they read is said."""
    prices = prices_in(
        tmp_path,
        f'[[price]]\nmodel = "{MODEL}"\ninput = 1.0\noutput = 10.0\ntool_fees_per_1000 = {{ web_search_call = 10.0 }}\n',
    )
    budget = Budget(1, prices=prices)
    call = planned(
        tools=[{"type": "web_search_preview"}], max_output_tokens=100, max_tool_calls=max_tool_calls
    )
    terms = admitted(budget, call)
    assert "read" in terms.note
    assert ("fees of web_search" in terms.note) is (max_tool_calls is None)
    assert (budget.standing().reserved_usd > 0.03) is (max_tool_calls == 3)


def test_functions_of_the_notebook_need_no_remark(budget: Budget) -> None:
    """Their next round is a call of its own."""
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
    assert admitted(budget, planned(tools=tools, max_output_tokens=100)).note == ""


# What is refused.


def test_a_call_that_could_cross_is_refused_in_two_lines(budget: Budget) -> None:
    """The first has the figures, the second what fits and what to type; the number there does fit."""
    with pytest.raises(BudgetExceededError) as raised:
        budget.admit(planned(max_output_tokens=12_000))
    fact, step = str(raised.value).splitlines()
    assert "$0.1200 for max_output_tokens=12000" in fact
    assert "budget of $0.10 for this kernel $0.1000 is left: $0.0000 spent" in fact
    assert step.endswith("or raise it: budget.change(0.13)")
    fitting = int(step.removeprefix("max_output_tokens=").split()[0])
    with pytest.raises(BudgetExceededError):
        budget.admit(planned(max_output_tokens=fitting + 1))
    admitted(budget, planned(max_output_tokens=fitting))


def test_the_shared_budget_is_raised_by_its_line(budget: Budget) -> None:
    """The magic's line changes that one and no other."""
    budget.is_shared = True
    with pytest.raises(BudgetExceededError) as raised:
        budget.admit(planned(max_output_tokens=12_000))
    assert raised.value.next_step.startswith("--max-output-tokens ")
    assert raised.value.next_step.endswith("or raise it: %comet budget 0.13")


def test_the_budget_a_refusal_proposes_is_enough(budget: Budget) -> None:
    """It is what the second line says, typed as it stands."""
    call = planned(max_output_tokens=12_000)
    with pytest.raises(BudgetExceededError) as raised:
        budget.admit(call)
    budget.change(float(raised.value.next_step.rpartition("(")[2].removesuffix(")")))
    admitted(budget, call)


def test_a_call_is_refused_when_not_even_the_shortest_answer_fits(budget: Budget) -> None:
    """The service takes no limit below 16 tokens."""
    budget.count_before(0.09985)
    with pytest.raises(BudgetExceededError, match="the fewest tokens of output, 16") as raised:
        budget.admit(planned())
    assert raised.value.next_step.startswith("Raise it: budget.change(")


def test_side_by_side_calls_wait_for_each_other(budget: Budget) -> None:
    """What runs is reserved, and said; once it has ended for less, there is room again."""
    running, other = planned(max_output_tokens=8_000), planned(max_output_tokens=4_000)
    admitted(budget, running)
    with pytest.raises(BudgetExceededError, match=r"\$0\.0800 reserved by 1 running call") as raised:
        budget.admit(other)
    assert "wait for what is running" in raised.value.next_step
    budget(ended(running, usage_of(5, 100)))
    admitted(budget, other)


def test_a_model_without_a_price_is_refused(budget: Budget) -> None:
    """The message says how to give one, and how to go on without."""
    with pytest.raises(BudgetExceededError, match="nobody-knows") as raised:
        budget.admit(planned(model="nobody-knows"))
    assert "%comet prices nobody-knows" in raised.value.next_step
    assert raised.value.next_step.endswith("budget.change(0.10, allows_unpriced=True)")


def test_a_model_without_a_price_may_be_allowed(budget: Budget) -> None:
    """It is neither capped nor counted, which is said once."""
    budget.change(0.10, allows_unpriced=True)
    call = planned(model="nobody-knows")
    first, second = admitted(budget, call), admitted(budget, planned(model="nobody-knows"))
    assert first.max_output_tokens is None
    assert "does not count" in first.note
    assert second.note == ""
    budget(ended(call, usage_of(5, 1_000_000)))
    assert budget.standing().spent_usd == 0.0


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), True, "0.50", None])
def test_a_limit_is_a_finite_amount_above_zero(limit: Any) -> None:
    """Anything else is an error with an example."""
    with pytest.raises(ParamError, match="limit_usd"):
        Budget(limit)


def test_per_is_one_of_three() -> None:
    """Anything else is an error that lists them."""
    with pytest.raises(ParamError, match="kernel, day, chat"):
        Budget(1, per="week")  # type: ignore[arg-type]
