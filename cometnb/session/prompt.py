"""From a cell's body and its attachments to the request's input."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from cometnb.errors import CellError
from cometnb.protocol.items import message, text_part
from cometnb.session.attachments import attached, from_bytes
from cometnb.session.content import one_line, pieces_of
from cometnb.session.piece import Kind, Piece, cut, image_of, text_of
from cometnb.session.template import stretches

__all__ = ["Attached", "Prompt", "assembled", "attachment", "prompt_of"]


@dataclass(frozen=True, slots=True)
class Attached:
    """One object, image or file that goes along with a prompt.

    Attributes
    ----------
    name : str
        The expression, or what the option named.
    kind : str
        ``text``, ``image`` or ``file``.
    media_type : str
        Such as ``image/png``; ``image/*`` or ``*/*`` where a link or id does not show it.
    size_bytes : int
        Of the text in UTF-8, or of the image or file before base64; of a link or id, its own length.
    note : str
        What was cut or scaled, or who fetches it; empty if there is nothing to say.
    """

    name: str
    kind: str
    media_type: str
    size_bytes: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a cell asks.

    Attributes
    ----------
    input : str or list of dict
        Text if there is nothing but text, else one user message.
    attached : tuple of Attached
        In the order in which they stand in the prompt; text and numbers typed or inserted whole are not listed.
    """

    input: str | list[dict[str, Any]]
    attached: tuple[Attached, ...] = ()


def prompt_of(
    body: str,
    namespace: Mapping[str, Any],
    *,
    images: Sequence[str] = (),
    files: Sequence[str] = (),
    is_raw: bool = False,
    detail: str | None = None,
) -> Prompt:
    """Fill in a cell's body and add what its options attach.

    An object's text longer than 20,000 characters is cut in its middle, and `Attached.note` says so. What was
    attached by option comes after the text, images first.

    Parameters
    ----------
    body : str
        With ``{{expression}}``; see `cometnb.session.template`.
    namespace : Mapping
        The notebook's names.
    images, files : sequence of str
        Each a name of the notebook, a path, an ``http(s)://`` URL or an uploaded file's id.
    is_raw : bool
        Leave ``{{ }}`` in the body as typed.
    detail : str, optional
        How closely every image is looked at: ``low``, ``high``, ``auto``, or what the service takes.

    Raises
    ------
    CellError
        Whatever cannot be evaluated, read or rendered; nothing has been sent.
    """
    filled = [("", text_of(body, is_listed=False))] if is_raw else list(stretches(body, namespace))
    by_option: list[tuple[Kind, str]] = [("image", source) for source in images]
    by_option += [("file", source) for source in files]
    named = [(source, piece) for kind, source in by_option for piece in _by_option(source, kind, namespace)]
    return assembled(filled, named, detail)


def assembled(
    filled: Iterable[tuple[str, Piece]],
    attached: Iterable[tuple[str, Piece]] = (),
    detail: str | None = None,
) -> Prompt:
    """Return a prompt from a body whose expressions are filled in, and what is attached to it.

    Parameters
    ----------
    filled, attached : iterable of (str, Piece)
        Each with the name of what it stands for, empty for text of the body itself. An object's text is cut.
    detail : str, optional
        As for `prompt_of`.
    """
    named = [(name, cut(piece) if name else piece) for name, piece in filled]
    for source, piece in attached:
        # A blank line keeps an attached text apart from the prompt.
        apart = [("", text_of("\n\n", is_listed=False))] if piece.kind == "text" else []
        named += [*apart, (source, cut(piece))]
    listed = tuple(
        Attached(name, piece.kind, piece.media_type, piece.size_bytes, piece.note)
        for name, piece in named
        if name and (piece.is_listed or piece.note)
    )
    return Prompt(_input(_detailed(piece, detail) for _, piece in named), listed)


def _detailed(piece: Piece, detail: str | None) -> Piece:
    if detail is None or piece.kind != "image":
        return piece
    return replace(piece, part={**piece.part, "detail": detail})


def _input(pieces: Iterable[Piece]) -> str | list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for piece in pieces:
        if piece.kind == "text" and parts and parts[-1]["type"] == "input_text":
            parts[-1] = text_part(parts[-1]["text"] + piece.text)
        else:
            parts.append(dict(piece.part))
    if all(part["type"] == "input_text" for part in parts):
        return "".join(part["text"] for part in parts)
    # Between images there is often nothing but the end of a line.
    return [message(*(part for part in map(_trimmed, parts) if part.get("text") != ""))]


def _trimmed(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "input_text":
        return part
    return text_part(part["text"].strip("\n") if part["text"].strip() else "")


def _by_option(source: str, kind: Kind, namespace: Mapping[str, Any]) -> list[Piece]:
    """Return what ``--image source`` or ``--file source`` attaches; a name of the notebook goes before a path."""
    if not source.strip():
        raise CellError(f"--{kind} names nothing.", f"Write --{kind} and a variable, a path or a URL.")
    value = namespace[source] if source.isidentifier() and source in namespace else source
    return attachment(value, kind, source, f"--{kind} {one_line(source)}")


def attachment(value: Any, kind: Kind, name: str, shown: str) -> list[Piece]:
    """Return what a value is when it is attached as an image or a file.

    Parameters
    ----------
    value : object
        A path, an ``http(s)://`` URL, an uploaded file's id, the bytes, or an object that has a rendering.
    kind : str
        ``image`` or ``file``.
    name : str
        The variable or column it stands in; the name of a file that is bytes.
    shown : str
        How errors name it.

    Raises
    ------
    CellError
        If it cannot be read or rendered, or is no image though it should be one.
    """
    if isinstance(value, str | PurePath):
        return [attached(os.fspath(value), kind)]
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        if kind == "image":
            return [image_of(data, shown)]
        return [from_bytes(data, f"{name}.pdf" if data.startswith(b"%PDF-") else name, shown)]
    pieces = pieces_of(value, shown)
    if kind == "image" and any(piece.kind != "image" for piece in pieces):
        raise CellError(
            f"{shown} is a {type(value).__module__}.{type(value).__qualname__}, which is no image.",
            f"Put it into the text as {{{{{name}}}}}, or attach it as a file.",
        )
    return pieces
