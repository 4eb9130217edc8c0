"""Generated images are drawn, and nothing that could act is."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.response import Response
from cometnb.view.images import image_displays


def _response(**item: Any) -> Response:
    return Response(
        {"output": [{"type": "image_generation_call", **item}, {"type": "message", "content": []}]}
    )


@pytest.mark.parametrize(
    ("form", "media_type"),
    [(None, "image/png"), ("png", "image/png"), ("jpeg", "image/jpeg"), ("webp", "image/webp")],
)
def test_an_image_is_a_display_of_its_type(form: str | None, media_type: str) -> None:
    """With plain text beside it, for where it cannot be drawn."""
    (display,) = image_displays(_response(result="AAAA", output_format=form))
    assert display == {media_type: "AAAA", "text/plain": "A generated image."}


def test_a_partial_image_is_better_than_none() -> None:
    """An answer that was cut off keeps what it had."""
    (display,) = image_displays(_response(partial_image_b64="BBBB"))
    assert display["image/png"] == "BBBB"


@pytest.mark.parametrize(
    "item", [{"result": "<svg>"}, {"result": "AAAA", "output_format": "svg"}, {"result": 5}, {}]
)
def test_what_is_no_picture_is_not_drawn(item: dict[str, Any]) -> None:
    """Neither text that is no base64 nor a format that can run."""
    assert image_displays(_response(**item)) == []
