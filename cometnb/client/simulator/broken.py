"""Answers that begin well and go wrong on the way, as a fault wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.client.simulator.body import ended
from cometnb.client.simulator.faults import Fault
from cometnb.client.simulator.reply import Action, Break, Refusal, Wait, encoded
from cometnb.client.simulator.stream import EventStream

__all__ = ["SERVER_ERROR", "broken_body", "broken_stream"]

SERVER_ERROR = {
    "code": "server_error",
    "message": "Simulated: the server had an error while it was answering.",
}


def broken_stream(fault: Fault, stream: EventStream, events: Iterator[Action]) -> Iterator[Action]:
    """Yield a stream's events up to the place of the fault, then what the fault does.

    Parameters
    ----------
    fault : Fault
    stream : EventStream
    events : iterator of Action
        Of that stream, all or the rest of them.
    """
    for action in events:
        yield action
        if stream.n_events >= fault.at if fault.at is not None else stream.is_half_way:
            break
    yield from _STREAM_ENDS[fault.name](stream, events)


def broken_body(fault: Fault, final: Mapping[str, Any], opened: Mapping[str, Any]) -> Iterator[Action]:
    """Yield the JSON body of a request that is not streamed, as the fault leaves it.

    Raises
    ------
    Refusal
        500 for ``error_event``: without a stream the error is the answer.
    """
    if fault.name == "error_event":
        raise Refusal(500, SERVER_ERROR["message"], SERVER_ERROR["code"])
    if fault.name == "failed":
        return iter((encoded(ended(opened, "failed", SERVER_ERROR)),))
    whole = encoded(final)
    return iter((whole[: len(whole) // 2], *_BODY_ENDS[fault.name]))


def _failed(stream: EventStream, rest: Iterator[Action]) -> Iterator[Action]:
    yield stream.event("response.failed", response=ended(stream.opened, "failed", SERVER_ERROR))


def _error_event(stream: EventStream, rest: Iterator[Action]) -> Iterator[Action]:
    yield stream.event("error", **SERVER_ERROR, param=None)


def _cut(stream: EventStream, rest: Iterator[Action]) -> Iterator[Action]:
    for action in rest:
        if isinstance(action, bytes):
            yield action[: len(action) // 2]
            break
        yield action
    yield Break()


def _eof(stream: EventStream, rest: Iterator[Action]) -> Iterator[Action]:
    return iter(())


def _stall(stream: EventStream, rest: Iterator[Action]) -> Iterator[Action]:
    yield Wait(None)


_BODY_ENDS: dict[str, tuple[Action, ...]] = {"cut": (Break(),), "eof": (), "stall": (Wait(None),)}
_STREAM_ENDS: dict[str, Callable[[EventStream, Iterator[Action]], Iterator[Action]]] = {
    "failed": _failed,
    "error_event": _error_event,
    "cut": _cut,
    "eof": _eof,
    "stall": _stall,
}
