"""The engine: every question once, every place its answer, within limits, and an end that is said clearly."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient
from cometnb.client.gate import Planned
from cometnb.client.simulator import Simulator
from cometnb.errors import (
    AuthenticationError,
    BadRequestError,
    BatchError,
    BudgetExceededError,
    CometError,
    ModelNotFoundError,
    ParamError,
    RateLimitError,
)
from cometnb.protocol.events import Event
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits
from tests.session.batch.running import jobs, run
from tests.session.batch.services import Crowded, Plain

_MANY = [f"Row {number}." for number in range(30)]


def _texts(outcomes: dict[int, Outcome]) -> dict[int, str]:
    return {place: str(outcome.response) for place, outcome in outcomes.items()}


def test_every_job_has_its_answer() -> None:
    """Whatever the order they came in."""
    outcomes, batch = run(Plain(), jobs(*_MANY))
    assert _texts(outcomes) == {place: prompt.upper() for place, prompt in enumerate(_MANY)}
    assert (batch.n_done, batch.n_failed, batch.n_asked, batch.error) == (30, 0, 30, None)


def test_the_same_question_is_asked_once() -> None:
    """And answered at every place, also where it comes again long after."""
    service = Plain()
    outcomes, batch = run(service, jobs(*_MANY, *_MANY, "Row 0.", "Row 0."), limits=Limits(4))
    assert service.n_requests == 30
    assert outcomes[60].response is not None
    assert str(outcomes[61].response) == str(outcomes[0].response) == "ROW 0."
    assert sum(outcome.n_asked for outcome in outcomes.values()) == batch.n_asked == 30
    assert not any(outcome.is_stored for outcome in outcomes.values())


def test_a_job_that_fails_does_not_stop_the_others() -> None:
    """It has its error, and the next of the same key has the same without being asked."""
    refused = {"metadata": {"simulate": "400"}}
    work = [*jobs("a", "b"), Job("bad", {"input": "c", **refused}, place=2)]
    work += [Job("bad", {"input": "c", **refused}, place=3), Job("e", {"input": "e"}, place=4)]
    outcomes, batch = run(Simulator(), work, limits=Limits(1))
    assert [outcomes[place].error is None for place in range(5)] == [True, True, False, False, True]
    assert isinstance(outcomes[3].error, BadRequestError)
    assert (outcomes[2].n_asked, outcomes[3].n_asked, batch.n_failed) == (1, 0, 2)


def test_what_cannot_be_sent_is_an_outcome_too() -> None:
    """A parameter out of range is the row's fault."""
    outcomes, _ = run(Plain(), [Job("a", {"input": "a", "temperature": 9}), *jobs("b", "c")[1:]])
    assert isinstance(outcomes[0].error, ParamError)
    assert outcomes[1].error is None


@pytest.mark.parametrize(
    ("fault", "kind"), [("401", AuthenticationError), ("503:model_not_found", ModelNotFoundError)]
)
def test_an_error_that_would_meet_every_job_ends_the_batch(fault: str, kind: type[CometError]) -> None:
    """With as many requests as were on their way, and that error."""
    outcomes, batch = run(Simulator(fault=fault), jobs(*_MANY), limits=Limits(4))
    assert isinstance(batch.error, kind)
    assert len(outcomes) <= 4
    assert all(isinstance(outcome.error, kind) for outcome in outcomes.values())


def test_an_unknown_model_among_several_is_its_jobs_fault() -> None:
    """The others go on."""
    work = [Job(f"{n}", {"input": "a", "model": ("gpt-5.4", "gpt-nine")[n % 2]}, place=n) for n in range(12)]
    outcomes, batch = run(Simulator(), work, limits=Limits(2))
    assert batch.error is None
    assert [outcomes[place].error is None for place in range(12)] == [True, False] * 6


def test_a_batch_that_nothing_is_answered_for_ends() -> None:
    """Ten jobs that fail alike are enough to know; the reason is in the error."""
    outcomes, batch = run(Simulator(fault="400"), jobs(*_MANY), limits=Limits(1))
    assert isinstance(batch.error, BatchError)
    assert "HTTP 400" in batch.error.fact
    assert len(outcomes) == 10


def test_a_row_of_bad_jobs_among_good_ones_does_not_end_it() -> None:
    """Sorted data has its bad rows side by side."""
    bad = [Job(f"bad {n}", {"input": "x", "metadata": {"simulate": "400"}}, place=10 + n) for n in range(15)]
    outcomes, batch = run(
        Simulator(), [*jobs("a"), *bad, Job("z", {"input": "z"}, place=99)], limits=Limits(1)
    )
    assert batch.error is None
    assert outcomes[99].error is None


def test_it_ends_after_as_many_errors_as_asked_for() -> None:
    """For those who would rather look first."""
    outcomes, batch = run(Simulator(fault="400"), jobs(*_MANY), limits=Limits(1), stop_after_errors=3)
    assert len(outcomes) == 3
    assert isinstance(batch.error, BatchError)


def test_a_service_that_takes_few_at_once_is_asked_for_few() -> None:
    """Every job is answered, and most requests are not refused."""
    service = Crowded(3, {"retry-after-ms": "20"})
    seen: list[Attempt] = []
    outcomes, batch = run(service, jobs(*(f"{n}" for n in range(120))), observers=(seen.append,))
    assert all(outcome.error is None for outcome in outcomes.values())
    assert len(outcomes) == 120
    assert len(service.refused_s) < 60
    assert batch.window <= 8
    # As with a call alone: every attempt is told, with its place among those of its call.
    retries = Counter(attempt.call_id for attempt in seen if attempt.n_retries)
    assert len(seen) == batch.n_asked == 120 + len(service.refused_s)
    assert sum(retries.values()) == len(service.refused_s)


def test_when_one_is_told_to_wait_all_wait() -> None:
    """Nothing is sent between a refusal and the end of the wait it named."""
    service = Crowded(2, {"retry-after-ms": "150"})
    run(service, jobs(*_MANY), limits=Limits(6))
    assert service.refused_s
    for refused_s in service.refused_s:
        # Those of the same moment were sent before the refusal had come.
        assert not [came_s for came_s in service.came_s if refused_s + 0.02 < came_s < refused_s + 0.14]


def test_a_service_that_goes_on_refusing_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked for ever."""
    monkeypatch.setattr("cometnb.session.batch.entrance.Entrance.max_returns", 2)
    monkeypatch.setattr("cometnb.session.batch.limits._FIRST_PAUSE_S", 0.01)
    outcomes, batch = run(Crowded(0), jobs("a"), limits=Limits(1))
    assert isinstance(outcomes[0].error, RateLimitError)
    assert batch.n_asked == 3


def test_outcomes_are_handed_out_as_they_come_and_jobs_taken_as_there_is_room() -> None:
    """A slow receiver slows the batch down: hardly more jobs are taken than outcomes have been."""
    taken, ahead, done = 0, [], 0

    def work() -> Iterator[Job]:
        nonlocal taken
        for job in jobs(*(f"{n}" for n in range(100))):
            taken += 1
            yield job

    async def take(_: Outcome) -> None:
        nonlocal done
        await asyncio.sleep(0.001)
        done += 1
        ahead.append(taken - done)

    run(Plain(), work(), limits=Limits(5), on_outcome=take)
    assert done == 100
    assert max(ahead) <= 10


def test_memory_does_not_grow_with_answers_handed_out() -> None:
    """Neither with their number nor with that of the keys, although no key is asked twice."""
    held: dict[int, int] = {}
    done = 0

    def take(_: Outcome) -> None:
        nonlocal done
        done += 1
        if done in (400, 1_200):
            gc.collect()
            held[done] = tracemalloc.get_traced_memory()[0]

    work = (Job(f"{n:064}", {"input": f"{n} {'x' * 1000}"}, place=n) for n in range(1_200))
    tracemalloc.start()
    try:
        run(Plain(), work, limits=Limits(8), on_outcome=take)
    finally:
        tracemalloc.stop()
    # 800 answers of more than 1,000 bytes each.
    assert held[1_200] - held[400] < 100_000


def test_a_generator_that_breaks_ends_the_batch_with_what_was_asked() -> None:
    """Its exception comes out of the run, and the answers under way are handed out first."""

    def work() -> Iterator[Job]:
        yield from jobs("a", "b")
        raise ZeroDivisionError

    outcomes: list[Outcome] = []
    with pytest.raises(ZeroDivisionError):
        run(Plain(), work(), on_outcome=outcomes.append)
    assert len(outcomes) == 2


def test_a_second_run_asks_nothing_that_was_answered(tmp_path: Path) -> None:
    """What had failed is asked again, or handed out with its error, as wished."""
    path = tmp_path / "rows.sqlite"
    work = [*jobs("a"), Job("bad", {"input": "b", "metadata": {"simulate": "400:times=1"}}, place=1)]
    service = Simulator()
    with Checkpoint(path) as kept:
        run(service, work, checkpoint=kept)
    with Checkpoint(path) as kept:
        handed, _ = run(service, work, checkpoint=kept, retries_failed=False)
    assert len(service.requests) == 2
    assert isinstance(handed[1].error, BadRequestError)
    assert handed[1].is_stored
    with Checkpoint(path) as kept:
        outcomes, batch = run(service, work, checkpoint=kept)
    assert len(service.requests) == 3
    assert (outcomes[0].is_stored, outcomes[0].n_asked, outcomes[1].is_stored) == (True, 0, False)
    assert outcomes[1].error is None
    assert (batch.n_stored, batch.n_asked) == (1, 1)


def test_a_budget_is_used_up_before_the_batch_ends() -> None:
    """A refusal while others are on their way only waits for them: they cost less than they might."""

    class Purse:
        """Lets two through at once, and ten in all."""

        def __init__(self) -> None:
            self.n_inside = self.n_in_all = 0

        def admit(self, _: Planned) -> None:
            if self.n_inside >= 2 or self.n_in_all >= 10:
                raise BudgetExceededError("The budget is used up.", "Raise it.")
            self.n_inside += 1
            self.n_in_all += 1

        def __call__(self, attempt: Attempt) -> None:
            self.n_inside -= attempt.status != "refused_by_budget"

    purse = Purse()
    outcomes, batch = run(Plain(0.01), jobs(*_MANY), gates=(purse,), observers=(purse,), limits=Limits(8))
    assert sum(outcome.error is None for outcome in outcomes.values()) == 10
    assert isinstance(batch.error, BudgetExceededError)


def test_what_runs_in_the_background_is_taken_up_by_its_id(tmp_path: Path) -> None:
    """The next run looks at what the one before has submitted, and submits nothing."""
    service = Simulator(tokens_per_s=400)
    work = jobs("a", "b", background=True)
    with Checkpoint(tmp_path / "rows.sqlite") as kept:

        async def stop_soon() -> None:
            async with AsyncClient(transport=service) as client:
                batch = BatchRun(client, work, checkpoint=kept, on_outcome=lambda _: None)
                running = asyncio.create_task(batch.run())
                while kept.counts() != {"begun": 2}:
                    await asyncio.sleep(0.01)
                batch.ask_to_stop()
                await running

        asyncio.run(stop_soon())
    assert len(service.requests) == 2
    seen: list[Attempt] = []
    with Checkpoint(tmp_path / "rows.sqlite") as kept:
        service.tokens_per_s = None
        outcomes, _ = run(service, work, checkpoint=kept, observers=(seen.append,))
    assert len(service.requests) == 2
    assert all(outcome.response and outcome.response.status == "completed" for outcome in outcomes.values())
    # Their usage comes home with them.
    assert [attempt.method for attempt in seen] == ["GET", "GET"]
    assert all(attempt.response.usage for attempt in seen)


def test_a_background_response_that_cannot_be_looked_at_now_stays_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is kept for the next run: asking anew would be paid for again."""

    class Away(Simulator):
        """Takes requests, and cannot be asked how they stand."""

        async def handle_async_request(self, request: Any) -> Any:
            if request.method == "GET":
                raise httpx.ReadError("gone")
            return await super().handle_async_request(request)

    monkeypatch.setattr("cometnb.session.batch.asking._MOST_FAILED_LOOKS", 1)
    service = Away()
    path = tmp_path / "rows.sqlite"
    with Checkpoint(path) as kept:
        outcomes, _ = run(service, jobs("a", background=True), checkpoint=kept)
        assert kept.counts() == {"begun": 1}
    assert outcomes[0].error is not None
    assert len(service.requests) == 1


def test_a_background_response_that_is_gone_is_asked_anew(tmp_path: Path) -> None:
    """A service keeps them for a time."""
    service = Simulator()
    with Checkpoint(tmp_path / "rows.sqlite") as kept:
        kept.put("a", "begun", {"response_id": "resp_of_last_year"})
    with Checkpoint(tmp_path / "rows.sqlite") as kept:
        outcomes, _ = run(service, jobs("a", background=True), checkpoint=kept)
    assert outcomes[0].error is None
    assert len(service.requests) == 1


def test_events_are_handed_on_as_they_come() -> None:
    """With the job they belong to; without a receiver an answer comes whole."""
    seen: Counter[str] = Counter()

    def follow(job: Job, events: tuple[Event, ...]) -> None:
        seen[job.key] += len(events)

    service = Simulator()
    run(service, jobs("a", "b"), on_events=follow)
    assert min(seen["a"], seen["b"]) > 3
    run(service, jobs("c"))
    run(service, jobs("d", reasoning={"effort": "high"}))
    assert [request.get("stream") for request in service.requests] == [True, True, None, True]


def test_a_key_for_each_question_travels_with_it_if_there_is_a_file(tmp_path: Path) -> None:
    """It stays the same until the service has answered, so that an answer which was lost is not made twice."""
    keys: list[str | None] = []

    class Listening(Simulator):
        """Notes the header."""

        async def handle_async_request(self, request: Any) -> Any:
            keys.append(request.headers.get("idempotency-key"))
            return await super().handle_async_request(request)

    run(Listening(), jobs("a"))
    for fault in ("cut", "400", None):
        with Checkpoint(tmp_path / "rows.sqlite") as kept:
            run(Listening(fault=fault), jobs("a"), checkpoint=kept)
    without, lost, refused, answered = keys
    assert without is None
    assert lost == refused != answered
    assert {len(key or "") for key in (lost, answered)} == {64}
