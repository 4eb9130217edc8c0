"""One call of a panel: launched and followed on a thread of its own, so that nobody else waits for it."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.defaults import shared
from cometnb.panel.history import Run
from cometnb.panel.request import Asked
from cometnb.session.cell import Cell
from cometnb.session.conversation import Conversation
from cometnb.session.permit import Questions
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS
from cometnb.session.running import Running

__all__ = ["Call", "Listener"]

_PERIOD_S, _IDLE_S = 0.1, 0.5
_RUN = "panel_run"
# A session is made at its first use, and must not be made twice by two calls at a time.
_LAUNCHING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Listener:
    """What a call tells, on its own thread.

    Attributes
    ----------
    told : callable
        ``told(kind, **details)``: ``started``, then ``events`` with ``events`` and ``waiting``.
    counted : callable
        Takes every `Attempt` of the call, on the session's thread.
    ended : callable
        Takes the run, its end put down.
    """

    told: Callable[..., None]
    counted: Callable[[Attempt], None]
    ended: Callable[[Run], None]


class Call:
    """A run on its way.

    Parameters
    ----------
    run : Run
    asked : Asked
    listener : Listener
    questions : Questions, optional
        Asked before each function of the notebook runs.

    Attributes
    ----------
    run : Run
    launched : Future
        Done when the request is on its way; has the error if it cannot be sent.
    over : Future
        Done when it has ended and everybody has been told.
    """

    def __init__(
        self, run: Run, asked: Asked, listener: Listener, questions: Questions | None = None
    ) -> None:
        self.run = run
        self.launched: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.over: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._asked = asked
        self._listener = listener
        self._questions = questions
        self._running: Running | None = None
        self._is_stopped = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Begin, on a thread of its own."""
        threading.Thread(target=self._follow, name="cometnb-panel", daemon=True).start()

    @property
    def running(self) -> Running | None:
        """The call on the session's thread; None before it is launched."""
        return self._running

    def stop(self) -> None:
        """Close the connection soon, from any thread, without waiting for it."""
        with self._lock:
            self._is_stopped = True
            running = self._running
        if running is not None:
            running.ask_to_stop()

    def _follow(self) -> None:
        end_watch = shared.watch(self._count)
        try:
            self._call()
        finally:
            end_watch()
            try:
                self._listener.ended(self.run)
            finally:
                # Whatever happened, nobody waits for ever.
                self.run.done()
                self.over.set_result(None)

    def _call(self) -> None:
        try:
            running = self._launch()
        except Exception as error:  # noqa: BLE001  # whoever waits for the launch raises it
            self.run.finish(None, error)
            self.launched.set_exception(error)
            return
        self.launched.set_result(None)
        try:
            self._listener.told("started")
            self._listen(running)
        except Exception as error:  # noqa: BLE001  # it is kept with the run, and raised where somebody waits
            running.ask_to_stop()
            self.run.finish(running.response, error, running.notes)

    def _launch(self) -> Running:
        with _LAUNCHING:
            running = self._start()
        self.run.request = dict(running.body)
        with self._lock:
            self._running = running
            is_stopped = self._is_stopped
        if is_stopped:
            running.ask_to_stop()
        return running

    def _start(self) -> Running:
        """Start the call, or the turn in which functions of the notebook are run."""
        cell, toolbox = self._asked.cell, self._asked.toolbox
        rest = {name: value for name, value in cell.params.items() if name != "input"}
        labels = {**Cell(notebook=os.environ.get("JPY_SESSION_NAME", "")).labels(), _RUN: self.run.run_id}
        session = shared.session
        if not toolbox.runs_functions:
            return session.start(cell.params["input"], labels=labels, **rest, **toolbox.offered())
        return session.start_turn(
            Conversation(forgetful=shared.forgetful),
            cell.params["input"],
            toolbox=toolbox,
            max_rounds=DEFAULT_MAX_ROUNDS,
            permit=self._questions,
            labels=labels,
            **rest,
        )

    def _listen(self, running: Running) -> None:
        schema = self._asked.cell.schema
        shown: Callable[[Any], Any] = list
        if schema is not None:
            from cometnb.view.rows import ShownRows

            shown = ShownRows(schema).shown
        for events in running.batches(_PERIOD_S, _IDLE_S):
            self._listener.told("events", events=shown(events), waiting=running.waiting)
        error: Exception | None = None
        try:
            running.result()
        except Exception as raised:  # noqa: BLE001  # it is kept with the run, and raised where somebody waits
            error = raised
        response = running.response
        response.schema, response.attached = schema, self._asked.cell.attached
        self.run.finish(response, error, running.notes)

    def _count(self, attempt: Attempt) -> None:
        if attempt.labels.get(_RUN) == self.run.run_id:
            self._listener.counted(attempt)
