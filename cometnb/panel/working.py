"""A panel at work: its runs told to whoever watches, stopped from any thread, waited for by nobody but who asks to."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import traitlets

from cometnb.defaults import shared
from cometnb.errors import APIError, CellError, CometWarning, masked
from cometnb.panel.asking import FIELDS, Asking
from cometnb.panel.calling import Call, Listener
from cometnb.panel.history import History, Run
from cometnb.panel.refusing import refused_path, value_at
from cometnb.panel.request import Asked
from cometnb.protocol.response import Response
from cometnb.session.enlisted import enlisted
from cometnb.session.origin import shell_now, watching
from cometnb.session.permit import Questions
from cometnb.session.short_waits import SHORT_WAIT_S
from cometnb.session.tally import Tally

__all__ = ["Watcher", "Work", "interrupted", "until_over", "wait_short"]

Watcher: TypeAlias = Callable[..., None]
"""Called with ``(kind, **details)``; see `Work.watch`."""

_STOPPED_WITHIN_S = 1.0


class _SoFar(traitlets.Any):
    """A trait that is read as what has come so far while a run is on its way."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        so_far = obj.so_far()
        return super().get(obj, cls) if so_far is None else so_far


class Work(Asking):
    """What a panel does with its settings; `Panel` says what each trait is, and on which thread observers are called."""

    running = traitlets.Bool(read_only=True)
    response = _SoFar(None, allow_none=True, read_only=True)
    error = traitlets.Any(None, allow_none=True, read_only=True)
    notes = traitlets.Tuple(read_only=True)
    runs = traitlets.Tuple(read_only=True)
    spent = traitlets.Unicode("nothing spent", read_only=True)
    refused = traitlets.Dict(read_only=True)
    confirms = traitlets.Bool()

    def __init__(self, namespace: Mapping[str, Any] | None = None, **fields: Any) -> None:
        self._lock = threading.Lock()
        # Columns end at the same time, and each tells the sum of all.
        self._keeping = threading.RLock()
        self._begun: tuple[Run, ...] = ()
        self._calls: dict[str, Call] = {}
        self._is_busy = self._is_closed = False
        self._history, self._tally, self._questions = History(), Tally(), Questions()
        self._watchers: list[Watcher] = []
        self._n_runs = 0
        super().__init__(namespace, **fields)
        self.observe(self._settings_changed, FIELDS)

    @property
    def is_closed(self) -> bool:
        """True once it has been closed."""
        return self._is_closed

    def so_far(self) -> Response | None:
        """Return the answer so far of the run that is on its way; None if none is."""
        call = next((one for one in tuple(self._calls.values()) if not one.run.label), None)
        return call.running.response if call is not None and call.running is not None else None

    def watch(self, callback: Watcher) -> Callable[[], None]:
        """Have a callback told what happens in runs, on their own threads.

        Parameters
        ----------
        callback : callable
            ``callback(kind, *, run, column, **details)``: `run` is the `Run`, and `column` the place of the column
            that it runs in, None for the panel itself. `kind` is ``started``; ``events`` with ``events`` (a list,
            empty when nothing came for half a second) and ``waiting`` (str or None: why nothing comes); ``ended``
            with ``response`` (Response or None), ``notes`` and ``error``.

        Returns
        -------
        callable
            Ends it.
        """
        return enlisted(callback, self._watchers)

    def start(self) -> Run:
        """Start a run and return as soon as the request is on its way.

        Raises
        ------
        CometError
            It cannot be sent, a run is on its way already, or the panel is closed.
        """
        call = self._begin_one()
        try:
            while not call.launched.done():
                concurrent.futures.wait([call.launched], timeout=SHORT_WAIT_S)
        except BaseException:
            call.stop()
            raise
        self._raise_unsent(call)
        return call.run

    def run(self) -> Response:
        """Run and wait for the end.

        Raises
        ------
        CometError
            It cannot be sent, or what the service or the wire says; `response` has what came.
        KeyboardInterrupt
            The kernel was interrupted: the connection is closed, and `response` has the text so far.
        """
        call = self._begin_one()
        try:
            wait_short(call.run)
        except KeyboardInterrupt:
            call.stop()
            call.run.wait(_STOPPED_WITHIN_S)
            raise interrupted() from None
        return self._result(call)

    async def arun(self) -> Response:
        """Run and await the end; other tasks of the loop go on, and cancelling the task stops the run.

        Raises
        ------
        CometError
            As `run` does.
        """
        call = self._begin_one()
        await until_over([call])
        return self._result(call)

    def stop(self) -> None:
        """Close the connections of what is on its way, from any thread; what came is kept."""
        for call in tuple(self._calls.values()):
            call.stop()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is on its way; False if the time was too short."""
        return all(run.wait(timeout_s) for run in self._begun)

    def clear(self) -> None:
        """Take the last answer away; the settings and the runs stay."""
        self._check_free()
        for name, value in (("response", None), ("error", None), ("notes", ())):
            self.set_trait(name, value)

    def permit(self, call_id: str, is_allowed: bool) -> None:
        """Answer whether a function may run, where `confirms` has it asked."""
        self._questions.answer(call_id, is_allowed)

    def drop_refused(self, path: str) -> None:
        """Unset a parameter that the service refused."""
        self.unset(path)
        self._put(refused={name: words for name, words in self.refused.items() if name != path})

    def close(self) -> None:
        """Stop what is on its way, and let go of everybody who watches; settings and runs can still be read."""
        self._is_closed = True
        self.stop()
        self.wait(_STOPPED_WITHIN_S)
        self._watchers.clear()
        self.unobserve_all()

    # Beginning.

    def _begin_one(self) -> Call:
        self._reserve()
        try:
            # Names of the notebook and settings of the kernel may have changed since the last change here.
            self.refresh()
            asked = self._asked()
        except BaseException:
            self._is_busy = False
            raise
        return self._launch([(None, "", asked)])[0]

    def _reserve(self) -> None:
        with self._lock:
            self._check_free()
            self._is_busy = True

    def _check_free(self) -> None:
        if self._is_closed:
            raise CellError("This panel is closed.", "Open another one: cometnb.panel()")
        if self._is_busy:
            raise CellError("A run of this panel is still on its way.", "Stop it first: panel.stop()")

    def _launch(self, jobs: Sequence[tuple[int | None, str, Asked]]) -> list[Call]:
        """Start calls side by side; the panel has been reserved for them."""
        shared.expect_costs()
        shell = shell_now()
        if shell is None or watching(shell) == "nobody" or shared.options.live == "off":
            shared.hurry()
        runs = []
        for column, label, asked in jobs:
            self._n_runs += 1
            runs.append((column, Run(self._n_runs, asked.settings, label), asked))
        self._begun = tuple(run for _, run, _ in runs)
        self._put(running=True)
        # Questions that nobody has answered go with the run that asked them.
        self._questions = Questions()
        questions = self._questions if self.confirms else None
        calls = []
        for column, run, asked in runs:
            told = partial(self._tell, run=run, column=column)
            listener = Listener(told, self._tally, partial(self._ended, column))
            calls.append(Call(run, asked, listener, questions))
            self._set_out(column, run)
        self._calls.update({call.run.run_id: call for call in calls})
        for call in calls:
            call.begin()
        return calls

    def _set_out(self, column: int | None, run: Run) -> None:
        """Note that a run is about to begin."""

    # What comes, on the runs' threads.

    def _ended(self, column: int | None, run: Run) -> None:
        try:
            if column is not None or run.request:
                self._keep(column, run)
        finally:
            with self._lock:
                self._calls.pop(run.run_id, None)
                is_last = not self._calls
                self._is_busy = not is_last
            if is_last:
                self._put(running=False)

    def _keep(self, column: int | None, run: Run) -> None:
        details = {"response": run.response, "notes": run.notes, "error": run.error}
        with self._keeping:
            self._history.add(run)
            self._mark(run)
            if column is None:
                self._put(**details)
            self._put(runs=self._history.runs, spent=str(self._tally.spent))
        self._tell("ended", run=run, column=column, **details)

    def _mark(self, run: Run) -> None:
        """Remember which of the settings the service refused; what it took is marked no longer."""
        if isinstance(run.error, APIError):
            path = refused_path(run.error, run.settings)
            if path and value_at(run.settings, path) == value_at(self.settings, path):
                self._put(refused={**self.refused, path: run.error.fact})
        elif run.error is None and not run.label and self.refused:
            self._put(refused={})

    def _settings_changed(self, change: Any) -> None:
        if not self.refused:
            return
        if change.name != "params":
            kept = {path: words for path, words in self.refused.items() if path != change.name}
        else:
            before, after = change.old, change.new
            # Another model may well take what this one has refused.
            is_same = before.get("model") == after.get("model")
            kept = {
                path: words
                for path, words in self.refused.items()
                if is_same and value_at(before, path) == value_at(after, path)
            }
        self._put(refused=kept)

    def _tell(self, kind: str, **details: Any) -> None:
        for callback in tuple(self._watchers):
            try:
                callback(kind, **details)
            except Exception as error:  # noqa: BLE001  # a watcher's fault must not cost the answer
                _warn(f"A watcher of the panel failed: {error!r}")

    def _put(self, **traits: Any) -> None:
        for name, value in traits.items():
            try:
                self.set_trait(name, value)
            except Exception as error:  # noqa: BLE001  # nor an observer's
                _warn(f"An observer of panel.{name} failed: {error!r}")

    # Ends, for whoever waits.

    def _result(self, call: Call) -> Response:
        self._raise_unsent(call)
        if call.run.error is not None:
            raise call.run.error
        if call.run.response is None:
            raise RuntimeError("a run that was sent has a response")
        return call.run.response

    def _raise_unsent(self, call: Call) -> None:
        error = call.launched.exception(timeout=0)
        if error is not None:
            # The panel is free again before anybody can try once more.
            call.run.wait(_STOPPED_WITHIN_S)
            self.set_trait("problem", str(error))
            raise error


def wait_short(run: Run) -> None:
    """Wait for a run's end in short pieces, so that an interrupt is seen on every platform."""
    while not run.wait(SHORT_WAIT_S):
        pass


def interrupted() -> KeyboardInterrupt:
    """Return what an interrupted wait raises: one line instead of where in our loop the signal came."""
    error = KeyboardInterrupt("The run was interrupted; the text so far is kept in panel.response.")
    error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]  # for IPython
    return error


async def until_over(calls: Sequence[Call]) -> None:
    """Await the end of calls; who is cancelled stops them, and waits the moment that takes."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    left = len(calls)

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            over.set()

    def tell(_: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(count)

    for call in calls:
        call.over.add_done_callback(tell)
    try:
        await over.wait()
    except asyncio.CancelledError:
        for call in calls:
            call.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), _STOPPED_WITHIN_S)
        raise


def _warn(text: str) -> None:
    warnings.warn(masked(text), CometWarning, stacklevel=3)
