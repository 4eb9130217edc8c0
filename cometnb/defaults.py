"""The session, the ledger and the tally that one kernel shares, put together at their first use.

This is the one place that knows both the session and the ledger: it hands the one to the other as an observer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cometnb.client.attempt import Attempt, Observer
from cometnb.client.cassette.deck import Deck
from cometnb.client.gate import Admitted, Planned
from cometnb.client.simulator import Simulator
from cometnb.client.stream import ResponseStream
from cometnb.config.configured import configured
from cometnb.ledger import calibration
from cometnb.ledger.history import recent_rows
from cometnb.ledger.store import Ledger
from cometnb.options import Options
from cometnb.protocol.response import Response
from cometnb.session.background import use_client
from cometnb.session.conversation import Conversation, Forgetful
from cometnb.session.enlisted import enlisted
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS
from cometnb.session.session import Session
from cometnb.session.structured import asking_for, schema_of
from cometnb.session.tally import Tally
from cometnb.session.tools import Toolbox

if TYPE_CHECKING:
    import pandas as pd

    from cometnb.ledger.budget import Budget

__all__ = ["Shared", "respond", "shared", "stream", "usage"]

_OF_THE_LEDGER, _OF_PRICES = frozenset({"ledger", "store_text"}), frozenset({"prices", "price_ratio"})
# The simulator's pace where somebody watches: fast enough not to bore, slow enough to see it stream.
_WATCHED_TOKENS_PER_S, _WATCHED_FIRST_S = 120.0, 0.3


class _Given(dict[str, Any]):
    """Settings as they were given, with a repr that a debugger may show."""

    def __repr__(self) -> str:
        return repr(
            {name: "sk-***" if name == "api_key" and value else value for name, value in self.items()}
        )


class Shared:
    """What a kernel's cells share.

    Attributes
    ----------
    tally : Tally
        What this kernel has used so far.
    budget : Budget or None
        What the calls to come may cost; see `set_budget`.
    chats : dict of str to Conversation
        The conversations by name.
    forgetful : Forgetful
        Which services keep no conversations.
    deck : Deck
        The cassette that calls go to, if any.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self.budget: Budget | None = None
        self.chats: dict[str, Conversation] = {}
        self.forgetful = Forgetful()
        self.deck = Deck()
        self._watchers: list[Observer] = []
        self._expects_costs = False
        self._given = _Given()
        self._making = threading.Lock()
        self._session: Session | None = None

    @property
    def options(self) -> Options:
        """The settings in force."""
        return configured(**self._given)

    def configure(self, **settings: str | float | None) -> None:
        """Change settings for the calls to come; None goes back to the environment.

        Parameters
        ----------
        **settings
            ``base_url``, ``model``, ``backend``, ``ledger``, ``live``, ``api_key``, ``prices``, ``price_ratio``,
            ``store_text``.

        Raises
        ------
        ConfigError
            If a setting cannot be used; nothing is changed then.
        """
        wanted = _Given({**self._given, **settings})
        configured(**wanted)
        self._given = wanted
        if _OF_THE_LEDGER & set(settings):
            self.__dict__.pop("ledger", None)
            if self.budget is not None:
                self.budget.ledger = self.ledger
        if _OF_PRICES & set(settings):
            from cometnb.ledger.prices import configure

            ratio = wanted.get("price_ratio")
            configure(table=wanted.get("prices"), ratio=None if ratio is None else str(ratio))
        self._drop_session()

    @property
    def session(self) -> Session:
        """The session; made at first use and when settings changed.

        Raises
        ------
        ConfigError
            No key and no simulator or cassette, or a setting that cannot be used.
        """
        # Two panels, or a panel and a cell, may ask for it at the same moment.
        with self._making:
            if self._session is None:
                options = self.options
                self._session = Session(
                    api_key=options.api_key or None,
                    base_url=options.base_url,
                    model=options.model,
                    backend=options.backend,
                    transport=self.deck.transport(options.backend, lambda: self.simulator),
                    observers=(self.tally, self.ledger, self._tell),
                    gates=(_Budgets(self),),
                )
            return self._session

    def expect_costs(self) -> None:
        """Load the prices on a thread of their own, while an answer is on its way; they take a moment."""
        if not self._expects_costs:
            self._expects_costs = True
            threading.Thread(target=_load_prices, name="cometnb-prices", daemon=True).start()

    def chat(self, name: str) -> Conversation:
        """Return the conversation of this name; the first time, a new one."""
        return self.chats.setdefault(name, Conversation(name, forgetful=self.forgetful))

    def set_budget(self, budget: Budget | None) -> None:
        """Put the calls to come under a budget, or under none; calls that run go on as they were admitted."""
        for one, is_shared in ((self.budget, False), (budget, True)):
            if one is not None:
                one.is_shared = is_shared
        self.budget = budget

    def watch(self, callback: Observer) -> Callable[[], None]:
        """Have `callback` called with every attempt that ends, after the tally and the ledger.

        Parameters
        ----------
        callback : callable
            Takes an `Attempt`, on the thread of the call.

        Returns
        -------
        callable
            Ends it.
        """
        return enlisted(callback, self._watchers)

    def _tell(self, attempt: Attempt) -> None:
        if self.budget is not None:
            self.budget(attempt)
        for watcher in tuple(self._watchers):
            watcher(attempt)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger every attempt goes into; what it holds corrects the estimates."""
        ledger = Ledger(self.options.ledger or None, stores_text=self.options.store_text == "on")
        calibration.current.learn_from(partial(recent_rows, ledger))
        return ledger

    @cached_property
    def simulator(self) -> Simulator:
        """The simulator behind ``backend=simulator``; its attributes may be changed between calls."""
        return Simulator(tokens_per_s=_WATCHED_TOKENS_PER_S, first_token_s=_WATCHED_FIRST_S)

    def hurry(self) -> None:
        """Let the simulator or a cassette answer at once if nobody has chosen its pace: nobody watches."""
        self.deck.hurry()
        paced = (self.simulator.tokens_per_s, self.simulator.first_token_s)
        if paced == (_WATCHED_TOKENS_PER_S, _WATCHED_FIRST_S):
            self.simulator.tokens_per_s, self.simulator.first_token_s = None, 0.0

    def _drop_session(self) -> None:
        with self._making:
            session, self._session = self._session, None
        if session is not None:
            session.close()


class _Budgets:
    """The gate of every session: whichever budget is in force when a call is about to be sent."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def admit(self, planned: Planned) -> Admitted | None:
        budget = self._shared.budget
        return budget.admit(planned) if budget is not None else None


def _load_prices() -> None:
    # Where the price table has a mistake, the cost says so; here nobody would hear it.
    with suppress(Exception):
        from cometnb.ledger.prices import default_prices

        default_prices().price("gpt-5.4")


shared = Shared()
use_client(lambda: shared.session.client)


def respond(
    input: Any = None,  # the API's own word
    /,
    *,
    chat: str | Conversation | None = None,
    tools: Sequence[Any] = (),
    schema: Any = None,
    max_rounds: int = DEFAULT_MAX_ROUNDS,
    **params: Any,
) -> Response:
    """Ask with the kernel's shared session and wait for the whole answer; see `Client.respond`.

    Parameters
    ----------
    input : str or list
        The prompt, or input items.
    chat : str or Conversation, optional
        The conversation to continue; by name, the one that ``%%respond --chat`` continues, too.
    tools : sequence
        Functions, which are run and answered, names of the service's own tools, and entries of ``tools`` as dicts.
    schema : object, optional
        What a structured answer shall be: a class, a DataFrame, a JSON Schema, or fields in one line.
        `Response.parsed` and `Response.to_frame` then give it.
    max_rounds : int
        Most calls of the service while functions are run.
    **params
        Any parameter of the API.

    Raises
    ------
    CometError
        What the service or the wire says, or a parameter that cannot be sent.

    Examples
    --------
    >>> import os, cometnb
    >>> os.environ["COMETNB_BACKEND"] = "simulator"
    >>> cometnb.respond("Say hello.").status
    'completed'
    """
    toolbox = Toolbox(tools)
    form = schema_of(schema) if schema is not None else None
    params = asking_for(form, params)
    if chat is None and not toolbox.runs_functions:
        params |= toolbox.offered()
        response = shared.session.client.respond(input, **params)
    else:
        talk = (
            shared.chat(chat) if isinstance(chat, str) else chat or Conversation(forgetful=shared.forgetful)
        )
        response = shared.session.start_turn(
            talk, input if input is not None else "", toolbox=toolbox, max_rounds=max_rounds, **params
        ).wait()
    response.schema = form
    return response


def stream(input: Any = None, /, **params: Any) -> ResponseStream:  # the API's own word
    """Ask with the kernel's shared session and get the answer as it is generated; see `Client.stream`."""
    return shared.session.client.stream(input, **params)


def usage(since: Any = None, **filters: Any) -> pd.DataFrame:
    """Return the ledger as a DataFrame, one row per attempt, newest last; see `Ledger.usage`.

    Parameters
    ----------
    since : datetime, date, timedelta or str, optional
        Such as ``"today"``, ``"7d"``, ``"2026-11-01"``.
    **filters
        ``notebook``, ``model``, ``tag``, ``status``, ``backend``, ``conversation``.

    Returns
    -------
    pandas.DataFrame
        ``created_at`` datetime64[ns, UTC]; tokens Int64 with <NA> for "not reported"; ``cost_usd`` float64 with NaN
        for "no price known"; times float64 seconds; text columns string.
    """
    return shared.ledger.usage(since, **filters)
