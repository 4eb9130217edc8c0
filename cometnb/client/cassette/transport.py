"""The cassette as an httpx transport: it answers from a file, or records what the service answers."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from cometnb.client.cassette.asked import Asked, asked_of
from cometnb.client.cassette.hiding import Hider
from cometnb.client.cassette.miss import miss
from cometnb.client.cassette.network import Network
from cometnb.client.cassette.played import PACES, actions, headers
from cometnb.client.cassette.recorder import Recorder
from cometnb.client.cassette.shelf import Shelf
from cometnb.client.cassette.tape import Piece, Recording, read_tape
from cometnb.client.cassette.taping import Origin, TapedBody, Taping
from cometnb.client.simulator.paced_body import PacedBody
from cometnb.config.configured import configured_setting
from cometnb.config.regular import whole_bytes
from cometnb.errors import CometWarning, ConfigError
from cometnb.options import user_path
from cometnb.protocol.recorded import BACKEND, CAPPED, RECORDED

__all__ = ["AFTER_LAST", "MODES", "Cassette"]

MODES = ("replay", "record", "auto")
AFTER_LAST = ("repeat", "miss")

_LARGEST_BYTES = 512_000_000


class Cassette(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests from a file of recorded calls; give it to a client as its transport.

    Parameters
    ----------
    path : str or Path
        The file; ``~`` is the home folder.
    mode : str
        ``replay`` answers from the file and never uses the network; no key is needed or sent. ``record`` sends every
        call and writes a new file; one that holds calls is refused. ``auto`` answers what is there, and sends and adds
        the rest; what failed or was cut is asked again.
    pace : str
        Of a replay: ``fast`` (ten times as fast as recorded, no wait over 0.05 s), ``real`` or ``instant``.
    transport : httpx transport, optional
        Who answers what is recorded, such as ``Simulator()``; the network if None.
    after_last : str
        A request that was recorded several times is answered in the order of recording. After the last one,
        ``repeat`` gives the last again, and ``miss`` gives nothing: `auto` then records another one.
    replace : bool
        In mode ``record``: begin the file anew, whatever it holds.

    Attributes
    ----------
    path : Path
    mode, pace, after_last : str
        The pace may be changed at any time.
    n_played, n_recorded : int
        Calls so far.

    Raises
    ------
    ConfigError
        The file is not there, is no cassette, is spoilt, holds what would be lost, or somebody else records into it.

    Warns
    -----
    CometWarning
        If the file was cut in the middle of a call: that one is answered up to the cut.

    Notes
    -----
    Two requests are the same if their canonical form is (`cometnb.protocol.canonical`), whatever the base URL.
    Keys, account headers, cookies and the bytes of attachments are not written.

    Examples
    --------
    >>> import tempfile
    >>> from cometnb import Cassette, Client, Simulator
    >>> file = tempfile.mkdtemp() + "/hello.jsonl"
    >>> recording = Client(transport=Cassette(file, "record", transport=Simulator(text="Hello.")))
    >>> recording.respond("Say hello.").output_text
    'Hello.'
    >>> recording.close()
    >>> Client(transport=Cassette(file)).respond("Say hello.").output_text
    'Hello.'
    """

    def __init__(
        self,
        path: str | Path,
        mode: str = "replay",
        pace: str = "fast",
        transport: Any = None,
        *,
        after_last: str = "repeat",
        replace: bool = False,
    ) -> None:
        _check_choice("mode", mode, MODES)
        _check_choice("after_last", after_last, AFTER_LAST)
        self.path = user_path(path)
        _check_choice("pace", pace, PACES)
        self.mode, self.pace, self.after_last = mode, pace, after_last
        self.n_played = self.n_recorded = 0
        self._behind = Network() if transport is None else transport
        self._shelf = Shelf(only_good=mode == "auto")
        self._lock = threading.Lock()
        self._recorder = Recorder(
            self.path, must_be_new=mode == "record", replaces=replace, found=self._found
        )
        if mode == "record":
            self._recorder.open()
        else:
            self._load()

    def __repr__(self) -> str:
        return f"<Cassette {self.path} {self.mode}, {len(self)} calls>"

    def __len__(self) -> int:
        return len(self._shelf.recordings)

    @property
    def backend(self) -> str:
        """Who answers: ``cassette``; while everything is recorded, who is behind it."""
        return self.behind if self.mode == "record" else "cassette"

    @property
    def behind(self) -> str:
        """Who answers what is recorded: ``api`` or ``simulator``."""
        return getattr(self._behind, "backend", "api")

    @property
    def sends_key(self) -> bool:
        """True if a call may go to a service."""
        return self.mode != "replay" and self.behind == "api"

    @property
    def needs_key(self) -> bool:
        """True if every call goes to the network."""
        return self.mode == "record" and isinstance(self._behind, Network)

    def backend_for(self, method: str, path: str, content: bytes | None) -> str:
        """Return who will answer a request: ``cassette``, or who is behind it."""
        if self.mode != "auto":
            return self.backend
        asked = asked_of(method, path, {}, content or b"", hide=self._hider().value, names=self._shelf.names)
        with self._lock:
            return "cassette" if self._shelf.has(asked, repeats=self.after_last == "repeat") else self.behind

    @property
    def recorded_usd(self) -> float:
        """What the calls in it cost in all when they were recorded; those of the simulator cost nothing."""
        known = (one.end.recorded for one in self._shelf.recordings if one.end is not None)
        return sum(one.cost_usd or 0.0 for one in known if one.backend == "api")

    def rewind(self) -> None:
        """Begin again with the first recording of every request."""
        with self._lock:
            self._shelf.rewind()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of a synchronous client."""
        request.read()
        hider = self._hider(request)
        asked = self._asked(request, hider)
        answer = self._played(asked, request)
        if answer is not None:
            return answer
        started_s = monotonic()
        answer = self._behind.handle_request(request)
        return self._taped(asked, request, answer, hider, started_s)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request of an asynchronous client."""
        await request.aread()
        hider = self._hider(request)
        asked = self._asked(request, hider)
        answer = self._played(asked, request)
        if answer is not None:
            return answer
        started_s = monotonic()
        answer = await self._behind.handle_async_request(request)
        return self._taped(asked, request, answer, hider, started_s)

    def close(self) -> None:
        """Let go of the file and the connections; a later call takes them again."""
        self._recorder.close()
        self._behind.close()

    async def aclose(self) -> None:
        """Let go of the file and the connections; a later call takes them again."""
        self._recorder.close()
        await self._behind.aclose()

    def _played(self, asked: Asked, request: httpx.Request) -> httpx.Response | None:
        """Return the recorded answer; None if the request is to be sent."""
        if self.mode == "record":
            return None
        with self._lock:
            taken = self._shelf.take(asked, repeats=self.after_last == "repeat")
            self.n_played += taken is not None
        if taken is None:
            can_send = self.mode == "auto" and (self.behind != "api" or "authorization" in request.headers)
            if not can_send:
                raise miss(self.path, self._shelf, asked, mode=self.mode)
            # Whoever cannot write should not pay first.
            self._recorder.open()
            return None
        recording, is_tried_again = taken
        body = PacedBody(
            actions(recording, self.pace), request.extensions.get("timeout", {}).get("read"), None, None
        )
        told: dict[str, Any] = {BACKEND: "cassette"}
        if recording.end is not None:
            told[RECORDED] = recording.end.recorded
        return httpx.Response(
            recording.status,
            headers=headers(recording, self.pace, is_tried_again=is_tried_again),
            stream=body,
            extensions=told,
        )

    def _taped(
        self, asked: Asked, request: httpx.Request, answer: httpx.Response, hider: Hider, started_s: float
    ) -> httpx.Response:
        """Return an answer that is recorded while it is read."""
        url = request.url
        base_url = str(url.copy_with(path=url.path.partition("/responses")[0], query=None))
        origin = Origin(self.behind, base_url)
        taping = Taping(
            asked,
            self._recorder.slot(),
            hider=hider,
            origin=origin,
            learn=self._learn,
            done=self._done,
            started_s=started_s,
        )
        taping.begin(answer.status_code, answer.headers)
        # The body comes decoded, and its length is not known any more.
        passed = [
            (name, value)
            for name, value in answer.headers.multi_items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return httpx.Response(
            answer.status_code,
            headers=passed,
            stream=TapedBody(answer, taping),
            extensions={**answer.extensions, BACKEND: self.behind},
        )

    def _asked(self, request: httpx.Request, hider: Hider) -> Asked:
        query = dict(request.url.params)
        return asked_of(
            request.method,
            request.url.path,
            query,
            request.content,
            hide=hider.value,
            names=self._shelf.names,
            is_capped=CAPPED in request.extensions,
        )

    def _hider(self, request: httpx.Request | None = None) -> Hider:
        sent = request.headers.get("authorization", "") if request is not None else ""
        return Hider(sent.rpartition(" ")[2], configured_setting("api_key"))

    def _learn(self, recording: Recording, piece: Piece) -> None:
        with self._lock:
            self._shelf.learn(recording, piece)

    def _done(self, recording: Recording) -> None:
        with self._lock:
            self.n_recorded += 1
            self._shelf.add([recording])
            self._shelf.skip(recording.asked)

    def _found(self, recordings: list[Recording]) -> None:
        """Take what another kernel has added since this one looked."""
        with self._lock:
            self._shelf.add([one for one in recordings if one.status][len(self._shelf.recordings) :])

    def _load(self) -> None:
        try:
            data = whole_bytes(self.path, _LARGEST_BYTES)
        except FileNotFoundError:
            if self.mode == "auto":
                return
            raise ConfigError(
                f"There is no cassette {self.path}.",
                f"Record one: %comet record {self.path}, or Cassette({str(self.path)!r}, mode='record').",
            ) from None
        except OSError as error:
            raise ConfigError(
                f"The cassette {self.path} cannot be read: {error.strerror or error}.", "Name another file."
            ) from error
        if not data.strip() and self.mode == "auto":
            return
        tape = read_tape(data, str(self.path))
        self._shelf.add(tape.recordings)
        cut = [one.line for one in tape.recordings if one.end is None]
        if cut or tape.n_whole_bytes < len(data):
            place = f"the call of line {cut[-1]}" if cut else f"line {tape.n_lines + 1}"
            warnings.warn(
                f"The cassette {self.path} was cut in {place}: it is answered up to there.",
                CometWarning,
                stacklevel=3,
            )


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(
            f"{name}={value!r} is not one of: {', '.join(choices)}.", f"Use one of: {', '.join(choices)}."
        )
