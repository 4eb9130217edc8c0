"""Turns a generation into the documented sequence of server-sent events, each as bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.outputs import Message, Output
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.reply import Action, Wait, encoded

__all__ = ["EventStream"]

_json_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PADDED_TO = 16


class EventStream:
    """The events of one response, numbered from 0.

    Parameters
    ----------
    generation : Generation
    opened : Mapping
        The response as it is when the work begins.
    close : callable
        Returns the response as it is at the end; called when the end is reached.
    pace : Pace
    padded : bool
        Add ``obfuscation`` to every delta.

    Attributes
    ----------
    n_events : int
        Events made so far: the number of the next one.
    """

    def __init__(
        self,
        generation: Generation,
        opened: Mapping[str, Any],
        close: Callable[[], dict[str, Any]],
        pace: Pace,
        *,
        padded: bool = False,
    ) -> None:
        self.generation = generation
        self.opened = opened
        self._close = close
        self._pace = pace
        self._padded = padded
        self.n_events = 0
        self._n_tokens = 0.0

    @property
    def is_half_way(self) -> bool:
        """True from the middle of what comes behind the reasoning."""
        generation = self.generation
        return self._n_tokens >= generation.reasoning_tokens + self._n_tokens_after_reasoning / 2

    @property
    def _n_tokens_after_reasoning(self) -> int:
        return self.generation.output_tokens - self.generation.reasoning_tokens

    def actions(self) -> Iterator[Action]:
        """Yield every event from ``response.created`` to the terminal one."""
        yield self.event("response.created", response=self.opened)
        first = self._pace.first_token_s
        if self.opened["status"] == "queued":
            yield self.event("response.queued", response=self.opened)
            first /= 2
            if first:
                yield Wait(first)
        yield self.event("response.in_progress", response={**self.opened, "status": "in_progress"})
        if first:
            yield Wait(first)
        for index, output in enumerate(self.generation.outputs):
            yield self.event("response.output_item.added", output_index=index, item=output.begun())
            if isinstance(output, Message) and not output.is_refusal:
                yield from self._text(index, output)
            else:
                yield from self._steps(index, output)
            yield self.event("response.output_item.done", output_index=index, item=output.done())
        final = self._close()
        yield self.event(f"response.{final['status']}", response=final)

    def event(self, kind: str, /, **fields: Any) -> bytes:
        """Return one event with the next number."""
        number = self.n_events
        self.n_events += 1
        payload = encoded({"type": kind, "sequence_number": number, **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode("ascii"), payload)

    def _steps(self, index: int, output: Output) -> Iterator[Action]:
        place = {"item_id": output.id, "output_index": index}
        if isinstance(output, Message):
            yield self._part("added", place, output)
        for step in output.steps():
            yield from self._time(step.n_tokens)
            if step.kind:
                yield self.event(f"response.{step.kind}", **place, **step.fields)
        if isinstance(output, Message):
            yield self._part("done", place, output)

    def _text(self, index: int, output: Message) -> Iterator[Action]:
        place = {"item_id": output.id, "output_index": index}
        yield self._part("added", place, output)
        for number in range(len(output.tokens)):
            yield from self._time(1)
            yield self._delta(index, output, number)
        for number, annotation in enumerate(output.annotations):
            fields = {"content_index": 0, "annotation_index": number, "annotation": annotation}
            yield self.event("response.output_text.annotation.added", **place, **fields)
        part = output.part()
        done = {"content_index": 0, "text": part["text"], "logprobs": part["logprobs"]}
        yield self.event("response.output_text.done", **place, **done)
        yield self._part("done", place, output)

    def _part(self, which: str, place: Mapping[str, Any], output: Message) -> bytes:
        part = output.part(is_empty=which == "added")
        return self.event(f"response.content_part.{which}", **place, content_index=0, part=part)

    def _time(self, n_tokens: float) -> Iterator[Action]:
        self._n_tokens += n_tokens
        seconds = self._pace.duration_s(n_tokens)
        if seconds:
            yield Wait(seconds)

    def _delta(self, index: int, output: Message, number: int) -> bytes:
        """Return the delta with one token; there may be very many, so JSON is written by hand."""
        n_events = self.n_events
        self.n_events += 1
        token, logprobs = output.tokens[number], output.logprobs
        text = (
            "event: response.output_text.delta\n"
            f'data: {{"type":"response.output_text.delta","sequence_number":{n_events},'
            f'"item_id":"{output.id}","output_index":{index},"content_index":0,'
            f'"delta":{_json_text(token)},'
            f'"logprobs":{_json_text([logprobs[number]]) if logprobs else "[]"}'
            f"{self._padding(number, token)}}}\n\n"
        )
        return text.encode("utf-8", "backslashreplace")

    def _padding(self, number: int, token: str) -> str:
        if not self._padded:
            return ""
        digits = hashlib.sha256(f"{self.generation.id_digits}{number}".encode()).hexdigest()
        return f',"obfuscation":"{digits[: _PADDED_TO - len(token) % _PADDED_TO]}"'
