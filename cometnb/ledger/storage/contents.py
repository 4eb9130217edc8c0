"""Prompts and answers as text, for those who want them kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.errors import masked
from cometnb.protocol.response import Response, whole_text

__all__ = ["LONGEST_CONTENT", "answer_of", "prompt_of"]

LONGEST_CONTENT = 100_000
"""Characters that are kept of a prompt, and of an answer."""

# What stands for content that is no text; it is not kept.
_WORDS = {
    "input_image": "[image]",
    "image": "[image]",
    "input_file": "[file]",
    "file": "[file]",
    "input_audio": "[audio]",
    "image_generation_call": "[image]",
}
_TEXTS = ("text", "refusal", "output", "arguments", "input")


def prompt_of(params: Mapping[str, Any]) -> str | None:
    """Return what a request says, instructions first; None if it says nothing.

    Parameters
    ----------
    params : Mapping
        The request's body.

    Returns
    -------
    str or None
        Keys masked, at most `LONGEST_CONTENT` characters; images, files and sounds are a word in brackets.
    """
    return _kept("\n\n".join([*_texts(params.get("instructions")), *_texts(params.get("input"))]))


def answer_of(response: Response) -> str | None:
    """Return what an answer says: its text or refusal, and the functions it calls; None if it says nothing.

    Returns
    -------
    str or None
        Keys masked, at most `LONGEST_CONTENT` characters.
    """
    said = [response.output_text, response.refusal or ""]
    said += [f"{call.name}({call.arguments})" for call in response.function_calls]
    return _kept("\n\n".join(filter(None, said)))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of an input, whatever its shape, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, Mapping):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _WORDS:
            yield _WORDS[kind]
        elif "content" in value:
            yield from _texts(value["content"])
        else:
            yield from _said(value)


def _said(item: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        said = item.get(name)
        if isinstance(said, str):
            yield f"{item['name']}({said})" if name == "arguments" and "name" in item else said
        elif isinstance(said, list):
            yield from _texts(said)
        elif isinstance(said, Mapping):
            yield json.dumps(said, ensure_ascii=False, default=str)


def _kept(text: str) -> str | None:
    if not text:
        return None
    # Masked before it is cut, so that no half of a key is left; databases take neither NUL nor half a pair.
    whole = whole_text(masked(text).replace("\0", "�"))
    if len(whole) <= LONGEST_CONTENT:
        return whole
    word = f"… [cut: {len(whole):,} characters, of which these are the first {LONGEST_CONTENT:,}]"
    return whole[: LONGEST_CONTENT - len(word)] + word
