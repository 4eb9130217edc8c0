"""The file: lines that stay the same, and whatever else may stand in it is told, never run or guessed."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometnb.client.cassette import Cassette
from cometnb.client.cassette.framing import Splitter, bytes_of
from cometnb.client.cassette.tape import line_of, read_tape, written
from cometnb.errors import CometError, CometWarning, ConfigError, StreamInterruptedError
from cometnb.protocol.events import parse
from cometnb.protocol.sse import Decoder
from tests.client.cassette.recordings import lines_of, recorded, replaying, said
from tests.client.transports import sse, text_events

_VERSION = b'{"cassette": 1, "by": "cometnb"}\n'
_REQUEST = b'{"request": "POST /responses", "key": "k", "body": {"model": "gpt-5.4", "input": "Hi"}}\n'
_ANSWER = b'{"answer": 200, "gap_s": 0, "headers": {"content-type": "application/json"}}\n'


def _streamed(path: Path) -> Path:
    recorded(path, lambda client: list(client.stream("Hi")), text="Hello there.")
    return path


def test_each_line_begins_with_what_it_is(tmp_path: Path) -> None:
    """In the order in which it happened."""
    kinds = [next(iter(line)) for line in lines_of(_streamed(tmp_path / "c.jsonl"))]
    assert kinds[:3] == ["cassette", "request", "answer"]
    assert set(kinds[3:-1]) == {"event"}
    assert kinds[-1] == "end"


def test_a_recording_made_again_differs_in_times_alone(tmp_path: Path) -> None:
    """So a diff shows what has changed."""
    first, second = (_streamed(tmp_path / name).read_text("utf-8").splitlines() for name in ("a", "b"))
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert list(json.loads(one)) == list(json.loads(other))
    assert first[1] == second[1]


def test_a_request_is_canonical(tmp_path: Path) -> None:
    """Sorted, without what is a default, and with attachments by their hash."""
    path = tmp_path / "c.jsonl"
    url = "data:image/png;base64," + "iVBO" * 500
    content = [{"type": "input_image", "image_url": url}]
    recorded(path, lambda client: client.respond([{"role": "user", "content": content}], temperature=1.0))
    (request,) = lines_of(path, "request")
    (part,) = request["body"]["input"][0]["content"]
    assert request["request"] == "POST /responses"
    assert list(request["body"]) == ["input", "model"]
    assert part["image_url"].startswith("data:image/png;sha256=")
    assert len(part["image_url"]) < 100


def test_characters_that_break_lines_elsewhere_are_escaped() -> None:
    """Editors and str.splitlines take them for the end of a line."""
    line = line_of({"text": "a\u2028b\u2029c\x85d\nö"})
    assert line.decode().splitlines() == [line.decode().removesuffix("\n")]
    assert json.loads(line) == {"text": "a\u2028b\u2029c\x85d\nö"}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    st.lists(st.dictionaries(st.text(max_size=6), _VALUES, max_size=4) | st.just({"type": "a"}), max_size=4),
    st.integers(1, 50),
)
@settings(max_examples=60)
def test_events_come_out_as_they_went_in(events: list[dict[str, Any]], size: int) -> None:
    """Through bytes in any chunking, a line of the file, and bytes again."""
    events = [{**event, "type": event.get("type", "x")} for event in events]
    data = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    splitter = Splitter("text/event-stream")
    pieces = [
        piece for at in range(0, len(data), size) for piece in splitter.feed(data[at : at + size], 0.0)
    ] + list(splitter.close(0.0))
    lines = b"".join(line_of(written(piece)) for piece in pieces)
    (recording,) = read_tape(_VERSION + _REQUEST + _ANSWER + lines, "c").recordings
    decoder = Decoder()
    sent = decoder.feed(b"".join(bytes_of(piece) for piece in recording.pieces)) + decoder.close()
    told = [parse(name, text) for name, text in sent]
    without = [{name: value for name, value in event.items() if name != "obfuscation" or not isinstance(value, str)} for event in events]  # fmt: skip
    assert [json.loads(text) for _, text in sent] == without
    assert len(told) == len(events)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b'{"error": {"message": "no"}}',
        b"\xff\xfe",
        b"",
        b"null",
        b'{"a": 1, "a": 2}',
        b"[NaN]",
        b"1e999",
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/html", "text/event-stream"])
def test_bodies_of_any_kind_come_out_as_they_went_in(data: bytes, content_type: str) -> None:
    """JSON as JSON, and everything else to the byte."""
    splitter = Splitter(content_type)
    pieces = [*splitter.feed(data, 0.0), *splitter.close(0.0)]
    lines = b"".join(line_of(written(piece)) for piece in pieces)
    (recording,) = read_tape(_VERSION + _REQUEST + _ANSWER + lines, "c").recordings
    told = b"".join(bytes_of(piece) for piece in recording.pieces)
    assert told == data or json.loads(told) == json.loads(data)


def test_a_file_cut_in_a_call_is_replayed_up_to_the_cut(tmp_path: Path) -> None:
    """It says so when it is opened, and the answer ends as an interrupted one with its text so far."""
    path = _streamed(tmp_path / "c.jsonl")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"response.output_text.done")])
    with pytest.warns(CometWarning, match="was cut in the call of line 2"):
        client = replaying(path)
    with pytest.raises(StreamInterruptedError, match="its file was cut") as caught:
        list(client.stream("Hi"))
    assert caught.value.response is not None
    assert caught.value.response.output_text == "Hello there."


def test_every_cut_is_survived(tmp_path: Path) -> None:
    """At any byte behind the first line: what is whole is there, and nothing else goes wrong."""
    data = said(tmp_path / "c.jsonl", "One.", "Two.").read_bytes()
    starts = [at for at in range(len(data)) if data[at : at + 10] == b'{"request"']
    for cut in range(len(_VERSION), len(data), 7):
        recordings = read_tape(data[:cut], "c").recordings
        assert sum(one.end is not None for one in recordings) == (cut >= starts[1] - 1) + (
            cut >= len(data) - 1
        )


def test_an_editor_may_take_the_last_line_s_end(tmp_path: Path) -> None:
    """Nothing is missing, and what is added stands on a line of its own."""
    path = said(tmp_path / "c.jsonl", "One.")
    path.write_bytes(path.read_bytes().rstrip().replace(b"\n", b"\r\n"))
    recorded(path, lambda client: client.respond("Ho"), mode="auto", text="Two.")
    client = replaying(path)
    assert [client.respond(text).output_text for text in ("Hi", "Ho")] == ["One.", "Two."]


def test_two_files_can_be_put_together(tmp_path: Path) -> None:
    """As `cat` does it."""
    first, second = said(tmp_path / "a.jsonl", "One."), said(tmp_path / "b.jsonl", "Two.", prompt="Ho")
    first.write_bytes(first.read_bytes() + second.read_bytes())
    client = replaying(first)
    assert [client.respond(text).output_text for text in ("Hi", "Ho")] == ["One.", "Two."]


def test_a_file_cut_by_a_crash_can_be_added_to(tmp_path: Path) -> None:
    """The half line goes, the half call stays, and what comes is whole."""
    path = said(tmp_path / "c.jsonl", "One.")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(CometWarning, match="was cut"):
        recorded(path, lambda client: client.respond("Ho"), mode="auto")
    assert len(lines_of(path, "request")) == 2
    with pytest.warns(CometWarning, match="was cut"):
        assert replaying(path).respond("Ho").status == "completed"


_DEEP = b"[" * 200_000 + b"]" * 200_000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not JSON\n", "line 2, is no JSON"),
        (b'{"request": "POST /responses", "key": "k", "key": "l"}\n', "names a field twice"),
        (b'{"request": "POST /responses", "key": "k", "body": NaN}\n', "NaN is no JSON number"),
        (b'{"request": "POST /responses", "key": "k", "body": 1e999}\n', "1e999 is no JSON number"),
        (b'{"request": "POST /responses", "key": "k", "body": ' + _DEEP + b"}\n", "nested too deep"),
        (b'{"request": 5, "key": "k"}\n', "request=5"),
        (b'{"request": "POST /responses"}\n', "key=None"),
        (b'{"event": {}}\n', "belongs to no request"),
        (b"[]\n", "no JSON object"),
        (b"\xff\xfe\n", "no JSON"),
        (_REQUEST + b'{"answer": 99}\n', "answer=99"),
        (_REQUEST + b'{"answer": true}\n', "answer=True"),
        (_REQUEST + b'{"event": {}}\n', "does not belong there"),
        (_REQUEST + b'{"answer": 200, "gap_s": -1}\n', "gap_s=-1"),
        (_REQUEST + b'{"answer": 200, "gap_s": 1e9}\n', "is the most"),
        (_REQUEST + b'{"answer": 200, "headers": {"a": "b\\r\\nc: d"}}\n', "headers"),
        (_REQUEST + _ANSWER + b'{"event": []}\n', "event that is no object"),
        (_REQUEST + _ANSWER + b'{"event": {}, "name": "a\\nb"}\n', "name that is not one line"),
        (_REQUEST + _ANSWER + b'{"base64": "%%"}\n', "base64"),
        (_REQUEST + _ANSWER + b'{"end": "nicely"}\n', "end='nicely'"),
        (_REQUEST + _ANSWER + b'{"run": "this"}\n', "does not belong there"),
    ],
)
def test_a_spoilt_line_is_named(tmp_path: Path, line: bytes, words: str) -> None:
    """With its number and what is wrong with it."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(_VERSION + line)
    with pytest.raises(ConfigError, match="line") as caught:
        Cassette(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"cells": [], "nbformat": 4}\n', "is no cassette"),
        (b'{"cassette": 2}\n', "version 2; this cometnb reads version 1"),
        (b'{"cassette": true}\n', "version True"),
        (b"PK\x03\x04\n", "line 1"),
    ],
)
def test_another_file_is_no_cassette(tmp_path: Path, data: bytes, words: str) -> None:
    """Also one of a later version."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        Cassette(path)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_record_it(tmp_path: Path) -> None:
    """And a folder is none."""
    with pytest.raises(ConfigError, match="%comet record"):
        Cassette(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="cannot be read"):
        Cassette(tmp_path)


_PIECES = st.lists(
    st.sampled_from(
        [_REQUEST, _ANSWER, _VERSION, b'{"event": {"type": "x"}}\n', b'{"end": "whole"}\n', b"\n", b"{"]
    )
    | st.binary(max_size=30)
    | st.dictionaries(
        st.sampled_from(
            ["request", "key", "answer", "event", "data", "body", "end", "gap_s", "name", "headers"]
        ),
        _VALUES | st.sampled_from(["POST /responses", "whole", math.inf]),
        max_size=4,
    ).map(lambda value: json.dumps(value).encode() + b"\n"),
    max_size=8,
)


@given(_PIECES)
@settings(max_examples=150)
def test_whatever_stands_in_a_file_is_a_cassette_or_an_error_of_ours(pieces: list[bytes]) -> None:
    """Nothing else is raised, and what is read can be played."""
    try:
        tape = read_tape(_VERSION + b"".join(pieces), "c")
    except ConfigError:
        return
    for recording in tape.recordings:
        for piece in recording.pieces:
            assert isinstance(bytes_of(piece), bytes)


def test_a_hand_edited_request_need_not_be_canonical(tmp_path: Path) -> None:
    """What asks the same is found."""
    path = tmp_path / "c.jsonl"
    body = b'{"body": {"object": "response", "id": "r", "status": "completed", "output": []}}\n'
    edited = _REQUEST.replace(b'"input"', b'"temperature": 1.0, "store": true, "input"')
    path.write_bytes(_VERSION + edited + _ANSWER + body + b'{"end": "whole"}\n')
    assert replaying(path).respond("Hi").id == "r"


def test_names_on_the_wire_are_kept_where_they_say_more() -> None:
    """An event without a name, with another name, and one that is no JSON."""
    data = (
        b'data: {"type":"a"}\n\nevent: b\ndata: {"type":"a"}\n\n' + sse({"type": "c"}) + b"data: [DONE]\n\n"
    )
    pieces = list(Splitter("text/event-stream").feed(data, 0.0))
    assert [(piece.kind, piece.name) for piece in pieces] == [("event", ""), ("event", "b"), ("event", None), ("data", None)]  # fmt: skip
    assert b"".join(map(bytes_of, pieces)).replace(b": ", b":") == data.replace(b": ", b":")


def test_an_empty_cassette_misses(tmp_path: Path) -> None:
    """It has nothing to be nearest."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(_VERSION)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = replaying(path)
    with pytest.raises(CometError, match="holds no calls"):
        client.respond("Hi")


def test_text_events_are_what_the_client_reads() -> None:
    """The padding of deltas is not kept."""
    padded = [{**event, "obfuscation": "xyz"} for event in text_events("Hello.")]
    pieces = list(Splitter("text/event-stream").feed(b"".join(map(sse, padded)), 0.0))
    assert [piece.value for piece in pieces] == list(text_events("Hello."))
