"""Recordings that other programs made, into a cassette: YAML or JSON as VCR for Python, Ruby and Go write it."""

from __future__ import annotations

import base64
import email.utils
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from cometnb._extras import extra
from cometnb.client.cassette.asked import Asked, asked_of
from cometnb.client.cassette.framing import Splitter
from cometnb.client.cassette.hiding import Hider, SplitKeys
from cometnb.client.cassette.recorder import Recorder
from cometnb.client.cassette.shelf import Shelf
from cometnb.client.cassette.tape import End, Piece, Recording, line_of, written
from cometnb.client.cassette.taping import Origin, cost_now, kept_headers
from cometnb.client.decoded import unpacked
from cometnb.config.regular import whole_bytes
from cometnb.errors import ConfigError
from cometnb.options import user_path
from cometnb.protocol.answer import Fault, Head
from cometnb.protocol.exchange import Exchange, Phase
from cometnb.protocol.recorded import Recorded

__all__ = ["Imported", "import_recordings"]

_OURS = ("/responses", "/models")
# What an alias in YAML repeats is counted each time: a small file can stand for a very large one.
_MOST_VALUES = 1_000_000
_LARGEST_BYTES = 256_000_000
_LISTS = ("interactions", "http_interactions", "recordings")


class Imported(NamedTuple):
    """What came of an import.

    Attributes
    ----------
    n_calls : int
        Calls of the Responses API, now in the cassette.
    n_left_out : int
        Calls of something else, and calls without an answer.
    """

    n_calls: int
    n_left_out: int


class _Call(NamedTuple):
    method: str
    url: str
    content: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime | None


def import_recordings(files: Sequence[Path], to: Path, *, replace: bool = False) -> Imported:
    """Write the calls of other recordings into a cassette, in the order of the files.

    Parameters
    ----------
    files : sequence of Path
        YAML or JSON.
    to : Path
        The cassette; one that holds calls is refused.
    replace : bool
        Begin it anew, whatever it holds.

    Returns
    -------
    Imported

    Raises
    ------
    ConfigError
        A file that cannot be read or is no recording, or a cassette that cannot be written.
    MissingExtraError
        YAML without PyYAML.
    """
    shelf, n_left_out = Shelf(), 0
    for file in files:
        for recording in _recordings(file, shelf.names):
            if recording is None:
                n_left_out += 1
            else:
                shelf.add([recording])
    recorder = Recorder(user_path(to), must_be_new=True, replaces=replace)
    slot = recorder.slot()
    for recording in shelf.recordings:
        parts: list[Asked | Recording | Piece | End | None] = [recording.asked, recording, *recording.pieces]
        slot.write(*(line_of(written(part)) for part in [*parts, recording.end]))
    slot.end()
    recorder.close()
    return Imported(len(shelf.recordings), n_left_out)


def _recording(call: _Call, names: Mapping[str, str]) -> Recording | None:
    parts = urlsplit(call.url)
    if not any(f"{path}/" in f"{parts.path}/" for path in _OURS):
        return None
    hider = Hider()
    asked = asked_of(
        call.method, parts.path, dict(parse_qsl(parts.query)), call.content, hide=hider.value, names=names
    )
    head = Head(call.status, call.headers, call.at or datetime.now(UTC))
    recording = Recording(asked, asked.key, 0, call.status)
    recording.headers = {name: hider.text(value) for name, value in kept_headers(head).items()}
    splitter, keys = Splitter(head.content_type), SplitKeys(hider)
    for piece in [*splitter.feed(call.body, 0.0), *splitter.close(0.0)]:
        recording.pieces += keys.feed(piece)
    recording.pieces += keys.close()
    base_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.partition('/responses')[0]}"
    recording.end = End("whole", 0.0, _recorded(call, head, Origin("api", base_url)))
    return recording


def _recorded(call: _Call, head: Head, origin: Origin) -> Recorded:
    exchange = Exchange({})
    exchange.begin(head)
    if exchange.phase is Phase.STREAM:
        exchange.receive(call.body)
        exchange.end()
    else:
        exchange.receive_body(call.body)
    cost_usd, source = cost_now(exchange.response(), origin)
    at = None if call.at is None else f"{call.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Recorded(at=at, cost_usd=cost_usd, price_source=source)


def _recordings(file: Path, names: Mapping[str, str]) -> Iterator[Recording | None]:
    loaded = _loaded(file)
    found = next((loaded[name] for name in _LISTS if isinstance(loaded, dict) and name in loaded), None)
    if not isinstance(found, list):
        raise ConfigError(
            f"{file} is no recording that can be read: it has no list of {' or '.join(_LISTS[:2])}.",
            "Give YAML or JSON as VCR for Python, Ruby or Go writes it.",
        )
    _check_size(file, found)
    for number, one in enumerate(found, 1):
        try:
            call = _call(one)
            recording = None if call is None else _recording(call, names)
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"{file}, call {number}, is no recorded call: {type(error).__name__} {error}.",
                "Take that call out of the file, or leave the file out.",
            ) from None
        yield recording


def _loaded(file: Path) -> Any:
    try:
        text = whole_bytes(user_path(file), _LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror or error}.", "Name another file."
        ) from error
    if file.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{file} is no JSON: {error}.", "Name another file.") from None
    with extra("vcr", "Importing YAML"):
        import yaml
    try:
        # Plain values only, whatever the file asks for; with libyaml ten times as fast.
        return _parse(yaml, text)
    except (yaml.YAMLError, AttributeError, ValueError, RecursionError) as error:  # its moments take any form
        raise ConfigError(
            f"{file} is no YAML: {' '.join(str(error).split())[:200]}.", "Name another file."
        ) from None


def _parse(yaml: Any, text: bytes) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _check_size(file: Path, value: Any) -> None:
    left, todo = _MOST_VALUES, [value]
    while todo and left > 0:
        one = todo.pop()
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left -= 1 + len(inner)
        if left > 0:
            todo.extend(inner)
    if left <= 0:
        raise ConfigError(f"{file} stands for more than {_MOST_VALUES:,} values.", "Split it.")


def _call(one: Mapping[str, Any]) -> _Call | None:
    request, response = one["request"], one.get("response")
    if not isinstance(response, dict):
        return None
    if not str(request["method"]).isalpha():
        raise ValueError(f"method {request['method']!r:.40}")
    headers = _headers(response.get("headers") or {})
    return _Call(
        str(request["method"]).upper(),
        str(request.get("uri") or request["url"]),
        _body(request),
        _status(response),
        headers,
        _decoded(headers, _body(response)),
        _moment(one.get("recorded_at")),
    )


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status", response.get("code"))
    status = status.get("code") if isinstance(status, dict) else response.get("code", status)
    number = int(str(status).split()[0])
    if not 100 <= number < 600:
        raise ValueError(f"status {number}")
    return number


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    first = {name: value[0] if isinstance(value, list) and value else value for name, value in given.items()}
    return {str(name).lower(): str(value) for name, value in first.items() if not isinstance(value, list)}


def _body(side: Mapping[str, Any]) -> bytes:
    """Return a body, as text, bytes, or an object that holds it under a name."""
    if side.get("parsed_body") is not None:
        return json.dumps(side["parsed_body"]).encode()
    body = side.get("body")
    if isinstance(body, dict) and isinstance(body.get("base64_string"), str):
        return base64.b64decode(body["base64_string"])
    if isinstance(body, dict) and set(body) <= {"string", "encoding", "base64_string"}:
        body = body.get("string")
    if isinstance(body, dict | list):
        return json.dumps(body).encode()
    if isinstance(body, bytes):
        return body
    return b"" if body is None else str(body).encode("utf-8", "surrogatepass")


def _decoded(headers: Mapping[str, str], body: bytes) -> bytes:
    whole = unpacked(body, headers.get("content-encoding", ""), _LARGEST_BYTES)
    if isinstance(whole, Fault):
        raise ValueError(f"its body unpacks to more than {_LARGEST_BYTES // 10**6} MB")  # noqa: TRY004  # no wrong type
    return whole


def _moment(text: Any) -> datetime | None:
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    try:
        return email.utils.parsedate_to_datetime(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
