"""The two clients: one flat face over the same flows, sync and async."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import httpx

from cometnb.client.attempt import Observer
from cometnb.client.call import Call
from cometnb.client.deadline import bound
from cometnb.client.gate import Gate
from cometnb.client.pools import spread
from cometnb.client.resume import Resumption
from cometnb.client.setup import Setup, connecting, make_setup
from cometnb.client.steps import Flow, Send
from cometnb.client.stored import Polled, cancel, input_items, lookup, path_of, poll
from cometnb.client.stream import AsyncResponseStream, ResponseStream
from cometnb.client.turnstile import Turnstile
from cometnb.client.wire import AsyncWire, Wire
from cometnb.errors import ParamError
from cometnb.protocol.response import Response

__all__ = ["AsyncClient", "Client"]


class _Configured:
    """What both clients are told, and what they can say of it."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        model: str | None = None,
        backend: str | None = None,
        transport: Any = None,
        timeout_s: float = 600,
        idle_timeout_s: float = 120,
        max_retries: int = 2,
        observers: Sequence[Observer] = (),
        gates: Sequence[Gate] = (),
        strict: bool = False,
    ) -> None:
        self.setup: Setup = make_setup(
            api_key=api_key,
            base_url=base_url,
            model=model,
            backend=backend,
            transport=transport,
            timeout_s=timeout_s,
            idle_timeout_s=idle_timeout_s,
            max_retries=max_retries,
            observers=observers,
            gates=gates,
            strict=strict,
        )
        self._connect()

    def _connect(self) -> None:
        raise NotImplementedError  # the shell says which httpx client it is around

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self.setup.base_url

    @property
    def backend(self) -> str:
        """``api``, ``simulator`` or ``cassette``."""
        return self.setup.backend

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.backend} {self.base_url} model={self.setup.model}>"


class Client(_Configured):
    """A client of the Responses API, sync.

    Parameters
    ----------
    api_key : str, optional
        Else ``COMETAPI_KEY``, else ``COMETAPI_API_KEY``, else the one in cometnb's or CometAPI's configuration
        file, else the one in the keyring.
    base_url : str, optional
        Else ``COMETAPI_BASE_URL``, else ``https://api.cometapi.com/v1``.
    model : str, optional
        For calls that name none. Else ``COMETAPI_DEFAULT_MODEL``, else ``gpt-5.4``.
    backend : str, optional
        ``api``, ``simulator`` or ``cassette:PATH``, where no transport says who answers. Else ``COMETNB_BACKEND``,
        else ``api``.
    transport : httpx.BaseTransport, optional
        Instead of the network: ``Simulator()``, ``Cassette(path)``, or any of your own. With one of cometnb's no key
        is needed or sent, except by a cassette that records.
    timeout_s, idle_timeout_s : float
        Limits for a whole call and between two pieces of an answer.
    max_retries : int
        Attempts after the first; only before the first event has come.
    observers : sequence of callable
        Each is called with every finished `Attempt`, such as a `Ledger`, which writes it down as a row.
    gates : sequence of Gate
        Each is asked before every attempt, and may refuse it, cap it or stop its stream: `Budget`.
    strict : bool
        End with `ProtocolError` on what is otherwise settled; for people who build gateways.

    Raises
    ------
    ConfigError
        No key and no transport, or a setting that cannot be used.

    Examples
    --------
    >>> from cometnb import Client, Simulator
    >>> client = Client(transport=Simulator())
    >>> client.respond("Say hello.", max_output_tokens=16, reasoning={"effort": "none"}).status
    'incomplete'
    """

    def _connect(self) -> None:
        with connecting():
            self._http = httpx.Client(**self.setup.http_options())
        bound(self._http)

    def respond(
        self, input: Any = None, /, *, labels: Mapping[str, str] | None = None, **params: Any
    ) -> Response:  # the API's own word
        """Ask and wait for the whole answer.

        Parameters
        ----------
        input : str or list
            The prompt, or input items; see `cometnb.protocol.items`.
        labels : Mapping of str to str, optional
            Handed to the observers: ``notebook``, ``cell_id``, ``tag``, ``conversation``.
        **params
            Any parameter of the API. None means not set.

        Returns
        -------
        Response

        Raises
        ------
        ParamError
            Before anything is sent.
        CometError
            What the service or the wire says.
        """
        call = Call(self.setup, _with_input(input, params), labels)
        with ResponseStream(self._http, call) as stream:
            for _ in stream:
                pass
        return stream.response

    def stream(
        self,
        input: Any = None,  # the API's own word
        /,
        *,
        labels: Mapping[str, str] | None = None,
        **params: Any,
    ) -> ResponseStream:
        """Ask and get the answer as it is generated. Parameters as for `respond`."""
        call = Call(self.setup, {"stream": True, **_with_input(input, params)}, labels)
        return ResponseStream(self._http, call)

    def resume(
        self,
        response: Response | str,
        starting_after: int | None = None,
        *,
        labels: Mapping[str, str] | None = None,
    ) -> ResponseStream:
        """Take up the stream of a response in the background again, after its connection was lost.

        Parameters
        ----------
        response : Response or str
            What had come of it, such as ``stream.response`` or an error's ``.response``: the text goes on where
            that ends, which may be a few events beyond those the first stream was asked for. Or an id: then only
            the last event tells the text that came before.
        starting_after : int, optional
            The ``sequence_number`` of the last event that is known. For a Response it is its
            ``event_log.last_sequence_number``, and another one, or none, begins its text anew. For an id it is the
            start of the stream.
        labels : Mapping of str to str, optional
            Handed to the observers.

        Returns
        -------
        ResponseStream
            Of the events after that one. Its pieces of text, too, are only those that come now. Where a service
            knows the response but does not stream again, it holds one event, with the response as it stands.

        Raises
        ------
        ParamError
            What is given is no response and no id, or no number of an event.
        CometError
            While iterating. A service that does not offer retrieval of responses is named as such.

        Notes
        -----
        It is sent, retried and recorded as a call is: an attempt of its own, with ``method="GET"``. The usage stands
        in that attempt only if this process has not told it before; gates are not asked, as nothing new is
        generated.
        """
        return ResponseStream(self._http, Resumption(self.setup, response, starting_after, labels))

    def poll(self, response_id: str) -> Polled:
        """Fetch a stored response, and how long the service asks to wait before the next look."""
        polled: Polled = self._drive(poll(self.setup, response_id))
        return polled

    def retrieve(self, response_id: str) -> Response:
        """Fetch a stored response."""
        return self.poll(response_id).response

    def cancel(self, response_id: str) -> Response:
        """Cancel a response that runs in the background."""
        polled: Polled = self._drive(cancel(self.setup, response_id))
        return polled.response

    def delete(self, response_id: str) -> dict[str, Any]:
        """Delete a stored response; returns the service's acknowledgement."""
        deleted: dict[str, Any] = self._look_up(Send("DELETE", path_of(response_id)))
        return deleted

    def input_items(self, response_id: str) -> list[dict[str, Any]]:
        """Fetch all items that were the input of a stored response, newest first."""
        items: list[dict[str, Any]] = self._drive(input_items(self.setup, response_id))
        return items

    def models(self) -> list[str]:
        """Return the ids of the models the service lists."""
        return _model_ids(self._look_up(Send("GET", "/models")))

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look_up(self, send: Send) -> Any:
        return self._drive(lookup(self.setup, send))

    def _drive(self, flow: Flow) -> Any:
        return Wire(self._http, self.setup).drive(flow)


class AsyncClient(_Configured):
    """A client of the Responses API, async. Parameters and methods as `Client`."""

    def _connect(self) -> None:
        with connecting():
            self._http = httpx.AsyncClient(**self.setup.http_options())
        bound(self._http)
        if self.setup.transport is None:
            spread(self._http)

    async def respond(
        self,
        input: Any = None,  # the API's own word
        /,
        *,
        labels: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Response:
        """Ask and wait for the whole answer; see `Client.respond`."""
        call = Call(self.setup, _with_input(input, params), labels)
        async with AsyncResponseStream(self._http, call) as stream:
            async for _ in stream:
                pass
        return stream.response

    def stream(
        self,
        input: Any = None,  # the API's own word
        /,
        *,
        labels: Mapping[str, str] | None = None,
        **params: Any,
    ) -> AsyncResponseStream:
        """Ask and get the answer as it is generated; use it with ``async with`` or ``async for``."""
        call = Call(self.setup, {"stream": True, **_with_input(input, params)}, labels)
        return AsyncResponseStream(self._http, call)

    def resume(
        self,
        response: Response | str,
        starting_after: int | None = None,
        *,
        labels: Mapping[str, str] | None = None,
    ) -> AsyncResponseStream:
        """Take up the stream of a response in the background again; see `Client.resume`."""
        return AsyncResponseStream(self._http, Resumption(self.setup, response, starting_after, labels))

    def behind(self, turnstile: Turnstile) -> Self:
        """Return a client with the same connections, each of whose attempts waits before a turnstile."""
        other = copy.copy(self)
        other.setup = replace(self.setup, turnstile=turnstile)
        return other

    def under(self, gate: Any) -> Self:
        """Return a client with the same connections that asks a further gate, which also observes every attempt."""
        other = copy.copy(self)
        gates, observers = (*self.setup.gates, gate), (*self.setup.observers, gate)
        other.setup = replace(self.setup, gates=gates, observers=observers)
        return other

    def through(self, transport: httpx.AsyncBaseTransport) -> Self:
        """Return a client whose requests go through another transport; the rest is the same. It is closed by itself."""
        other = copy.copy(self)
        other.setup = replace(self.setup, transport=transport)
        other._connect()
        return other

    async def poll(self, response_id: str) -> Polled:
        """Fetch a stored response, and how long the service asks to wait before the next look."""
        polled: Polled = await self._drive(poll(self.setup, response_id))
        return polled

    async def retrieve(self, response_id: str) -> Response:
        """Fetch a stored response."""
        return (await self.poll(response_id)).response

    async def cancel(self, response_id: str) -> Response:
        """Cancel a response that runs in the background."""
        polled: Polled = await self._drive(cancel(self.setup, response_id))
        return polled.response

    async def delete(self, response_id: str) -> dict[str, Any]:
        """Delete a stored response; returns the service's acknowledgement."""
        deleted: dict[str, Any] = await self._look_up(Send("DELETE", path_of(response_id)))
        return deleted

    async def input_items(self, response_id: str) -> list[dict[str, Any]]:
        """Fetch all items that were the input of a stored response, newest first."""
        items: list[dict[str, Any]] = await self._drive(input_items(self.setup, response_id))
        return items

    async def models(self) -> list[str]:
        """Return the ids of the models the service lists."""
        return _model_ids(await self._look_up(Send("GET", "/models")))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _look_up(self, send: Send) -> Any:
        return await self._drive(lookup(self.setup, send))

    async def _drive(self, flow: Flow) -> Any:
        return await AsyncWire(self._http, self.setup).drive(flow)


def _with_input(value: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    if value is not None and params.get("input") is not None:
        raise ParamError(
            "input is given twice.", "Give the prompt once: in first place or as input=.", param="input"
        )
    return dict(params) if value is None else {**params, "input": value}


def _model_ids(listed: Mapping[str, Any]) -> list[str]:
    data = listed.get("data")
    rows = data if isinstance(data, list) else []
    return [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
