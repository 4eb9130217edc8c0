"""One call: its attempts, their clocks and their rows. Sync and async clients drive the same steps.

`Call.opening` and `lookups` are generators. They yield what they want done on the wire and are sent what came of it,
so that retries, errors and observers are written once.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.gate import Planned, Watch
from cometnb.client.setup import Setup, overdue
from cometnb.errors import CometError, CometWarning, masked
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event
from cometnb.protocol.exchange import Exchange, Phase, encoded
from cometnb.protocol.lookup import Lookup
from cometnb.protocol.request import prepare
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage

__all__ = ["Call", "Flow", "ReadBody", "Reply", "Send", "Step", "Wait", "lookup"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the reply is its Head, or a Fault."""

    method: str
    path: str
    content: bytes | None = None
    query: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadBody:
    """Read the whole body, up to a time of the setup's clock, and free the connection; the reply is bytes, or a Fault."""

    deadline_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait; the reply is None."""

    delay_s: float


Step = Send | ReadBody | Wait
Reply = Head | bytes | Fault | None
Flow = Generator[Step, Reply, Any]

# How a call ends that the service had begun to answer, and whose usage it then does not report.
_CUT_OFF = frozenset({"interrupted", "truncated", "cancelled"})

# A shorter key is a word such as "test", and taking it out of an error would spoil the error.
_SHORTEST_KEY = 8


class Call:
    """One call of ``POST /responses``.

    Parameters
    ----------
    setup : Setup
    params : Mapping
        The API's parameters; a missing model is the setup's.
    labels : Mapping of str to str, optional
        Handed on to observers.

    Raises
    ------
    ParamError
        Before anything is sent.

    Attributes
    ----------
    body : dict
        What is sent.
    notes : tuple of str
        What was let through or settled before sending.
    waiting : str or None
        Why nothing comes just now, during a wait before a retry.
    """

    def __init__(
        self, setup: Setup, params: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> None:
        given = {name: value for name, value in params.items() if value is not None}
        prepared = prepare({"model": setup.model} | given)
        self.body = prepared.body
        self.notes = prepared.notes
        self.waiting: str | None = None
        self._setup = setup
        self._labels = dict(labels or {})
        self._content = encoded(self.body)
        self._call_id = uuid.uuid4().hex
        self._attempt_id = ""
        self._watches: list[Watch] = []
        self._log = EventLog()
        self._estimated = Usage()
        self._is_stopped = False
        self._is_capped = False
        self._exchange = Exchange(self.body, strict=setup.strict)
        self._n_retries = -1
        self._created_at = setup.now()
        self._started_s: float | None = None
        self._first_s: float | None = None
        self._ended_s: float | None = None
        self._deadline_s = float("inf")
        self._is_recorded = True

    def opening(self) -> Flow:
        """Yield steps until an answer has begun to stream, has come whole, or has failed for good."""
        self._deadline_s = self._setup.clock() + self._setup.timeout_s
        while True:
            self._start_attempt()
            if not self._is_admitted():
                self.finish()
                return []
            reply = yield Send("POST", "/responses", self._content)
            if isinstance(reply, Head):
                if self._exchange.begin(reply) is Phase.STREAM:
                    return []
                reply = yield ReadBody(self._deadline_s)
            if isinstance(reply, bytes):
                events = self._exchange.receive_body(reply)
                if not self._exchange.is_retriable:
                    self.finish()
                    return events
            else:
                self._exchange.end(reply if isinstance(reply, Fault) else None)
            self.finish()
            delay_s = self._delay_s()
            if delay_s is None:
                return []
            self.waiting = f"{self._exchange.error_code}: trying again in {delay_s:.1f} s"
            yield Wait(delay_s)
            self.waiting = None

    def receive(self, chunk: bytes) -> list[Event]:
        """Take a chunk of the stream and return its events."""
        events = self._exchange.receive(chunk)
        now_s = self._setup.clock()
        self._log.add(now_s - (self._started_s or 0.0), events)
        if self._first_s is None and self._exchange.has_output:
            self._first_s = now_s
        if self._exchange.is_over:
            # Now and not when the last event has been dealt with: its reader's time is not the service's.
            return events + self.end()
        if now_s > self._deadline_s:
            return events + self.end(overdue(self._setup))
        for watch in self._watches:
            self._stop(watch(events))
        return events

    def end(self, fault: Fault | None = None) -> list[Event]:
        """Take the end of the stream."""
        events = self._exchange.end(fault)
        self.finish()
        return events

    def interrupt(self) -> None:
        """Stop; what came so far stays, and is recorded."""
        self._exchange.interrupt()
        self.finish()

    def finish(self) -> None:
        """Record the attempt, once."""
        if self._is_recorded:
            return
        self._is_recorded = True
        self._ended_s = self._setup.clock()
        _hide_key(self._exchange.error, self._setup)
        attempt = self._attempt()
        for observer in self._setup.observers:
            try:
                observer(attempt)
            except Exception as error:  # noqa: BLE001  # an observer's fault must not cost the answer
                name = getattr(observer, "__name__", type(observer).__name__)
                warnings.warn(
                    masked(f"The observer {name} failed: {error!r}; the answer is complete."),
                    CometWarning,
                    stacklevel=2,
                )

    @property
    def is_streaming(self) -> bool:
        """True while the body is an event stream that has not ended."""
        return self._exchange.phase is Phase.STREAM

    @property
    def is_stopped(self) -> bool:
        """True if a gate has ended the stream; its connection is then of no more use."""
        return self._is_stopped

    @property
    def is_over(self) -> bool:
        """True once there is nothing more to read."""
        return self._exchange.is_over

    @property
    def has_output(self) -> bool:
        """True once any delta has come."""
        return self._exchange.has_output

    @property
    def remaining_s(self) -> float:
        """Seconds left of the limit for the whole call."""
        return max(0.0, self._deadline_s - self._setup.clock())

    @property
    def response(self) -> Response:
        """The response so far."""
        response = self._exchange.response(self._timing())
        response.backend, response.base_url = self._setup.backend, self._setup.base_url
        response.model_requested = self.body["model"] if isinstance(self.body.get("model"), str) else None
        response.event_log = self._log
        response.estimated_usage = self._estimated
        return response

    @property
    def error(self) -> CometError | None:
        """Why the call ended badly, with `response` on it."""
        error = self._exchange.error
        if error is not None and error.response is None:
            error.response = self.response
        return error

    def check(self) -> None:
        """Raise why the call ended badly, if it did."""
        if self.error is not None:
            raise self.error

    def _start_attempt(self) -> None:
        if self._n_retries >= 0:
            self._exchange = Exchange(self.body, strict=self._setup.strict)
        self._n_retries += 1
        self._attempt_id = uuid.uuid4().hex
        self._watches, self._log = [], EventLog()
        self._created_at = self._setup.now()
        self._started_s = self._setup.clock()
        self._first_s = self._ended_s = None
        self._is_recorded = False

    def _is_admitted(self) -> bool:
        """Ask every gate; one that refuses ends the call before anything is sent."""
        if self._is_capped:
            # The cap was for the attempt before; a gate may want another one now.
            self._is_capped = False
            self._set_cap(None)
        for gate in self._setup.gates:
            planned = Planned(
                self._attempt_id,
                self._call_id,
                self.body,
                self._setup.backend,
                self._setup.base_url,
                self._labels,
            )
            try:
                terms = gate.admit(planned)
            except CometError as error:
                self._exchange.refuse(error)
                return False
            if terms is None:
                continue
            if terms.max_output_tokens is not None and self.body.get("max_output_tokens") is None:
                self._is_capped = True
                self._set_cap(terms.max_output_tokens)
            if terms.note and terms.note not in self.notes:
                self.notes += (terms.note,)
            if terms.watch is not None:
                self._watches.append(terms.watch)
        return True

    def _set_cap(self, max_output_tokens: int | None) -> None:
        self.body.pop("max_output_tokens", None)
        if max_output_tokens is not None:
            self.body["max_output_tokens"] = max_output_tokens
        self._content = encoded(self.body)

    def _stop(self, error: CometError | None) -> None:
        if error is not None and not self._is_stopped:
            self._is_stopped = True
            self._exchange.stop(error)
            self.finish()

    def _delay_s(self) -> float | None:
        if not self._exchange.is_retriable:
            return None
        head = self._exchange.head
        delay_s = self._setup.backoff.wait_s(self._n_retries, head.retry_after_s if head else None)
        return None if delay_s is None or delay_s >= self.remaining_s else delay_s

    def _timing(self) -> Timing:
        if self._started_s is None:
            return Timing()
        end_s = self._ended_s if self._ended_s is not None else self._setup.clock()
        ttft_s = None if self._first_s is None else self._first_s - self._started_s
        return Timing(ttft_s=ttft_s, duration_s=end_s - self._started_s, sent_at=self._created_at)

    def _attempt(self) -> Attempt:
        exchange, timing = self._exchange, self._timing()
        response = self.response
        response.estimated_usage = self._estimated = _estimated(self.body, response)
        return Attempt(
            attempt_id=self._attempt_id,
            call_id=self._call_id,
            created_at=self._created_at,
            backend=self._setup.backend,
            base_url=self._setup.base_url,
            params=self.body,
            response=response,
            status=response.status,
            error_code=exchange.error_code,
            http_status=exchange.head.status if exchange.head else None,
            ttft_s=timing.ttft_s,
            duration_s=timing.duration_s or 0.0,
            n_events=exchange.n_events,
            n_retries=self._n_retries,
            labels=self._labels,
        )


def _estimated(body: Mapping[str, Any], response: Response) -> Usage:
    """Return what an answer that was cut off has used, where the service can no longer say so."""
    if response.usage or response.status not in _CUT_OFF:
        return Usage()
    # Loaded by the few calls that are cut off.
    from cometnb.protocol.estimate import estimated_usage

    return estimated_usage(body, response.raw)


def _hide_key(error: CometError | None, setup: Setup) -> None:
    """Take the key out of what the service or the wire said; a gateway's keys have no form that errors know."""
    if error is not None and len(setup.api_key) >= _SHORTEST_KEY:
        error.args = tuple(masked(line, setup.api_key) for line in error.args)


def lookup(setup: Setup, send: Send) -> Flow:
    """Yield the steps of a request whose answer is plain JSON; the flow's value is that JSON.

    Raises
    ------
    CometError
        As the service or the wire says.
    """
    n_retries = 0
    deadline_s = setup.clock() + setup.timeout_s
    while True:
        answer = Lookup()
        reply = yield send
        if isinstance(reply, Head):
            head = reply
            reply = yield ReadBody(deadline_s)
            if isinstance(reply, bytes):
                answer.receive(head, reply)
        if isinstance(reply, Fault):
            answer.fail(reply)
        if answer.error is None:
            return answer.result
        asked_s = answer.head.retry_after_s if answer.head else None
        delay_s = setup.backoff.wait_s(n_retries, asked_s) if answer.is_retriable else None
        if delay_s is None or delay_s >= deadline_s - setup.clock():
            _hide_key(answer.error, setup)
            raise answer.error
        n_retries += 1
        yield Wait(delay_s)
