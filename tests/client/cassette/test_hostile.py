"""A cassette, or a recording to import, that somebody else has made: data, within bounds, and errors of ours."""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.cassette.transport import Cassette
from cometnb.client.cassette.vcr import import_recordings
from cometnb.client.client import Client
from cometnb.errors import CometError, ConfigError, UnexpectedContentError
from cometnb.session.conversation import Conversation

_BOMB = base64.b64encode(gzip.compress(b"\0" * 400_000_000, 1)).decode()
_HEADERS = {"content-type": "application/json"}


def _cassette(folder: Path, answer: dict[str, Any], *pieces: dict[str, Any]) -> Path:
    """Write a cassette whose one answer is this."""
    request = {"request": "POST /responses", "key": "k", "body": {"input": "Hi", "model": "gpt-5.4"}}
    lines = [{"cassette": 1}, request, {"answer": 200, "gap_s": 0, **answer}, *pieces, {"end": "whole"}]
    path = folder / "theirs.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def _played(path: Path) -> CometError:
    """Ask, and return the error."""
    with Client(transport=Cassette(path), max_retries=0) as client, pytest.raises(CometError) as caught:
        client.respond("Hi", model="gpt-5.4")
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


def test_nothing_is_unpacked(tmp_path: Path) -> None:
    """What stands in the file is as it came; a header that says otherwise is none, and its bomb stays packed."""
    packed = {"headers": _HEADERS | {"content-encoding": "gzip", "content-length": "5"}}
    error = _played(_cassette(tmp_path, packed, {"base64": _BOMB}))
    assert isinstance(error, UnexpectedContentError)


def test_a_redirect_leads_nowhere(tmp_path: Path) -> None:
    """It is an answer like any other."""
    answer = {"answer": 302, "headers": {"location": "https://elsewhere.example/"}}
    assert "a redirect, which is not followed" in _played(_cassette(tmp_path, answer)).fact


def test_its_words_drive_no_terminal(tmp_path: Path) -> None:
    """An error of the service, with what a terminal would obey in it."""
    body = {"error": {"message": "no\x1b[2J \x1b]52;c;x\x07", "code": "a\x1b[31m"}}
    error = _played(_cassette(tmp_path, {"answer": 400, "headers": _HEADERS}, {"body": body}))
    assert all(line.isprintable() for line in str(error).splitlines())


@pytest.mark.parametrize(
    "headers", [{"a": "b\r\nc: d"}, {"a\r\nb": "c"}, {"a": "b\x1b[2J"}, {"": "a"}, {"a": 1}]
)
def test_headers_that_are_none_are_refused(tmp_path: Path, headers: dict[str, Any]) -> None:
    """One with a line end in it would be two."""
    with pytest.raises(ConfigError, match="has headers that are none"):
        Cassette(_cassette(tmp_path, {"headers": headers}))


def test_a_path_in_it_is_a_word(tmp_path: Path) -> None:
    """It is compared with what is asked, and no file is ever looked for."""
    path = tmp_path / "theirs.jsonl"
    requests = ("POST /../../etc/passwd", "GET file:///etc/passwd", "GET /responses/..%2f..%2fsecret")
    answer: list[dict[str, Any]] = [{"answer": 200, "headers": _HEADERS}, {"body": {}}, {"end": "whole"}]
    lines: list[dict[str, Any]] = [{"cassette": 1}]
    for one in requests:
        lines += [{"request": one, "key": "../../k"}, *answer]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    before = sorted(tmp_path.rglob("*"))
    assert "has no answer" in _played(path).fact
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["pipe", "device", "endless"])
def test_what_is_no_file_of_reasonable_size_is_refused(tmp_path: Path, kind: str) -> None:
    """A pipe would wait for good, and a device or a sparse file take all of the memory."""
    path = tmp_path / "theirs.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 10**12)
    words = "it is larger than" if kind == "endless" else "it is no regular file"
    with pytest.raises(ConfigError, match=words):
        Cassette(path)
    with pytest.raises(ConfigError, match=words):
        import_recordings([path], tmp_path / "mine.jsonl")
    with pytest.raises(ConfigError, match=words):
        Conversation.load(path)


def _recording(body: dict[str, Any]) -> dict[str, Any]:
    request = {"method": "POST", "uri": "https://h.example/v1/responses", "body": "{}"}
    headers = _HEADERS | {"content-encoding": "gzip"}
    return {
        "interactions": [{"request": request, "response": {"status": 200, "headers": headers, "body": body}}]
    }


def test_an_imported_bomb_is_not_unpacked_whole(tmp_path: Path) -> None:
    """Bodies may be packed there; past the bound it is an error that names the call."""
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(_recording({"base64_string": _BOMB})))
    with pytest.raises(ConfigError, match=r"call 1, is no recorded call: .* unpacks to more than 256 MB"):
        import_recordings([path], tmp_path / "mine.jsonl")


def test_an_imported_body_is_not_unpacked_twice(tmp_path: Path) -> None:
    """A few bytes would become more than any memory holds in one step; it stays what it is."""
    twice = base64.b64encode(gzip.compress(base64.b64decode(_BOMB))).decode()
    recording = _recording({"base64_string": twice})
    recording["interactions"][0]["response"]["headers"]["content-encoding"] = "gzip, gzip"
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(recording))
    assert import_recordings([path], tmp_path / "mine.jsonl").n_calls == 1
    assert (tmp_path / "mine.jsonl").stat().st_size < 1_000_000


def test_an_imported_packed_body_is_unpacked(tmp_path: Path) -> None:
    """Piece by piece it is what it was."""
    text = json.dumps({"id": "resp_1", "object": "response", "status": "completed", "note": "a" * 100_000})
    path = tmp_path / "theirs.json"
    path.write_text(
        json.dumps(_recording({"base64_string": base64.b64encode(gzip.compress(text.encode())).decode()}))
    )
    assert import_recordings([path], tmp_path / "mine.jsonl").n_calls == 1
    assert "a" * 100_000 in (tmp_path / "mine.jsonl").read_text()


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    """A tag that names a function is an error, and the function is not called."""
    path = tmp_path / "theirs.yaml"
    path.write_text(f"interactions: [!!python/object/apply:os.mkdir ['{tmp_path}/made']]")
    with pytest.raises(ConfigError, match="is no YAML"):
        import_recordings([path], tmp_path / "mine.jsonl")
    assert not (tmp_path / "made").exists()


def test_aliases_that_multiply_are_counted(tmp_path: Path) -> None:
    """A file of a kilobyte may stand for billions of values."""
    rows = "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    path = tmp_path / "theirs.yaml"
    path.write_text(f"a0: &a0 [x]\n{rows}interactions: [*a11]\n")
    with pytest.raises(ConfigError, match="stands for more than"):
        import_recordings([path], tmp_path / "mine.jsonl")
