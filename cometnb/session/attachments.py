"""Files and links that the user named: read by their type, within bounds, and from nowhere else."""

from __future__ import annotations

import mimetypes
import os
import re
import stat
import urllib.parse
from pathlib import Path, PurePath

from cometnb.config.regular import whole_bytes
from cometnb.errors import CellError, printable
from cometnb.protocol.items import audio_format
from cometnb.session.piece import (
    ANY_TYPE,
    LARGEST_FILE_BYTES,
    LARGEST_IMAGE_BYTES,
    Kind,
    Piece,
    audio_of,
    file_of,
    image_of,
    image_type,
    linked,
    text_of,
    within,
)

__all__ = ["attached", "bytes_at", "fenced", "from_bytes", "read"]

_IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_LINKS = ("https://", "http://")
_FILE_ID = re.compile(r"file[-_][A-Za-z0-9_-]+")
# What mimetypes calls by other names, or does not know, on one system or another.
_FENCES = {".py": "python", ".md": "markdown", ".yml": "yaml", ".js": "javascript", ".rs": "rust", ".txt": ""}
_BINARY = "application/octet-stream"


def attached(source: str, kind: Kind) -> Piece:
    """Return what a path, an ``http(s)://`` URL or an uploaded file's id (``file-…``) stands for.

    A link or id is not looked at: the service fetches it. A path is from the working folder; ``~`` is the home.

    Parameters
    ----------
    source : str
    kind : str
        ``image``, or ``file`` for any kind.

    Raises
    ------
    CellError
        If nothing can be read there, it is too large, or `kind` is ``image`` and it is none.
    """
    if source.startswith(_LINKS):
        return linked(source, kind, _guessed(urllib.parse.urlsplit(source).path) or ANY_TYPE[kind])
    if kind == "image" and source.startswith("data:image/"):
        return linked(source, kind, source[5:].partition(";")[0])
    if _FILE_ID.fullmatch(source) and not Path(source).exists():
        return linked(source, kind, ANY_TYPE[kind])
    return read(Path(source), must_be_image=kind == "image")


def read(path: PurePath, *, must_be_image: bool = False) -> Piece:
    """Read one file: an image as an image, text in a fence under its name, anything else as a file.

    Parameters
    ----------
    path : Path
        ``~`` and relative paths are resolved. Links are followed, but not from the working folder out of it: a
        folder that came from somebody else could hold one that leads to your keys.
    must_be_image : bool
        Refuse what is no image.

    Raises
    ------
    CellError
        If it is missing, a folder, no regular file, unreadable, too large, made up by the system as it is read
        (``/proc``), behind a link out of the working folder, or no image though it should be one.
    """
    shown = str(path)
    is_image = must_be_image or path.suffix.lower() in _IMAGE_SUFFIXES
    try:
        data = bytes_at(path, shown, is_image=is_image)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(shown, error) from error
    return image_of(data, shown) if is_image else from_bytes(data, path.name, shown)


def bytes_at(path: PurePath, shown: str, *, is_image: bool = False) -> bytes:
    """Return what a file holds that the user named, by the rules of `read`.

    Raises
    ------
    CellError
        It is something that is not sent.
    OSError, ValueError, RuntimeError
        It cannot be read.
    """
    largest_bytes, kind = (LARGEST_IMAGE_BYTES, "image") if is_image else (LARGEST_FILE_BYTES, "file")
    place = _followed(Path(path).expanduser(), shown)
    found = place.stat()
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise CellError(f"{shown} is {what}; one file at a time can be attached.", "Name the file itself.")
    within(found.st_size, largest_bytes, shown, kind)
    data = whole_bytes(place, largest_bytes)
    if data and not found.st_size:
        raise CellError(
            f"{shown} is no file on a disk: the system makes it up as it is read, and it may hold your environment.",
            "Put what you need of it into a variable, and name that.",
        )
    return data


def _followed(place: Path, shown: str) -> Path:
    """Return where a path leads in the end; what is named within the working folder has to be there."""
    here = Path.cwd()
    real = place.resolve()
    # By its words alone: resolving would follow the links.
    named = Path(os.path.normpath(here / place))
    if named.is_relative_to(here) and not real.is_relative_to(here.resolve()):
        raise CellError(
            f"{shown} leads by a link out of the working folder, to {real}.",
            f"If that is the file you mean, name it itself: {real}",
        )
    return real


def from_bytes(data: bytes, filename: str, shown: str) -> Piece:
    """Return bytes by what they are: an image, a recording, UTF-8 text in a fence, or a file of that name.

    Raises
    ------
    CellError
        If they are too many.
    """
    if image_type(data):
        return image_of(data, shown)
    # It becomes a line of the prompt, whatever its file is called.
    filename = " ".join(printable(filename).split())
    media_type = _guessed(filename)
    if audio_format(data):
        return audio_of(data, shown)
    if data.startswith(b"%PDF-"):
        return file_of(data, filename, "application/pdf", shown)
    text = _decoded(data)
    if text is not None and media_type != "application/pdf":
        suffix = PurePath(filename).suffix.lower()
        note = "" if data else "the file is empty"
        return text_of(
            f"{filename}\n{fenced(text, _FENCES.get(suffix, suffix[1:] if suffix[1:].isalnum() else ''))}",
            _text_type(media_type),
            note,
        )
    return file_of(data, filename, media_type or _BINARY, shown)


def fenced(text: str, language: str = "") -> str:
    """Return text in a Markdown fence that is longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{fence}"


def _decoded(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n")


def _guessed(name: str) -> str:
    return mimetypes.guess_type(name)[0] or ""


def _text_type(media_type: str) -> str:
    is_text = media_type.startswith("text/") or media_type.endswith(("json", "xml", "yaml", "javascript"))
    return media_type if is_text else "text/plain"


def _unreadable(shown: str, error: Exception) -> CellError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return CellError(
            f"There is no file {shown}.",
            "Give a variable that exists, or a path: a relative one starts from the working folder (%pwd, !ls).",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CellError(f"{shown} cannot be read: {reason}.", "Check its permissions with !ls -l.")
