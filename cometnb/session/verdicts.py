"""What a service's answers say about it: one pure judgement per subject the doctor looks at."""

from __future__ import annotations

import difflib
import itertools
import re
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cometnb.errors import (
    APIError,
    AuthenticationError,
    CometError,
    ConnectionFailedError,
    ResponseTimeoutError,
    UnexpectedContentError,
)
from cometnb.options import DEFAULT_BASE_URL, is_loopback
from cometnb.protocol.counted import counted
from cometnb.protocol.events import Event
from cometnb.protocol.fold import Fold
from cometnb.protocol.response import Response

__all__ = [
    "Heard",
    "State",
    "Verdict",
    "call_verdict",
    "deletion_verdict",
    "events_verdict",
    "input_items_verdict",
    "is_out_of_reach",
    "key_verdict",
    "memory_verdict",
    "models_verdict",
    "request_id_verdict",
    "retrieval_verdict",
    "said",
    "stream_verdict",
    "url_verdict",
    "usage_verdict",
]

State = Literal["ok", "degraded", "missing", "skipped"]

# The state, the fact in a sentence, and what cometnb does about it.
Verdict = tuple[State, str, str]

_KEY_FORM = re.compile(r"sk-.{7,}")
_SHORTEST_SHOWN_KEY = 12

# Two deltas that are further apart than this came in two pieces.
_APART_S = 0.005
# An answer that is over sooner says nothing of how it was sent.
_SHORTEST_TELLING_S = 0.5
_FEWEST_TELLING = 4

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})
_DETAILS = {"cached": "cached_tokens", "reasoning": "reasoning_tokens"}


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as it was heard, event by event.

    Attributes
    ----------
    response : Response
        What came, whole or not.
    events : tuple of Event
    arrived_s : tuple of float
        When each event came, on the same clock as `asked_s`.
    asked_s, ended_s : float
        When the call began and when it was over.
    error : Exception or None
        Why it ended badly.
    """

    response: Response
    events: tuple[Event, ...]
    arrived_s: tuple[float, ...]
    asked_s: float
    ended_s: float
    error: Exception | None = None

    @property
    def deltas_s(self) -> list[float]:
        """When each delta came, of whatever kind."""
        timed = zip(self.events, self.arrived_s, strict=True)
        return [at_s for event, at_s in timed if event.type.endswith(".delta")]

    @property
    def is_streamed(self) -> bool:
        """False if the answer was one JSON body, which counts as one event."""
        return len(self.events) > 1


def said(error: Exception) -> str:
    """Return an error as one sentence."""
    if isinstance(error, CometError):
        return error.fact if error.fact.endswith((".", "!", "?")) else f"{error.fact}."
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}."


def is_out_of_reach(error: Exception) -> bool:
    """Tell whether an error of a free request means that no call can work either."""
    if isinstance(error, UnexpectedContentError):
        return error.status_code is not None and error.status_code < 400
    return isinstance(error, AuthenticationError | ConnectionFailedError | ResponseTimeoutError)


def key_verdict(key: str, source: str, backend: str, base_url: str, listed: Any) -> Verdict:
    """Judge the key by its form, and by whether listing the models was refused."""
    if backend != "api":
        return "ok", f"The {backend} needs no key.", "None is sent."
    if not key:
        return "missing", "There is no API key.", "Requests go out without one; set COMETAPI_KEY to your key."
    shown = f"…{key[-4:]}" if len(key) >= _SHORTEST_SHOWN_KEY else "not shown"
    named = f"The key ({shown}, from {source})"
    if isinstance(listed, AuthenticationError):
        return "missing", f"{named} is refused: {said(listed)}", "Every call ends in AuthenticationError."
    if base_url == DEFAULT_BASE_URL and not _KEY_FORM.fullmatch(key):
        fact = f"{named} does not look like one of CometAPI's, which are sk- and at least 7 more characters."
        return "degraded", fact, "It is sent as it is."
    return "ok", f"{named} is set.", "It goes into the request's header and nowhere else."


def url_verdict(base_url: str, backend: str, listed: Any) -> Verdict:
    """Judge the base URL by what came of listing the models."""
    if backend != "api":
        return "ok", f"The {backend} answers in this process, whatever the base URL.", "No network is used."
    if isinstance(listed, UnexpectedContentError):
        state: State = "missing" if is_out_of_reach(listed) else "degraded"
        step = "Calls that are answered so end in UnexpectedContentError; no redirect is followed."
        return state, f"{base_url}/models: {said(listed)}", step
    if isinstance(listed, Exception) and not isinstance(listed, APIError):
        return "missing", said(listed), "Calls end in the same error after a few tries."
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        fact = f"{base_url} answers, but is neither https nor on this machine: the key travels in the clear."
        return "degraded", fact, "It is used all the same, with a warning."
    return "ok", f"{base_url} answers.", "Calls go there."


def models_verdict(listed: list[str] | Exception, model: str) -> Verdict:
    """Judge the list of models by whether it came and holds `model`."""
    unchecked = "Any model's name is sent as it is; whether it works shows in the call."
    if isinstance(listed, Exception):
        return "missing", f"The models are not listed: {said(listed)}", unchecked
    if not listed:
        return "degraded", "The list of models is empty.", unchecked
    n_models = counted(len(listed), "model")
    if model in listed:
        return "ok", f"{n_models} listed, {model} among them.", "Its name is sent as it is."
    close = difflib.get_close_matches(model, listed, n=3)
    hint = f" (close to it: {', '.join(close)})" if close else ""
    return "degraded", f"{n_models} listed, {model} not among them{hint}.", unchecked


def call_verdict(heard: Heard, effort: str | None) -> Verdict:
    """Judge a call whose answer was to come as one JSON body."""
    if heard.error is not None:
        return "missing", said(heard.error), "Calls with stream=False end in the same error."
    asked = f"with reasoning effort {effort}" if effort else "without reasoning effort, which it refused"
    if heard.is_streamed:
        fact = "The answer came as an event stream although one body was asked for."
        return "degraded", fact, "It is read as the stream it is."
    named = heard.response.model or "the model, without its name,"
    return "ok", f"{named} answered {asked}: {heard.response.status}.", "stream=False works."


def stream_verdict(heard: Heard) -> Verdict:
    """Judge by the arrival times of the deltas whether an answer streams or is held back until it is whole."""
    if heard.error is not None:
        return "missing", said(heard.error), "What had come is kept in the error's .response."
    at_once = "The answer appears at once at its end; it is complete all the same."
    deltas_s = heard.deltas_s
    if not deltas_s:
        if heard.response.output_text:
            return "degraded", "The whole text came in one piece, without deltas.", at_once
        reason = heard.response.incomplete_reason or "no reason given"
        fact = f"The answer held no text to judge by ({heard.response.status}, {reason})."
        return "skipped", fact, "Streams are read as they come."
    if len(deltas_s) < _FEWEST_TELLING:
        return (
            "skipped",
            f"Only {len(deltas_s)} deltas came, too few to tell.",
            "Streams are read as they come.",
        )
    total_s, span_s = heard.ended_s - heard.asked_s, deltas_s[-1] - deltas_s[0]
    n_pieces = 1 + sum(b - a > _APART_S for a, b in itertools.pairwise(deltas_s))
    if total_s < _SHORTEST_TELLING_S:
        fact = (
            f"{len(deltas_s)} deltas came within {total_s:.2f} s, too fast to tell a stream from one piece."
        )
        return "ok", fact, "The answer is shown as it comes."
    if n_pieces <= 2:
        pieces = "one piece" if n_pieces == 1 else "two pieces"
        fact = f"It is buffered: {len(deltas_s)} deltas came in {pieces}, {total_s:.1f} s after the question."
        return "degraded", fact, at_once
    fact = f"{len(deltas_s)} deltas came in {n_pieces} pieces over {span_s:.1f} s."
    return "ok", fact, "The answer is shown as it comes."


def events_verdict(heard: Heard) -> Verdict:
    """Judge whether the events of a stream keep to the protocol's rules."""
    if not heard.is_streamed:
        return "skipped", "There was no event stream to look at.", "A body is read as a body."
    endings = [event.type for event in heard.events if event.type in _TERMINAL]
    if not endings:
        fact = f"{len(heard.events)} events came, and none of them says how the answer ended."
        return "missing", fact, "Such answers are kept, marked truncated, and raise StreamInterruptedError."
    odd = _oddities(heard.events)
    if odd:
        shown = "; ".join(
            f"{what} ({count} times)" if count > 1 else what for what, count in odd.most_common(3)
        )
        more = f"; and {len(odd) - 3} more kinds" if len(odd) > 3 else ""
        fact = f"{len(heard.events)} events came, {sum(odd.values())} with an oddity: {shown}{more}."
        return "degraded", fact, "Oddities are settled and the answer kept; strict=True makes them errors."
    fact = f"{len(heard.events)} events came in order, and {endings[-1]} was the last."
    return "ok", fact, "Nothing had to be settled."


def _oddities(events: Sequence[Event]) -> Counter[str]:
    fold = Fold()
    for event in events:
        fold.apply(event)
    odd = Counter(fold.oddities)
    numbers = [number for event in events if isinstance(number := event.raw.get("sequence_number"), int)]
    n_without = len(events) - len(numbers)
    n_jumps = sum(after != before + 1 for before, after in itertools.pairwise(numbers))
    if n_without:
        odd["an event without sequence_number"] += n_without
    elif n_jumps:
        odd["a sequence_number out of order"] += n_jumps
    return odd


def usage_verdict(heard: Heard) -> Verdict:
    """Judge what an answer says of the tokens it used."""
    usage = heard.response.usage
    into, out = usage.input_tokens, usage.output_tokens
    if into is None or out is None:
        if heard.error is not None:
            return (
                "skipped",
                "The call failed, so there was no usage to look at.",
                "Its row says <NA> tokens.",
            )
        fact = "It is not reported." if not usage else "Only a part of it is reported."
        return "missing", fact, "What is not reported is <NA> in the usage table, and costs stay NaN."
    counted = f"{into:,} tokens in and {out:,} out are reported"
    absent = [name for name, field in _DETAILS.items() if getattr(usage, field) is None]
    if absent:
        fact = f"{counted}, but not how many of them were {' or '.join(absent)}."
        columns = " and ".join(_DETAILS[name] for name in absent)
        return "degraded", fact, f"{columns} {'are' if len(absent) > 1 else 'is'} <NA> in the usage table."
    return (
        "ok",
        f"{counted}, with cached and reasoning tokens.",
        "The usage table holds the service's figures.",
    )


def memory_verdict(first: Heard, second: Heard) -> Verdict:
    """Judge whether a call that continued another knew of it.

    The second prompt is shorter than the first; more input tokens than the first had can only be the history.
    """
    resend = "The id is sent as you give it; without the service's memory put the history into input."
    if second.error is not None:
        return "missing", f"It is refused: {said(second.error)}", resend
    before, after = first.response.usage.input_tokens, second.response.usage.input_tokens
    if before is not None and after is not None:
        if after > before:
            fact = f"It is honoured: {after:,} tokens in, after {before:,} for the first turn."
            return "ok", fact, "A call that names it continues the answer."
        fact = f"It is taken but ignored: {after:,} tokens in, no more than the {before:,} of the first turn."
        return "degraded", fact, resend
    if second.response.previous_response_id == first.response.id:
        fact = "It is taken and echoed; without usage nobody can see whether the history was read."
        return "ok", fact, "A call that names it is sent as it is."
    return "degraded", "It is taken, but not echoed and without usage to see whether it was read.", resend


def retrieval_verdict(found: Response | Exception, response_id: str) -> Verdict:
    """Judge whether a stored response can be fetched by its id."""
    kept = "client.retrieve works only where this does; answers of this kernel stay in Out[n]."
    if isinstance(found, Exception):
        return "missing", f"GET /responses/{{id}} does not work: {said(found)}", kept
    if found.id != response_id:
        return (
            "degraded",
            f"The response that came has the id {found.id or 'of none'}, not the one asked for.",
            kept,
        )
    return "ok", f"The answer was fetched again by its id: {found.status}.", "client.retrieve(id) works."


def input_items_verdict(found: list[Any] | Exception) -> Verdict:
    """Judge whether the input of a stored response can be listed."""
    if isinstance(found, Exception):
        fact = f"GET /responses/{{id}}/input_items does not work: {said(found)}"
        return "missing", fact, "client.input_items(id) raises the same error."
    if not found:
        return (
            "degraded",
            "The list of input items is empty.",
            "client.input_items(id) returns an empty list.",
        )
    n_items = counted(len(found), "input item")
    return "ok", f"{n_items} of the answer listed.", "client.input_items(id) works."


def deletion_verdict(found: dict[str, Any] | Exception) -> Verdict:
    """Judge whether a stored response can be deleted."""
    if isinstance(found, Exception):
        fact = f"DELETE /responses/{{id}} does not work: {said(found)}"
        return (
            "missing",
            fact,
            "client.delete(id) raises the same error; what is stored stays with the service.",
        )
    if found.get("deleted") is not True:
        return (
            "degraded",
            "The service did not say that it deleted the answer.",
            "client.delete(id) returns its word.",
        )
    return "ok", "The doctor's answers were deleted again.", "client.delete(id) works."


def request_id_verdict(heard: Sequence[Heard]) -> Verdict:
    """Judge whether answers carry an id to quote to the provider's support."""
    if any(each.response.request_id for each in heard):
        return "ok", "Answers carry a request id.", "Errors quote it, and response.request_id holds it."
    return (
        "missing",
        "Answers carry no request id.",
        "Errors cannot quote one; quote the time and response.id.",
    )
