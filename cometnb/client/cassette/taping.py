"""One call while it is recorded: what comes is passed on untouched, and kept beside it."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

import httpx

from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.framing import Splitter
from cometnb.client.cassette.hiding import Hider, SplitKeys
from cometnb.client.cassette.recorder import Slot
from cometnb.client.cassette.tape import End, Piece, Recording, line_of, written
from cometnb.client.decoded import async_body, body
from cometnb.errors import CometWarning
from cometnb.protocol.answer import Head
from cometnb.protocol.exchange import Exchange, Phase
from cometnb.protocol.recorded import Recorded
from cometnb.protocol.response import Response

__all__ = ["KEPT_HEADERS", "Origin", "TapedBody", "Taping", "cost_now", "kept_headers"]

# All that a client reads. Account, organisation, rate limits and cookies stay out; a request's id opens nothing, and
# an error quotes it.
KEPT_HEADERS = ("content-type", "x-cometapi-request-id", "x-request-id")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answers a call that is recorded."""

    backend: str
    base_url: str


class Taping:
    """What is kept of one call.

    Parameters
    ----------
    asked : Asked
    slot : Slot
    hider : Hider
    origin : Origin
    learn : callable
        Told the recording and every piece, as it comes.
    done : callable
        Told the recording at its end.
    started_s : float
        When the request was sent, by `clock`.
    """

    def __init__(
        self,
        asked: Asked,
        slot: Slot,
        *,
        hider: Hider,
        origin: Origin,
        learn: Callable[[Recording, Piece], object],
        done: Callable[[Recording], object],
        started_s: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._recording = Recording(asked, asked.key)
        self._slot = slot
        self._hider = hider
        self._origin = origin
        self._learn = learn
        self._done = done
        self._clock = clock
        self._started_s = self._last_s = started_s
        self._first_s: float | None = None
        self._at = datetime.now(UTC)
        self._keys = SplitKeys(hider)
        self._exchange = Exchange({})
        self._body: list[bytes] = []
        self._is_ended = self._is_given_up = False

    def begin(self, status: int, headers: httpx.Headers) -> None:
        """Take the head of the answer."""
        self._try(lambda: self._begin(status, headers))

    def feed(self, chunk: bytes) -> None:
        """Take bytes of the answer, decoded."""
        self._try(lambda: self._feed(chunk))

    def end(self, how: str) -> None:
        """Take the end; a stream that was left after its last event is whole."""
        if not self._is_ended:
            self._is_ended = True
            self._try(lambda: self._end(how))
            self._is_given_up = False
            self._try(self._slot.end)

    def _begin(self, status: int, headers: httpx.Headers) -> None:
        recording = self._recording
        head = Head(status, {name.lower(): value for name, value in headers.items()}, self._at)
        recording.status, recording.gap_s = status, self._gap_s()
        recording.headers = {name: self._hider.text(value) for name, value in kept_headers(head).items()}
        self._splitter = Splitter(head.content_type)
        self._exchange.begin(head)
        self._slot.write(line_of(written(recording.asked)), line_of(written(recording)))

    def _feed(self, chunk: bytes) -> None:
        for piece in self._splitter.feed(chunk, self._gap_s()):
            self._keep(self._keys.feed(piece))
        if self._exchange.phase is Phase.STREAM:
            self._exchange.receive(chunk)
            if self._first_s is None and self._exchange.has_output:
                self._first_s = self._last_s
        elif self._exchange.phase is Phase.BODY:
            self._body.append(chunk)

    def _end(self, how: str) -> None:
        gap_s = self._gap_s()
        is_whole = how == "left" and self._exchange.phase is Phase.STREAM and self._exchange.is_over
        for piece in self._splitter.close(gap_s):
            self._keep(self._keys.feed(piece))
        self._keep(self._keys.close())
        end = End("whole" if is_whole else how, gap_s, self._recorded())
        self._recording.end = end
        self._slot.write(line_of(written(end)))
        self._done(self._recording)

    def _keep(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._learn(self._recording, piece)
            self._recording.pieces.append(piece)
            self._slot.write(line_of(written(piece)))

    def _gap_s(self) -> float:
        now_s = self._clock()
        gap_s, self._last_s = max(0.0, now_s - self._last_s), now_s
        return gap_s

    def _recorded(self) -> Recorded:
        if self._exchange.phase is Phase.BODY:
            self._exchange.receive_body(b"".join(self._body))
        cost_usd, source = cost_now(self._exchange.response(), self._origin)
        return Recorded(
            at=f"{self._at:%Y-%m-%dT%H:%M:%SZ}",
            backend=self._origin.backend,
            ttft_s=None if self._first_s is None else round(self._first_s - self._started_s, 3),
            duration_s=round(self._last_s - self._started_s, 3),
            cost_usd=cost_usd,
            price_source=self._hider.text(source),
        )

    def _try(self, work: Callable[[], object]) -> None:
        """Do not let the recording cost the answer."""
        if self._is_given_up:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer goes on
            self._is_given_up = True
            words = self._hider.text(f"{type(error).__name__}: {error}")
            warnings.warn(
                f"A call could not be recorded whole ({words}); its answer goes on.",
                CometWarning,
                stacklevel=4,
            )


class TapedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer on its way through."""

    def __init__(self, answer: httpx.Response, taping: Taping) -> None:
        self._answer = answer
        self._taping = taping

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in body(self._answer):
                self._taping.feed(chunk)
                yield chunk
            self._taping.end("whole")
        except httpx.HTTPError as error:
            self._taping.end(_how(error))
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in async_body(self._answer):
                self._taping.feed(chunk)
                yield chunk
            self._taping.end("whole")
        except httpx.HTTPError as error:
            self._taping.end(_how(error))
            raise

    def close(self) -> None:
        """Close the answer; what has not been read will not be recorded."""
        self._answer.close()
        self._taping.end("left")

    async def aclose(self) -> None:
        """Close the answer; what has not been read will not be recorded."""
        await self._answer.aclose()
        self._taping.end("left")


def kept_headers(head: Head) -> dict[str, str]:
    """Return the headers that a cassette keeps; a time to wait until is written as seconds to wait."""
    kept = {name: head.headers[name] for name in KEPT_HEADERS if name in head.headers}
    wait_s = head.retry_after_s
    kept = kept if wait_s is None else {**kept, "retry-after": f"{wait_s:g}"}
    # What no line of JSON should hold, no header does.
    return {name: value for name, value in kept.items() if value.isascii() and value.isprintable()}


def cost_now(response: Response, origin: Origin) -> tuple[float | None, str]:
    """Return what an answer costs by the prices of this moment, and their source; None if that is not known."""
    if not response.usage:
        return None, ""
    response.backend, response.base_url = origin.backend, origin.base_url
    try:
        cost = response.cost
    except Exception:  # noqa: BLE001  # a mistake in a price table is told where the cost is shown
        return None, ""
    return (float(f"{cost.usd:.6g}"), cost.source) if cost.is_known else (None, "")


def _how(error: httpx.HTTPError) -> str:
    return "timeout" if isinstance(error, httpx.TimeoutException) else "broken"
