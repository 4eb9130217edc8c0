"""Input items that are a prompt and links beside it, told from those that are more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cometnb.errors import CometError
from cometnb.session.prompt import prompt_of
from cometnb.session.settled import same_json
from cometnb.session.typable import is_seen, survives

__all__ = ["LINKS", "Linked", "linked_input"]

LINKS = ("https://", "http://", "data:image/")


@dataclass(frozen=True, slots=True)
class Linked:
    """A prompt and what is linked with it, as a cell says it.

    Attributes
    ----------
    text : str
    images, files : tuple of str
        Links.
    detail : str or None
        Of every image.
    """

    text: str
    images: tuple[str, ...]
    files: tuple[str, ...]
    detail: str | None


def linked_input(items: Any) -> Linked | None:
    """Return what a cell would say to send these items; None if it can say it only as items."""
    try:
        parts = items[0]["content"]
        text = parts[0]["text"]
        images = tuple(one["image_url"] for one in parts[1:] if "image_url" in one)
        files = tuple(one["file_url"] for one in parts[1:] if "file_url" in one)
        details = {one.get("detail") for one in parts[1:] if "image_url" in one} or {None}
        can_be_typed = all(one.startswith(LINKS) and all(map(is_seen, one)) for one in (*images, *files))
        if len(details) != 1 or not can_be_typed or not survives(text):
            return None
        found = Linked(text, images, files, details.pop())
        written = prompt_of(text, {}, images=images, files=files, is_raw=True, detail=found.detail).input
    except (LookupError, TypeError, AttributeError, ValueError, CometError):
        return None
    return found if (images or files) and same_json(written, items) else None
