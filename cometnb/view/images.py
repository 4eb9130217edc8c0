"""Generated images: which of them a browser may draw, and as what."""

from __future__ import annotations

import re
from typing import Any

from cometnb.protocol.response import Response

__all__ = ["image_displays", "media_type_of"]

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
# Formats a browser draws and cannot run; SVG is not among them.
_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "webp": "image/webp"}


def media_type_of(data: Any, form: Any) -> str | None:
    """Return the media type of an image as the service sends it, or None if it must not be drawn.

    Parameters
    ----------
    data : JSON
        Base64, if it is an image.
    form : JSON
        Its format as the service names it; PNG if it names none.
    """
    media_type = _TYPES.get(form if isinstance(form, str) else "png")
    return media_type if isinstance(data, str) and _BASE64.fullmatch(data) else None


def image_displays(response: Response) -> list[dict[str, str]]:
    """Return a bundle of mimetypes for each image of an answer, in order.

    An image that was cut off in mid-answer is its last partial one.
    """
    displays = []
    for item in response.output:
        data = item.get("result") or item.get("partial_image_b64")
        media_type = media_type_of(data, item.get("output_format"))
        if item.get("type") == "image_generation_call" and media_type is not None:
            displays.append({media_type: str(data), "text/plain": "A generated image."})
    return displays
