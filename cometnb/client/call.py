"""One call: its attempts, their clocks and their rows. Sync and async clients drive the same steps.

`Call.opening` is a generator, as `lookup` is. They yield what they want done on the wire and are sent what came of it,
so that retries, errors and observers are written once.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cometnb.client.attempt import Attempt, tell
from cometnb.client.fetched import claim
from cometnb.client.gate import Planned, Watch
from cometnb.client.setup import Setup, hide_key, mark, overdue, without_key
from cometnb.client.steps import Enter, Flow, ReadBody, Send, Wait
from cometnb.client.turnstile import Pass
from cometnb.errors import CometError
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event
from cometnb.protocol.exchange import Exchange, Phase, encoded
from cometnb.protocol.request import prepare
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage

__all__ = ["Call"]


# How a call ends that the service had begun to answer, and whose usage it then does not report.
_CUT_OFF = frozenset({"interrupted", "truncated", "cancelled"})
_TOO_MANY = 429


class Call:
    """One call of ``POST /responses``.

    Parameters
    ----------
    setup : Setup
    params : Mapping
        The API's parameters; a missing model is the setup's.
    labels : Mapping of str to str, optional
        Handed on to observers; ``call_id`` among them is the id that several calls share. ``idempotency_key`` is
        sent, so that a service that knows the header answers the same request once, however often it comes.

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
    setup : Setup
    text_before : sequence of (str, str), or None
        Places and texts of an earlier stream that this one takes up; None if there may be some that is not known.
    """

    text_before: Sequence[tuple[str, str]] | None = ()

    def __init__(
        self, setup: Setup, params: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> None:
        given = {name: value for name, value in params.items() if value is not None}
        prepared = prepare({"model": setup.model} | given)
        self._begin(setup, prepared.body, prepared.notes, labels)

    def _begin(
        self,
        setup: Setup,
        body: dict[str, Any],
        notes: tuple[str, ...],
        labels: Mapping[str, str] | None,
    ) -> None:
        self.body = body
        self.notes = notes
        self.waiting: str | None = None
        self.setup = setup
        self._labels = dict(labels or {})
        # Rounds of one turn share an id; else a call has its own.
        call_id = self._labels.pop("call_id", "")
        self._idempotency_key = self._labels.pop("idempotency_key", "")
        self._pass: Pass | None = None
        self._content = encoded(self.body)
        self._call_id = call_id or uuid.uuid4().hex
        self._attempt_id = ""
        self._backend = setup.backend
        self._watches: list[Watch] = []
        self._log = EventLog()
        self._estimated = Usage()
        self._is_stopped = False
        self._is_capped = False
        self._exchange = self._new_exchange()
        self._n_retries = -1
        self._created_at = setup.now()
        self._started_s: float | None = None
        self._first_s: float | None = None
        self._ended_s: float | None = None
        self._deadline_s = float("inf")
        self._is_recorded = True

    def opening(self) -> Flow:
        """Yield steps until an answer has begun to stream, has come whole, or has failed for good."""
        self._deadline_s = self.setup.clock() + self.setup.timeout_s
        while True:
            yield from self._entering()
            self._start_attempt()
            if not self._is_admitted():
                self.finish()
                return []
            reply = yield replace(self._request(), deadline_s=self._deadline_s)
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
        now_s = self.setup.clock()
        self._log.add(now_s - (self._started_s or 0.0), events)
        if self._first_s is None and self._exchange.has_output:
            self._first_s = now_s
        if self._exchange.is_over:
            # Now and not when the last event has been dealt with: its reader's time is not the service's.
            return events + self.end()
        if now_s > self._deadline_s:
            return events + self.end(overdue(self.setup))
        for watch in self._watches:
            self._stop(watch(events))
        return events

    def end(self, fault: Fault | None = None) -> list[Event]:
        """Take the end of the stream."""
        events = self._exchange.end(fault)
        if self._exchange.n_events:
            self._log.add(self.setup.clock() - (self._started_s or 0.0), events)
        self.finish()
        return events

    def interrupt(self) -> None:
        """Stop; what came so far stays, and is recorded."""
        self._exchange.interrupt()
        self.finish()

    def leave(self) -> None:
        """Leave a response in the background to the service; what came so far is recorded with its status."""
        self._exchange.leave()
        self.finish()

    def finish(self) -> None:
        """Record the attempt, once."""
        if self._is_recorded:
            return
        self._is_recorded = True
        self._ended_s = self.setup.clock()
        hide_key(self._exchange.error, self.setup)
        if self._exchange.error_code:
            self._exchange.error_code = without_key(self._exchange.error_code, self.setup)
        attempt = self._attempt()
        tell(self.setup.observers, attempt)
        if self.setup.turnstile is not None and self._pass is not None:
            head = self._exchange.head
            self.setup.turnstile.leave(self._pass, attempt, head.retry_after_s if head else None)
            self._pass = None

    @property
    def is_streaming(self) -> bool:
        """True while the body is an event stream that has not ended."""
        return self._exchange.phase is Phase.STREAM

    @property
    def is_stopped(self) -> bool:
        """True if the stream was ended before its end, by a gate or its size; its connection is of no more use."""
        return self._is_stopped or self._exchange.error_code == "too_large"

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
        return max(0.0, self._deadline_s - self.setup.clock())

    @property
    def response(self) -> Response:
        """The response so far."""
        response = self._exchange.response(self._timing())
        mark(response, self.setup, self._exchange.head, self._backend)
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

    def _entering(self) -> Flow:
        """Yield the wait before a turnstile, which does not count as the service's time."""
        if self.setup.turnstile is not None:
            came_s = self.setup.clock()
            reply = yield Enter(self.setup.turnstile, self._call_id, self.body)
            self._pass = reply if isinstance(reply, Pass) else None
            self._deadline_s += self.setup.clock() - came_s

    def _request(self) -> Send:
        headers = {}
        if self._idempotency_key:
            # With the body in it, another request never gets this one's answer: the next round of a turn, say.
            digest = hashlib.sha256(self._idempotency_key.encode() + self._content).hexdigest()
            headers = {"idempotency-key": digest}
        return Send("POST", "/responses", self._content, headers=headers, is_capped=self._is_capped)

    def _new_exchange(self) -> Exchange:
        return Exchange(self.body, strict=self.setup.strict)

    def _new_log(self) -> EventLog:
        return EventLog()

    def _start_attempt(self) -> None:
        if self._n_retries >= 0:
            self._exchange = self._new_exchange()
        self._n_retries += 1
        self._attempt_id = uuid.uuid4().hex
        self._backend = self.setup.backend_for(self._request())
        self._watches, self._log = [], self._new_log()
        self._created_at = self.setup.now()
        self._started_s = self.setup.clock()
        self._first_s = self._ended_s = None
        self._is_recorded = False

    def _is_admitted(self) -> bool:
        """Ask every gate; one that refuses ends the call before anything is sent."""
        if self._is_capped:
            # The cap was for the attempt before; a gate may want another one now.
            self._is_capped = False
            self._set_cap(None)
        for gate in self.setup.gates:
            planned = Planned(
                self._attempt_id,
                self._call_id,
                self.body,
                self._backend,
                self.setup.base_url,
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
        asked_s = head.retry_after_s if head else None
        turnstile = self.setup.turnstile
        if turnstile is not None and head is not None and head.status == _TOO_MANY:
            # Before the turnstile everybody waits; here another wait would only be added.
            delay_s = 0.0 if self._n_retries < turnstile.max_returns else None
        else:
            delay_s = self.setup.backoff.wait_s(self._n_retries, asked_s)
        return None if delay_s is None or delay_s >= self.remaining_s else delay_s

    def _timing(self) -> Timing:
        if self._started_s is None:
            return Timing()
        end_s = self._ended_s if self._ended_s is not None else self.setup.clock()
        ttft_s = None if self._first_s is None else self._first_s - self._started_s
        return Timing(ttft_s=ttft_s, duration_s=end_s - self._started_s, sent_at=self._created_at)

    def _used(self, response: Response) -> Usage:
        """Return what an answer that was cut off has used, where the service can no longer say so."""
        if response.usage or response.status not in _CUT_OFF:
            return Usage()
        if self.body.get("background") and response.status != "cancelled":
            # The service works on, and says what it used to whoever fetches the response.
            return Usage()
        # Loaded by the few calls that are cut off.
        from cometnb.protocol.estimate import estimated_usage

        return estimated_usage(self.body, response.raw)

    def _attempt(self) -> Attempt:
        exchange, timing = self._exchange, self._timing()
        response = self.response
        response.estimated_usage = self._estimated = self._used(response)
        if self.body.get("background") and response.usage:
            # Told now; whoever fetches the response does not tell it again.
            claim(self.setup.base_url, response)
        return Attempt(
            attempt_id=self._attempt_id,
            call_id=self._call_id,
            created_at=self._created_at,
            backend=response.backend,
            base_url=self.setup.base_url,
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
