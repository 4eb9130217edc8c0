"""The file: what was asked and what came, as lines of JSON that people, git and programs can read.

The first line is ``{"cassette": 1, …}``. Then, call by call, in the order in which they were asked:

``request``  method and path, `key`, and the canonical body; ids of earlier answers stand there as ``@key``
``answer``   the status, and the headers that matter
``event``    one event of a stream, its JSON; `name` only where the wire's name is not the JSON's type
``data``     an event that is no JSON, such as ``[DONE]``
``body``     a JSON body; ``text`` is one that is no JSON, and ``base64`` one that is no text
``end``      ``whole``, ``left`` by its reader, ``broken`` or ``timeout``; and how long it took and what it cost

Each begins with its own word. `gap_s` is the seconds since the line before. What a file holds is data: it is checked,
and nothing in it names a file or is run.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.exact_json import loads
from cometnb.errors import ConfigError
from cometnb.protocol.canonical import canonical
from cometnb.protocol.recorded import Recorded

__all__ = ["ENDS", "VERSION", "End", "Piece", "Recording", "Tape", "line_of", "read_tape", "written"]

VERSION = 1
ENDS = ("whole", "left", "broken", "timeout")
_KINDS = ("event", "data", "body", "text", "base64")
# More than a day between two events is no gap but a mistake.
_LONGEST_GAP_S = 86_400.0
_STATUSES = range(100, 600)
_UNSEEN = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085", "\x7f": "\\u007f"})


class Piece(NamedTuple):
    """One event of a stream, or a body.

    Attributes
    ----------
    gap_s : float
        Seconds since what came before it.
    kind : str
        event, data, body, text or base64.
    value : object
        JSON for event and body, bytes for base64, else text.
    name : str or None
        The event's name on the wire; None is the type that its JSON names.
    """

    gap_s: float
    kind: str
    value: Any
    name: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended: one of `ENDS`, when, and what is known of it."""

    how: str
    gap_s: float = 0.0
    recorded: Recorded = field(default_factory=Recorded)


@dataclass(slots=True)
class Recording:
    """One call: what was asked, and what came.

    Attributes
    ----------
    asked : Asked
    label : str
        The key that stands in the file; later requests refer to it.
    line : int
        Where it begins in the file, from 1.
    status : int
        Of HTTP; 0 if the file ends before the answer began.
    gap_s : float
        Seconds from the request to the head of the answer.
    headers : dict of str to str
    pieces : list of Piece
    end : End or None
        None if the file was cut before it.
    """

    asked: Asked
    label: str
    line: int = 0
    status: int = 0
    gap_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    end: End | None = None


class Tape(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    recordings : list of Recording
    n_lines : int
    n_whole_bytes : int
        Up to the end of the last whole line.
    """

    recordings: list[Recording]
    n_lines: int
    n_whole_bytes: int


_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def line_of(value: Mapping[str, Any]) -> bytes:
    """Return a line of the file, with its end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).translate(_UNSEEN)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, as some services send at the end of a delta.
        return f"{json.dumps(value, allow_nan=False)}\n".encode("ascii")


def written(part: Asked | Recording | Piece | End | None) -> dict[str, Any]:
    """Return what stands in the file for one part of a recording; None is the first line."""
    if part is None:
        return {"cassette": VERSION, "by": "cometnb"}
    if isinstance(part, Asked):
        query = {"query": dict(part.query)} if part.query else {}
        body = {} if part.body is None else {"body": part.body}
        return {"request": f"{part.method} {part.path}", "key": part.key, **query, **body}
    if isinstance(part, Recording):
        return {"answer": part.status, "gap_s": round(part.gap_s, 3), "headers": part.headers}
    gap = {"gap_s": round(part.gap_s, 3)}
    if isinstance(part, Piece):
        value = base64.b64encode(part.value).decode("ascii") if part.kind == "base64" else part.value
        return {part.kind: value, **({} if part.name is None else {"name": part.name}), **gap}
    known = {name: getattr(part.recorded, name) for name in Recorded.__slots__}
    return {
        "end": part.how,
        **gap,
        **{name: value for name, value in known.items() if value not in (None, "")},
    }


def read_tape(data: bytes, name: str) -> Tape:
    """Read the whole of a file; a last line without its end is what a crash leaves, and is left out.

    Parameters
    ----------
    data : bytes
    name : str
        The file's name, for errors.

    Raises
    ------
    ConfigError
        A line that is none of a cassette, by its number; or a version that is not known.
    """
    *lines, rest = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    reader = _Reader(name)
    for number, line in enumerate(lines, 1):
        reader.read(number, line)
    if rest and (not lines or _is_whole(rest)):
        # An editor has taken the last line's end away; a line that a crash has cut is no JSON.
        reader.read(len(lines) + 1, rest)
        rest = b""
    return Tape(reader.recordings, len(lines), len(data) - len(rest))


class _Reader:
    def __init__(self, name: str) -> None:
        self.recordings: list[Recording] = []
        self._name = name
        self._number = 0
        self._has_version = False

    def read(self, number: int, line: bytes) -> None:
        self._number = number
        if not line.strip():
            return
        try:
            value = loads(line)
        except (ValueError, UnicodeDecodeError) as error:
            raise self._spoilt(f"is no JSON of a cassette: {_reason(error)}") from None
        if not isinstance(value, dict) or not value:
            raise self._spoilt("is no JSON object")
        if not self._has_version:
            self._check_version(value)
            return
        kind = next(iter(value))
        if kind == "cassette":
            # Another file was put behind this one.
            self._check_version(value)
            return
        if kind == "request":
            self._request(value)
            return
        if not self.recordings or self.recordings[-1].end is not None:
            raise self._spoilt(f"({kind!r:.40}) belongs to no request")
        recording = self.recordings[-1]
        if kind == "answer" and not recording.status:
            recording.status = self._checked(value, "answer", int, lambda status: status in _STATUSES)
            recording.gap_s = self._gap_s(value)
            recording.headers = self._headers(value)
        elif kind in _KINDS and recording.status:
            recording.pieces.append(self._piece(kind, value))
        elif kind == "end" and recording.status:
            recording.end = self._end(value)
        else:
            raise self._spoilt(f"({kind!r:.40}) does not belong there")

    def _check_version(self, value: Mapping[str, Any]) -> None:
        version = value.get("cassette")
        if version is None:
            raise ConfigError(
                f"{self._name} is no cassette: its first line does not name a version.",
                'A cassette begins with {"cassette": 1}; python -m cometnb import reads other recordings.',
            )
        if version != VERSION or isinstance(version, bool):
            raise ConfigError(
                f"{self._name} is a cassette of version {version!r:.40}; this cometnb reads version {VERSION}.",
                "pip install -U cometnb",
            )
        self._has_version = True

    def _request(self, value: Mapping[str, Any]) -> None:
        asked = self._checked(value, "request", str, lambda text: text.count(" ") == 1)
        label = self._checked(value, "key", str, bool)
        query = value.get("query", {})
        if not isinstance(query, dict) or not all(isinstance(one, str) for one in query.values()):
            raise self._spoilt("has a query that is no object of texts")
        method, _, path = asked.partition(" ")
        body = value.get("body")
        try:
            # Whoever edits a request by hand need not know the canonical form.
            body = canonical(body) if isinstance(body, dict) else body
        except RecursionError:
            raise self._spoilt("is nested too deep") from None
        self.recordings.append(Recording(Asked(method, path, query, body), label, self._number))

    def _headers(self, value: Mapping[str, Any]) -> dict[str, str]:
        headers = value.get("headers", {})
        is_fine = isinstance(headers, dict) and all(
            isinstance(text, str) and f"{name}{text}".isascii() and f"{name}{text}".isprintable() and name
            for name, text in headers.items()
        )
        if not is_fine:
            raise self._spoilt("has headers that are none")
        # What stands in the file is not packed; a header that says so would have a bomb unpacked.
        return {name.lower(): text for name, text in headers.items() if name.lower() not in _OF_THE_WIRE}

    def _piece(self, kind: str, value: Mapping[str, Any]) -> Piece:
        told, name = value[kind], value.get("name")
        if kind in ("data", "text", "base64") and not isinstance(told, str):
            raise self._spoilt(f"has a {kind} that is no text")
        if kind == "event" and not isinstance(told, dict):
            raise self._spoilt("has an event that is no object")
        if name is not None and (not isinstance(name, str) or not (name.isprintable() or not name)):
            raise self._spoilt("has a name that is not one line of text")
        if kind == "base64":
            try:
                told = base64.b64decode(told, validate=True)
            except (binascii.Error, ValueError):
                raise self._spoilt("has a base64 that is none") from None
        return Piece(self._gap_s(value), kind, told, name)

    def _end(self, value: Mapping[str, Any]) -> End:
        how = self._checked(value, "end", str, lambda text: text in ENDS)
        known: dict[str, Any] = {
            name: value[name]
            for name in ("at", "backend", "price_source")
            if isinstance(value.get(name), str) and value[name].isprintable()
        }
        known |= {name: self._amount(value, name) for name in ("ttft_s", "duration_s", "cost_usd")}
        return End(how, self._gap_s(value), Recorded(**known))

    def _gap_s(self, value: Mapping[str, Any]) -> float:
        gap_s = self._amount(value, "gap_s") or 0.0
        if gap_s > _LONGEST_GAP_S:
            raise self._spoilt(f"has gap_s={gap_s:g}; {_LONGEST_GAP_S:g} is the most")
        return gap_s

    def _amount(self, value: Mapping[str, Any], name: str) -> float | None:
        given = value.get(name)
        if given is None:
            return None
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if not is_number or not 0 <= given <= 1e15:
            raise self._spoilt(f"has {name}={given!r:.40}, which is no number from 0")
        return float(given)

    def _checked(self, value: Mapping[str, Any], name: str, kind: type, is_fine: Any) -> Any:
        given = value.get(name)
        if not isinstance(given, kind) or isinstance(given, bool) or not is_fine(given):
            raise self._spoilt(f"has {name}={given!r:.40}, which cannot be")
        return given

    def _spoilt(self, what: str) -> ConfigError:
        return ConfigError(
            f"{self._name}, line {self._number}, {what}.",
            "Take the file from git again, or delete the call from its request line to its end.",
        )


def _is_whole(line: bytes) -> bool:
    try:
        loads(line)
    except ValueError:
        return False
    return True


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:100]
