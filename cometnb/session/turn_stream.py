"""A turn as one stream: its rounds' events one after the other, and between them what the notebook's functions gave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from cometnb.client.stream import AsyncResponseStream
from cometnb.errors import CometError
from cometnb.protocol.events import Event
from cometnb.protocol.items import function_call_output
from cometnb.protocol.recorded import together
from cometnb.protocol.response import FunctionCall, Response, Timing
from cometnb.protocol.usage import Usage
from cometnb.session.permit import REFUSED
from cometnb.session.rounds import Ask, Flow, Run
from cometnb.session.tools import Toolbox, ToolResult

__all__ = ["ASKED", "CALLED", "RETURNED", "Permit", "TurnStream"]

CALLED, ASKED, RETURNED = "cometnb.tool.called", "cometnb.tool.asked", "cometnb.tool.returned"
"""Events of our own: a function runs; a person is asked whether it may; it has returned."""


class Permit(Protocol):
    """Says whether a call may run; asked on the session's thread."""

    def __call__(self, call: FunctionCall) -> Awaitable[bool]:
        """Ask, and return the answer to be awaited; asked by the time this returns, so that it can be answered."""


_Open: TypeAlias = Callable[[Mapping[str, Any]], AsyncResponseStream]


class TurnStream:
    """A flow of rounds that reads like a single `AsyncResponseStream`.

    Parameters
    ----------
    flow : Flow
        As `rounds.asking` returns it, not started.
    open_stream : callable
        Makes the stream of one round from its parameters.
    toolbox : Toolbox
        Runs the functions.
    permit : Permit, optional
        Asked before each call; None lets all of them run.
    remarks : sequence of str
        What the conversation has to say; read whenever `notes` are.

    Attributes
    ----------
    body : dict
        The first request, as it is sent.
    results : list of ToolResult
        What the functions gave, in the order of their calls.
    """

    def __init__(
        self,
        flow: Flow,
        open_stream: _Open,
        toolbox: Toolbox,
        permit: Permit | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        self.results: list[ToolResult] = []
        self._flow = flow
        self._open = open_stream
        self._toolbox = toolbox
        self._permit = permit
        self._remarks = remarks
        self._rounds: list[Response] = []
        self._stream: AsyncResponseStream | None = None
        self._notes: list[str] = []
        self._is_stopped = False
        # Made now, so that a parameter that cannot be sent is an error here, as with a single stream.
        self._step: Ask | Run | None = next(flow)
        self.body: dict[str, Any] = self._make().body
        self._events = self._all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._events.aclose()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    @property
    def waiting(self) -> str | None:
        """Why nothing comes just now, during a wait before a retry."""
        return self._stream.waiting if self._stream is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was settled, let through or capped before sending, in any round."""
        now = self._stream.notes if self._stream is not None else ()
        return tuple(dict.fromkeys([*self._notes, *now, *self._remarks]))

    @property
    def response(self) -> Response:
        """All rounds as one response: every item in order, the usage added up, the id and status of the last."""
        now = [self._stream.response] if self._stream is not None else []
        status = "interrupted" if self._is_stopped else None
        return _joined([*self._rounds, *now], tuple(self.results), status)

    async def _all(self) -> AsyncGenerator[Event, None]:
        while self._step is not None:
            asks = isinstance(self._step, Ask)
            work = self._round() if asks else self._calls(self._step)
            try:
                async for event in work:
                    yield event
            finally:
                await work.aclose()

    async def _round(self) -> AsyncGenerator[Event, None]:
        stream = self._stream or self._make()
        offset = sum(len(one.output) for one in self._rounds)
        error: CometError | None = None
        try:
            async with stream:
                async for event in stream:
                    yield _moved(event, offset) if offset else event
        except CometError as raised:
            error = raised
        except (asyncio.CancelledError, GeneratorExit):
            # The stream is closed by now, and what it holds is what came.
            self._end_round(stream)
            self._advance(self._rounds[-1])
            raise
        self._end_round(stream)
        self._advance(error if error is not None else self._rounds[-1])

    async def _calls(self, step: Any) -> AsyncGenerator[Event, None]:
        calls: Sequence[FunctionCall] = step.calls
        done: asyncio.Queue[tuple[int, ToolResult]] = asyncio.Queue()
        allowed = []
        found: dict[int, ToolResult] = {}
        tasks: list[asyncio.Task[None]] = []
        try:
            for place, call in enumerate(calls):
                if self._permit is not None:
                    answer = self._permit(call)
                    yield _event(ASKED, call)
                    if not await answer:
                        found[place] = ToolResult(call.name, call.call_id, call.arguments, REFUSED, True)
                        yield _event(RETURNED, call, found[place])
                        continue
                allowed.append((place, call))
            for place, call in allowed:
                yield _event(CALLED, call)
                tasks.append(asyncio.create_task(self._run(place, call, done)))
            for _ in allowed:
                place, result = await done.get()
                found[place] = result
                yield _event(RETURNED, calls[place], result)
        except (asyncio.CancelledError, GeneratorExit):
            # The round before had ended well, so nothing else would tell that there is no answer.
            self._is_stopped = True
            self._advance(self._taken(found))
            raise
        finally:
            for task in tasks:
                task.cancel()
        self._advance(self._taken(found))

    async def _run(self, place: int, call: FunctionCall, done: asyncio.Queue[tuple[int, ToolResult]]) -> None:
        done.put_nowait((place, await self._toolbox.call(call)))

    def _taken(self, found: Mapping[int, ToolResult]) -> list[dict[str, Any]]:
        results = [found[place] for place in sorted(found)]
        self.results += results
        return [result.item for result in results]

    def _make(self) -> AsyncResponseStream:
        if not isinstance(self._step, Ask):
            raise RuntimeError("a stream is made for a call of the service only")  # noqa: TRY004  # no wrong argument
        try:
            self._stream = self._open(self._step.params)
        except CometError:
            self._flow.close()
            raise
        return self._stream

    def _end_round(self, stream: AsyncResponseStream) -> None:
        self._rounds.append(stream.response)
        self._notes += [note for note in stream.notes if note not in self._notes]
        self._stream = None

    def _advance(self, reply: Any) -> None:
        """Tell the flow what came, and take what it wants next; a refused round that is sent again is no round."""
        try:
            if isinstance(reply, CometError):
                self._step = self._flow.throw(reply)
                self._rounds.pop()
            else:
                self._step = self._flow.send(reply)
        except StopIteration:
            self._step = None
        except CometError:
            self._step = None
            raise


def _event(kind: str, call: FunctionCall, result: ToolResult | None = None) -> Event:
    raw: dict[str, Any] = {"name": call.name, "call_id": call.call_id, "arguments": call.arguments}
    if result is not None:
        raw |= {"output": result.output, "is_error": result.is_error, "duration_s": result.duration_s}
    return Event(kind, raw)


def _moved(event: Event, offset: int) -> Event:
    """Return an event of a later round with its place among the items of all rounds."""
    index = event.raw.get("output_index")
    if not isinstance(index, int):
        return event
    return Event(event.type, {**event.raw, "output_index": index + offset})


def _joined(
    rounds: Sequence[Response], results: tuple[ToolResult, ...], status: str | None = None
) -> Response:
    if not rounds:
        return Response({})
    last = rounds[-1]
    if len(rounds) == 1 and not results and status is None:
        return last
    by_call = {result.call_id: result for result in results}
    items: list[dict[str, Any]] = []
    for one in rounds:
        items += one.output
        answered = [by_call[call.call_id] for call in one.function_calls if call.call_id in by_call]
        items += [function_call_output(result.call_id, result.output) for result in answered]
    usage = sum((one.usage for one in rounds), Usage())
    raw = {**last.raw, "output": items, "usage": usage.raw or last.raw.get("usage")}
    whole = Response(
        raw,
        status=status or last.status,
        request_id=last.request_id,
        timing=_whole_time(rounds, results),
        error=last.error,
        unknown=last.unknown_events,
    )
    whole.backend, whole.base_url, whole.model_requested = last.backend, last.base_url, last.model_requested
    whole.estimated_usage, whole.event_log = last.estimated_usage, last.event_log
    whole.recorded = together([one.recorded for one in rounds])
    whole.rounds, whole.tool_results = tuple(rounds), results
    return whole


def _whole_time(rounds: Sequence[Response], results: Sequence[ToolResult]) -> Timing:
    """Return the time to the very first delta, and that of all rounds with the functions between them."""
    first, last = rounds[0].timing, rounds[-1].timing
    spans_s = [one.timing.duration_s for one in rounds]
    whole_s = None
    if first.sent_at is not None and last.sent_at is not None and last.duration_s is not None:
        whole_s = (last.sent_at - first.sent_at).total_seconds() + last.duration_s
    elif None not in spans_s:
        whole_s = sum(span for span in spans_s if span is not None) + sum(one.duration_s for one in results)
    return Timing(ttft_s=first.ttft_s, duration_s=whole_s, sent_at=first.sent_at)
