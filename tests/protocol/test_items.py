"""Input items and content parts are built from plain values, or refused in two lines."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import ParamError
from cometnb.protocol.items import (
    audio_part,
    file_part,
    function_call_output,
    image_part,
    input_items,
    message,
    text_part,
)

_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        ("https://example.org/a.png", "image_url", "https://example.org/a.png"),
        ("data:image/png;base64,AA==", "image_url", "data:image/png;base64,AA=="),
        ("file-abc", "file_id", "file-abc"),
        (_PNG, "image_url", "data:image/png;base64,iVBORw0KGgo="),
        (bytearray(_PNG), "image_url", "data:image/png;base64,iVBORw0KGgo="),
        (memoryview(_PNG), "image_url", "data:image/png;base64,iVBORw0KGgo="),
        (b"\xff\xd8\xff", "image_url", "data:image/jpeg;base64,/9j/"),
        (b"GIF89a", "image_url", "data:image/gif;base64,R0lGODlh"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image_url", "data:image/webp;base64,UklGRgAAAABXRUJQ"),
    ],
)
def test_an_image_is_a_url_an_id_or_bytes(source: Any, field: str, value: str) -> None:
    """The kind of image is told from its first bytes."""
    assert image_part(source) == {"type": "input_image", field: value}
    assert image_part(source, detail="low")["detail"] == "low"


@pytest.mark.parametrize(
    "source", ["a.png", "", "file-a b", "file-é", b"RIFF\x00\x00\x00\x00WAVE", b"", Path("a.png"), None, 5]
)
def test_what_is_no_image_is_refused(source: Any) -> None:
    """A path is not read here, and unknown bytes are not sent under a guessed name."""
    with pytest.raises(ParamError) as caught:
        image_part(source)
    assert caught.value.param == "input"
    assert len(str(caught.value).splitlines()) == 2


def test_the_media_type_of_bytes_can_be_given() -> None:
    """Bytes that do not tell their kind are sent under the one that was named."""
    assert image_part(b"??", media_type="image/avif")["image_url"] == "data:image/avif;base64,Pz8="


@pytest.mark.parametrize(
    ("source", "filename", "part"),
    [
        ("https://example.org/a.pdf", None, {"file_url": "https://example.org/a.pdf"}),
        ("file-abc", None, {"file_id": "file-abc"}),
        (b"%PDF", "A.PDF", {"filename": "A.PDF", "file_data": "data:application/pdf;base64,JVBERg=="}),
        (b"a,b", "a.csv", {"filename": "a.csv", "file_data": "data:application/octet-stream;base64,YSxi"}),
    ],
)
def test_a_file_is_a_url_an_id_or_named_bytes(
    source: Any, filename: str | None, part: dict[str, str]
) -> None:
    """The service tells the kind of a file by its name."""
    assert file_part(source, filename=filename) == {"type": "input_file"} | part


@pytest.mark.parametrize("source", [b"%PDF", "a.pdf", Path("a.pdf"), None])
def test_what_is_no_file_is_refused(source: Any) -> None:
    """Bytes without a name, a path and anything else."""
    with pytest.raises(ParamError):
        file_part(source)


@pytest.mark.parametrize(
    ("output", "sent"),
    [
        ("text", "text"),
        ([text_part("a")], [text_part("a")]),
        ([], "[]"),
        ([1, "a"], '[1, "a"]'),
        ({"a": "é"}, '{"a": "é"}'),
        (None, "null"),
        (3.5, "3.5"),
    ],
)
def test_a_function_s_output_is_text_parts_or_json(output: Any, sent: Any) -> None:
    """Text and parts go as they are, everything else as JSON."""
    assert function_call_output("call_1", output) == {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": sent,
    }


@pytest.mark.parametrize("output", [object(), {1, 2}, b"bytes"])
def test_an_output_without_json_form_is_refused(output: Any) -> None:
    """The error names the call."""
    with pytest.raises(ParamError, match="call_1"):
        function_call_output("call_1", output)


def test_an_output_that_holds_itself_is_refused() -> None:
    """Python's own errors about recursion do not get through."""
    output: list[Any] = []
    output.append(output)
    with pytest.raises(ParamError):
        function_call_output("call_1", output)


def test_an_output_needs_its_call_id() -> None:
    """Without it nothing could match it to its call."""
    with pytest.raises(ParamError, match="call_id"):
        function_call_output("", "x")


def test_a_message_of_one_text_stays_text() -> None:
    """Several parts become a list, in which an assistant's texts are output."""
    assert message("hi") == {"role": "user", "content": "hi"}
    assert message("a", text_part("b")) == {"role": "user", "content": [text_part("a"), text_part("b")]}
    assert message("a", "b", role="assistant")["content"][0] == {"type": "output_text", "text": "a"}


def test_loose_parts_are_gathered_into_messages_between_items() -> None:
    """Items pass as they are, and order is kept."""
    image = image_part("file-abc")
    item = function_call_output("call_1", "x")
    assert input_items(["a", image, item, "b"]) == [message("a", image), item, message("b")]
    assert input_items({"role": "system", "content": "x"}) == [{"role": "system", "content": "x"}]
    assert input_items(image) == [message(image)]
    assert input_items("text") == "text"
    assert input_items(iter(["a"])) == [message("a")]
    assert input_items([]) == []


@pytest.mark.parametrize("value", [5, None, [5], [["a"]], b"ab", [None]])
def test_what_is_no_input_is_refused(value: Any) -> None:
    """The error names the place."""
    with pytest.raises(ParamError, match=r"input\[0\]"):
        input_items(value)


def test_what_was_passed_is_not_kept() -> None:
    """Changing an item afterwards does not change what is sent."""
    item = {"role": "user", "content": "a"}
    built = input_items([item])
    item["content"] = "b"
    assert json.dumps(built) == '[{"role": "user", "content": "a"}]'


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
        (b"ID3\x04\x00rest", "mp3"),
        (b"\xff\xfb\x90\x00rest", "mp3"),
    ],
)
def test_a_recording_goes_in_its_format(data: bytes, form: str) -> None:
    """WAV and MP3 are told by their first bytes."""
    part = audio_part(data)
    assert part["type"] == "input_audio"
    assert part["input_audio"]["format"] == form
    assert base64.b64decode(part["input_audio"]["data"]) == data


@pytest.mark.parametrize(
    "data", [b"", b"RIFF\x00\x00\x00\x00WEBP", b"OggS", b"\xff\xd8\xff\xe0", b"\xff\xfe\x00"]
)
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    """An image, another format, nothing at all."""
    with pytest.raises(ParamError, match="neither WAV nor MP3"):
        audio_part(data)


def test_a_type_that_no_set_can_hold_is_no_part() -> None:
    """An item of an unknown shape passes as it is."""
    assert input_items([{"type": []}]) == [{"type": []}]
