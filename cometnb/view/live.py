"""An answer while it streams, in a front end, in a terminal, or nowhere until its end."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

from cometnb.errors import masked, printable
from cometnb.protocol.events import Event
from cometnb.protocol.halves import Halves
from cometnb.protocol.keyless import KeylessText
from cometnb.protocol.response import Response, whole_text
from cometnb.view.blocks import Blocks
from cometnb.view.images import image_displays
from cometnb.view.mime import bundle, plain
from cometnb.view.neutral import neutral_markdown
from cometnb.view.parts import Part, describe
from cometnb.view.publish import publish, publish_all, replace_all
from cometnb.view.usage import usage_line

__all__ = [
    "REASONING",
    "TEXT",
    "Answer",
    "LiveAnswer",
    "SilentAnswer",
    "StillAnswer",
    "TerminalAnswer",
    "Words",
    "delta_of",
    "next_summary",
]

# Finished blocks get a display of their own once they make this many characters together: a display for every line
# of a list would cost more messages than sending the line again a few times.
_SETTLED_LENGTH = 300

TEXT = "response.output_text.delta"
_REFUSAL = "response.refusal.delta"
REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


class Answer(Protocol):
    """What shows an answer.

    Attributes
    ----------
    period_s : float
        Seconds between two updates at least.
    idle_s : float or None
        Update when nothing has come for this long; None for never.
    asks : bool
        Whether it asks by itself whether a function may run.
    """

    @property
    def asks(self) -> bool: ...  # noqa: D102  # documented above

    @property
    def period_s(self) -> float: ...  # noqa: D102  # documented above

    @property
    def idle_s(self) -> float | None: ...  # noqa: D102  # documented above

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show what has come since the last update; `waiting` says why nothing comes."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show the answer as it stays."""

    def withdraw(self) -> None:
        """Take away what was shown while waiting: nothing came, and an error follows."""


class LiveAnswer:
    """In a front end: finished blocks are sent once, the open tail is replaced, at most ten times a second.

    At the end all of it gives way to one display with the whole answer.

    Parameters
    ----------
    model : str
        The model asked for, shown while nothing has come.
    clock : callable
        Seconds, monotonic.
    """

    period_s = 0.1
    idle_s = 0.5
    asks = False

    def __init__(self, model: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._started_s = clock()
        self._blocks = Blocks()
        self._unsent: list[str] = []
        self._display_id: str | None = None
        self._shown = ""
        self._has_text = False
        self._is_reasoning = False

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Send the blocks that were finished and the tail as it is now."""
        text = "".join(delta_of(event) for event in events if event.type == TEXT)
        self._is_reasoning = self._is_reasoning or any(_starts_reasoning(event) for event in events)
        if not text:
            if not self._has_text and not events:
                self._send(self._status(waiting))
            return
        self._has_text = True
        self._unsent += self._blocks.feed(text)
        if sum(map(len, self._unsent)) >= _SETTLED_LENGTH:
            self._send("\n\n".join(self._unsent))
            self._unsent, self._display_id = [], None
        changing = "\n\n".join([*self._unsent, self._blocks.tail])
        if changing.strip():
            self._send(changing)

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Replace everything by one display, in one go."""
        if self._shown:
            replace_all()
        data, metadata = bundle(response, notes=notes)
        publish(data, metadata, display_id=uuid.uuid4().hex)
        publish_all(image_displays(response))

    def withdraw(self) -> None:
        """Let the error that follows take the place of the status line."""
        if self._shown:
            replace_all()

    def _status(self, waiting: str | None) -> str:
        elapsed_s = self._clock() - self._started_s
        doing = waiting or ("reasoning" if self._is_reasoning else "waiting for the answer")
        return f"{self._model} · {doing} · {elapsed_s:.0f} s"

    def _send(self, markdown: str) -> None:
        shown = neutral_markdown(markdown)
        if self._display_id is not None and shown == self._shown:
            return
        self._shown = shown
        is_update = self._display_id is not None
        if self._display_id is None:
            self._display_id = uuid.uuid4().hex
        publish({"text/markdown": shown}, display_id=self._display_id, is_update=is_update)


class StillAnswer:
    """Where no live front end watches: one display at the end, the same for the same answer in every run."""

    period_s = 0.5
    idle_s = None
    asks = False

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show nothing yet."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show the answer."""
        data, metadata = bundle(response, with_times=False, notes=notes)
        publish(data, metadata)
        publish_all(image_displays(response))

    def withdraw(self) -> None:
        """Nothing was shown."""


class SilentAnswer:
    """With ``--quiet``: nothing is shown, the Response is only bound."""

    period_s = 0.5
    idle_s = None
    asks = False

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show nothing."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show nothing."""

    def withdraw(self) -> None:
        """Nothing was shown."""


class TerminalAnswer:
    """In a terminal: text as it comes, then what else the answer holds and the usage line.

    Parameters
    ----------
    out : file, optional
        Standard output if None.
    """

    period_s = 0.03
    idle_s = None
    asks = False

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._written = ""  # the kind of part that was written last
        self._halves = Halves()
        self._keyless = KeylessText()
        self._ends_line = True

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Write the new text."""
        for event in events:
            if event.type == TEXT:
                self._write("text", delta_of(event))
            elif event.type in REASONING:
                self._write("reasoning", delta_of(event))
            elif self._written == "reasoning" and next_summary(event):
                self._write("reasoning", next_summary(event))
        self._out.flush()

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Write what was not streamed, and the usage line."""
        streamed = ("text", "reasoning") if self._written else ()
        rest: list[Part] = [part for part in describe(response) if part.kind not in streamed]
        rest += [Part("notice", note) for note in notes]
        self._put(self._keyless.feed(self._halves.rest()) + self._keyless.rest())
        if not self._ends_line:
            self._out.write("\n")
        for text in (plain(rest), printable(usage_line(response))):
            if text:
                self._out.write(f"\n{whole_text(masked(text))}\n")
        self._out.flush()

    def withdraw(self) -> None:
        """What was written stays; there is only text."""

    def _write(self, kind: str, delta: str) -> None:
        text = printable(self._halves.joined(delta))
        if kind != self._written:
            if self._written:
                text = f"\n\n{text}"
            elif kind == "reasoning":
                text = f"Reasoning: {text}"
            self._written = kind
        self._put(self._keyless.feed(text))

    def _put(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._ends_line = text.endswith("\n")


class Words:
    """What of an answer's events is text to show: its deltas, and a refusal's, which begins by saying so."""

    def __init__(self) -> None:
        self._is_refusal = False

    def of(self, event: Event) -> str:
        """Return the Markdown an event adds; empty if it adds none."""
        if event.type == TEXT:
            return delta_of(event)
        if event.type != _REFUSAL:
            return ""
        lead = "" if self._is_refusal else "**Refused.** "
        self._is_refusal = True
        return lead + delta_of(event)


def delta_of(event: Event) -> str:
    """Return the text an event adds; empty if it adds none."""
    delta = event.raw.get("delta")
    return delta if isinstance(delta, str) else ""


def next_summary(event: Event) -> str:
    """Return what stands between two parts of a reasoning summary, where an event begins the next one."""
    return "\n\n" if event.type == "response.reasoning_summary_part.added" else ""


def _starts_reasoning(event: Event) -> bool:
    item = event.raw.get("item")
    return isinstance(item, dict) and item.get("type") == "reasoning"
