"""A response as a tolerant view over its JSON: nothing sent is lost, nothing absent is invented."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cometnb.errors import masked
from cometnb.protocol.cost import Cost
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.readers import read
from cometnb.protocol.recorded import Recorded
from cometnb.protocol.usage import Usage

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TERMINAL_STATUSES", "Citation", "FunctionCall", "Response", "Timing", "whole_text"]

TERMINAL_STATUSES = frozenset({"completed", "incomplete", "failed", "cancelled"})

# Some servers announce a part of text by the chat dialect's name.
_SPELLINGS = {"output_text": ("output_text", "text")}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an answer took; None where it is not known.

    Attributes
    ----------
    ttft_s : float or None
        Seconds from sending the request to the first delta.
    duration_s : float or None
        Seconds from sending the request to the end.
    sent_at : datetime or None
        The time of day when the request was sent; aware, UTC.
    """

    ttft_s: float | None = None
    duration_s: float | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function the model wants called.

    Attributes
    ----------
    name, call_id, arguments : str
        As sent; `arguments` is JSON text, unparsed, because a cut-off answer may leave it unfinished.
    """

    name: str
    call_id: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that a piece of the answer's text points to.

    Attributes
    ----------
    kind : str
        ``url_citation``, ``file_citation``, ``container_file_citation``, ``file_path`` or what was sent.
    title, url, file_id : str or None
        As sent; None where the kind has no such field.
    raw : Mapping
        The annotation whole.
    """

    kind: str
    title: str | None
    url: str | None
    file_id: str | None
    raw: Mapping[str, Any]


class Response:
    """An answer, finished or so far.

    Parameters
    ----------
    raw : Mapping
        The response object's JSON. It is kept as sent and read tolerantly.
    status : str, optional
        Overrides the JSON's status where only the client can know it: ``interrupted``, ``truncated``, ``error``.
    request_id : str, optional
        The provider's id of the HTTP request.
    timing : Timing, optional
        Measured by the client.
    error : Mapping, optional
        What an error event said, where the response object itself says nothing.
    unknown : Mapping of str to int, optional
        Event types no fold rule knows, with how often each came.

    Attributes
    ----------
    backend : str
        Who answered: ``api``, ``simulator`` or ``cassette``. Set by the client.
    base_url : str
        Where the request went; empty if no client has set it.
    model_requested : str or None
        The model that was asked for; `model` is the one that answered.
    estimated_usage : Usage
        What an answer that was cut off is estimated to have used; falsy in every other case.
    recorded : Recorded or None
        How it came when it was recorded, of an answer that is replayed.
    event_log : EventLog
        When each event came; empty for a JSON body.
    rounds : tuple of Response
        Where functions of the notebook were called in between: each answer of the service; else empty.
    tool_results : tuple
        What those functions gave, in the order of their calls (`cometnb.session.tools.ToolResult`).
    attached : tuple
        What a cell sent beside its text, by name, kind and size (`cometnb.session.prompt.Attached`).
    schema : Schema or None
        What a structured answer was asked for with (`cometnb.session.structured.Schema`).

    Notes
    -----
    `str(response)` is its text. Text is as the model wrote it: escape it before it becomes HTML.
    """

    def __init__(
        self,
        raw: Mapping[str, Any],
        *,
        status: str | None = None,
        request_id: str | None = None,
        timing: Timing | None = None,
        error: Mapping[str, Any] | None = None,
        unknown: Mapping[str, int] | None = None,
    ) -> None:
        self.raw: dict[str, Any] = dict(raw)
        self.backend = "api"
        self.base_url = ""
        self.model_requested: str | None = None
        self.estimated_usage = Usage()
        self.recorded: Recorded | None = None
        self.event_log = EventLog()
        self.rounds: tuple[Response, ...] = ()
        self.tool_results: tuple[Any, ...] = ()
        self.attached: tuple[Any, ...] = ()
        self.schema: Any = None
        self.request_id = request_id
        self.timing = timing or Timing()
        self.unknown_events: dict[str, int] = dict(unknown or {})
        self._status = status
        self._error = error

    @property
    def id(self) -> str | None:
        """The response's id, ``resp_…``."""
        return _text_or_none(self.raw.get("id"))

    @property
    def model(self) -> str | None:
        """The model that answered, as the server names it."""
        return _text_or_none(self.raw.get("model"))

    @property
    def status(self) -> str:
        """One of completed, incomplete, failed, cancelled, queued, in_progress, interrupted, truncated, error.

        A status the server invents is passed on; a body without one that holds output counts as completed.
        """
        if self._status:
            return self._status
        status = _text_or_none(self.raw.get("status"))
        return status or ("failed" if self.error else "completed" if self.output else "in_progress")

    @property
    def service_tier(self) -> str | None:
        """The processing tier the server says it used."""
        return _text_or_none(self.raw.get("service_tier"))

    @property
    def previous_response_id(self) -> str | None:
        """The response this one continues."""
        return _text_or_none(self.raw.get("previous_response_id"))

    @property
    def usage(self) -> Usage:
        """Tokens used; falsy if the server did not report them."""
        return Usage(self.raw.get("usage"))

    @property
    def cost(self) -> Cost:
        """What the tokens cost in US dollars, and by which price; NaN where that is not known."""
        cost: Cost = read("cost", self)
        return cost

    @property
    def parsed(self) -> Any:
        """The value of a structured answer, in the type it was asked for with; plain JSON without a schema.

        Raises
        ------
        RefusalError
            The model refused.
        IncompleteAnswerError
            The answer ends before its JSON does; has the whole rows.
        SchemaMismatchError
            It is whole and does not fit.
        """
        return read("parsed", self)

    def to_frame(self) -> pd.DataFrame:
        """Return a structured answer as a DataFrame, one row per record, with the dtypes of its schema.

        Raises
        ------
        CometError
            As `parsed` does.
        """
        frame: pd.DataFrame = read("to_frame", self)
        return frame

    def events_frame(self) -> pd.DataFrame:
        """Return the course of the stream, one row per event, in order of arrival.

        Returns
        -------
        DataFrame
            Shape (events, 6): ``at_s`` float64, seconds from sending the request; ``gap_s`` float64, seconds
            since the event before; ``type`` and ``kind`` text (queue, reasoning, text, tool, other);
            ``output_index`` Int64; ``n_characters`` Int64, of the delta. Empty for a JSON body.
        """
        frame: pd.DataFrame = read("events_frame", self)
        return frame

    @property
    def output(self) -> list[dict[str, Any]]:
        """The output items as JSON objects, in order; anything that is no object is left out."""
        return [item for item in _sequence(self.raw.get("output")) if isinstance(item, dict)]

    @property
    def output_text(self) -> str:
        """The text of all messages, joined; empty if there is none."""
        return whole_text("".join(self._content("message", "output_text", "text")))

    @property
    def refusal(self) -> str | None:
        """The words with which the model refused, or None."""
        return whole_text("".join(self._content("message", "refusal", "refusal"))) or None

    @property
    def reasoning_summary(self) -> list[str]:
        """The parts of the reasoning summary, in order; empty if none was asked for or sent."""
        return [
            whole_text(_text(part.get("text")))
            for item in self._items("reasoning")
            for part in _objects(item.get("summary"))
        ]

    @property
    def reasoning_text(self) -> str:
        """Reasoning sent in the open (some models do), joined."""
        return whole_text("".join(self._content("reasoning", "reasoning_text", "text")))

    @property
    def function_calls(self) -> list[FunctionCall]:
        """The functions the model wants called, in order."""
        return [
            FunctionCall(
                _text_or_none(item.get("name")) or "",
                _text_or_none(item.get("call_id")) or "",
                _arguments(item.get("arguments")),
            )
            for item in self._items("function_call")
        ]

    @property
    def citations(self) -> list[Citation]:
        """The sources of the text, in order of appearance, repeated ones included."""
        return [
            _citation(annotation)
            for item in self._items("message")
            for part in _objects(item.get("content"))
            for annotation in _objects(part.get("annotations"))
        ]

    @property
    def error(self) -> dict[str, Any] | None:
        """What went wrong, as the server said it (`code`, `message`, …), or None."""
        sent = self.raw.get("error") or self._error
        if not sent:
            return None
        return dict(sent) if isinstance(sent, Mapping) else {"message": str(sent)}

    @property
    def incomplete_reason(self) -> str | None:
        """Why an incomplete answer ends early: ``max_output_tokens``, ``content_filter`` or what was sent."""
        details = self.raw.get("incomplete_details")
        return _text_or_none(details.get("reason")) if isinstance(details, Mapping) else None

    def _items(self, kind: str) -> Iterator[dict[str, Any]]:
        return (item for item in self.output if item.get("type") == kind)

    def _content(self, item_kind: str, part_kind: str, field: str) -> Iterator[str]:
        for item in self._items(item_kind):
            content = item.get("content")
            if isinstance(content, str) and part_kind == "output_text":
                yield content
            for part in _objects(content):
                if part.get("type", part_kind) in _SPELLINGS.get(part_kind, (part_kind,)):
                    yield _text(part.get(field))

    def __str__(self) -> str:
        return self.output_text

    def __repr__(self) -> str:
        # Whole, before it is shortened: a notebook keeps what is shown, and half a key would not be known for one.
        text = masked(self.output_text)
        shown = text if len(text) <= 60 else text[:57] + "..."
        return masked(f"<Response {self.id or 'without id'} {self.status}: {shown!r}>")


def whole_text(text: str) -> str:
    r"""Return `text` with surrogate halves joined, or replaced where one is alone, so that it can be encoded.

    A JSON escape such as ``\ud83d`` may be split over two deltas.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _citation(raw: Mapping[str, Any]) -> Citation:
    return Citation(
        kind=_text(raw.get("type")),
        title=_text_or_none(raw.get("title") or raw.get("filename")),
        url=_text_or_none(raw.get("url")),
        file_id=_text_or_none(raw.get("file_id")),
        raw=raw,
    )


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (entry for entry in _sequence(value) if isinstance(entry, dict))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text_or_none(value: Any) -> str | None:
    return whole_text(value) if isinstance(value, str) and value else None


def _arguments(value: Any) -> str:
    """Return a call's arguments as JSON text; some servers send the object itself."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _text_or_none(value) or ""
