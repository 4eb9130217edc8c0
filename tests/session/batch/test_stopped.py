"""A batch that is stopped: what has arrived stays, what is on its way is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient
from cometnb.protocol.events import Event
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits
from tests.session.batch.running import jobs, run
from tests.session.batch.services import Plain
from tests.session.gate import Gate

_MANY = [f"Row {number}." for number in range(30)]


def test_a_stop_keeps_what_has_arrived(tmp_path: Path) -> None:
    """What was on its way is asked in the next run, and what had come is not."""
    service, first = Plain(takes_s=0.01), []
    work = jobs(*_MANY)

    async def take(outcome: Outcome) -> None:
        first.append(outcome.job.place)
        if len(first) == 7:
            batches[0].ask_to_stop()

    batches: list[BatchRun] = []

    async def stopped() -> None:
        async with AsyncClient(transport=service) as client:
            with Checkpoint(tmp_path / "rows.sqlite") as kept:
                batches.append(BatchRun(client, work, limits=Limits(3), checkpoint=kept, on_outcome=take))
                await batches[0].run()

    asyncio.run(stopped())
    assert 7 <= len(first) <= 10
    with Checkpoint(tmp_path / "rows.sqlite") as kept:
        before = service.n_requests
        outcomes, batch = run(service, work, checkpoint=kept)
    assert len(outcomes) == 30
    assert batch.n_stored >= len(first)
    assert service.n_requests - before == 30 - batch.n_stored


def test_stopping_twice_is_stopping_once() -> None:
    """A Stop button and then an interrupt: the second does not break off the closing of what the first has stopped."""
    gate, attempts = Gate("Hello", " there"), list[Attempt]()
    gate.n_turns_to_close = 1000

    def begun(job: Job, events: Sequence[Event]) -> None:
        has_begun.set()

    async def drop(outcome: Outcome) -> None:
        """Nobody reads it."""

    async def stopped() -> None:
        async with AsyncClient(transport=gate, observers=[attempts.append]) as client:
            batch = BatchRun(client, jobs("a"), limits=Limits(1), on_outcome=drop, on_events=begun)
            running = asyncio.create_task(batch.run())
            await has_begun.wait()
            while not running.done():
                batch.ask_to_stop()
                await asyncio.sleep(0)
            assert gate.is_closed

    has_begun = asyncio.Event()
    gate.let_pass(3)
    asyncio.run(stopped())
    assert [attempt.status for attempt in attempts] == ["interrupted"]
