"""The two clients: one flat face over the same flows, sync and async."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from cometnb.client.attempt import Observer
from cometnb.client.call import Flow, Send, lookup
from cometnb.client.gate import Gate
from cometnb.client.setup import Setup, make_setup
from cometnb.client.stream import AsyncResponseStream, ResponseStream
from cometnb.client.wire import AsyncWire, Wire
from cometnb.errors import ParamError
from cometnb.protocol.response import Response

__all__ = ["AsyncClient", "Client"]

_PAGE_ITEMS = 100


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
        Else ``COMETAPI_KEY``, else ``COMETAPI_API_KEY``.
    base_url : str, optional
        Else ``COMETAPI_BASE_URL``, else ``https://api.cometapi.com/v1``.
    model : str, optional
        For calls that name none. Else ``COMETAPI_DEFAULT_MODEL``, else ``gpt-5.4``.
    backend : str, optional
        ``api`` or ``simulator``, where no transport says who answers. Else ``COMETNB_BACKEND``, else ``api``.
    transport : httpx.BaseTransport, optional
        Instead of the network: ``Simulator()``, or any of your own. With one of cometnb's no key is needed or sent.
    timeout_s, idle_timeout_s : float
        Limits for a whole call and between two pieces of an answer.
    max_retries : int
        Attempts after the first; only before the first event has come.
    observers : sequence of callable
        Each is called with every finished `Attempt`.
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
        self._http = httpx.Client(**self.setup.http_options())

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
        with ResponseStream(self._http, self.setup, _with_input(input, params), labels) as stream:
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
        return ResponseStream(self._http, self.setup, {"stream": True, **_with_input(input, params)}, labels)

    def retrieve(self, response_id: str) -> Response:
        """Fetch a stored response."""
        return _stored(self.setup, self._look_up(Send("GET", _path(response_id))))

    def cancel(self, response_id: str) -> Response:
        """Cancel a response that runs in the background."""
        return _stored(self.setup, self._look_up(Send("POST", f"{_path(response_id)}/cancel")))

    def delete(self, response_id: str) -> dict[str, Any]:
        """Delete a stored response; returns the service's acknowledgement."""
        deleted: dict[str, Any] = self._look_up(Send("DELETE", _path(response_id)))
        return deleted

    def input_items(self, response_id: str) -> list[dict[str, Any]]:
        """Fetch all items that were the input of a stored response, newest first."""
        items: list[dict[str, Any]] = self._drive(_all_items(self.setup, response_id))
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
        self._http = httpx.AsyncClient(**self.setup.http_options())

    async def respond(
        self,
        input: Any = None,  # the API's own word
        /,
        *,
        labels: Mapping[str, str] | None = None,
        **params: Any,
    ) -> Response:
        """Ask and wait for the whole answer; see `Client.respond`."""
        async with AsyncResponseStream(self._http, self.setup, _with_input(input, params), labels) as stream:
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
        return AsyncResponseStream(
            self._http, self.setup, {"stream": True, **_with_input(input, params)}, labels
        )

    async def retrieve(self, response_id: str) -> Response:
        """Fetch a stored response."""
        return _stored(self.setup, await self._look_up(Send("GET", _path(response_id))))

    async def cancel(self, response_id: str) -> Response:
        """Cancel a response that runs in the background."""
        return _stored(self.setup, await self._look_up(Send("POST", f"{_path(response_id)}/cancel")))

    async def delete(self, response_id: str) -> dict[str, Any]:
        """Delete a stored response; returns the service's acknowledgement."""
        deleted: dict[str, Any] = await self._look_up(Send("DELETE", _path(response_id)))
        return deleted

    async def input_items(self, response_id: str) -> list[dict[str, Any]]:
        """Fetch all items that were the input of a stored response, newest first."""
        items: list[dict[str, Any]] = await self._drive(_all_items(self.setup, response_id))
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


def _stored(setup: Setup, raw: Mapping[str, Any]) -> Response:
    response = Response(raw)
    response.backend = setup.backend
    return response


def _path(response_id: str | None) -> str:
    # A part of dots alone would lead to another path.
    if not isinstance(response_id, str) or not response_id.strip().strip("."):
        raise ParamError(
            f"response_id={response_id!r} is no id.",
            "Pass response.id, such as 'resp_…'.",
            param="response_id",
        )
    return f"/responses/{urllib.parse.quote(response_id.strip(), safe='')}"


def _all_items(setup: Setup, response_id: str) -> Flow:
    """Yield the steps that fetch every page of a response's input items; the flow's value is the list."""
    items: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": _PAGE_ITEMS}
    while True:
        page = yield from lookup(setup, Send("GET", f"{_path(response_id)}/input_items", query=query))
        data = page.get("data")
        items += data if isinstance(data, list) else []
        after = page.get("last_id") or (
            items[-1].get("id") if items and isinstance(items[-1], dict) else None
        )
        if not page.get("has_more") or not after or after == query.get("after"):
            return items
        query = {"limit": _PAGE_ITEMS, "after": after}


def _model_ids(listed: Mapping[str, Any]) -> list[str]:
    data = listed.get("data")
    rows = data if isinstance(data, list) else []
    return [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
