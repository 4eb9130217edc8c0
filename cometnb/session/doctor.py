"""Examines what a service can do and what it cannot, and says what cometnb does about each."""

from __future__ import annotations

import html
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cometnb.client.client import Client
from cometnb.config.configured import configured
from cometnb.errors import BadRequestError, CometWarning, ConfigError, PermissionDeniedError, maskable, masked
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.session.session import Session
from cometnb.session.verdicts import (
    Heard,
    Verdict,
    call_verdict,
    deletion_verdict,
    events_verdict,
    input_items_verdict,
    is_out_of_reach,
    key_verdict,
    memory_verdict,
    models_verdict,
    request_id_verdict,
    retrieval_verdict,
    said,
    stream_verdict,
    url_verdict,
    usage_verdict,
)

__all__ = ["COSTS", "Finding", "as_markdown", "as_text", "examine", "without_session"]

COSTS = (
    "The doctor makes three small calls, of about 200 tokens together, and deletes what they stored;"
    " they stand in the usage table under the tag doctor."
)

_T = TypeVar("_T")

_FREE = ("key", "base URL", "models")
_PAID = (
    "call without stream",
    "stream",
    "stream's events",
    "usage in a body",
    "usage in a stream",
    "previous_response_id",
    "retrieval",
    "input items",
    "deletion",
    "request id",
)

# The second prompt has to be shorter than the first: see `memory_verdict`.
_FIRST_PROMPT = "This is a short test of the connection. Answer with the one word OK, and with nothing else."
_SECOND_PROMPT = "Again."
_LONG_PROMPT = "Count from one to thirty in English words, separated by commas."
# The API takes no fewer than 16.
_SHORT_TOKENS, _LONG_TOKENS = 16, 64

# From the least reasoning a model may take; the last is for models that take no effort at all.
_EFFORTS = ("none", "minimal", "low", None)

# How an error about the key begins, where one about another setting does not.
_KEY_FACTS = ("There is no API key", "The key ", "api_key")

_LONGEST_SHOWN = 400

# What could begin Markdown, HTML, or math in a table's cell. For backslash and dollar no entity helps: formulas are
# looked for in what the entities have become.
_HARMLESS = {ord(char): f"&#{ord(char)};" for char in "`*_{}[]()#+!|~:@"} | {
    ord("$"): "\N{FULLWIDTH DOLLAR SIGN}",
    ord("\\"): "\N{FULLWIDTH REVERSE SOLIDUS}",
}


@dataclass(frozen=True)
class Finding:
    """What was found about one subject.

    Attributes
    ----------
    subject : str
        Such as ``stream`` or ``previous_response_id``.
    state : str
        ``ok``; ``degraded``, which works in part; ``missing``, which does not work; ``skipped``, not looked at.
    fact : str
        A sentence. It may quote the service: escape it before it becomes Markdown or HTML, as `as_markdown` does.
    consequence : str
        What cometnb does about it.
    """

    subject: str
    state: Literal["ok", "degraded", "missing", "skipped"]
    fact: str
    consequence: str


def examine(
    session: Session,
    *,
    model: str | None = None,
    spend: bool = False,
    progress: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Finding]:
    """Examine the service behind a session.

    Parameters
    ----------
    session : Session
    model : str, optional
        The model to ask; None is the session's.
    spend : bool
        True also does what costs tokens, see `COSTS`. Its rows are tagged ``doctor``.
    progress : callable, optional
        Called with a line before each step.
    clock : callable
        Seconds, monotonic; tells a stream from an answer that is held back.

    Returns
    -------
    list of Finding
        One for every subject, always the same ones in the same order. A failure is a finding. After an interrupt
        the rest is ``skipped``.
    """
    examination = _Examination(session, model or session.model, progress or (lambda line: None), clock)
    reason, step = "It takes calls that cost a little.", "Allow the doctor to make them to find out."
    try:
        examination.look()
        if spend and examination.obstacle:
            reason, step = f"Not tried: {examination.obstacle}", "Mend that first."
        elif spend:
            reason, step = "Not tried: the calls before it did not work.", "Mend those first."
            examination.ask()
    except KeyboardInterrupt:
        reason, step = "Not looked at: you interrupted the doctor.", "Run it again."
    return examination.findings(("skipped", reason, step))


def without_session(error: ConfigError) -> list[Finding]:
    """Return the findings where no session could be made, such as without a key."""
    subject = "key" if error.fact.startswith(_KEY_FACTS) else "settings"
    rest = ("Not looked at: there is nothing to send with.", "Mend the settings first.")
    findings = [Finding(subject, "missing", said(error), error.next_step)]
    return findings + [Finding(name, "skipped", *rest) for name in _FREE + _PAID if name != subject]


def as_text(findings: Sequence[Finding]) -> str:
    """Return findings as plain text, two lines each, without anything a terminal would act on.

    What was skipped for one reason is told once.
    """
    told = _told(findings)
    width = max((len(finding.subject) for finding in told), default=0)
    lines = []
    for finding in told:
        lines.append(f"{finding.state:8}  {finding.subject:{width}}  {_printable(finding.fact)}")
        lines.append(f"{'':8}  {'':{width}}  -> {_printable(finding.consequence)}")
    return "\n".join(lines)


def as_markdown(findings: Sequence[Finding]) -> str:
    """Return findings as a Markdown table in which nothing acts, whatever the service said.

    What was skipped for one reason is told once.
    """
    rows = ["| state | subject | finding | what cometnb does |", "|---|---|---|---|"]
    for finding in _told(findings):
        state = finding.state if finding.state in ("ok", "skipped") else f"**{finding.state}**"
        cells = (_escaped(text) for text in (finding.subject, finding.fact, finding.consequence))
        rows.append(f"| {state} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _told(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with those that were skipped for one reason as one, in the first one's place."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        alone = "" if finding.state == "skipped" else finding.subject
        groups.setdefault((alone, finding.fact, finding.consequence), []).append(finding)
    return [group[0] if len(group) == 1 else _merged(group) for group in groups.values()]


def _merged(group: Sequence[Finding]) -> Finding:
    fact = f"{group[0].fact} Not known: {', '.join(finding.subject for finding in group)}."
    return Finding(f"{len(group)} others", group[0].state, fact, group[0].consequence)


def _printable(text: str) -> str:
    line = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split())
    )
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"


def _escaped(text: str) -> str:
    return html.escape(_printable(text), quote=False).translate(_HARMLESS)


class _Examination:
    """One run of the doctor: it asks, and notes what the verdicts are."""

    def __init__(
        self, session: Session, model: str, progress: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self.obstacle = ""
        with warnings.catch_warnings():
            # A base URL that is not https is a finding here.
            warnings.simplefilter("ignore", CometWarning)
            self._client: Client = session.client
            self._key_source = _source_of(self._client.setup.api_key)
        self._model = model
        self._progress = progress
        self._clock = clock
        self._efforts: Sequence[str | None] = _EFFORTS
        self._found: dict[str, Verdict] = {}

    def findings(self, rest: Verdict) -> list[Finding]:
        """Return a finding for every subject; `rest` is the verdict where there is none."""
        return [self._finding(name, self._found.get(name, rest)) for name in _FREE + _PAID]

    def look(self) -> None:
        """Do what is free."""
        setup = self._client.setup
        self._progress("Asking for the models.")
        listed = _tried(self._client.models)
        self._found["key"] = key_verdict(
            setup.api_key, self._key_source, setup.backend, setup.base_url, listed
        )
        self._found["base URL"] = url_verdict(setup.base_url, setup.backend, listed)
        self._found["models"] = models_verdict(listed, self._model)
        if isinstance(listed, Exception) and is_out_of_reach(listed):
            self.obstacle = said(listed)

    def ask(self) -> None:
        """Do what costs."""
        self._progress(f"Asking {self._model} for a word in one body.")
        first = self._asked(_FIRST_PROMPT, _SHORT_TOKENS, stream=False)
        self._found["call without stream"] = call_verdict(first, self._efforts[0])
        self._found["usage in a body"] = usage_verdict(first)
        self._found["request id"] = request_id_verdict([first])
        if first.error is not None and is_out_of_reach(first.error):
            return
        self._progress(f"Asking {self._model} to count, as a stream.")
        streamed = self._asked(_LONG_PROMPT, _LONG_TOKENS, stream=True)
        self._found["stream"] = stream_verdict(streamed)
        self._found["stream's events"] = events_verdict(streamed)
        self._found["usage in a stream"] = usage_verdict(streamed)
        self._found["request id"] = request_id_verdict([first, streamed])
        known = first if first.error is None else streamed
        if known.error is None and known.response.id:
            self._continue(known, known.response.id, [streamed] if known is first else [])

    def _continue(self, known: Heard, response_id: str, others: Sequence[Heard]) -> None:
        """Do what needs a stored answer, and delete what was stored."""
        self._progress("Continuing that answer by previous_response_id.")
        second = self._asked(
            _SECOND_PROMPT, _SHORT_TOKENS, stream=known.is_streamed, previous_response_id=response_id
        )
        self._found["previous_response_id"] = memory_verdict(known, second)
        self._progress("Fetching and deleting what was stored.")
        client = self._client
        self._found["retrieval"] = retrieval_verdict(_tried(client.retrieve, response_id), response_id)
        self._found["input items"] = input_items_verdict(_tried(client.input_items, response_id))
        deleted = _tried(client.delete, response_id)
        self._found["deletion"] = deletion_verdict(deleted)
        if not isinstance(deleted, Exception):
            for heard in (second, *others):
                if heard.response.id:
                    _tried(client.delete, heard.response.id)

    def _asked(self, prompt: str, max_output_tokens: int, *, stream: bool, **params: Any) -> Heard:
        """Ask with the least effort that is not refused, and remember it."""
        limits = {"max_output_tokens": max_output_tokens, "stream": stream}
        while True:
            effort = self._efforts[0]
            reasoning = {"effort": effort} if effort else None
            heard = self._heard(prompt, limits | params | {"reasoning": reasoning})
            is_refused = isinstance(heard.error, BadRequestError | PermissionDeniedError)
            if heard.error is None:
                # What is refused after a call has worked is not the effort.
                self._efforts = self._efforts[:1]
            if not is_refused or len(self._efforts) == 1:
                return heard
            self._efforts = self._efforts[1:]

    def _heard(self, prompt: str, params: Mapping[str, Any]) -> Heard:
        events: list[Event] = []
        arrived_s: list[float] = []
        response, error = Response({}), None
        asked_s = self._clock()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CometWarning)
                stream = self._client.stream(prompt, labels={"tag": "doctor"}, model=self._model, **params)
            with stream:
                try:
                    for event in stream:
                        arrived_s.append(self._clock())
                        events.append(event)
                finally:
                    response = stream.response
        except Exception as failure:  # noqa: BLE001  # whatever fails is a finding
            error = failure
        return Heard(response, tuple(events), tuple(arrived_s), asked_s, self._clock(), error)

    def _finding(self, subject: str, verdict: Verdict) -> Finding:
        state, *words = verdict
        key = maskable(self._client.setup.api_key)
        fact, consequence = (masked(text, key) for text in words)
        return Finding(subject, state, fact, consequence)


def _tried(work: Callable[..., _T], *args: Any) -> _T | Exception:
    try:
        return work(*args)
    except Exception as error:  # noqa: BLE001  # whatever fails is a finding
        return error


def _source_of(key: str) -> str:
    try:
        options = configured()
    except ConfigError:
        return "an argument"
    return options.sources["api_key"] if options.api_key == key else "an argument"
