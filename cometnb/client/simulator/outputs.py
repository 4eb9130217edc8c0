"""What a response is made of: each output item, how it comes event by event, and where it can be cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from cometnb.client.simulator.reasoning import Reasoning
from cometnb.client.simulator.tokens import split_tokens

__all__ = ["Call", "Message", "Output", "Step", "Thought", "ToolItem", "message"]


class Step(NamedTuple):
    """One event of an item, or only time that passes.

    Attributes
    ----------
    kind : str
        The event's type without ``response.``; empty if nothing is sent.
    fields : Mapping
        What it holds beside its number and the item's place.
    n_tokens : float
        How long it takes, in tokens.
    """

    kind: str
    fields: Mapping[str, Any] = {}
    n_tokens: float = 0


class Output(Protocol):
    """One item of a response's output."""

    @property
    def id(self) -> str:
        """The item's id."""

    @property
    def n_tokens(self) -> int:
        """Tokens that writing it took."""

    def begun(self) -> dict[str, Any]:
        """Return the item as it is announced."""

    def done(self) -> dict[str, Any]:
        """Return the item as it is in the end."""

    def steps(self) -> Iterator[Step]:
        """Yield what happens in between."""

    def cut(self, n_tokens: int) -> Output | None:
        """Return what there is of it when the tokens ran out; None if nothing."""


@dataclass(frozen=True, slots=True)
class Thought:
    """The reasoning item."""

    id: str
    reasoning: Reasoning

    @property
    def n_tokens(self) -> int:
        """Tokens that writing it took."""
        return self.reasoning.n_tokens

    def begun(self) -> dict[str, Any]:
        """Return the item as it is announced."""
        return self._item(())

    def done(self) -> dict[str, Any]:
        """Return the item as it is in the end."""
        return self._item(self.reasoning.summary)

    def steps(self) -> Iterator[Step]:
        """Yield what happens in between."""
        parts = [split_tokens(part) for part in self.reasoning.summary]
        each = self.n_tokens / max(1, sum(len(part) for part in parts))
        if not parts:
            yield Step("", n_tokens=each)
        for index, tokens in enumerate(parts):
            place, text = {"summary_index": index}, "".join(tokens)
            yield Step("reasoning_summary_part.added", {**place, "part": _summary("")})
            for token in tokens:
                yield Step("reasoning_summary_text.delta", {**place, "delta": token}, each)
            yield Step("reasoning_summary_text.done", {**place, "text": text})
            yield Step("reasoning_summary_part.done", {**place, "part": _summary(text)})

    def cut(self, n_tokens: int) -> Thought:
        """Return reasoning that never came to its end."""
        # A summary is written when the reasoning is over, and this one never was.
        return Thought(self.id, replace(self.reasoning, n_tokens=n_tokens, summary=()))

    def _item(self, summary: Sequence[str]) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": self.id,
            "type": "reasoning",
            "summary": [_summary(part) for part in summary],
        }
        if self.reasoning.encrypted_content is not None:
            item["encrypted_content"] = self.reasoning.encrypted_content
        return item


@dataclass(frozen=True, slots=True)
class Message:
    """A message with one part: text, or a refusal.

    Attributes
    ----------
    id : str
    tokens : tuple of str
        Joined they are the text.
    logprobs : tuple of dict or None
        One for each token, if they were asked for.
    annotations : tuple of dict
        Citations; those whose place was cut off are left out.
    is_refusal, is_complete : bool
    """

    id: str
    tokens: tuple[str, ...]
    logprobs: tuple[dict[str, Any], ...] | None = None
    annotations: tuple[dict[str, Any], ...] = ()
    is_refusal: bool = False
    is_complete: bool = True

    @property
    def n_tokens(self) -> int:
        """Tokens that writing it took."""
        return len(self.tokens)

    def begun(self) -> dict[str, Any]:
        """Return the item as it is announced."""
        return self._item("in_progress", [])

    def done(self) -> dict[str, Any]:
        """Return the item as it is in the end."""
        return self._item("completed" if self.is_complete else "incomplete", [self.part()])

    def part(self, *, is_empty: bool = False) -> dict[str, Any]:
        """Return the content part, whole or as it begins."""
        text = "" if is_empty else "".join(self.tokens)
        if self.is_refusal:
            return {"type": "refusal", "refusal": text}
        return {
            "type": "output_text",
            "annotations": [] if is_empty else list(self.annotations),
            "logprobs": [] if is_empty else list(self.logprobs or ()),
            "text": text,
        }

    def steps(self) -> Iterator[Step]:
        """Yield what happens to a refusal; text is streamed by a faster way of its own."""
        place = {"content_index": 0}
        for token in self.tokens:
            yield Step("refusal.delta", {**place, "delta": token}, 1)
        yield Step("refusal.done", {**place, "refusal": "".join(self.tokens)})

    def cut(self, n_tokens: int) -> Message | None:
        """Return the message as far as it came; None if it never began."""
        tokens = self.tokens[:n_tokens]
        end = len("".join(tokens))
        kept = tuple(one for one in self.annotations if one.get("end_index", one.get("index", 0)) <= end)
        logprobs = None if self.logprobs is None else self.logprobs[:n_tokens]
        cut = replace(self, tokens=tokens, logprobs=logprobs, annotations=kept, is_complete=False)
        return cut if tokens else None

    def _item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, or of a custom tool, whose arguments come token by token."""

    id: str
    call_id: str
    name: str
    tokens: tuple[str, ...]
    is_custom: bool = False
    is_complete: bool = True

    @property
    def n_tokens(self) -> int:
        """Tokens that writing it took."""
        return len(self.tokens) + self._n_name_tokens

    @property
    def _n_name_tokens(self) -> int:
        return len(split_tokens(self.name))

    def begun(self) -> dict[str, Any]:
        """Return the item as it is announced."""
        return self._item("in_progress", "")

    def done(self) -> dict[str, Any]:
        """Return the item as it is in the end."""
        return self._item("completed" if self.is_complete else "incomplete", "".join(self.tokens))

    def steps(self) -> Iterator[Step]:
        """Yield what happens in between."""
        event = "custom_tool_call_input" if self.is_custom else "function_call_arguments"
        yield Step("", n_tokens=self._n_name_tokens)
        for token in self.tokens:
            yield Step(f"{event}.delta", {"delta": token}, 1)
        yield Step(f"{event}.done", {self._field: "".join(self.tokens)})

    def cut(self, n_tokens: int) -> Call | None:
        """Return the call with the arguments as far as they came; None without a name."""
        left = n_tokens - self._n_name_tokens
        return replace(self, tokens=self.tokens[:left], is_complete=False) if left >= 0 else None

    @property
    def _field(self) -> str:
        return "input" if self.is_custom else "arguments"

    def _item(self, status: str, arguments: str) -> dict[str, Any]:
        item = {
            "id": self.id,
            "type": "custom_tool_call" if self.is_custom else "function_call",
            "status": status,
            self._field: arguments,
            "call_id": self.call_id,
            "name": self.name,
        }
        if self.is_custom:
            del item["status"]
        return item


@dataclass(frozen=True, slots=True)
class ToolItem:
    """An item of a tool that the service runs itself: it comes whole or not at all."""

    id: str
    first: Mapping[str, Any]
    last: Mapping[str, Any]
    events: tuple[Step, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens that writing it took."""
        return round(sum(step.n_tokens for step in self.events))

    def begun(self) -> dict[str, Any]:
        """Return the item as it is announced."""
        return {"id": self.id, **self.first}

    def done(self) -> dict[str, Any]:
        """Return the item as it is in the end."""
        return {"id": self.id, **self.last}

    def steps(self) -> Iterator[Step]:
        """Yield what happens in between."""
        return iter(self.events)

    def cut(self, n_tokens: int) -> None:
        """Leave it out: half a search is none."""


def message(
    id_digits: str,
    text: str,
    *,
    logprobs: Sequence[dict[str, Any]] | None = None,
    annotations: Sequence[dict[str, Any]] = (),
    is_refusal: bool = False,
) -> Message:
    """Return the message with a text."""
    kept = None if logprobs is None or is_refusal else tuple(logprobs)
    tokens = tuple(split_tokens(text))
    return Message(f"msg_{id_digits}", tokens, kept, tuple(annotations), is_refusal)


def _summary(text: str) -> dict[str, str]:
    return {"type": "summary_text", "text": text}
