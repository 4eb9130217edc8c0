"""Runs a batch: takes jobs as there is room, asks each question once, keeps every answer, hands it out, and goes on."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cometnb.client.client import AsyncClient
from cometnb.errors import APIError, BudgetExceededError, CometError, NotFoundError, ResponseFailedError
from cometnb.protocol.response import Response
from cometnb.session.batch.asking import Asking, OnEvents, Runner, ask
from cometnb.session.batch.checkpoint import ANSWERED, BEGUN, FAILED, LOST, Checkpoint, Stored
from cometnb.session.batch.entrance import Entrance
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits
from cometnb.session.batch.record import error_of, error_record, response_of, response_record
from cometnb.session.batch.verdict import Verdict

__all__ = ["BatchRun", "OnOutcome"]

OnOutcome: TypeAlias = Callable[[Outcome], Awaitable[object] | object]
"""Handed each outcome as it comes, on the loop's thread. What it returns is awaited if it can be: until then its job's
place in the batch stays taken, so that a slow receiver slows the batch down and nothing piles up."""

# Jobs that wait for the answer of a twin without holding one of the batch's places.
_MOST_TWINS = 1_000
# How a response in the background may end without an answer.
_END_OF_BEGUN = (NotFoundError, ResponseFailedError)


@dataclass(slots=True)
class _Question:
    """A key that is being asked, with all jobs that want its answer; the first of them asks."""

    jobs: list[Job]
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of a question; either the response or the error is there."""

    response: Response | None
    error: CometError | None
    n_asked: int
    is_begun: bool

    @property
    def is_kept(self) -> bool:
        """Whether a checkpoint is to know of it."""
        if self.response is not None or isinstance(self.error, _END_OF_BEGUN):
            return True
        # One that the service still works on stays known by its id, whatever became of looking at it.
        return self.n_asked > 0 and not self.is_begun

    @property
    def state(self) -> str:
        if self.error is None:
            return ANSWERED
        # A broken wire says nothing of the service: it may have made the answer, and hand it to the same request.
        return FAILED if isinstance(self.error, APIError) else LOST

    def record(self) -> dict[str, Any]:
        if self.response is not None:
            return response_record(self.response)
        return {} if self.error is None else error_record(self.error)


class BatchRun:
    """One run over the jobs of a batch.

    Parameters
    ----------
    client : AsyncClient
        Its connections, observers and gates are used; how fast is up to the limits.
    jobs : iterable of Job
        Taken one by one, as there is room.
    limits : Limits, optional
    checkpoint : Checkpoint, optional
        Where answers are kept before they are handed out, and looked up before anything is asked. None keeps them for
        this run.
    on_outcome : callable
        See `OnOutcome`. It is called once for each job that came to an end; in any order.
    on_events : callable, optional
        Handed the events of each job's stream; without it answers come whole where that is cheaper.
    runner : callable, optional
        How one job is asked; see `Runner`. None is one request.
    stop_after_errors : int, optional
        End the batch when so many jobs have failed.
    ends_batch : callable, optional
        Tells of an error whether it would meet every job. None: the key, the budget, the quota, the model if all
        jobs ask for one model, the settings, or a service that cannot be reached.
    retries_failed : bool
        Ask jobs again that failed in an earlier run; else they are handed out with their stored error.

    Attributes
    ----------
    error : CometError or None
        Why it ended early.
    notes : tuple of str
        What was settled before sending, each said once.
    n_done, n_failed, n_stored, n_asked : int
        Outcomes handed out; those with an error; those that were not asked in this run; requests sent.
    """

    def __init__(
        self,
        client: AsyncClient,
        jobs: Iterable[Job],
        *,
        on_outcome: OnOutcome,
        limits: Limits | None = None,
        checkpoint: Checkpoint | None = None,
        on_events: OnEvents | None = None,
        runner: Runner | None = None,
        stop_after_errors: int | None = None,
        ends_batch: Callable[[CometError], bool] | None = None,
        retries_failed: bool = True,
    ) -> None:
        self.error: CometError | None = None
        self.limits = limits or Limits()
        self.n_done = self.n_failed = self.n_stored = self.n_asked = 0
        self._jobs: Iterator[Job] = iter(jobs)
        self._on_outcome, self._on_events = on_outcome, on_events
        self._runner = runner or ask
        self._own_checkpoint = checkpoint is None
        self._checkpoint = checkpoint or Checkpoint()
        self._client = client
        self._verdict = Verdict(stop_after_errors, ends_batch)
        self._retries_failed = retries_failed
        self._entrance: Entrance | None = None
        self._questions: dict[str, _Question] = {}
        self._begun: set[str] = set()
        self._notes: dict[str, None] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._is_cancelled = False
        self._settling: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False
        self._failure: BaseException | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was settled before sending, each said once; and why answers are not in the checkpoint, if so."""
        return tuple(self._notes)

    @property
    def window(self) -> int:
        """Requests that may be on their way at once, as the service takes them."""
        return self._entrance.limiter.window if self._entrance else self.limits.max_concurrency

    @property
    def pause_s(self) -> float:
        """Seconds for which nothing is sent, because the service has asked for it; 0 if it has not."""
        return self._entrance.pause_s if self._entrance else 0.0

    @property
    def trouble(self) -> str | None:
        """Why answers are not in the checkpoint at the moment."""
        return self._checkpoint.trouble

    @property
    def is_stopped(self) -> bool:
        """True if it was asked to stop."""
        return self._is_stopped

    async def run(self) -> None:
        """Run to the end, until it is stopped, or until an error ends it; then `error` says why.

        Raises
        ------
        Exception
            What the jobs' iterator, `on_outcome` or `on_events` raised. What was on its way then has been kept.
        """
        self._loop = asyncio.get_running_loop()
        self._entrance = Entrance(self.limits)
        self._client = self._client.behind(self._entrance)
        try:
            if not self._is_stopped:
                self._workers = {
                    asyncio.create_task(self._work()) for _ in range(self.limits.max_concurrency)
                }
                await asyncio.wait(self._workers)
        finally:
            self._cancel()
            await self._clean_up()
        if self._failure is not None:
            raise self._failure

    def ask_to_stop(self) -> None:
        """End it now, from any thread: what is on its way is cut off, what has arrived is kept and handed out."""
        self._is_stopped = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # A second time would break off what the first has begun: the closing of connections.
        if self._is_cancelled:
            return
        self._is_cancelled = True
        for worker in self._workers:
            worker.cancel()

    async def _clean_up(self) -> None:
        while left := {task for task in self._workers | self._settling if not task.done()}:
            await asyncio.wait(left)
        if self._own_checkpoint:
            await asyncio.to_thread(self._checkpoint.close)

    def _end(self, error: CometError | None = None, failure: BaseException | None = None) -> None:
        """Take no more jobs and send nothing more; what is on its way is waited for, as it is paid for."""
        self.error = self.error or error
        self._failure = self._failure or failure
        if self._entrance is not None:
            self._entrance.close()

    async def _work(self) -> None:
        while self.error is None and self._failure is None:
            try:
                job = next(self._jobs, None)
                if job is None:
                    return
                await self._do(job)
            except asyncio.CancelledError:
                # A stop, or the entrance is closed: whoever did that waits for `run`.
                return
            except Exception as failure:  # noqa: BLE001  # `run` raises it when the others have ended
                self._end(failure=failure)

    async def _do(self, job: Job) -> None:
        """Bring one job to its outcome, or leave it with its twin that is being asked."""
        while (twin := self._questions.get(job.key)) is not None:
            if len(twin.jobs) < _MOST_TWINS:
                twin.jobs.append(job)
                return
            await twin.is_over.wait()
        stored = self._checkpoint.get(job.key)
        if stored is not None and self._is_settled(stored):
            await self._hand_out(_outcome_of(job, stored))
            # A long row of stored answers leaves room for whoever wants to stop it.
            await asyncio.sleep(0)
            return
        question = self._questions[job.key] = _Question([job])
        try:
            answer = await self._answered(job, stored)
        except BaseException:
            self._forget(job.key)
            raise
        # From here on it has arrived: a stop does not take it away.
        settling = asyncio.create_task(self._settle(question, answer))
        self._settling.add(settling)
        settling.add_done_callback(self._settled)
        await asyncio.shield(settling)

    def _is_settled(self, stored: Stored) -> bool:
        if stored.state == BEGUN:
            return False
        return stored.state == ANSWERED or stored.is_of_this_run or not self._retries_failed

    async def _answered(self, job: Job, stored: Stored | None) -> _Answer:
        """Ask one job until there is an answer or an error to keep."""
        entrance = self._entrance
        if entrance is None:
            raise RuntimeError("a batch asks while it runs")
        asking = self._asking(job, stored)
        response: Response | None = None
        error: CometError | None = None
        while response is None and error is None:
            try:
                response = await self._runner(asking)
            except BudgetExceededError as refusal:
                # What is on its way was admitted at its worst; when it has come there may be room again.
                was_sent = refusal.response is not None and refusal.response.output
                if was_sent or not await entrance.until_one_leaves():
                    error = refusal
            except CometError as raised:
                error = raised
        n_asked = entrance.n_attempts.pop(asking.labels["call_id"], 0)
        self.n_asked += n_asked
        return _Answer(response, error, n_asked, is_begun=job.key in self._begun)

    def _asking(self, job: Job, stored: Stored | None) -> Asking:
        labels = {**job.labels, "call_id": uuid.uuid4().hex}
        if self._checkpoint.path is not None:
            # The same in every run until the service has answered, with an error at least.
            n_failed = stored.n_failed if stored else 0
            labels["idempotency_key"] = f"{self._checkpoint.id}/{job.key}/{n_failed}"
        begun_id = stored.record.get("response_id") if stored and stored.state == BEGUN else None
        if begun_id is not None:
            self._begun.add(job.key)

        async def begun(response_id: str) -> None:
            self._begun.add(job.key)
            await self._checkpoint.save(job.key, BEGUN, {"response_id": response_id})

        return Asking(self._client, job, labels, begun_id, begun, self._on_events, self._note)

    async def _settle(self, question: _Question, answer: _Answer) -> None:
        """Keep what became of a question, then hand it out to all who asked it."""
        job = question.jobs[0]
        self._begun.discard(job.key)
        if answer.is_kept:
            await self._checkpoint.save(job.key, answer.state, answer.record())
        self._forget(job.key)
        ending = self._verdict.of(answer.error, job.params.get("model"))
        if ending is not None:
            self._end(ending)
        n_asked = answer.n_asked
        for one in question.jobs:
            await self._hand_out(Outcome(one, answer.response, answer.error, n_asked=n_asked))
            n_asked = 0

    def _settled(self, settling: asyncio.Task[None]) -> None:
        self._settling.discard(settling)
        # Its worker may have been stopped, and hear nothing of it.
        failure = None if settling.cancelled() else settling.exception()
        if failure is not None:
            self._end(failure=failure)

    def _forget(self, key: str) -> None:
        question = self._questions.pop(key, None)
        if question is not None:
            question.is_over.set()

    async def _hand_out(self, outcome: Outcome) -> None:
        self.n_done += 1
        self.n_failed += outcome.error is not None
        self.n_stored += outcome.is_stored
        taken = self._on_outcome(outcome)
        if inspect.isawaitable(taken):
            await taken

    def _note(self, note: str) -> None:
        self._notes[note] = None


def _outcome_of(job: Job, stored: Stored) -> Outcome:
    is_stored = not stored.is_of_this_run
    if stored.state == ANSWERED:
        return Outcome(job, response_of(stored.record), is_stored=is_stored)
    return Outcome(job, error=error_of(stored.record), is_stored=is_stored)
