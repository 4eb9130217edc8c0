"""A session: one set of settings, its clients, and the thread their work runs on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from cometnb.client.attempt import Observer
from cometnb.client.client import AsyncClient, Client
from cometnb.client.gate import Gate
from cometnb.errors import CometWarning
from cometnb.session.loop import BackgroundLoop
from cometnb.session.running import Running

__all__ = ["Session"]


class Session:
    """What a kernel talks to the service with.

    Parameters
    ----------
    api_key, base_url, model : str, optional
        As for `Client`.
    transport : httpx transport, optional
        One that works sync and async, such as `Simulator()`; it is shared by both clients.
    observers : sequence of callable
        Each is called with every finished `Attempt`.
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
        self._settings = {
            "api_key": api_key,
            "base_url": base_url,
            "model": model,
            "transport": transport,
            "observers": observers,
            "gates": gates,
            **limits,
        }
        self._background = BackgroundLoop()
        # Made now, so that a setting that cannot be used is an error here and not in the middle of a call.
        self._async_client = AsyncClient(**self._settings)

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
        return Client(**self._settings | {"transport": self._async_client.setup.transport})

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
        with warnings.catch_warnings():
            # They are told by `notes`, at every call they are true of.
            warnings.simplefilter("ignore", CometWarning)
            stream = self._async_client.stream(input, labels=labels, **params)
        self.notes = stream.notes
        return Running(stream, self._background)

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
