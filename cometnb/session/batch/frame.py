"""A prompt over the rows of a frame: from its columns to jobs, and from their outcomes to columns."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cometnb.errors import BatchInterruptedError, CometError
from cometnb.protocol.canonical import fingerprint
from cometnb.protocol.counted import counted
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.columns import Columns
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.progress import Progress
from cometnb.session.batch.results import Results
from cometnb.session.batch.rows import Asking, RowRequests
from cometnb.session.batch.running import RunningBatch
from cometnb.session.content import one_line
from cometnb.session.session import Session
from cometnb.session.structured import Schema, text_format
from cometnb.session.tools import Toolbox

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameBatch", "Request"]

# Outcomes come faster than they are looked at; so many may wait.
_MOST_AHEAD, _LOOK_EVERY_S = 1_024, 0.02
_TICK_EVERY_S = 0.5
_LAST_FRAME = "cometnb.batch.last_frame()"


@dataclass(frozen=True, slots=True)
class Request:
    """What one row asks.

    Attributes
    ----------
    place : int
        The row, from 0.
    key : str
        The same for rows that ask the same; empty if it cannot be sent.
    body : dict
        As it is sent; empty if it cannot be.
    error : CometError or None
        Why it cannot be sent.
    """

    place: int
    key: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    error: CometError | None = None


class FrameBatch:
    """A prompt over a frame, ready to be asked. What is wrong for all rows is said when it is made.

    Parameters
    ----------
    frame : DataFrame
    asking : Asking
        Without a model in its parameters it is the session's.
    session : Session
    namespace : Mapping
        The notebook's names.
    schema : Schema, optional
        Of each row's answer.
    toolbox : Toolbox, optional
        What every row is offered; functions are run on this machine.
    labels : Mapping of str to str, optional
        Handed to the observers, with each row's number as ``row``.

    Raises
    ------
    CometError
        A column that is not there, a template, a schema or a parameter that cannot be used. Nothing is sent.

    Attributes
    ----------
    results : Results
        What came of the last run so far.
    toolbox : Toolbox
    session : Session
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        asking: Asking,
        *,
        session: Session,
        namespace: Mapping[str, Any],
        schema: Schema | None = None,
        toolbox: Toolbox | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.results = Results(len(frame), schema)
        self._frame, self._schema = frame, schema
        self.session = session
        self.toolbox = toolbox if toolbox is not None else Toolbox()
        self._labels = dict(labels or {})
        params = {"model": session.model} | {k: v for k, v in asking.params.items() if v is not None}
        if schema is not None:
            params["text"] = {**(params.get("text") or {}), "format": text_format(schema)}
        self._asking = replace(asking, params=params)
        self._columns = Columns(list(frame.columns), list(frame.index.names), namespace)
        self._requests = RowRequests(self._asking, self._columns)
        # Rows that cannot be sent are found on the session's thread.
        self._refused: deque[Request] = deque()
        self._ticked_s = time.monotonic()

    @property
    def identity(self) -> str:
        """What a checkpoint belongs to: 64 hex digits of all that the rows share, and of who is asked."""
        asking = self._asking
        whole = {
            "prompt": asking.prompt,
            "params": dict(asking.params),
            "attached": [[str(name) for name in names] for names in (asking.images, asking.files)],
            "detail": asking.detail,
            "row_options": {path: str(column) for path, column in asking.row_options.items()},
            "missing": asking.missing,
            "tools": self.toolbox.params(),
            "service": [self.session.backend, self.session.base_url],
        }
        return hashlib.sha256(json.dumps(whole, sort_keys=True, default=repr).encode()).hexdigest()

    @property
    def title(self) -> str:
        """The batch in words: its prompt, model and schema."""
        shaped = f", {self._schema!r}" if self._schema is not None else ""
        simulated = f" on the {self.session.backend}" if self.session.backend != "api" else ""
        return one_line(self._asking.prompt) + f" ({self._asking.params.get('model')}{shaped}{simulated})"

    def requests(self) -> Iterator[Request]:
        """Yield what each row asks, in order; rows that cannot be sent say why."""
        labels = iter(self._frame.index)
        for place, values in enumerate(self._frame.itertuples(index=False, name=None)):
            row = self._columns.row(values, next(labels))
            try:
                body = self._requests.of(row)
            except CometError as error:
                yield Request(place, error=error)
                continue
            yield Request(place, fingerprint({**body, **self.toolbox.offered()}), body)

    def run(
        self,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        is_watched: bool = False,
        **settings: Any,
    ) -> pd.DataFrame:
        """Ask all rows and return the result; it has the frame's index and order.

        Parameters
        ----------
        checkpoint : str or path, optional
            As for `Checkpoint`.
        is_watched : bool
            Show a progress bar.
        **settings
            Of `Session.start_batch`: ``limits``, ``runner``, ``stop_after_errors``, ``retries_failed``.

        Raises
        ------
        BatchInterruptedError
            When the kernel is interrupted; `frame` has what was done by then.
        CometError
            What ended the batch before its time; its ``frame`` has what was done by then.
        """
        self.results = Results(len(self._frame), self._schema)
        with ExitStack() as stack:
            kept = None
            if checkpoint is not None:
                kept = stack.enter_context(Checkpoint(checkpoint, batch=self.identity, title=self.title))
            backend = self.session.backend
            bar = Progress(len(self._frame), shows=is_watched, title="" if backend == "api" else backend)
            stack.callback(bar.close)
            running = self.session.start_batch(
                self._jobs(),
                toolbox=self.toolbox if len(self.toolbox) else None,
                most_ahead=_MOST_AHEAD,
                checkpoint=kept,
                **settings,
            )
            try:
                self._follow(running, bar)
            except KeyboardInterrupt:
                raise self._interrupted(checkpoint) from None
        if running.error is not None:
            raise self._ended_early(running.error, checkpoint)
        return self.frame()

    def frame(self) -> pd.DataFrame:
        """Return the result so far."""
        return self.results.frame(self._frame.index)

    def _jobs(self) -> Iterator[Job]:
        for request in self.requests():
            if request.error is not None:
                self._refused.append(request)
                continue
            yield Job(request.key, request.body, {**self._labels, "row": str(request.place)}, request.place)

    def _follow(self, running: RunningBatch, bar: Progress) -> None:
        """Take the outcomes as they come. What has come when an interrupt does is taken, too."""
        come: deque[Outcome] = deque()
        try:
            while not running.is_done:
                time.sleep(_LOOK_EVERY_S)
                come.extend(running.rest())
                self._take(come, bar)
                if time.monotonic() - self._ticked_s > _TICK_EVERY_S:
                    self._ticked_s = time.monotonic()
                    bar.tick(running.run)
        except BaseException:
            running.stop()
            come.extend(running.rest())
            self._take(come, bar)
            raise
        # Raises what stopped it from within, and tells of a checkpoint that could not be written.
        running.wait(come.append)
        self._take(come, bar)

    def _take(self, come: deque[Outcome], bar: Progress) -> None:
        while come:
            # Taken off afterwards: an interrupt between the two takes it twice, which changes nothing.
            line = self.results.take(come[0])
            bar.take(line, is_asked=come.popleft().n_asked > 0)
        while self._refused:
            request = self._refused.popleft()
            if request.error is not None:
                bar.take(self.results.refuse(request.place, request.error), is_asked=False)

    def _interrupted(self, checkpoint: Any) -> BatchInterruptedError:
        return BatchInterruptedError(
            f"Interrupted: {self._done()}.", _how_to_go_on(checkpoint), frame=self.frame()
        )

    def _ended_early(self, error: CometError, checkpoint: Any) -> CometError:
        fact = f"{error.fact} {self._done().capitalize()}."
        step = error.next_step.rstrip(".")
        error.args = (fact, f"{step}. {_how_to_go_on(checkpoint)}" if step else _how_to_go_on(checkpoint))
        error.frame = self.frame()  # type: ignore[attr-defined]  # documented where it is raised
        return error

    def _done(self) -> str:
        n_done, n_rows = self.results.n_answered, self.results.n_rows
        return f"{n_done:,} of {counted(n_rows, 'row')} {'is' if n_done == 1 else 'are'} answered"


def _how_to_go_on(checkpoint: Any) -> str:
    if checkpoint is not None:
        return f"Run it again to go on: what {os.fspath(checkpoint)} holds is not asked again. So far: {_LAST_FRAME}"
    return f'So far: {_LAST_FRAME}. With checkpoint="rows.sqlite" a second run asks only what is missing.'
