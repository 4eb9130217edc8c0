"""An answer while it streams, in a front end, in a terminal, or nowhere until its end."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from IPython.display import clear_output, publish_display_data

from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.view.blocks import Blocks
from cometnb.view.mime import bundle, plain, printable
from cometnb.view.neutral import neutral_markdown
from cometnb.view.parts import Part, describe
from cometnb.view.usage import usage_line

__all__ = ["Answer", "Frame", "LiveAnswer", "SilentAnswer", "StillAnswer", "TerminalAnswer"]

_TEXT = "response.output_text.delta"
_REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})


class Answer(Protocol):
    """What shows an answer.

    Attributes
    ----------
    period_s : float
        Seconds between two updates at least.
    idle_s : float or None
        Update when nothing has come for this long; None for never.
    """

    period_s: float
    idle_s: float | None

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show what has come since the last update; `waiting` says why nothing comes."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show the answer as it stays."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around an answer.

    Attributes
    ----------
    backend : str
        Who answers; named if it is not the API.
    model : str
        The model asked for, shown until the answer names its own.
    """

    backend: str = "api"
    model: str = ""


class LiveAnswer:
    """In a front end: finished blocks are sent once, the open tail is replaced, at most ten times a second.

    At the end all of it gives way to one display with the whole answer.
    """

    period_s = 0.1
    idle_s = 1.0

    def __init__(self, frame: Frame, clock: Callable[[], float] = time.monotonic) -> None:
        self._frame = frame
        self._clock = clock
        self._started_s = clock()
        self._blocks = Blocks()
        self._display_id: str | None = None
        self._shown = ""
        self._has_text = False
        self._is_reasoning = False

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Send the blocks that were finished and the tail as it is now."""
        text = "".join(_delta(event) for event in events if event.type == _TEXT)
        self._is_reasoning = self._is_reasoning or any(_starts_reasoning(event) for event in events)
        if not text:
            if not self._has_text and not events:
                self._send(self._status(waiting))
            return
        self._has_text = True
        finished = self._blocks.feed(text)
        if finished:
            self._send("\n\n".join(finished))
            self._display_id = None
        if self._blocks.tail.strip():
            self._send(self._blocks.tail)

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Replace everything by one display, in one go."""
        if self._shown:
            clear_output(wait=True)
        data, metadata = bundle(response, backend=self._frame.backend, notes=notes)
        publish_display_data(data, metadata, transient={"display_id": uuid.uuid4().hex})

    def _status(self, waiting: str | None) -> str:
        elapsed_s = self._clock() - self._started_s
        doing = waiting or ("reasoning" if self._is_reasoning else "waiting for the answer")
        return f"{self._frame.model} · {doing} · {elapsed_s:.0f} s"

    def _send(self, markdown: str) -> None:
        shown = neutral_markdown(markdown)
        if self._display_id is not None and shown == self._shown:
            return
        self._shown = shown
        is_update = self._display_id is not None
        if self._display_id is None:
            self._display_id = uuid.uuid4().hex
        publish_display_data(
            {"text/markdown": shown}, transient={"display_id": self._display_id}, update=is_update
        )


class StillAnswer:
    """Where no live front end watches: one display at the end, the same for the same answer in every run."""

    period_s = 0.5
    idle_s = None

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show nothing yet."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show the answer."""
        data, metadata = bundle(response, backend=self._frame.backend, with_times=False, notes=notes)
        publish_display_data(data, metadata)


class SilentAnswer:
    """With ``--quiet``: nothing is shown, the Response is only bound."""

    period_s = 0.5
    idle_s = None

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Show nothing."""

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Show nothing."""


class TerminalAnswer:
    """In a terminal: text as it comes, then what else the answer holds and the usage line."""

    period_s = 0.03
    idle_s = None

    def __init__(self, frame: Frame, out: TextIO | None = None) -> None:
        self._frame = frame
        self._out = out or sys.stdout
        self._written = ""  # the kind of part that was written last
        self._ends_line = True

    def update(self, events: Sequence[Event], waiting: str | None = None) -> None:
        """Write the new text."""
        for event in events:
            if event.type == _TEXT:
                self._write("text", _delta(event))
            elif event.type in _REASONING:
                self._write("reasoning", _delta(event))
        self._out.flush()

    def finish(self, response: Response, notes: tuple[str, ...] = ()) -> None:
        """Write what was not streamed, and the usage line."""
        streamed = ("text", "reasoning") if self._written else ()
        rest: list[Part] = [part for part in describe(response) if part.kind not in streamed]
        rest += [Part("notice", note) for note in notes]
        if not self._ends_line:
            self._out.write("\n")
        for text in (plain(rest), usage_line(response, backend=self._frame.backend)):
            if text:
                self._out.write(f"\n{text}\n")
        self._out.flush()

    def _write(self, kind: str, delta: str) -> None:
        text = printable(delta)
        if kind != self._written:
            if self._written:
                text = f"\n\n{text}"
            elif kind == "reasoning":
                text = f"Reasoning: {text}"
            self._written = kind
        if text:
            self._out.write(text)
            self._ends_line = text.endswith("\n")


def _delta(event: Event) -> str:
    delta = event.raw.get("delta")
    return delta if isinstance(delta, str) else ""


def _starts_reasoning(event: Event) -> bool:
    item = event.raw.get("item")
    return isinstance(item, dict) and item.get("type") == "reasoning"
