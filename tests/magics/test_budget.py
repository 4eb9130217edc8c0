"""``%comet budget``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cometnb.errors import BudgetExceededError, CellError, ModelNotFoundError
from cometnb.magics.budget import BUDGET_USAGE, budget
from cometnb.magics.kernel import Kernel
from cometnb.protocol.response import Response
from tests.ledger.attempts import an_attempt
from tests.magics.shells import Shell

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def kernel(shell: Shell) -> Iterator[Kernel]:
    """What the magic works with; no budget is left behind."""
    shell.shared.set_budget(None)
    shell.shared.tally.clear()
    yield Kernel(shell.shared, shell.ip)
    shell.shared.set_budget(None)


def shown(kernel: Kernel, printed: Printed, line: str) -> str:
    """Run ``%comet budget line`` and return what it prints."""
    printed.readouterr()
    budget(kernel, line.split())
    return printed.readouterr().out


def test_without_a_budget_it_says_how_to_set_one(kernel: Kernel, capsys: Printed) -> None:
    """And what that means."""
    assert "%comet budget 0.50" in shown(kernel, capsys, "")
    assert "No budget was set" in shown(kernel, capsys, "off")


@pytest.mark.parametrize("text", ["0.50", "$0.50", "0.5 USD", "USD .5", "5e-1", "0.50$", "0.50usd"])
def test_an_amount_is_read_as_people_write_it(kernel: Kernel, text: str) -> None:
    """Dollars, before or after the number or not at all."""
    budget(kernel, text.split())
    assert kernel.shared.budget is not None
    assert kernel.shared.budget.limit_usd == 0.5


@pytest.mark.parametrize(
    "line",
    [
        "0",
        "-1",
        "nan",
        "inf",
        "1e999",
        "0,50",
        "half",
        "€0.50",
        "0.50 0.60",
        "0.50 --per",
        "0.50 --per week",
        "0.50 --per=",
        "--per day",
        "--allow-unpriced",
        "0.50 --allow",
        "off 0.50",
        "off --per day",
    ],
)
def test_a_wrong_line_is_two_lines_and_changes_nothing(kernel: Kernel, line: str) -> None:
    """It names the word and how to write it."""
    budget(kernel, ["0.25"])
    with pytest.raises(CellError) as raised:
        budget(kernel, line.split())
    assert len(str(raised.value).splitlines()) == 2
    assert kernel.shared.budget is not None
    assert kernel.shared.budget.limit_usd == 0.25


def test_it_shows_how_the_budget_stands(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """Limit, spent, reserved and left, in simulated money where calls are simulated."""
    first = shown(kernel, capsys, "0.50")
    shell.run("%%respond --quiet -n 400\nHello")
    second = shown(kernel, capsys, "")
    assert "simulated $0.50 for this kernel" in first
    assert "$0.0000 since the kernel started" in first
    assert "$0.5000" in first
    assert "nothing is running" in second
    assert "$0.0000 since" not in second


def test_spending_before_the_budget_counts(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """It says since when: a kernel's budget is the kernel's."""
    shell.run("%%respond --quiet -n 400\nHello")
    spent_usd = kernel.shared.tally.spent.simulated_usd
    shown(kernel, capsys, "0.50")
    assert kernel.shared.budget is not None
    assert kernel.shared.budget.standing("simulator").known_usd == pytest.approx(spent_usd)
    assert spent_usd > 0


def test_fees_of_tools_before_the_budget_count(kernel: Kernel) -> None:
    """They are money besides the tokens, as they are after it."""
    attempt = an_attempt()
    attempt.response.raw["output"] = [{"type": "web_search_call"}] * 10
    attempt.response.base_url = attempt.base_url
    kernel.shared.tally(attempt)
    spent = kernel.shared.tally.spent
    budget(kernel, ["0.50"])
    assert kernel.shared.budget is not None
    assert spent.fees_usd == pytest.approx(0.08)
    assert kernel.shared.budget.standing().known_usd == pytest.approx(spent.usd + 0.08)


def test_spending_of_unknown_cost_before_the_budget_is_said(kernel: Kernel, capsys: Printed) -> None:
    """It cannot be counted, and $0.00 alone would claim that it was nothing."""
    kernel.shared.tally(an_attempt(usage=None))
    assert "Not counted, since the cost is not known: 1 attempt before" in shown(kernel, capsys, "0.50")
    assert "Not counted" not in shown(kernel, capsys, "0.60")


def test_setting_it_again_keeps_what_was_spent(kernel: Kernel, shell: Shell) -> None:
    """A cell that is run again gives nobody the money twice, nor counts it twice."""
    budget(kernel, ["0.50"])
    shell.run("%%respond --quiet -n 400\nHello")
    held = kernel.shared.budget
    assert held is not None
    spent_usd = held.standing("simulator").known_usd
    budget(kernel, ["0.40", "--per", "chat"])
    budget(kernel, ["0.50"])
    assert kernel.shared.budget is held
    assert held.standing("simulator").known_usd == spent_usd > 0


def test_off_and_on_again_counts_the_kernels_spending(kernel: Kernel, shell: Shell) -> None:
    """What was spent in between counts, too."""
    budget(kernel, ["0.50"])
    budget(kernel, ["off"])
    shell.run("%%respond --quiet -n 400\nHello")
    budget(kernel, ["0.50"])
    assert kernel.shared.budget is not None
    assert kernel.shared.budget.standing("simulator").known_usd > 0


def test_off_lets_calls_go(kernel: Kernel, shell: Shell) -> None:
    """Whatever they cost."""
    budget(kernel, ["0.001"])
    budget(kernel, ["off"])
    assert kernel.shared.budget is None
    assert shell.run("%%respond --quiet -n 5000\nHello").error_in_exec is None


def test_a_call_it_cannot_pay_is_refused(kernel: Kernel, shell: Shell) -> None:
    """Two lines, a row, and no answer."""
    budget(kernel, ["0.001"])
    n_requests = len(shell.shared.simulator.requests)
    error = shell.error("%%respond --quiet -n 5000\nHello")
    assert isinstance(error, BudgetExceededError)
    assert "--max-output-tokens" in str(error)
    assert len(shell.shared.simulator.requests) == n_requests
    assert shell.shared.ledger.usage().iloc[-1]["status"] == "refused_by_budget"


def test_a_cap_is_shown_with_the_answer(kernel: Kernel, shell: Shell) -> None:
    """It is sent, and the note stands under the answer."""
    budget(kernel, ["0.05"])
    shell.run("%%respond\nHello")
    cap = shell.shared.simulator.requests[-1]["max_output_tokens"]
    assert f"max_output_tokens={cap} was added" in str(shell.displays)
    assert isinstance(shell.ip.user_ns["_"], Response)


def test_a_day_is_shared_through_the_kernels_ledger(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """It says where the kernels meet."""
    text = shown(kernel, capsys, "0.50 --per day")
    assert "$0.0000 today, by all kernels" in text
    assert kernel.shared.ledger.location in text
    shell.run("%%respond --quiet -n 400\nHello")
    assert kernel.shared.ledger.flush()
    assert "$0.0000 today" not in shown(kernel, capsys, "")


def test_chats_are_shown_one_by_one(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """The calls that belong to none are one account."""
    budget(kernel, ["0.50", "--per=chat"])
    client = shell.shared.session.client
    for labels in ({"conversation": "plan"}, {}):
        client.respond("Hello", max_output_tokens=400, labels=labels)
    text = shown(kernel, capsys, "")
    assert "for the chat 'plan'" in text
    assert "for calls without a chat" in text


def test_models_without_a_price_are_refused_until_allowed(
    kernel: Kernel, shell: Shell, capsys: Printed
) -> None:
    """The error's second line, typed as it stands, lets them through."""
    budget(kernel, ["0.50"])
    error = shell.error("%%respond --quiet -m nobody-knows-1\nHello")
    assert isinstance(error, BudgetExceededError)
    line = error.next_step.rpartition("%comet budget ")[2]
    assert "not counted" in shown(kernel, capsys, line)
    # The simulator knows no such model either; it is asked, at least.
    assert isinstance(shell.error("%%respond --quiet -m nobody-knows-1\nHello"), ModelNotFoundError)


def test_the_usage_names_every_word() -> None:
    """What Tab offers is read off it."""
    assert all(word in BUDGET_USAGE for word in ("off", "--per", "kernel", "day", "chat", "--allow-unpriced"))
