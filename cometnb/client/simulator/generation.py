"""Decides what a response will hold: reasoning, calls of tools, text, where it is cut, and what it used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.answer import answered
from cometnb.client.simulator.builtin import Use
from cometnb.client.simulator.calling import Called, decided
from cometnb.client.simulator.compaction import compacted, compaction_due
from cometnb.client.simulator.formed import formed
from cometnb.client.simulator.logprobs import logprobs_of
from cometnb.client.simulator.orders import NO_ORDERS, Orders
from cometnb.client.simulator.outputs import Call, Message, Output, Thought, message
from cometnb.client.simulator.prompt import Inventory, items_of, taken_stock
from cometnb.client.simulator.reasoning import reasoned
from cometnb.client.simulator.retold import cited, retold
from cometnb.client.simulator.tokens import split_tokens
from cometnb.client.simulator.turn import current_turn
from cometnb.client.simulator.using import item_digits, used

__all__ = ["Asked", "Generation", "generated", "request_key"]

_NOT_IN_KEY = frozenset({"stream", "stream_options"})
_KEY_BYTES = 16
_ID_DIGITS = 48
_CALL_NUMBER = 64
_REFUSAL = "I'm sorry, but the simulator was told to refuse this."


@dataclass(frozen=True, slots=True)
class Generation:
    """One response before it is put into JSON.

    Attributes
    ----------
    id_digits : str
        48 hex digits that the ids of the response and its items share.
    outputs : tuple of Output
        After any cut.
    incomplete_reason : str or None
        Why it ended early: max_output_tokens or content_filter.
    input_tokens, cached_tokens : int
        `cached_tokens` are part of `input_tokens`.
    """

    id_digits: str
    outputs: tuple[Output, ...]
    incomplete_reason: str | None
    input_tokens: int
    cached_tokens: int

    @property
    def reasoning_tokens(self) -> int:
        """Tokens spent on reasoning; 0 if the model did not reason."""
        return sum(output.n_tokens for output in self.outputs if isinstance(output, Thought))

    @property
    def output_tokens(self) -> int:
        """Reasoning, calls and text together."""
        return sum(output.n_tokens for output in self.outputs)


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request with everything an answer depends on.

    Attributes
    ----------
    body : Mapping
        The request.
    key : bytes
        From `request_key`.
    earlier : sequence of Mapping
        Items of the responses or the conversation it continues.
    orders : Orders
        What is asked of the simulator itself.
    repeat : int
        How often the same request came before; it changes the ids and nothing else.
    input_tokens, cached_tokens : int
        What was sent, and what of it was known.
    text : str or None
        Answer exactly this.
    """

    body: Mapping[str, Any]
    key: bytes
    earlier: Sequence[Mapping[str, Any]] = ()
    orders: Orders = NO_ORDERS
    repeat: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    text: str | None = None

    @property
    def id_digits(self) -> str:
        """48 hex digits, others for every repeat."""
        return hashlib.sha256(self.key + self.repeat.to_bytes(8, "big")).hexdigest()[:_ID_DIGITS]


def request_key(body: Mapping[str, Any], seed: int) -> bytes:
    """Return 16 bytes that are the same for the same request and seed, streamed or not."""
    asked = {name: value for name, value in body.items() if name not in _NOT_IN_KEY}
    canonical = json.dumps([seed, asked], sort_keys=True)
    return hashlib.sha256(canonical.encode("ascii")).digest()[:_KEY_BYTES]


def generated(asked: Asked) -> Generation:
    """Return the generation for a checked request.

    Raises
    ------
    Refusal
        400, if the answer is to fit a schema that nothing fits.
    """
    stock = taken_stock(asked.body, asked.input_tokens, len(asked.earlier))
    outputs = _outputs(asked, stock)
    limit, reason = asked.body.get("max_output_tokens"), "max_output_tokens"
    ordered = {"truncated": "max_output_tokens", "content_filter": "content_filter"}
    for switch in sorted(asked.orders.switches & ordered.keys()):
        limit, reason = _half(outputs), ordered[switch]
    kept, is_complete = _within(outputs, limit)
    return Generation(
        id_digits=asked.id_digits,
        outputs=kept,
        incomplete_reason=None if is_complete else reason,
        input_tokens=asked.input_tokens,
        cached_tokens=asked.cached_tokens,
    )


def _outputs(asked: Asked, stock: Inventory) -> list[Output]:
    """Return the items of the whole answer, in order."""
    body, key, id_digits = asked.body, asked.key, asked.id_digits
    items = [*asked.earlier, *items_of(body)]
    turn = current_turn(items)
    reasoning = reasoned(body, stock, key)
    outputs: list[Output] = [] if reasoning is None else [Thought(f"rs_{id_digits}", reasoning)]
    if compaction_due(body, asked.input_tokens):
        outputs.append(compacted(key, id_digits))
    if "refusal" in asked.orders.switches:
        return [*outputs, message(id_digits, _REFUSAL, is_refusal=True)]
    calls = decided(body, turn, asked.orders, key)
    uses = used(body, turn, items, key, id_digits, calls_functions=bool(calls))
    outputs += [use.item for use in uses]
    outputs += [_call(call, id_digits, number) for number, call in enumerate(calls)]
    if calls or any(use.item.last["type"] == "mcp_approval_request" for use in uses):
        return outputs
    text = formed(body, turn.prompt, asked.orders, key)
    if asked.text is not None or text is not None:
        return [*outputs, _message(asked, asked.text if asked.text is not None else str(text), ())]
    text = retold(turn, key) if turn.results else answered(body, stock, key)
    return [*outputs, _message(asked, text, uses)]


def _message(asked: Asked, text: str, uses: Sequence[Use]) -> Message:
    text, annotations = cited(text, [finding for use in uses for finding in use.findings])
    logprobs = logprobs_of(asked.body, split_tokens(text), asked.key)
    return message(asked.id_digits, text, logprobs=logprobs, annotations=annotations)


def _call(call: Called, id_digits: str, number: int) -> Call:
    digits = item_digits(id_digits, _CALL_NUMBER + number)
    prefix = "ctc" if call.is_custom else "fc"
    call_id = f"call_{hashlib.sha256(digits.encode()).hexdigest()[:24]}"
    return Call(f"{prefix}_{digits}", call_id, call.name, tuple(split_tokens(call.arguments)), call.is_custom)


def _half(outputs: Sequence[Output]) -> int:
    """Return how many tokens the reasoning and half of the rest take."""
    rest = sum(output.n_tokens for output in outputs if not isinstance(output, Thought))
    return sum(output.n_tokens for output in outputs) - rest + rest // 2


def _within(outputs: Sequence[Output], limit: int | None) -> tuple[tuple[Output, ...], bool]:
    """Return the items, or parts of them, that a limit leaves, and whether that is all."""
    kept: list[Output] = []
    for output in outputs:
        if limit is not None and output.n_tokens > limit:
            part = output.cut(limit)
            return (*kept, part) if part is not None else tuple(kept), False
        kept.append(output)
        limit = limit if limit is None else limit - output.n_tokens
    return tuple(kept), True
