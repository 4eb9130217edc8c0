"""Answers requests as the service would: routes, checks, and the state between requests. It does no I/O."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cometnb.client.simulator.body import closed, ended, opened
from cometnb.client.simulator.cache import PrefixCache
from cometnb.client.simulator.faults import Fault, broken_body, broken_stream, parsed_fault, refused
from cometnb.client.simulator.generation import Generation, generated, request_key
from cometnb.client.simulator.models import MODELS, close_models, is_known, model_object
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.prompt import items_of, prompt_tokens
from cometnb.client.simulator.reply import (
    Action,
    Refusal,
    Reply,
    Request,
    Wait,
    coalesced,
    encoded,
    json_reply,
)
from cometnb.client.simulator.store import Entry, ResponseStore, item_list
from cometnb.client.simulator.stream import EventStream
from cometnb.errors import ParamError
from cometnb.protocol.request import prepare

__all__ = ["Engine"]

_REQUESTS_KEPT = 200
_REQUEST_ID_HEADER = "X-Cometapi-Request-Id"
_ONE = r"/v1/responses/(?P<response_id>[^/]+)"
_ROUTES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("POST", re.compile(r"/v1/responses"), "_create"),
    ("GET", re.compile(r"/v1/models"), "_models"),
    ("GET", re.compile(_ONE), "_retrieve"),
    ("DELETE", re.compile(_ONE), "_delete"),
    ("POST", re.compile(_ONE + "/cancel"), "_cancel"),
    ("GET", re.compile(_ONE + "/input_items"), "_input_items"),
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
        An error on demand for every request, such as ``"429:times=1"`` or ``"cut"``; a request's own
        ``metadata={"simulate": …}`` goes first. An unknown name is answered with the list of known ones.
    text : str, optional
        Answer exactly this instead of describing the request.
    events_per_chunk : int, optional
        Events sent at once; None is as many as make about 16 KB where no wait is between them.

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

    def __post_init__(self) -> None:
        self._pace()
        self.open_streams = 0
        self._store = ResponseStore()
        self._cache = PrefixCache()
        self._sent: deque[dict[str, Any]] = deque(maxlen=_REQUESTS_KEPT)
        self._faults_done: Counter[tuple[str, bytes]] = Counter()
        self._asked: Counter[bytes] = Counter()
        self._n_requests = 0
        self._lock = threading.RLock()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of the last 200 requests for a response, as they were sent, newest last."""
        return list(self._sent)

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
                    self._fault_for(self.fault, f"{method} {request.path}".encode())
                return answer(request, headers, **found.groupdict())
            allowed += [method] if found else []
        if allowed:
            message = f"{request.method} is not allowed on {request.path}"
            raise Refusal(405, message, "method_not_allowed", headers={"Allow": ", ".join(allowed)})
        raise Refusal(404, f"Invalid URL ({request.method} {request.path})", "not_found")

    def _counted(self, actions: Iterator[Action]) -> Generator[Action, None, None]:
        with self._lock:
            self.open_streams += 1
        try:
            yield from actions
        finally:
            with self._lock:
                self.open_streams -= 1

    def _create(self, request: Request, headers: dict[str, str]) -> Reply:
        body = self._checked(request.body)
        key = request_key(body, self.seed)
        fault = self._fault_for(body.get("metadata", {}).get("simulate") or self.fault, key, body["model"])
        known = self.models or MODELS
        if not is_known(body["model"], known):
            close = ", ".join(close_models(body["model"], known) or known)
            message = f"The model '{body['model']}' does not exist. Did you mean one of these? {close}"
            raise Refusal(404, message, "model_not_found", "model")
        if body.get("background") and body.get("store") is False:
            raise Refusal(400, "background needs store to be true", "invalid_request", "background")
        return self._answered(body, key, fault, headers)

    def _checked(self, sent: bytes) -> dict[str, Any]:
        try:
            body = json.loads(sent)
            if isinstance(body, dict):
                self._sent.append(body)
                # `extra_body` is a word of the client; on the wire it would be a way around the checks.
                return prepare({name: value for name, value in body.items() if name != "extra_body"}).body
        except ParamError as error:
            raise Refusal(400, f"{error.fact} {error.next_step}", "invalid_request", error.param) from None
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"The body is not JSON: {error}", "invalid_request") from None
        raise Refusal(400, "The body is not a JSON object", "invalid_request")

    def _fault_for(self, text: str | None, key: bytes, model: str = "") -> Fault | None:
        if not text:
            return None
        fault = parsed_fault(text)
        if fault.times is not None:
            with self._lock:
                if self._faults_done[text, key] >= fault.times:
                    return None
                self._faults_done[text, key] += 1
        refusal = refused(fault, model)
        if refusal is not None:
            raise refusal
        return fault

    def _answered(
        self, body: dict[str, Any], key: bytes, fault: Fault | None, headers: dict[str, str]
    ) -> Reply:
        earlier = self._earlier(body.get("previous_response_id"))
        generation = self._generation(body, key, earlier)
        now = int(time.time())
        first = opened(body, generation, now)
        entry = Entry(closed(first, generation, now), first, items_of(body), earlier)
        if body.get("stream"):
            return self._streamed(body, generation, entry, fault, headers)
        pace = self._pace()
        duration_s = pace.first_token_s + pace.duration_s(generation.output_tokens)
        if fault is not None:
            whole = broken_body(fault, entry.final, first)
        elif body.get("background"):
            entry.ready_at = time.time() + duration_s if duration_s else 0.0
            self._store.add(entry)
            return json_reply(200, ended(first, "queued"), headers)
        else:
            whole = (encoded(self._finished(entry, generation)) for _ in range(1))
        return Reply(200, {"Content-Type": "application/json", **headers}, _after(duration_s, whole))

    def _streamed(
        self,
        body: Mapping[str, Any],
        generation: Generation,
        entry: Entry,
        fault: Fault | None,
        headers: dict[str, str],
    ) -> Reply:
        padded = bool((body.get("stream_options") or {}).get("include_obfuscation"))
        finish = partial(self._finished, entry, generation)
        stream = EventStream(generation, entry.opened, finish, self._pace(), padded=padded)
        events = stream.actions() if fault is None else broken_stream(fault, stream)
        kinds = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        return Reply(200, kinds | headers, coalesced(events, self.events_per_chunk))

    def _finished(self, entry: Entry, generation: Generation) -> dict[str, Any]:
        """Close the response at the moment its last byte is made, and keep it if it is to be kept."""
        entry.final = closed(entry.opened, generation, int(time.time()))
        if entry.opened["store"]:
            self._store.add(entry)
        return entry.final

    def _generation(
        self, body: Mapping[str, Any], key: bytes, earlier: Sequence[Mapping[str, Any]]
    ) -> Generation:
        tokens = prompt_tokens(body, earlier)
        with self._lock:
            repeat = self._asked[key]
            self._asked[key] += 1
            cached_tokens = self._cache.cached_tokens(body["model"], tokens)
        return generated(
            body,
            key,
            repeat=repeat,
            input_tokens=len(tokens),
            cached_tokens=cached_tokens,
            n_earlier=len(earlier),
            text=self.text,
        )

    def _earlier(self, response_id: str | None) -> list[dict[str, Any]]:
        if response_id is None:
            return []
        entry = self._store.get(response_id)
        if entry is None:
            message = f"Previous response with id '{response_id}' not found"
            raise Refusal(400, message, "previous_response_not_found", "previous_response_id")
        return entry.context

    def _pace(self) -> Pace:
        return Pace(self.tokens_per_s, self.first_token_s)

    def _models(self, request: Request, headers: dict[str, str]) -> Reply:
        listed = [model_object(model) for model in self.models or MODELS]
        return json_reply(200, {"object": "list", "data": listed}, headers)

    def _entry(self, response_id: str) -> Entry:
        entry = self._store.get(response_id)
        if entry is None:
            raise Refusal(
                404, f"Response with id '{response_id}' not found", "response_not_found", "response_id"
            )
        return entry

    def _retrieve(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        return json_reply(200, self._entry(response_id).at(time.time()), headers)

    def _delete(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        self._entry(response_id)
        self._store.delete(response_id)
        return json_reply(200, {"id": response_id, "object": "response", "deleted": True}, headers)

    def _cancel(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        entry = self._entry(response_id)
        if not entry.opened["background"]:
            raise Refusal(400, "Only a response with background=true can be cancelled", "invalid_request")
        if time.time() < entry.ready_at:
            entry.final, entry.ready_at = ended(entry.opened, "cancelled"), 0.0
        return json_reply(200, entry.at(time.time()), headers)

    def _input_items(self, request: Request, headers: dict[str, str], response_id: str) -> Reply:
        try:
            page = item_list(self._entry(response_id), request.query)
        except ValueError:
            limit = request.query.get("limit")
            raise Refusal(400, f"limit={limit} is not from 1 to 100", "invalid_request", "limit") from None
        return json_reply(200, page, headers)


def _after(seconds: float, actions: Iterator[Action]) -> Generator[Action, None, None]:
    if seconds:
        yield Wait(seconds)
    yield from actions
