"""A sweep on its way: its runs as jobs of a batch, and what comes of them, in pieces for whoever shows it."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from cometnb.client.attempt import Attempt
from cometnb.errors import (
    AuthenticationError,
    BudgetExceededError,
    CometError,
    ConfigError,
    ModelNotFoundError,
)
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.session.batch.asking import Asking
from cometnb.session.batch.checkpoint import ANSWERED, Checkpoint
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits
from cometnb.session.batch.running import RunningBatch
from cometnb.session.batch.turns import turns
from cometnb.session.session import Session
from cometnb.session.sweep import Grid, Run
from cometnb.session.sweep_frame import Result

__all__ = ["News", "SweepRun"]

News: TypeAlias = tuple[dict[int, list[Event]], list[Result]]
"""Events by the place of their run, and the runs that have ended."""

_FOR_ALL = (AuthenticationError, BudgetExceededError, ConfigError)


class SweepRun:
    """One run over a grid, or over what is missing of it.

    Parameters
    ----------
    session : Session
    grid : Grid
    limits : Limits
        How many calls at once.
    kept : Mapping of str to Response
        Answers of an earlier run, by the keys of `key_of`; they are not asked again.
    checkpoint : Checkpoint, optional
        Where answers are kept, and looked up before anything is asked.
    labels : Mapping of str to str, optional
        Handed to the observers.
    till : Till, optional
        What each run waits at until there is money for it: ``wait(row, params)`` and ``leave(row)``, and a gate and
        observer of these calls alone.

    Attributes
    ----------
    results : list of Result
        One for each run of the grid, as it stands.
    n_kept : int
        Runs that are not asked again.
    mark : str
        The label ``batch`` of its calls; ``row`` is the run's place.
    """

    def __init__(
        self,
        session: Session,
        grid: Grid,
        *,
        limits: Limits,
        kept: Mapping[str, Response] | None = None,
        checkpoint: Checkpoint | None = None,
        labels: Mapping[str, str] | None = None,
        till: Any = None,
    ) -> None:
        self._till = till
        self._session, self._grid, self._limits = session, grid, limits
        self._checkpoint = checkpoint
        self._labels = dict(labels or {})
        self.mark = uuid.uuid4().hex
        self._events: deque[tuple[int, Sequence[Event]]] = deque()
        self._partial: dict[int, Response] = {}
        self._running: RunningBatch | None = None
        self._is_stopped = False
        self.results: list[Result] = []
        for run in grid.runs:
            response = (kept or {}).get(self.key_of(run))
            self.results.append(Result(run, response, is_kept=response is not None))
        self.n_kept = sum(map(self.is_kept, self.results))

    def key_of(self, run: Run) -> str:
        """Return what an answer is kept under: the same for the same call of the same service."""
        whole = f"{self._session.backend} {self._session.base_url} {run.key}"
        return hashlib.sha256(whole.encode()).hexdigest()

    def is_kept(self, result: Result) -> bool:
        """Tell whether a run is not asked again: its answer is at hand, or in the checkpoint."""
        if result.is_kept or self._checkpoint is None:
            return result.is_kept
        stored = self._checkpoint.get(self.key_of(result.run))
        return stored is not None and stored.state == ANSWERED

    @property
    def error(self) -> CometError | None:
        """Why it ended before its last run; None if it did not, or was asked to."""
        return self._running.error if self._running is not None else None

    @property
    def is_stopped(self) -> bool:
        """True if it was asked to stop."""
        return self._is_stopped

    @property
    def notes(self) -> tuple[str, ...]:
        """What was settled before sending."""
        return self._running.run.notes if self._running is not None else ()

    @property
    def n_ended(self) -> int:
        """Runs that have come to an end."""
        return sum(result.status != "not_answered" for result in self.results)

    def batches(self, period_s: float, clock: Callable[[], float] = time.monotonic) -> Iterator[News]:
        """Start it, and yield what has come, at most once a period.

        Raises
        ------
        KeyboardInterrupt
            The kernel was interrupted; call `stop`.
        """
        yield {}, [result for result in self.results if result.is_kept]
        running = self._start()
        ended: list[Result] = []
        told_s = clock()
        for outcome in running.outcomes(idle_s=period_s):
            if outcome is not None:
                ended.append(self._take(outcome))
            if clock() - told_s >= period_s:
                yield self._drained(), ended
                ended, told_s = [], clock()
        self._settle()
        yield self._drained(), ended

    def ask_to_stop(self) -> None:
        """End it soon, from any thread."""
        self._is_stopped = True
        if self._running is not None:
            self._running.ask_to_stop()

    def stop(self) -> None:
        """End it now; what has arrived is kept."""
        self._is_stopped = True
        if self._running is not None:
            self._running.stop()
            for outcome in self._running.rest():
                self._take(outcome)
        self._settle()

    def watch(self, attempt: Attempt) -> None:
        """Observe an attempt: of one that is cut off, its answer so far is kept."""
        if attempt.labels.get("batch") == self.mark and attempt.status == "interrupted":
            self._partial[int(attempt.labels["row"])] = attempt.response

    def _start(self) -> RunningBatch:
        jobs = [
            Job(
                self.key_of(result.run),
                result.run.point.params,
                self._labels | {"batch": self.mark, "row": str(result.run.place)},
                result.run.place,
            )
            for result in self.results
            if not result.is_kept and not self._is_stopped
        ]
        self._running = self._session.start_batch(
            jobs,
            limits=self._limits,
            checkpoint=self._checkpoint,
            on_events=lambda job, events: self._events.append((job.place, events)),
            runner=self._asked,
            ends_batch=self._ends,
            most_ahead=len(jobs) + 1,
        )
        return self._running

    def _ends(self, error: CometError) -> bool:
        """Tell whether an error would meet every run: the key, the money; the model, if there is one for all."""
        if isinstance(error, ModelNotFoundError):
            return len({point.body["model"] for point in self._grid.points}) == 1
        return isinstance(error, _FOR_ALL) or getattr(error, "code", None) == "insufficient_quota"

    async def _asked(self, asking: Asking) -> Response:
        """Ask one run, with the tools of its point."""
        point, row = self._grid.runs[asking.job.place].point, str(asking.job.place)
        if self._till is None:
            return await turns(point.toolbox)(asking)
        try:
            await self._till.wait(row, point.body)
            return await turns(point.toolbox)(replace(asking, client=asking.client.under(self._till)))
        finally:
            self._till.leave(row)

    def _take(self, outcome: Outcome) -> Result:
        run = self._grid.runs[outcome.job.place]
        error = outcome.error
        response = outcome.response if error is None else error.response
        result = Result(run, response, error, is_kept=outcome.is_stored and error is None)
        if response is not None:
            response.schema = self._grid.schema
        self.results[run.place] = result
        return result

    def _settle(self) -> None:
        """Put down what had come of the runs that were cut off."""
        for place, response in self._partial.items():
            if self.results[place].status == "not_answered":
                self.results[place] = Result(self._grid.runs[place], response)

    def _drained(self) -> dict[int, list[Event]]:
        news: dict[int, list[Event]] = defaultdict(list)
        for _ in range(len(self._events)):
            place, events = self._events.popleft()
            news[place] += events
        return news
