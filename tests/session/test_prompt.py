"""A cell's body and its attachments: the order of parts, what is read from where, bounds and errors."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import matplotlib.figure
import pandas as pd
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.protocol.response import Response
from cometnb.session import piece
from cometnb.session.prompt import Attached, Prompt, prompt_of
from tests.client.transports import body_of

_URL = "https://example.org/photo.png"


def _png(size: tuple[int, int] = (3, 2)) -> bytes:
    written = io.BytesIO()
    PIL.Image.new("RGB", size).save(written, format="PNG")
    return written.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a file of each kind."""
    (tmp_path / "a.png").write_bytes(_png())
    (tmp_path / "notes.md").write_text("# Title\n\n```\ncode\n```\n", "utf-8")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 \xff")
    (tmp_path / "data.bin").write_bytes(b"\0\1\2")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _parts(prompt: Prompt) -> list[dict[str, Any]]:
    assert isinstance(prompt.input, list)
    (message,) = prompt.input
    assert message["role"] == "user"
    parts: list[dict[str, Any]] = message["content"]
    return parts


def _error(body: str, names: Any = None, **options: Any) -> CellError:
    with pytest.raises(CellError) as caught:
        prompt_of(body, names or {}, **options)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


@given(st.text())
def test_a_raw_body_is_the_input(body: str) -> None:
    """Whatever it holds."""
    assert prompt_of(body, {}, is_raw=True) == Prompt(body, ())


def test_text_stays_one_text() -> None:
    """Values that are texts or numbers are not listed as attached; a table is."""
    names = {"n": 3, "answer": Response(body_of("Yes.")), "df": pd.DataFrame({"a": [1]})}
    assert prompt_of("\nn = {{n}}\n", names) == Prompt("\nn = 3\n", ())
    prompt = prompt_of("{{answer}} {{df}}", names)
    assert isinstance(prompt.input, str)
    assert prompt.input.startswith("Yes. DataFrame")
    assert [one.name for one in prompt.attached] == ["answer", "df"]
    assert prompt.attached[1] == Attached(
        "df", "text", "text/markdown", len(prompt.input.encode()) - len("Yes. ")
    )


def test_parts_stand_in_the_order_of_the_text() -> None:
    """One user message; text beside text is one part, and ends of lines between images are none."""
    figure = matplotlib.figure.Figure(figsize=(1, 1))
    body = "\nCompare {{n}}\n{{figure}}\n{{figure}}\nand say {{n}} things.\n"
    parts = _parts(prompt_of(body, {"n": 3, "figure": figure}))
    assert [part["type"] for part in parts] == ["input_text", "input_image", "input_image", "input_text"]
    assert parts[0]["text"] == "Compare 3"
    assert parts[3]["text"] == "and say 3 things."


@pytest.mark.usefixtures("folder")
def test_options_attach_after_the_text() -> None:
    """Images first, then files, each by its kind."""
    prompt = prompt_of("What is this?", {"u": _URL}, images=["a.png", "u"], files=["report.pdf", "notes.md"])
    parts = _parts(prompt)
    assert [part["type"] for part in parts] == [
        "input_text", "input_image", "input_image", "input_file", "input_text"
    ]  # fmt: skip
    assert parts[1]["image_url"] == "data:image/png;base64," + base64.b64encode(_png()).decode()
    assert parts[2]["image_url"] == _URL
    assert parts[3]["filename"] == "report.pdf"
    assert parts[3]["file_data"].startswith("data:application/pdf;base64,")
    assert parts[4]["text"] == "notes.md\n````markdown\n# Title\n\n```\ncode\n```\n````"
    assert prompt.attached == (
        Attached("a.png", "image", "image/png", len(_png())),
        Attached("u", "image", "image/png", len(_URL), "fetched by the service"),
        Attached("report.pdf", "file", "application/pdf", 10),
        Attached("notes.md", "text", "text/markdown", len(parts[4]["text"])),
    )


def test_an_attached_text_keeps_the_input_a_text(folder: Path) -> None:
    """With a blank line between the prompt and the file."""
    (folder / "x.txt").write_text("hello", "utf-8")
    assert prompt_of("Read.", {}, files=["x.txt"]).input == "Read.\n\nx.txt\n```\nhello\n```"


def test_an_image_alone_is_a_message() -> None:
    """A body of nothing but white space adds no part."""
    assert [part["type"] for part in _parts(prompt_of("\n", {}, images=[_URL]))] == ["input_image"]


def test_a_variable_goes_before_a_path(folder: Path) -> None:
    """What the notebook calls by that name is what the user sees."""
    (folder / "photo").write_bytes(_png((9, 9)))
    image = PIL.Image.new("RGB", (4, 3))
    assert _parts(prompt_of("x", {"photo": image}, images=["photo"])) != _parts(
        prompt_of("x", {}, images=["photo"])
    )


@pytest.mark.usefixtures("folder")
def test_a_variable_may_hold_a_path_bytes_or_an_object() -> None:
    """Each attached by what it is."""
    names = {
        "p": Path("a.png"),
        "s": "a.png",
        "b": _png(),
        "pdf": b"%PDF-1.7",
        "df": pd.DataFrame({"a": [1]}),
    }
    images = _parts(prompt_of("x", names, images=["p", "s", "b"]))[1:]
    assert images[0] == images[1] == images[2]
    parts = _parts(prompt_of("x", names, files=["p", "pdf", "df"]))
    assert [part["type"] for part in parts] == ["input_text", "input_image", "input_file", "input_text"]
    assert parts[2]["filename"] == "pdf.pdf"
    assert "| a |" in parts[3]["text"]


def test_an_uploaded_file_is_named_by_its_id(folder: Path) -> None:
    """Unless a file of that name is there."""
    prompt = prompt_of("x", {}, files=["file-abc123"])
    assert _parts(prompt)[1] == {"type": "input_file", "file_id": "file-abc123"}
    assert prompt.attached[0].note == "uploaded before"
    (folder / "file-abc123").write_text("mine", "utf-8")
    assert "mine" in prompt_of("x", {}, files=["file-abc123"]).input


@pytest.mark.usefixtures("folder")
def test_a_path_in_the_text_is_read_by_its_type() -> None:
    """Text, an image, or a file."""
    body = "{{Path('notes.md')}} {{Path('a.png')}} {{Path('data.bin')}}"
    parts = _parts(prompt_of(body, {"Path": Path}))
    assert [part["type"] for part in parts] == ["input_text", "input_image", "input_file"]
    assert parts[2]["filename"] == "data.bin"


def test_home_and_links_are_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user named them."""
    monkeypatch.setenv("HOME", str(folder))
    (folder / "sub" / "link.md").symlink_to(folder / "notes.md")
    assert "# Title" in prompt_of("x", {}, files=["~/notes.md"]).input
    assert "link.md" in prompt_of("x", {}, files=["sub/link.md"]).input


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.png", "There is no file nothing.png"),
        ("sub", "sub is a folder"),
        ("notes.md/x", "There is no file notes.md/x"),
        ("bad.png", "no whole PNG, JPEG, GIF or WebP image"),
        ("pipe", "pipe is no regular file"),
        ("~nobody-of-this-name/x", "cannot be read"),
        ("nul\0", "cannot be read"),
        ("", "names nothing"),
    ],
)
@pytest.mark.parametrize("option", ["images", "files"])
def test_what_cannot_be_attached_is_a_two_line_error(
    folder: Path, name: str, words: str, option: str
) -> None:
    """It names the file."""
    (folder / "bad.png").write_bytes(_png()[:-20])
    os.mkfifo(folder / "pipe")
    assert words in _error("x", {}, **{option: [name]}).fact


def test_a_file_that_may_not_be_read_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's own reason."""

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert _error("x", files=["notes.md"]).fact == "notes.md cannot be read: Permission denied."
    assert folder.exists()


@pytest.mark.usefixtures("folder")
def test_an_image_has_to_be_one() -> None:
    """A table or a text file is none, and the step says where it belongs."""
    names = {"df": pd.DataFrame({"a": [1]}), "b": b"no image"}
    assert "{{df}}" in _error("x", names, images=["df"]).next_step
    assert "8 bytes that are no whole PNG" in _error("x", names, images=["b"]).fact
    assert "notes.md" in _error("x", images=["notes.md"]).fact


def test_a_long_text_is_cut_in_its_middle() -> None:
    """Beginning and end are kept, and the text and the note say how much is not."""
    text = "a" * 15_000 + "b" * 15_000
    prompt = prompt_of("{{x}} {{y}}", {"x": text, "y": "c" * 20_000})
    kept = "a" * 10_000 + "\n… [10,000 characters left out] …\n" + "b" * 10_000
    assert prompt.input == f"{kept} {'c' * 20_000}"
    (one,) = prompt.attached
    assert (one.name, one.note) == ("x", "10,000 of 30,000 characters left out")


def test_what_is_typed_is_never_cut() -> None:
    """Only what an object puts in."""
    assert prompt_of("a" * 50_000, {}).input == "a" * 50_000


@pytest.mark.parametrize(
    ("name", "bound", "limit"), [("a.png", "20 MB", 20_000_000), ("data.bin", "32 MB", 32_000_000)]
)
def test_too_large_is_refused_with_size_and_bound(folder: Path, name: str, bound: str, limit: int) -> None:
    """Before it is read."""
    with (folder / name).open("r+b") as file:
        file.truncate(limit + 1)
    assert f"{limit + 1:,} bytes large; at most {bound}" in _error("x", files=[name]).fact
    os.truncate(folder / name, 2 * limit)
    assert f"{2 * limit / 1e6:.1f} MB large" in _error("x", files=[name]).fact


def test_bytes_of_a_variable_have_the_same_bound() -> None:
    """Wherever they come from."""
    names = {"b": b"\0" * (piece.LARGEST_FILE_BYTES + 1)}
    assert "at most 32 MB" in _error("x", names, files=["b"]).fact


@given(st.binary(max_size=200))
def test_any_bytes_are_an_image_or_an_error(data: bytes) -> None:
    """Nothing but a CellError comes of them."""
    try:
        prompt = prompt_of("x", {"b": data}, images=["b"])
    except CellError as error:
        assert "--image b" in error.fact
    else:
        assert prompt.attached[0].kind == "image"


@given(st.binary(max_size=200))
def test_any_bytes_can_be_a_file(data: bytes) -> None:
    """Text as text, the rest as it is."""
    (one,) = prompt_of("x", {"b": data}, files=["b"]).attached
    assert one.kind in ("text", "file", "image")


@pytest.mark.parametrize(
    ("body", "words"), [("{{ nothing }}", "not defined"), ("{{ object() }}", "no text"), ("{{", "no closing")]
)
def test_errors_of_the_body_are_those_of_the_template(body: str, words: str) -> None:
    """Two lines, and nothing is sent."""
    assert words in _error(body, images=[_URL]).fact


def test_images_are_looked_at_as_closely_as_was_asked() -> None:
    """Every image of the cell, and nothing else."""
    prompt = prompt_of("What is it?", {}, images=["https://example.org/a.png"], detail="low")
    assert isinstance(prompt.input, list)
    assert [part.get("detail") for part in prompt.input[0]["content"]] == [None, "low"]


def test_a_recording_is_attached_as_one(tmp_path: Path) -> None:
    """By its bytes, whatever the file is called."""
    file = tmp_path / "note.bin"
    file.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    prompt = prompt_of("What is said?", {}, files=[str(file)])
    assert isinstance(prompt.input, list)
    assert prompt.input[0]["content"][-1]["type"] == "input_audio"
    assert [(one.kind, one.media_type) for one in prompt.attached] == [("file", "audio/wav")]
