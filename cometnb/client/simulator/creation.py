"""Answers a request for a response: its checks, what it continues, and the answer whole, as a stream, or later."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cometnb.client.simulator.background import Reader, followed
from cometnb.client.simulator.body import closed, ended, opened, usage
from cometnb.client.simulator.broken import SERVER_ERROR, broken_body, broken_stream
from cometnb.client.simulator.cache import PrefixCache
from cometnb.client.simulator.compaction import compacted
from cometnb.client.simulator.context import conversation_id, earlier_items, with_references
from cometnb.client.simulator.conversations import ConversationStore
from cometnb.client.simulator.faults import Fault
from cometnb.client.simulator.formed import check_json_object
from cometnb.client.simulator.gaps import without_gaps
from cometnb.client.simulator.generation import Asked, Generation, generated, request_key
from cometnb.client.simulator.item_rules import check_calls, check_words
from cometnb.client.simulator.models import close_models, is_known
from cometnb.client.simulator.once import Once
from cometnb.client.simulator.orders import NO_ORDERS, Orders
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.prompt import prompt_tokens
from cometnb.client.simulator.reply import Action, Refusal, Reply, Wait, coalesced, encoded, json_reply
from cometnb.client.simulator.store import Entry, ResponseStore, page_of
from cometnb.client.simulator.stream import EventStream
from cometnb.client.simulator.strictness import check_schemas
from cometnb.errors import ParamError
from cometnb.protocol.request import prepare

__all__ = ["Creation", "Settings"]

_MESSAGES_KEPT, _IN_ORDER = 100, {"order": "asc", "limit": "100"}
_FAILING = frozenset({"failed", "error_event"})
_STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's settings at the moment of a request.

    Attributes
    ----------
    seed : int
    models : sequence of str
    pace : Pace
    text : str or None
    events_per_chunk : int or None
    fault_of : callable
        Takes orders, the request's key and the model; returns the fault that happens this time.
    """

    seed: int
    models: Sequence[str]
    pace: Pace
    text: str | None
    events_per_chunk: int | None
    fault_of: Callable[[Orders, bytes, str], Fault | None]


class Creation:
    """Makes responses and keeps them.

    Parameters
    ----------
    conversations : ConversationStore
    lock : RLock
        Held while what requests share is changed.

    Attributes
    ----------
    store : ResponseStore
    """

    def __init__(self, conversations: ConversationStore, lock: threading.RLock) -> None:
        self.store = ResponseStore()
        self._conversations = conversations
        self._lock = lock
        self._cache = PrefixCache()
        self._asked: Counter[bytes] = Counter()
        self._once = Once()

    @property
    def times_made(self) -> dict[str, int]:
        """How many responses were made for each request, by the hex digits of its key."""
        return {key.hex(): times for key, times in list(self._asked.items())}

    def answered(
        self,
        settings: Settings,
        sent: Mapping[str, Any],
        orders: Orders,
        headers: Mapping[str, str],
        idempotency_key: str = "",
    ) -> Reply:
        """Answer a request for a response; one of an idempotency key that came before gets that one's response.

        Raises
        ------
        Refusal
            If the request breaks a rule, or a fault refuses it.
        """
        body = without_gaps(_prepared(sent), orders.gaps)
        key = request_key(body, settings.seed)
        fault = settings.fault_of(orders, key, body["model"])
        _check(body, settings.models)
        made = self._once.get(idempotency_key, key)
        entry, generation = made or self._entry(settings, body, key, orders)
        self._once.keep(idempotency_key, key, entry, generation)
        if body.get("background"):
            self._keep(entry)
            if fault is not None and fault.name in _FAILING:
                entry.final = ended(entry.opened, "failed", SERVER_ERROR)
        if body.get("stream"):
            finish = partial(self._finished, entry, generation)
            stream = _stream(generation, entry, finish, settings.pace, body.get("stream_options") or {})
            events = followed(stream, entry) if body.get("background") else stream.actions()
            return _streamed(stream, events, fault, settings, headers)
        if body.get("background"):
            queued = ended(entry.opened, "queued")
            if fault is None or fault.name in _FAILING:
                return json_reply(200, queued, headers)
            return _whole(broken_body(fault, queued, queued), 0, headers)
        duration_s = settings.pace.first_token_s + settings.pace.duration_s(generation.output_tokens)
        if fault is not None:
            if fault.name == "failed":
                self._keep_failed(entry)
            return _whole(broken_body(fault, entry.final, entry.opened), duration_s, headers)
        body_once = (encoded(self._finished(entry, generation)) for _ in range(1))
        return _whole(body_once, duration_s, headers)

    def streamed_again(
        self, settings: Settings, entry: Entry, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Reply:
        """Stream a background response to a further reader, from the event behind ``starting_after``.

        Raises
        ------
        Refusal
            400, if the response was not begun as a stream in the background, or the number is none.
        """
        if entry.generation is None or not entry.is_streamed:
            message = "Only a response that was created with background=true and stream=true can be streamed"
            raise Refusal(400, message, "invalid_request", "stream")
        after = query.get("starting_after", "-1")
        if not after.removeprefix("-").isdecimal():
            raise Refusal(400, f"starting_after={after} is no number", "invalid_request", "starting_after")
        is_limited = entry.orders.fault is not None and entry.orders.fault.times is not None
        fault = settings.fault_of(entry.orders, entry.key, entry.opened["model"]) if is_limited else None
        now = time.time()
        reader = Reader(int(after), float("inf") if entry.is_done(now) else now - entry.begun_at)
        finish = partial(self._finished, entry, entry.generation)
        stream = _stream(entry.generation, entry, finish, settings.pace, query)
        return _streamed(stream, followed(stream, entry, reader), fault, settings, headers)

    def count_input(self, sent: Mapping[str, Any]) -> int:
        """Return how many tokens of input a request would have."""
        body = _prepared(_without_stream(sent))
        earlier = earlier_items(body, self.store, self._conversations, time.time())
        return len(prompt_tokens(body, earlier))

    def compact(self, settings: Settings, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a conversation is compacted to: the user's messages, and one sealed item."""
        body = _prepared(_without_stream(sent))
        now = time.time()
        earlier = earlier_items(body, self.store, self._conversations, now)
        items = [*earlier, *with_references(body, self.store)]
        key = request_key(body, settings.seed)
        asked = self._asked_now(settings, body, key, NO_ORDERS, earlier)
        digits = asked.id_digits
        item = compacted(key, digits)
        generation = Generation(digits, (item,), None, asked.input_tokens, asked.cached_tokens)
        said = [one for one in items if one.get("role") == "user" and one.get("type", "message") == "message"]
        messages: list[dict[str, Any]] = page_of(f"cmp_{digits}", said[-_MESSAGES_KEPT:], _IN_ORDER)["data"]
        return {
            "id": f"resp_{digits}",
            "object": "response.compaction",
            "created_at": int(now),
            "output": [*messages, item.done()],
            "usage": usage(generation),
        }

    def _entry(
        self, settings: Settings, body: dict[str, Any], key: bytes, orders: Orders
    ) -> tuple[Entry, Generation]:
        now = time.time()
        earlier = earlier_items(body, self.store, self._conversations, now)
        items = with_references(body, self.store)
        check_calls([*earlier, *items])
        body = {**body, "input": items} if isinstance(body["input"], list) else body
        generation = generated(self._asked_now(settings, body, key, orders, earlier))
        first = opened(body, generation, int(now))
        duration_s = settings.pace.first_token_s + settings.pace.duration_s(generation.output_tokens)
        is_later = first["background"] and (duration_s or orders.polls is not None)
        entry = Entry(
            final=closed(first, generation, int(now)),
            opened=ended(first, "queued") if first["background"] else first,
            input_items=items,
            earlier=earlier,
            generation=generation,
            orders=orders,
            key=key,
            begun_at=now,
            queued_until=now + settings.pace.first_token_s / 2,
            ready_at=now + duration_s if is_later else 0.0,
            is_streamed=bool(first["background"] and body.get("stream")),
        )
        return entry, generation

    def _asked_now(
        self,
        settings: Settings,
        body: Mapping[str, Any],
        key: bytes,
        orders: Orders,
        earlier: Sequence[Mapping[str, Any]],
    ) -> Asked:
        tokens = prompt_tokens(body, earlier)
        with self._lock:
            repeat = self._asked[key]
            self._asked[key] += 1
            cached_tokens = self._cache.cached_tokens(body["model"], tokens)
        return Asked(body, key, earlier, orders, repeat, len(tokens), cached_tokens, settings.text)

    def _finished(self, entry: Entry, generation: Generation) -> dict[str, Any]:
        """Close the response at the moment its last byte is made, and keep it if it is to be kept."""
        if entry.opened["background"]:
            entry.finish()
            return entry.final
        entry.final = closed(entry.opened, generation, int(time.time()))
        self._keep(entry)
        return entry.final

    def _keep_failed(self, entry: Entry) -> None:
        """Keep a response that fails: it can be fetched, and is no part of a conversation."""
        entry.final = ended(entry.opened, "failed", SERVER_ERROR)
        with self._lock:
            if entry.opened["store"]:
                self.store.add(entry)

    def _keep(self, entry: Entry) -> None:
        with self._lock:
            if entry.opened["store"]:
                self.store.add(entry)
            conversation = entry.opened.get("conversation")
            if conversation is not None:
                self._conversations.add(conversation["id"], entry)


def _prepared(sent: Mapping[str, Any]) -> dict[str, Any]:
    check_words(sent.get("input"))
    try:
        # `extra_body` is a word of the client; on the wire it would be a way around the checks.
        return prepare({name: value for name, value in sent.items() if name != "extra_body"}).body
    except ParamError as error:
        raise Refusal(400, f"{error.fact} {error.next_step}", "invalid_request", error.param) from None


def _without_stream(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is counted or compacted: of what the service keeps, new input is no part that has to be there."""
    given = sent.get("input")
    goes_on = sent.get("previous_response_id") or sent.get("conversation")
    return {**sent, "stream": None, "input": [] if given is None and goes_on else given}


def _check(body: Mapping[str, Any], models: Sequence[str]) -> None:
    if not is_known(body["model"], models):
        close = ", ".join(close_models(body["model"], models) or models)
        message = f"The model '{body['model']}' does not exist. Did you mean one of these? {close}"
        raise Refusal(404, message, "model_not_found", "model")
    if body.get("background") and body.get("store") is False:
        raise Refusal(400, "background needs store to be true", "invalid_request", "background")
    conversation_id(body)
    check_schemas(body)
    check_json_object(body)


def _stream(
    generation: Generation,
    entry: Entry,
    finish: Callable[[], dict[str, Any]],
    pace: Pace,
    options: Mapping[str, Any],
) -> EventStream:
    padded = str(options.get("include_obfuscation")).lower() == "true"
    return EventStream(generation, entry.opened, finish, pace, padded=padded)


def _streamed(
    stream: EventStream,
    events: Iterator[Action],
    fault: Fault | None,
    settings: Settings,
    headers: Mapping[str, str],
) -> Reply:
    actions = events if fault is None else broken_stream(fault, stream, events)
    return Reply(200, {**_STREAM_HEADERS, **headers}, coalesced(actions, settings.events_per_chunk))


def _whole(actions: Iterator[Action], duration_s: float, headers: Mapping[str, str]) -> Reply:
    return Reply(200, {"Content-Type": "application/json", **headers}, _after(duration_s, actions))


def _after(seconds: float, actions: Iterator[Action]) -> Generator[Action, None, None]:
    if seconds:
        yield Wait(seconds)
    yield from actions
