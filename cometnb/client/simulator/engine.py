"""Answers requests as the service would: settings, routes and what is kept between requests. It does no I/O."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cometnb.client.simulator.conversations import ConversationStore
from cometnb.client.simulator.creation import Creation, Settings
from cometnb.client.simulator.faults import Fault, refused
from cometnb.client.simulator.models import MODELS, model_object
from cometnb.client.simulator.orders import Orders, parsed_orders
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.reply import Action, Refusal, Reply, Request, json_reply
from cometnb.client.simulator.store import Entry, page_of

__all__ = ["Engine"]

_REQUESTS_KEPT = 200
_REQUEST_ID_HEADER = "X-Cometapi-Request-Id"
_ONE = r"/v1/responses/(?P<response_id>[^/]+)"
_TALK = r"/v1/conversations/(?P<conversation_id>[^/]+)"
_ITEM = rf"{_TALK}/items/(?P<item_id>[^/]+)"
_ROUTES: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (method, re.compile(path), name)
    for method, path, name in (
        ("POST", "/v1/responses", "_create"),
        ("GET", "/v1/models", "_models"),
        ("POST", "/v1/responses/input_tokens", "_input_tokens"),
        ("POST", "/v1/responses/compact", "_compact"),
        ("GET", _ONE, "_retrieve"),
        ("DELETE", _ONE, "_delete"),
        ("POST", f"{_ONE}/cancel", "_cancel"),
        ("GET", f"{_ONE}/input_items", "_input_items"),
        ("POST", "/v1/conversations", "_talks"),
        ("GET", _TALK, "_talks"),
        ("POST", _TALK, "_talks"),
        ("DELETE", _TALK, "_talks"),
        ("GET", f"{_TALK}/items", "_talk_items"),
        ("POST", f"{_TALK}/items", "_talk_items"),
        ("GET", _ITEM, "_talk_item"),
        ("DELETE", _ITEM, "_talk_item"),
    )
)


@dataclass(kw_only=True, eq=False)
class Engine:
    """The simulated service. Every setting may be changed between requests.

    Parameters
    ----------
    seed : int
        Chooses the wording, ids and counts; the same request and seed give the same answer.
    tokens_per_s : float, optional
        Speed of generation, reasoning included; None is as fast as possible.
    first_token_s : float
        Seconds before the first token.
    models : sequence of str, optional
        Models it knows; None is its own list.
    fault : str, optional
        Orders for every request: an error such as ``"429:times=1"`` or ``"cut"``, a missing feature such as
        ``"no_state"``, or a way to answer such as ``"rounds=5"``; several are apart by spaces. A request's own
        ``metadata={"simulate": …}`` goes first. An unknown word is answered with the list of known ones.
    text : str, optional
        Answer exactly this instead of describing the request.
    events_per_chunk : int, optional
        Events sent at once; None is as many as make about 16 KB where no wait is between them.
    without : collection of str
        Features this service lacks: state, state_silently, conversations, retrieval, tools, schema, background,
        stream.

    Raises
    ------
    ConfigError
        If the pace is not possible.
    """

    seed: int = 0
    tokens_per_s: float | None = None
    first_token_s: float = 0.0
    models: Sequence[str] | None = None
    fault: str | None = None
    text: str | None = None
    events_per_chunk: int | None = None
    without: Collection[str] = ()

    def __post_init__(self) -> None:
        self.pace()
        self.open_streams = 0
        self._lock = threading.RLock()
        self._conversations = ConversationStore()
        self._creation = Creation(self._conversations, self._lock)
        self._sent: deque[dict[str, Any]] = deque(maxlen=_REQUESTS_KEPT)
        self._faults_done: Counter[tuple[Fault, bytes]] = Counter()
        self._n_requests = 0

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of the last 200 requests for a response, as they were sent, newest last."""
        return list(self._sent)

    @property
    def times_made(self) -> dict[str, int]:
        """How many responses were made for each request, by its digest; one repeated under its idempotency key is not."""
        return self._creation.times_made

    def forget(self) -> None:
        """Lose every response and conversation, as a service does that starts anew."""
        self._creation.store.clear()
        self._conversations.clear()

    def pace(self) -> Pace:
        """Return the speed that is set."""
        return Pace(self.tokens_per_s, self.first_token_s)

    def handle(self, request: Request) -> Reply:
        """Answer one request.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Reply
            Errors too are replies, in CometAPI's shape. Closing its actions ends the work.
        """
        with self._lock:
            self._n_requests += 1
            digest = hashlib.sha256(f"{self.seed}/{self._n_requests}".encode())
        request_id = digest.hexdigest()[:24]
        headers = {_REQUEST_ID_HEADER: request_id}
        try:
            reply = self._routed(request, headers)
        except Refusal as refusal:
            reply = refusal.reply(request_id, headers)
        return replace(reply, actions=self._counted(reply.actions))

    def _routed(self, request: Request, headers: dict[str, str]) -> Reply:
        allowed = []
        for method, pattern, name in _ROUTES:
            found = pattern.fullmatch(request.path.rstrip("/"))
            if found and method == request.method:
                answer: Callable[..., Reply] = getattr(self, name)
                if name != "_create":
                    self._fault_of(self._orders(), f"{method} {request.path}".encode())
                return answer(request, headers, **found.groupdict())
            allowed += [method] if found else []
        if allowed:
            message = f"{request.method} is not allowed on {request.path}"
            raise Refusal(405, message, "method_not_allowed", headers={"Allow": ", ".join(allowed)})
        raise _no_route(request)

    def _counted(self, actions: Iterator[Action]) -> Generator[Action, None, None]:
        with self._lock:
            self.open_streams += 1
        try:
            yield from actions
        finally:
            with self._lock:
                self.open_streams -= 1

    def _orders(self, own: str | None = None) -> Orders:
        """Return a request's own orders over those that are set."""
        return parsed_orders(own).over(parsed_orders(self.fault, self.without))

    def _settings(self) -> Settings:
        return Settings(
            self.seed, self.models or MODELS, self.pace(), self.text, self.events_per_chunk, self._fault_of
        )

    def _fault_of(self, orders: Orders, key: bytes, model: str = "") -> Fault | None:
        """Return the fault that happens this time, or refuse with it; None if it happened often enough."""
        fault = orders.fault
        if fault is None:
            return None
        if fault.times is not None:
            with self._lock:
                if self._faults_done[fault, key] >= fault.times:
                    return None
                self._faults_done[fault, key] += 1
        refusal = refused(fault, model)
        if refusal is not None:
            raise refusal
        return fault

    def _create(self, request: Request, headers: dict[str, str]) -> Reply:
        sent = _json_object(request.body)
        self._sent.append(sent)
        own = (sent.get("metadata") or {}).get("simulate") if isinstance(sent.get("metadata"), dict) else None
        orders = self._orders(own if isinstance(own, str) else None)
        return self._creation.answered(self._settings(), sent, orders, headers, request.idempotency_key)

    def _input_tokens(self, request: Request, headers: dict[str, str]) -> Reply:
        n_tokens = self._creation.count_input(_json_object(request.body))
        return json_reply(200, {"object": "response.input_tokens", "input_tokens": n_tokens}, headers)

    def _compact(self, request: Request, headers: dict[str, str]) -> Reply:
        return json_reply(200, self._creation.compact(self._settings(), _json_object(request.body)), headers)

    def _models(self, request: Request, headers: dict[str, str]) -> Reply:
        listed = [model_object(model) for model in self.models or MODELS]
        return json_reply(200, {"object": "list", "data": listed}, headers)

    def _entry(self, request: Request, response_id: str) -> Entry:
        if "no_retrieval" in self._orders().gaps:
            raise _no_route(request)
        entry = self._creation.store.get(response_id)
        if entry is None:
            message = f"Response with id '{response_id}' not found"
            raise Refusal(404, message, "response_not_found", "response_id")
        if "no_retrieval" in entry.orders.gaps:
            raise _no_route(request)
        return entry

    def _retrieve(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        entry = self._entry(request, response_id)
        if request.query.get("stream", "").lower() == "true":
            return self._creation.streamed_again(self._settings(), entry, request.query, headers)
        entry.n_polls += 1
        return json_reply(200, entry.at(time.time()), headers)

    def _delete(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        self._entry(request, response_id)
        self._creation.store.delete(response_id)
        return json_reply(200, {"id": response_id, "object": "response", "deleted": True}, headers)

    def _cancel(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        entry = self._entry(request, response_id)
        if not entry.opened["background"]:
            raise Refusal(400, "Only a response with background=true can be cancelled", "invalid_request")
        if not entry.is_done(time.time()):
            entry.cancel()
        return json_reply(200, entry.final, headers)

    def _input_items(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        entry = self._entry(request, response_id)
        return _paged(lambda: page_of(response_id, entry.input_items, request.query), request, headers)

    def _talks(self, request: Request, headers: dict[str, str], conversation_id: str = "") -> Reply:
        self._check_conversations(request)
        kept = self._conversations
        if request.method == "GET":
            return json_reply(200, kept.retrieve(conversation_id), headers)
        if request.method == "DELETE":
            return json_reply(200, kept.delete(conversation_id), headers)
        body = _json_object(request.body or b"{}")
        if conversation_id:
            return json_reply(200, kept.update(conversation_id, body), headers)
        return json_reply(200, kept.create(body, self.seed, time.time()), headers)

    def _talk_items(self, request: Request, headers: dict[str, str], conversation_id: str) -> Reply:
        self._check_conversations(request)
        kept, now = self._conversations, time.time()
        if request.method == "POST":
            return json_reply(200, kept.add_items(conversation_id, _json_object(request.body), now), headers)
        return _paged(lambda: kept.list_items(conversation_id, request.query, now), request, headers)

    def _talk_item(
        self, request: Request, headers: dict[str, str], conversation_id: str, item_id: str
    ) -> Reply:
        self._check_conversations(request)
        answer = self._conversations.item if request.method == "GET" else self._conversations.delete_item
        return json_reply(200, answer(conversation_id, item_id, time.time()), headers)

    def _check_conversations(self, request: Request) -> None:
        if "no_conversations" in self._orders().gaps:
            raise _no_route(request)


def _json_object(sent: bytes) -> dict[str, Any]:
    try:
        body = json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is not JSON: {error}", "invalid_request") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body is not a JSON object", "invalid_request")
    return body


def _paged(page: Callable[[], dict[str, Any]], request: Request, headers: dict[str, str]) -> Reply:
    try:
        return json_reply(200, page(), headers)
    except ValueError:
        limit = request.query.get("limit")
        raise Refusal(400, f"limit={limit} is not from 1 to 100", "invalid_request", "limit") from None


def _no_route(request: Request) -> Refusal:
    return Refusal(404, f"Invalid URL ({request.method} {request.path})", "not_found")
