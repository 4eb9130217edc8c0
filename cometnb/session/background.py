"""A response in the background: looked at now and then, waited for, streamed, cancelled, and found again by its id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from math import inf
from time import monotonic
from typing import Any, Self

from cometnb.client.client import Client
from cometnb.client.fetched import bring_home
from cometnb.client.stream import ResponseStream
from cometnb.errors import CometError, ParamError, ResponseTimeoutError, UnexpectedContentError
from cometnb.protocol.events import OPENING
from cometnb.protocol.failure import error_details, failed_error
from cometnb.protocol.response import TERMINAL_STATUSES, Response, Timing
from cometnb.session.looking import Looking, Pace

__all__ = ["BackgroundResponse", "submit", "use_client"]

_LONGEST_SHOWN = 60

# How `pick_up` comes by a client where it is given none.
_clients: list[Callable[[], Client]] = [Client]


def use_client(make: Callable[[], Client]) -> None:
    """Let `BackgroundResponse.pick_up` use the client that `make` returns where it is given none."""
    _clients[:] = [make]


class BackgroundResponse:
    """A response that the service works on while nobody waits.

    Parameters
    ----------
    response : Response
        What the service answered to the request, with an id.
    client : Client
    labels : Mapping of str to str, optional
        As the request was made with; they are handed to the observers when it has ended.
    params : Mapping, optional
        The request's body.
    pace : Pace, optional

    Attributes
    ----------
    id : str
    schema : Schema or None
        What a structured answer was asked for with.

    Raises
    ------
    UnexpectedContentError
        The response has no id: nobody can ask for it again.

    Notes
    -----
    The request was recorded as ``queued`` or ``in_progress``, without usage. The first time this process sees the end, the
    client's observers are handed one more `Attempt` of the same response: ``method="GET"``, its final status and
    usage. Its ``attempt_id`` follows from the response's id: when two kernels wait for the same response, both tell
    it, and a ledger they share keeps one row. Looks in between are recorded nowhere. A response that nobody looks at
    again stays without usage.

    Examples
    --------
    >>> from cometnb import Client, Simulator
    >>> from cometnb.session.background import submit
    >>> work = submit(Client(transport=Simulator(text="Done.")), "Think about it.")
    >>> str(work.wait())
    'Done.'
    """

    def __init__(
        self,
        response: Response,
        client: Client,
        *,
        labels: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        pace: Pace | None = None,
    ) -> None:
        if not response.id:
            raise UnexpectedContentError(
                f"The response is {response.status} and has no id, so that it cannot be asked for again.",
                "Ask without background=True. What came is in the error's .response.",
                response=response,
            )
        self.id: str = response.id
        self.schema: Any = None
        self._client = client
        self._labels, self._params = dict(labels or {}), dict(params or {})
        self._looking = Looking(client, self.id, pace or Pace())
        self._submitted_at = response.timing.sent_at if params else None
        self._model_requested = response.model_requested
        self._lock = threading.Lock()
        self._stream: ResponseStream | None = None
        self._latest = response

    @classmethod
    def pick_up(
        cls,
        response_id: str,
        client: Client | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> Self:
        """Find a response again, in a new kernel as well.

        Parameters
        ----------
        response_id : str
        client : Client, optional
            Of the service that made it; else the kernel's own.
        labels : Mapping of str to str, optional
        pace : Pace, optional

        Raises
        ------
        CometError
            The service does not know it, or offers no retrieval of responses; then it is named as such.
        """
        client = client or _clients[0]()
        found = cls(client.retrieve(response_id), client, labels=labels, pace=pace)
        found._take(found._latest)
        return found

    @property
    def response(self) -> Response:
        """The response as it was at the last look; nothing is asked of the service."""
        stream = self._stream
        if stream is not None and self._latest.status not in TERMINAL_STATUSES:
            streamed = stream.response
            if streamed.status in TERMINAL_STATUSES:
                self._take(streamed, is_told=True)
        self._latest.schema = self.schema
        return self._latest

    @property
    def status(self) -> str:
        """Its status at the last look: queued, in_progress, completed, incomplete, failed or cancelled."""
        return self.response.status

    @property
    def is_done(self) -> bool:
        """True once it has ended, whatever its end."""
        return self.response.status in TERMINAL_STATUSES

    @property
    def trouble(self) -> str | None:
        """Why the last look failed, while looking goes on."""
        return self._looking.trouble

    @property
    def how_to_pick_up(self) -> str:
        """The line of Python that finds it again, ready to copy."""
        return f"cometnb.BackgroundResponse.pick_up({self.id!r})"

    def refresh(self) -> Response:
        """Look at it now, and return it as it stands.

        Raises
        ------
        CometError
            What the service or the wire says.
        """
        if not self.is_done:
            self._take(self._client.poll(self.id).response)
        return self.response

    def updates(self, idle_s: float | None = None) -> Iterator[Response]:
        """Yield the response as it stands, then after each look, until it has ended.

        Parameters
        ----------
        idle_s : float, optional
            Yield it also when nothing has been looked at for this long, so that a clock can be shown.

        Raises
        ------
        KeyboardInterrupt
            At once, with a line on how to pick it up; the service works on.
        CometError
            What the service or the wire says, if several looks in a row failed or another one cannot help.
        """
        try:
            yield from self._snapshots(idle_s, inf)
        except KeyboardInterrupt:
            raise self._interrupted() from None

    def wait(
        self, timeout_s: float | None = None, progress: Callable[[Response], object] | None = None
    ) -> Response:
        """Wait for its end and return it.

        Parameters
        ----------
        timeout_s : float, optional
            Seconds; None waits as long as it takes.
        progress : callable, optional
            Called with the Response at the beginning and after each look.

        Returns
        -------
        Response
            Completed, incomplete or cancelled.

        Raises
        ------
        ResponseFailedError
            It ended as ``failed``.
        ResponseTimeoutError
            It has not ended in time; it goes on.
        KeyboardInterrupt
            At once, with a line on how to pick it up; the service works on.
        CometError
            As for `updates`.
        """
        _check(timeout_s)
        until_s = inf if timeout_s is None else monotonic() + timeout_s
        try:
            for response in self._snapshots(None, until_s):
                if progress is not None:
                    progress(response)
        except KeyboardInterrupt:
            raise self._interrupted() from None
        if not self.is_done:
            raise ResponseTimeoutError(
                f"{self.id} is still {self.status} after {timeout_s:g} s, and goes on.",
                f"Call wait() again, or later: {self.how_to_pick_up}",
                response=self.response,
            )
        return self.result()

    def result(self) -> Response:
        """Return the response as it was at the last look.

        Raises
        ------
        ResponseFailedError
            If it has failed.
        """
        response = self.response
        if response.status == "failed":
            error = failed_error(error_details(response.error), request_id=response.request_id)
            error.response = response
            raise error
        return response

    def cancel(self) -> Response:
        """Have the service stop working on it, and return it as it stands then; any thread may do so.

        Raises
        ------
        CometError
            What the service or the wire says.
        """
        self._take(self._client.cancel(self.id))
        self._looking.hurry()
        return self.response

    def stream(self, starting_after: int | None = None) -> ResponseStream:
        """Take up its stream; see `Client.resume`. Read to its end, the stream says how the response has ended, too.

        Parameters
        ----------
        starting_after : int, optional
            The ``sequence_number`` of the last event that is known. Else it goes on where an earlier stream of this
            object ended early, or begins at the start.
        """
        known: Response | str = self.id
        if self._stream is not None and not self.is_done and self._stream.response.id:
            known = self._stream.response
        self._stream = self._client.resume(known, starting_after, labels=self._labels)
        return self._stream

    def _snapshots(self, idle_s: float | None, until_s: float) -> Iterator[Response]:
        shown = self.response
        yield shown
        try:
            for response in self._looking.looks(lambda: self.is_done, until_s=until_s, idle_s=idle_s):
                if response is not None:
                    self._take(response)
                shown = self.response
                yield shown
        except CometError as error:
            error.response = error.response or self.response
            raise
        if shown is not self.response:
            # Another thread has cancelled it, or read its stream.
            yield self.response

    def _take(self, response: Response, *, is_told: bool = False) -> None:
        """Keep a later look at the response; its end stands, and is told to the observers."""
        if response.model_requested is None:
            response.model_requested = self._model_requested
        is_end = response.status in TERMINAL_STATUSES
        if is_end and response.timing.duration_s is None and self._submitted_at is not None:
            lasted = self._client.setup.now() - self._submitted_at
            sent_at = response.timing.sent_at
            response.timing = Timing(duration_s=max(lasted, timedelta()).total_seconds(), sent_at=sent_at)
        with self._lock:
            if self._latest.status in TERMINAL_STATUSES and self._latest is not response:
                return
            self._latest = response
        if is_end:
            params, self._params = self._params, {}
            if not is_told:
                bring_home(self._client.setup, response, params=params, labels=self._labels)

    def _interrupted(self) -> KeyboardInterrupt:
        error = KeyboardInterrupt(
            f"The wait was interrupted; {self.id} goes on at the service. Wait for it again, or cancel() it; in"
            f" another kernel: {self.how_to_pick_up}"
        )
        # IPython calls this instead of printing where in our loop the signal came.
        error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]
        return error

    def __repr__(self) -> str:
        response = self.response
        if response.status not in TERMINAL_STATUSES:
            return f"<BackgroundResponse {self.id} {response.status}: wait() for it, stream() or cancel() it>"
        said = (response.error or {}).get("message") if response.status == "failed" else response.output_text
        text = str(said or "")
        shown = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
        return f"<BackgroundResponse {self.id} {response.status}: {shown!r}>"


def submit(
    client: Client,
    input: Any = None,  # the API's own word
    /,
    *,
    labels: Mapping[str, str] | None = None,
    pace: Pace | None = None,
    **params: Any,
) -> BackgroundResponse:
    """Ask in the background: return as soon as the service has taken the request.

    Parameters
    ----------
    client : Client
    input : str or list
        The prompt, or input items.
    labels : Mapping of str to str, optional
        Handed to the observers.
    pace : Pace, optional
        How often to look at it.
    **params
        Any parameter of the API. It is begun as a stream, which is left after its first event, as services stream
        only what was begun so; ``stream=False`` begins it without, and then its stream cannot be taken up.

    Raises
    ------
    ParamError
        Before anything is sent.
    CometError
        What the service or the wire says.

    Notes
    -----
    A service that does not work in the background is heard to the end; then the handle has ended already.
    """
    given = {"input": input} if input is not None else {}
    with client.stream(labels=labels, **given, **params | {"background": True}) as stream:
        for event in stream:
            if event.type in OPENING and _works_on(event.raw.get("response")):
                stream.leave()
                break
    return BackgroundResponse(stream.response, client, labels=labels, params=stream.body, pace=pace)


def _works_on(raw: Any) -> bool:
    """Tell whether a response goes on when nobody listens; one that does not would be lost."""
    return isinstance(raw, dict) and (raw.get("background") is True or raw.get("status") == "queued")


def _check(timeout_s: Any) -> None:
    is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if timeout_s is not None and not (is_number and timeout_s >= 0):
        raise ParamError(
            f"timeout_s={timeout_s!r} is no number of seconds from 0.",
            "Give timeout_s such as 60, or leave it out to wait as long as it takes.",
            param="timeout_s",
        )
