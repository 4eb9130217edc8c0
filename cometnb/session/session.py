"""A session: one set of settings, its clients, and the thread their work runs on."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from cometnb.client.attempt import Observer
from cometnb.client.client import AsyncClient, Client
from cometnb.client.gate import Gate
from cometnb.client.setup import Setup
from cometnb.client.stream import AsyncResponseStream
from cometnb.errors import CometWarning
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Job
from cometnb.session.batch.running import Delivery, RunningBatch
from cometnb.session.batch.turns import turns
from cometnb.session.conversation import Conversation
from cometnb.session.loop import BackgroundLoop
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS, asking
from cometnb.session.running import Running
from cometnb.session.tools import Toolbox
from cometnb.session.turn_stream import Permit, TurnStream

__all__ = ["Session"]

_T = TypeVar("_T")


class Session:
    """What a kernel talks to the service with.

    Parameters
    ----------
    api_key, base_url, model : str, optional
        As for `Client`.
    transport : httpx transport, optional
        One that works sync and async, such as `Simulator()`; it is shared by both clients.
    observers : sequence of callable
        Each is called with every finished `Attempt`, such as a `Ledger`, which writes it down as a row.
    gates : sequence of Gate
        Each is asked before every attempt: `Budget`.
    **limits
        ``timeout_s``, ``idle_timeout_s``, ``max_retries``; and ``backend``, as for `Client`.

    Attributes
    ----------
    notes : tuple of str
        What was settled for the call that `start` started last.

    Examples
    --------
    >>> from cometnb import Session, Simulator
    >>> session = Session(transport=Simulator(text="Hello."))
    >>> str(session.start("Hi").wait())
    'Hello.'
    >>> session.close()
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
        transport: Any = None,
        observers: Sequence[Observer] = (),
        gates: Sequence[Gate] = (),
        **limits: Any,
    ) -> None:
        self.notes: tuple[str, ...] = ()
        # Without the key, which is in the client's setup alone, and there in no repr.
        self._settings = {
            "base_url": base_url,
            "model": model,
            "transport": transport,
            "observers": observers,
            "gates": gates,
            **limits,
        }
        self._background = BackgroundLoop()
        # Made now, so that a setting that cannot be used is an error here and not in the middle of a call.
        self._async_client = AsyncClient(api_key, **self._settings)
        # One simulator, or one cassette, for both clients.
        self._settings["transport"] = self._async_client.setup.transport

    @property
    def backend(self) -> str:
        """``api``, ``simulator`` or ``cassette``."""
        return self._async_client.backend

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self._async_client.base_url

    @property
    def model(self) -> str:
        """The model of calls that name none."""
        return self._async_client.setup.model

    @cached_property
    def client(self) -> Client:
        """A sync client with the same settings, observers and transport."""
        setup = self._async_client.setup
        return Client(setup.api_key or None, **self._settings | {"transport": setup.transport})

    def start(
        self, input: Any, *, labels: Mapping[str, str] | None = None, **params: Any
    ) -> Running:  # the API's own word
        """Start a call on the session's thread and return at once.

        Parameters
        ----------
        input : str or list
            The prompt, or input items.
        labels : Mapping of str to str, optional
            Handed to the observers.
        **params
            Any parameter of the API; it streams unless ``stream=False``.

        Raises
        ------
        ParamError
            Before anything is sent.
        """
        stream = self._open(labels, {**params, "input": input})
        self.notes = stream.notes
        return Running(stream, self._background)

    def start_turn(
        self,
        chat: Conversation,
        input: Any,
        *,
        toolbox: Toolbox | None = None,
        max_rounds: int = DEFAULT_MAX_ROUNDS,
        permit: Permit | None = None,
        owner: str = "",
        after: str | None = None,
        labels: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Running:  # the API's own word
        """Start a turn of a conversation on the session's thread and return at once.

        Parameters
        ----------
        chat : Conversation
            It has the turn when the turn has ended, however that was.
        input : str or list
            The prompt, or input items.
        toolbox : Toolbox, optional
            What is offered; functions among it are run, and their results sent back.
        max_rounds : int
            Most calls of the service for this turn.
        permit : Permit, optional
            Asked before each function runs.
        owner, after : str, optional
            As for `Conversation.begin`.
        labels : Mapping of str to str, optional
            Handed to the observers, with one ``call_id`` for all rounds and the conversation's name.
        **params
            Any other parameter of the API.

        Raises
        ------
        CometError
            Before anything is sent.
        """
        tools = toolbox if toolbox is not None else Toolbox()
        whole = {"model": self.model, **params, **tools.offered()}
        marks = {**(labels or {}), "call_id": uuid.uuid4().hex} | (
            {"conversation": chat.name} if chat.name else {}
        )
        chat.remarks.clear()
        turn = chat.begin(input, owner=owner, after=after)
        flow = asking(
            chat, turn, self.base_url, whole, runs_tools=tools.runs_functions, max_rounds=max_rounds
        )

        stream = TurnStream(flow, partial(self._open, marks), tools, permit, chat.remarks)
        return Running(stream, self._background)

    def start_batch(
        self,
        jobs: Iterable[Job],
        *,
        toolbox: Toolbox | None = None,
        max_rounds: int = DEFAULT_MAX_ROUNDS,
        most_ahead: int = 64,
        **settings: Any,
    ) -> RunningBatch:
        """Start a batch on the session's thread and return at once.

        Parameters
        ----------
        jobs : iterable of Job
            Taken one by one on the session's thread, as there is room.
        toolbox : Toolbox, optional
            What every job is offered; functions among it are run, and their results sent back.
        max_rounds : int
            Most calls of the service for one job.
        most_ahead : int
            Outcomes that may wait to be taken before the batch waits for its reader.
        **settings
            Of `BatchRun`: ``limits``, ``checkpoint``, ``on_events``, ``stop_after_errors``, ``ends_batch``,
            ``retries_failed``, ``runner``.
        """
        if toolbox is not None and "runner" not in settings:
            settings["runner"] = turns(toolbox, max_rounds)
        delivery = Delivery(most_ahead)
        run = BatchRun(self._async_client, jobs, on_outcome=delivery.give, **settings)
        return RunningBatch(run, self._background, delivery)

    def _open(self, labels: Mapping[str, str] | None, params: Mapping[str, Any]) -> AsyncResponseStream:
        with warnings.catch_warnings():
            # They are told by the stream's notes, at every call they are true of.
            warnings.simplefilter("ignore", CometWarning)
            return self._async_client.stream(labels=labels, **params)

    @property
    def setup(self) -> Setup:
        """What the clients are made from."""
        return self._async_client.setup

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the session's thread and wait for it; an interrupt ends the wait and cancels it."""
        return self._background.run(work)

    def models(self) -> list[str]:
        """Return the ids of the models the service lists."""
        return self._background.run(self._async_client.models())

    def close(self) -> None:
        """Interrupt the calls that still run, and close the connections and the thread."""
        self._background.cancel()
        self._background.run(self._async_client.close())
        self._background.close()
        if "client" in self.__dict__:
            self.client.close()
