"""The till of a batch: jobs wait until there is money for them, and are never cut short for want of waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cometnb.client.client import AsyncClient
from cometnb.client.simulator import Simulator
from cometnb.errors import BudgetExceededError
from cometnb.ledger.budget import Budget
from cometnb.ledger.purse.till import Till

_BODY = {"model": "gpt-5.4", "input": "Hi"}


def _till(limit_usd: float, shared: Budget | None = None) -> Till:
    return Till(Budget(limit_usd), lambda: shared, backend="simulator", base_url="http://x/v1")


def _run(till: Till, n_jobs: int, *, gates: Any = (), **params: Any) -> tuple[int, list[Any]]:
    """Ask jobs side by side; return how many were asked at once at most, and what came."""
    most = inside = 0

    async def one(client: AsyncClient, row: str) -> Any:
        nonlocal most, inside
        body = {**_BODY, "reasoning": {"effort": "none"}, **params}
        await till.wait(row, body)
        inside += 1
        most = max(most, inside)
        try:
            return await client.respond(labels={"row": row}, **body)
        except BudgetExceededError as error:
            return error
        finally:
            inside -= 1
            till.leave(row)

    async def every() -> list[Any]:
        service = Simulator(first_token_s=0.02)
        async with AsyncClient(transport=service, gates=gates, observers=gates) as client:
            under = client.under(till)
            return await asyncio.gather(*(one(under, str(n)) for n in range(n_jobs)))

    came = asyncio.run(every())
    return most, came


def test_jobs_wait_for_one_another() -> None:
    """A worst case of 20 cents fits once into 25, and then again, because the answer cost half a cent."""
    most, came = _run(_till(0.25), 5)
    assert most == 1
    assert {one.status for one in came} == {"completed"}


def test_as_many_run_at_once_as_there_is_money_for() -> None:
    """Small worst cases fit side by side."""
    most, came = _run(_till(0.25), 5, max_output_tokens=800)
    assert most == 5
    assert {one.status for one in came} == {"completed"}


def test_the_budget_of_all_calls_is_waited_for_too() -> None:
    """The smaller of the two decides."""
    shared = Budget(0.25)
    most, came = _run(_till(10, shared), 4, gates=(shared,))
    assert most == 1
    assert {one.status for one in came} == {"completed"}


def test_what_does_not_fit_by_itself_is_left_to_the_budget() -> None:
    """Which says so in the batch's own words."""
    _, (error,) = _run(_till(0.0001), 1, max_output_tokens=800)
    assert "for this batch" in error.fact
    assert "budget=0.0" in error.next_step


def test_an_answer_that_would_be_cut_short_is_not_paid_for() -> None:
    """Once it is known how long answers are."""
    _, came = _run(_till(0.012), 12)
    answers = [one for one in came if not isinstance(one, BudgetExceededError)]
    refused = [one for one in came if isinstance(one, BudgetExceededError)]
    assert {one.status for one in answers} == {"completed"}
    assert len(answers) + len(refused) == 12
    assert "answers of this batch had up to" in refused[0].fact


def test_without_a_budget_nobody_waits() -> None:
    """And nobody is asked for a price."""
    till = Till(None, lambda: None, backend="api", base_url="http://x/v1")

    async def every() -> None:
        await asyncio.gather(*(till.wait(str(n), {"model": "nobody-knows"}) for n in range(50)))

    asyncio.run(asyncio.wait_for(every(), 1.0))


@pytest.mark.parametrize("allows", [True, False])
def test_a_model_without_a_price_is_the_budgets_matter(allows: bool) -> None:
    """Refused with the parameter that lets it through."""
    till = Till(Budget(1, allows_unpriced=allows), lambda: None, backend="simulator", base_url="http://x/v1")

    async def one() -> Any:
        async with AsyncClient(transport=Simulator(models=["nobody-knows"])) as client:
            await till.wait("0", _BODY)
            return await client.under(till).respond(labels={"row": "0"}, input="Hi", model="nobody-knows")

    if allows:
        assert asyncio.run(one()).status == "completed"
    else:
        with pytest.raises(BudgetExceededError, match="allow_unpriced=True"):
            asyncio.run(one())
