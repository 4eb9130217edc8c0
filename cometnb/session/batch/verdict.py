"""Which errors end a batch: those that would meet every further job, and too many of any kind."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

from cometnb.errors import (
    APIError,
    AuthenticationError,
    BatchError,
    BudgetExceededError,
    CometError,
    ConfigError,
    ConnectionFailedError,
    ModelNotFoundError,
    ParamError,
    PermissionDeniedError,
    RateLimitError,
    ResponseTimeoutError,
    ServerError,
    UnexpectedContentError,
)

__all__ = ["Verdict"]

_FOR_ALL = (AuthenticationError, BudgetExceededError, ConfigError)
_QUOTA = "insufficient_quota"
# What is not about one job, though the next may fare better.
_NOT_THE_JOBS = (
    ConnectionFailedError,
    PermissionDeniedError,
    RateLimitError,
    ResponseTimeoutError,
    ServerError,
    UnexpectedContentError,
)
# Failures of one kind, one behind the other.
_ALIKE = 10


class Verdict:
    """Judges each job's end.

    Parameters
    ----------
    stop_after_errors : int or None
        Most jobs that may fail, from 1.
    ends_batch : callable or None
        Tells of an error whether it would meet every job; None judges by its class.
    """

    def __init__(
        self, stop_after_errors: int | None = None, ends_batch: Callable[[CometError], bool] | None = None
    ) -> None:
        most: Any = stop_after_errors
        if most is not None and (isinstance(most, bool) or not isinstance(most, Integral) or int(most) < 1):
            raise ParamError(
                f"stop_after_errors={most!r} is not a whole number from 1.",
                "Give one such as 10, or None to go on whatever fails.",
                param="stop_after_errors",
            )
        self._stop_after_errors, self._ends_batch = stop_after_errors, ends_batch
        self._models: set[str] = set()
        self._n_errors = 0
        self._kind: tuple[Any, ...] = ()
        self._n_alike = 0
        self._has_answers = False

    def of(self, error: CometError | None, model: Any) -> CometError | None:
        """Return why the batch ends here, or None.

        Parameters
        ----------
        error : CometError or None
            What became of a job; None is an answer.
        model : object
            What the job asks for; anything but a text is the client's own.
        """
        self._models.add(model if isinstance(model, str) else "")
        if error is None:
            self._n_alike, self._has_answers = 0, True
            return None
        self._n_errors += 1
        self._count(error)
        ends_batch = self._ends_batch or self._is_for_all
        return error if ends_batch(error) else self._too_many(error)

    def _is_for_all(self, error: CometError) -> bool:
        if isinstance(error, ModelNotFoundError):
            return len(self._models) == 1
        return isinstance(error, _FOR_ALL) or (isinstance(error, APIError) and error.code == _QUOTA)

    def _count(self, error: CometError) -> None:
        kind = (type(error), getattr(error, "status_code", None), getattr(error, "code", None))
        self._n_alike = self._n_alike + 1 if kind == self._kind else 1
        self._kind = kind

    def _too_many(self, error: CometError) -> CometError | None:
        if self._stop_after_errors is not None and self._n_errors >= self._stop_after_errors:
            return _stopped(
                f"Stopped after {self._n_errors} failed jobs, as asked for; the last: {error.fact}", error
            )
        # Once there are answers, a row of jobs at fault are these jobs.
        may_end = self._ends_batch is None and (not self._has_answers or isinstance(error, _NOT_THE_JOBS))
        if may_end and self._n_alike >= _ALIKE:
            return _stopped(f"Stopped after {_ALIKE} jobs in a row failed alike: {error.fact}", error)
        return None


def _stopped(fact: str, cause: CometError) -> BatchError:
    stop = BatchError(fact, cause.next_step or "Look at the errors of the jobs, and run it again.")
    stop.__cause__ = cause
    return stop
