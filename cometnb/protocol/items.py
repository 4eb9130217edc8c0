"""Input items and content parts, built from plain Python values. Nothing is read from disk or network here."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cometnb.errors import ParamError

__all__ = [
    "audio_format",
    "audio_part",
    "file_part",
    "function_call_output",
    "image_part",
    "input_items",
    "message",
    "text_part",
]

# First bytes of the image kinds the service documents.
_IMAGE_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)

_PART_KINDS = frozenset({"input_text", "input_image", "input_file", "input_audio", "output_text", "refusal"})


def text_part(text: str) -> dict[str, Any]:
    """Return an ``input_text`` part."""
    return {"type": "input_text", "text": text}


def image_part(
    source: str | bytes, *, detail: str | None = None, media_type: str | None = None
) -> dict[str, Any]:
    """Return an ``input_image`` part.

    Parameters
    ----------
    source : str or bytes
        An ``http(s)://`` or ``data:`` URL, an uploaded file's id (``file-…``), or the image's bytes
        (PNG, JPEG, GIF or WebP).
    detail : str, optional
        ``low``, ``high`` or ``auto``; not sent if None.
    media_type : str, optional
        Of the bytes, where they do not tell it themselves.

    Raises
    ------
    ParamError
        If the text is none of these, or the bytes are no known image.
    """
    part: dict[str, Any] = {"type": "input_image"}
    if isinstance(source, bytes | bytearray | memoryview):
        part["image_url"] = _data_url(bytes(source), media_type or _image_type(bytes(source)))
    elif _starts(source, "https://", "http://", "data:image/"):
        part["image_url"] = source
    elif _is_file_id(source):
        part["file_id"] = source
    else:
        raise ParamError(
            f"{_shown(source)} is neither an image URL nor a file id.",
            "Give an http(s) URL, a file id (file-…) or the image's bytes.",
            param="input",
        )
    return part | ({"detail": detail} if detail else {})


def file_part(
    source: str | bytes, *, filename: str | None = None, media_type: str | None = None
) -> dict[str, Any]:
    """Return an ``input_file`` part.

    Parameters
    ----------
    source : str or bytes
        An ``http(s)://`` URL, an uploaded file's id (``file-…``), or the file's bytes.
    filename : str, optional
        Needed with bytes: the service tells the kind of file by it.
    media_type : str, optional
        Of the bytes; ``application/pdf`` for a name that ends in .pdf, else ``application/octet-stream``.

    Raises
    ------
    ParamError
        If the text is neither URL nor id, or bytes come without a filename.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        if not filename:
            raise ParamError(
                f"A file of {len(source)} bytes has no filename.",
                'Say what it is: file_part(data, filename="report.pdf").',
                param="input",
            )
        guessed = "application/pdf" if filename.lower().endswith(".pdf") else "application/octet-stream"
        data = _data_url(bytes(source), media_type or guessed)
        return {"type": "input_file", "filename": filename, "file_data": data}
    if _starts(source, "https://", "http://"):
        return {"type": "input_file", "file_url": source}
    if _is_file_id(source):
        return {"type": "input_file", "file_id": source}
    raise ParamError(
        f"{_shown(source)} is neither a file URL nor a file id.",
        "Give an http(s) URL, a file id (file-…) or the file's bytes with a filename.",
        param="input",
    )


def audio_part(data: bytes) -> dict[str, Any]:
    """Return an ``input_audio`` part; models that hear take it, others refuse it.

    Parameters
    ----------
    data : bytes
        WAV or MP3, the formats the service takes.

    Raises
    ------
    ParamError
        If it is neither.
    """
    form = audio_format(data)
    if form is None:
        raise ParamError("The bytes are neither WAV nor MP3.", "Convert the recording first.", param="input")
    audio = {"data": base64.b64encode(data).decode("ascii"), "format": form}
    return {"type": "input_audio", "input_audio": audio}


def audio_format(data: bytes) -> str | None:
    """Tell WAV and MP3 by their first bytes; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    # A tag, or a frame of MPEG layer III with a bit rate and a sample rate that exist.
    is_frame = (
        data[:1] == b"\xff" and len(data) > 2 and data[1] & 0xE6 == 0xE2 and data[2] & 0xF0 not in (0, 0xF0)
    )
    return "mp3" if data[:3] == b"ID3" or is_frame else None


def function_call_output(call_id: str, output: Any) -> dict[str, Any]:
    """Return the item that answers a function call.

    Parameters
    ----------
    call_id : str
        As in the ``function_call`` item.
    output : object
        Text as it is; a list of content parts as it is; anything else as JSON.

    Raises
    ------
    ParamError
        If `call_id` is empty or `output` has no JSON form.
    """
    if not call_id:
        raise ParamError(
            "A function_call_output without call_id cannot be matched to its call.",
            "Pass the call_id of the function_call item.",
            param="input",
        )
    if isinstance(output, str) or _are_parts(output):
        return {"type": "function_call_output", "call_id": call_id, "output": output}
    try:
        text = json.dumps(output, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamError(
            f"The output of call {call_id} has no JSON form: {error}.",
            "Return text, numbers, lists or dicts from the function.",
            param="input",
        ) from None
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def message(*content: str | Mapping[str, Any], role: str = "user") -> dict[str, Any]:
    """Return a message item; a lone text stays plain text.

    Parameters
    ----------
    *content : str or Mapping
        Text, or parts made by the functions of this module.
    role : str
        ``user``, ``system``, ``developer`` or ``assistant``.
    """
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": role, "content": content[0]}
    kind = "output_text" if role == "assistant" else "input_text"
    parts = [{"type": kind, "text": part} if isinstance(part, str) else dict(part) for part in content]
    return {"role": role, "content": parts}


def input_items(value: Any) -> str | list[dict[str, Any]]:
    """Return what goes into the request's ``input``.

    Text stays text. In a list, items (with a role, or a type that is no content part) pass as they are, and
    texts and content parts between them are gathered into user messages.

    Parameters
    ----------
    value : str, Mapping or iterable of these

    Raises
    ------
    ParamError
        If an entry is neither text nor an object.
    """
    if isinstance(value, str):
        return value
    # What cannot be looped over is one entry, and the error below names it.
    entries: Iterable[Any] = (
        value if isinstance(value, Iterable) and not isinstance(value, Mapping) else [value]
    )
    items: list[dict[str, Any]] = []
    loose: list[str | Mapping[str, Any]] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, str) or _is_part(entry):
            loose.append(entry)
        elif isinstance(entry, Mapping):
            items += _gathered(loose)
            loose = []
            items.append(dict(entry))
        else:
            raise ParamError(
                f"input[{position}] is a {type(entry).__name__}, neither text nor an input item.",
                "Use text, image_part(…), file_part(…), message(…) or function_call_output(…).",
                param="input",
            )
    return items + _gathered(loose)


def _gathered(loose: list[str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [message(*loose)] if loose else []


def _is_part(entry: Any) -> bool:
    # A type may be anything, also what no set can hold.
    return isinstance(entry, Mapping) and "role" not in entry and str(entry.get("type")) in _PART_KINDS


def _are_parts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_part(entry) for entry in value)


def _is_file_id(source: Any) -> bool:
    return (
        _starts(source, "file-", "file_") and source.isascii() and not any(char.isspace() for char in source)
    )


def _starts(source: Any, *beginnings: str) -> bool:
    return isinstance(source, str) and source.startswith(beginnings)


def _shown(source: Any) -> str:
    return repr(source[:60]) if isinstance(source, str) else f"A {type(source).__name__}"


def _image_type(data: bytes) -> str:
    for magic, media_type in _IMAGE_MAGIC:
        if data.startswith(magic) and (magic != b"RIFF" or data[8:12] == b"WEBP"):
            return media_type
    raise ParamError(
        f"{len(data)} bytes starting with {data[:8]!r} are no PNG, JPEG, GIF or WebP image.",
        "Convert the image to PNG, or pass media_type.",
        param="input",
    )


def _data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
