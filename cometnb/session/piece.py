"""One stretch of a prompt's content: a text, an image or a file, with its size and what was left out of it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cometnb.errors import CellError
from cometnb.protocol.items import audio_format, audio_part, file_part, image_part, text_part

__all__ = [
    "ANY_TYPE",
    "ELSEWHERE",
    "LARGEST_FILE_BYTES",
    "LARGEST_IMAGE_BYTES",
    "LONGEST_TEXT_CHARACTERS",
    "Kind",
    "Piece",
    "audio_of",
    "cut",
    "file_of",
    "image_of",
    "image_type",
    "linked",
    "part_of",
    "text_of",
    "within",
]

LONGEST_TEXT_CHARACTERS = 20_000
LARGEST_IMAGE_BYTES = 20_000_000
LARGEST_FILE_BYTES = 32_000_000

Kind = Literal["text", "image", "file"]

# What is said of a link or id that does not show its type.
ANY_TYPE: dict[Kind, str] = {"text": "text/plain", "image": "image/*", "file": "*/*"}

# First bytes of a kind, and bytes without which the image broke off.
_IMAGES: tuple[tuple[bytes, bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", b"IEND", "image/png"),
    (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    (b"GIF87a", b";", "image/gif"),
    (b"GIF89a", b";", "image/gif"),
    (b"RIFF", b"WEBP", "image/webp"),
)
_KINDS: dict[str, Kind] = {
    "input_text": "text",
    "input_image": "image",
    "input_file": "file",
    "input_audio": "file",
}
_FETCHED = "fetched by the service"
_UPLOADED = "uploaded before"
ELSEWHERE = frozenset({_FETCHED, _UPLOADED})
"""Notes of pieces whose bytes are not here: their size is that of the link or id."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one object puts into the prompt, or a part of it.

    Attributes
    ----------
    kind : str
        ``text``, ``image`` or ``file``.
    part : dict
        The content part of the request.
    media_type : str
        Such as ``text/plain`` or ``image/png``.
    size_bytes : int
        Of the text in UTF-8, or of the image or file before base64; of a link or id, its own length.
    note : str
        What was cut or scaled, or who fetches it; empty if there is nothing to say.
    is_listed : bool
        Whether it counts as attached; a text or number that stands in the prompt as it is does not.
    """

    kind: Kind
    part: Mapping[str, Any]
    media_type: str
    size_bytes: int
    note: str = ""
    is_listed: bool = True

    @property
    def text(self) -> str:
        """The text; empty for an image or a file."""
        return str(self.part["text"]) if self.kind == "text" else ""


def text_of(text: str, media_type: str = "text/plain", note: str = "", *, is_listed: bool = True) -> Piece:
    """Return a text as a piece."""
    return Piece("text", text_part(text), media_type, _size_bytes(text), note, is_listed)


def image_of(data: bytes, shown: str, note: str = "") -> Piece:
    """Return an image's bytes as a piece.

    Parameters
    ----------
    data : bytes
        PNG, JPEG, GIF or WebP, at most `LARGEST_IMAGE_BYTES`.
    shown : str
        How an error names it.
    note : str
        What was done to it.

    Raises
    ------
    CellError
        If it is larger, or no such image, or broken off.
    """
    within(len(data), LARGEST_IMAGE_BYTES, shown, "image")
    media_type = image_type(data)
    if not media_type:
        raise CellError(
            f"{shown} holds {len(data):,} bytes that are no whole PNG, JPEG, GIF or WebP image.",
            "Open it to see what it is, and save it as PNG.",
        )
    return Piece("image", image_part(data, media_type=media_type), media_type, len(data), note)


def image_type(data: bytes) -> str:
    """Return the media type of an image's bytes; empty if they are no whole PNG, JPEG, GIF or WebP image."""
    for start, rest, media_type in _IMAGES:
        if data.startswith(start) and rest in data[len(start) :] and _has_a_size(data, media_type):
            return media_type
    return ""


def _has_a_size(data: bytes, media_type: str) -> bool:
    if media_type == "image/png":
        return data[12:16] == b"IHDR" and len(data) > 24 and 0 not in struct.unpack(">II", data[16:24])
    if media_type == "image/webp":
        return data[8:12] == b"WEBP" and len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return True


def file_of(data: bytes, filename: str, media_type: str, shown: str) -> Piece:
    """Return a file's bytes as a piece.

    Parameters
    ----------
    data : bytes
        At most `LARGEST_FILE_BYTES`.
    filename, media_type : str
        The service tells the kind by them.
    shown : str
        How an error names it.

    Raises
    ------
    CellError
        If it is larger.
    """
    within(len(data), LARGEST_FILE_BYTES, shown, "file")
    return Piece("file", file_part(data, filename=filename, media_type=media_type), media_type, len(data))


def audio_of(data: bytes, shown: str) -> Piece:
    """Return a recording's bytes as a piece.

    Raises
    ------
    CellError
        If it is larger than `LARGEST_FILE_BYTES`.
    """
    within(len(data), LARGEST_FILE_BYTES, shown, "recording")
    return Piece("file", audio_part(data), f"audio/{audio_format(data)}", len(data))


def within(size_bytes: int, largest_bytes: int, shown: str, what: str) -> None:
    """Check a size against its bound.

    Raises
    ------
    CellError
        If it is over. It names the size and the bound.
    """
    if size_bytes > largest_bytes:
        raise CellError(
            f"{shown} is {_mb(size_bytes, largest_bytes)} large; at most {largest_bytes / 1e6:g} MB "
            f"are sent as one {what}.",
            "Make it smaller or send a part of it, or give its URL, which the service fetches itself.",
        )


def _mb(size_bytes: int, largest_bytes: int) -> str:
    # Just over the bound, "20.0 MB" would read as if it were allowed.
    return f"{size_bytes:,} bytes" if size_bytes < largest_bytes + 50_000 else f"{size_bytes / 1e6:,.1f} MB"


def linked(source: str, kind: Kind, media_type: str) -> Piece:
    """Return a piece that the service reads from a URL or from an uploaded file's id."""
    part = image_part(source) if kind == "image" else file_part(source)
    note = _UPLOADED if "file_id" in part else _FETCHED
    return Piece(kind, part, media_type, _size_bytes(source), note)


def part_of(part: Mapping[str, Any], shown: str) -> Piece | None:
    """Return a content part of the API as a piece; None if the dict is no content part.

    Raises
    ------
    CellError
        If it says it is a content part but is of no known type, or lacks what belongs to it.
    """
    kind_name = part.get("type")
    if not isinstance(kind_name, str) or not kind_name.startswith("input_"):
        return None
    kind = _KINDS.get(kind_name)
    if kind is None or (kind == "text" and not isinstance(part.get("text"), str)):
        raise CellError(
            f"{shown} gives a content part of type {kind_name!r} that cannot be sent.",
            f"Use one of {', '.join(_KINDS)}; cometnb.protocol.items builds them.",
        )
    if kind == "text":
        return text_of(part["text"])
    source = next((value for name in _SOURCES if isinstance(value := part.get(name), str)), "")
    is_data = source.startswith("data:")
    size_bytes = len(source.partition(",")[2]) * 3 // 4 if is_data else _size_bytes(source)
    within(size_bytes, LARGEST_IMAGE_BYTES if kind == "image" else LARGEST_FILE_BYTES, shown, kind)
    media_type = source[5:].partition(";")[0] if is_data else ""
    note = "" if is_data or not source else _UPLOADED if "file_id" in part else _FETCHED
    return Piece(kind, dict(part), media_type or ANY_TYPE[kind], size_bytes, note)


_SOURCES = ("image_url", "file_data", "file_url", "file_id")


def cut(piece: Piece) -> Piece:
    """Return a text of at most `LONGEST_TEXT_CHARACTERS`, cut in its middle, with a note; others as they are."""
    text = piece.text
    if len(text) <= LONGEST_TEXT_CHARACTERS:
        return piece
    left_out = len(text) - LONGEST_TEXT_CHARACTERS
    half = LONGEST_TEXT_CHARACTERS // 2
    kept = f"{text[:half]}\n… [{left_out:,} characters left out] …\n{text[len(text) - half :]}"
    note = f"{left_out:,} of {len(text):,} characters left out"
    return text_of(kept, piece.media_type, f"{piece.note}; {note}" if piece.note else note)


def _size_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
