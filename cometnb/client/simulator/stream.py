"""Turns a generation into the documented sequence of server-sent events, each as bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.client.simulator.body import message_item, reasoning_item, text_part
from cometnb.client.simulator.generation import Generation
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.reasoning import Reasoning
from cometnb.client.simulator.reply import Action, Wait, encoded
from cometnb.client.simulator.tokens import split_tokens

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

    Notes
    -----
    `actions` is the whole stream. The faults take its parts instead and end it in their own way.
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
        self._number = 0
        self._message_index = 0 if generation.reasoning is None else 1

    def actions(self) -> Iterator[Action]:
        """Yield every event from ``response.created`` to the terminal one."""
        yield from self.beginning()
        if self.generation.has_message:
            yield from self.text(len(self.generation.tokens))
            yield from self._message_done()
        final = self._close()
        yield self.event(f"response.{final['status']}", response=final)

    def beginning(self) -> Iterator[Action]:
        """Yield what comes before the message: the response, its reasoning, and the wait for both."""
        yield self.event("response.created", response=self.opened)
        yield self.event("response.in_progress", response=self.opened)
        if self._pace.first_token_s:
            yield Wait(self._pace.first_token_s)
        if self.generation.reasoning is not None:
            yield from self._reasoning(self.generation.reasoning)

    def text(self, n_tokens: int) -> Iterator[Action]:
        """Yield the message's opening and its first `n_tokens` deltas."""
        generation = self.generation
        item = message_item(generation, "in_progress")
        yield self.event("response.output_item.added", output_index=self._message_index, item=item)
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        yield self.event("response.content_part.added", **self._place(), part=part)
        gap = Wait(self._pace.duration_s(1))
        for index in range(n_tokens):
            if gap.seconds:
                yield gap
            yield self.delta(index)

    def event(self, kind: str, /, **fields: Any) -> bytes:
        """Return one event with the next number."""
        number = self._number
        self._number += 1
        payload = encoded({"type": kind, "sequence_number": number, **fields})
        return b"event: %b\ndata: %b\n\n" % (kind.encode("ascii"), payload)

    def delta(self, index: int) -> bytes:
        """Return the delta with the token at `index`; there may be very many, so JSON is written by hand."""
        number = self._number
        self._number += 1
        logprobs = self.generation.logprobs
        text = (
            "event: response.output_text.delta\n"
            f'data: {{"type":"response.output_text.delta","sequence_number":{number},'
            f'"item_id":"msg_{self.generation.id_digits}","output_index":{self._message_index},'
            f'"content_index":0,'
            f'"delta":{_json_text(self.generation.tokens[index])},'
            f'"logprobs":{_json_text([logprobs[index]]) if logprobs else "[]"}{self._padding(index)}}}\n\n'
        )
        return text.encode("utf-8", "backslashreplace")

    def _padding(self, index: int) -> str:
        if not self._padded:
            return ""
        digits = hashlib.sha256(f"{self.generation.id_digits}{index}".encode()).hexdigest()
        n_digits = _PADDED_TO - len(self.generation.tokens[index]) % _PADDED_TO
        return f',"obfuscation":"{digits[:n_digits]}"'

    def _place(self) -> dict[str, Any]:
        return {
            "item_id": f"msg_{self.generation.id_digits}",
            "output_index": self._message_index,
            "content_index": 0,
        }

    def _reasoning(self, reasoning: Reasoning) -> Iterator[Action]:
        digits = self.generation.id_digits
        begun = reasoning_item(digits, reasoning, finished=False)
        yield self.event("response.output_item.added", output_index=0, item=begun)
        parts = [split_tokens(part) for part in reasoning.summary]
        n_deltas = max(1, sum(len(part) for part in parts))
        gap = Wait(self._pace.duration_s(reasoning.n_tokens) / n_deltas)
        if not parts and gap.seconds:
            yield gap
        for index, part in enumerate(parts):
            yield from self._summary_part(index, part, gap)
        yield self.event("response.output_item.done", output_index=0, item=reasoning_item(digits, reasoning))

    def _summary_part(self, index: int, tokens: list[str], gap: Wait) -> Iterator[Action]:
        place = {"item_id": f"rs_{self.generation.id_digits}", "output_index": 0, "summary_index": index}
        kind = "response.reasoning_summary"
        text = "".join(tokens)
        yield self.event(f"{kind}_part.added", **place, part={"type": "summary_text", "text": ""})
        for token in tokens:
            if gap.seconds:
                yield gap
            yield self.event(f"{kind}_text.delta", **place, delta=token)
        yield self.event(f"{kind}_text.done", **place, text=text)
        yield self.event(f"{kind}_part.done", **place, part={"type": "summary_text", "text": text})

    def _message_done(self) -> Iterator[Action]:
        generation = self.generation
        part = text_part(generation)
        done = {"text": part["text"], "logprobs": part["logprobs"]}
        yield self.event("response.output_text.done", **self._place(), **done)
        yield self.event("response.content_part.done", **self._place(), part=part)
        item = message_item(generation, "completed" if generation.complete else "incomplete")
        yield self.event("response.output_item.done", output_index=self._message_index, item=item)
