"""How many input tokens an image costs, by the rules that OpenAI documents for its models.

The rules are those of the guide "Images and vision" (developers.openai.com, section "Calculating costs"): some models
count tiles of 512 pixels, others patches of 32 pixels. Where the guide names no rule, the comment beside the figure
says what is assumed.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

__all__ = ["ASSUMED_SIZE", "image_size", "image_tokens"]

ASSUMED_SIZE = (1024, 1024)
"""Pixels of an image whose size cannot be seen from here: one behind a URL or a file id."""

_PATCH, _TILE = 32, 512
# A JPEG may carry a preview and colour profiles in front of its size; a header longer than this is not searched.
_SEARCHED_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Tiles:
    """So many tokens for an image, and so many for each tile after two steps of shrinking."""

    base: int
    tile: int

    def tokens(self, width: int, height: int, detail: str) -> int:
        if detail == "low":
            return self.base
        shrink = min(1.0, 2048 / max(width, height))
        shrink = min(shrink, 768 / min(width, height))
        tiles = ceil(_floor(width * shrink) / _TILE) * ceil(_floor(height * shrink) / _TILE)
        return self.base + tiles * self.tile


@dataclass(frozen=True, slots=True)
class _Patches:
    """So many tokens for each patch, after shrinking into a budget that depends on the detail."""

    factor: float
    budget: int = 1536
    side: int = 2048
    original: tuple[int, int] | None = None
    auto: str = "high"

    def tokens(self, width: int, height: int, detail: str) -> int:
        detail = detail if detail in ("low", "high", "original") else self.auto
        budget, side = self.budget, self.side
        if detail == "low":
            side = 512
        elif detail == "original" and self.original:
            budget, side = self.original
        shrink = min(1.0, side / max(width, height))
        width, height = _floor(width * shrink), _floor(height * shrink)
        return ceil(min(budget, _patches(width, height, budget)) * self.factor)


def _patches(width: int, height: int, budget: int) -> int:
    count = ceil(width / _PATCH) * ceil(height / _PATCH)
    if count <= budget:
        return count
    shrink = sqrt(_PATCH**2 * budget / (width * height))
    across, down = width * shrink / _PATCH, height * shrink / _PATCH
    shrink *= min(max(1, int(across)) / across, max(1, int(down)) / down)
    return ceil(_floor(width * shrink) / _PATCH) * ceil(_floor(height * shrink) / _PATCH)


def _floor(pixels: float) -> int:
    # Shrinking by a quotient may end a hair below the whole number that is meant.
    return max(1, int(pixels + 1e-6))


# For gpt-5.2 and from gpt-5.4 on the guide gives the budgets; the factor 1.2 is what they were seen to be billed with.
_FACTOR = 1.2
_NO_BUDGET = (1_000_000, 1_000_000)

# The first that fits the model's name decides.
_RULES: tuple[tuple[re.Pattern[str], _Tiles | _Patches], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"gpt-(4\.1|5|5\.4)-mini", _Patches(1.62)),
        (r"gpt-(4\.1|5|5\.4)-nano", _Patches(2.46)),
        (r"o4-mini", _Patches(1.72)),
        (r"gpt-5\.2|gpt-5\.3|gpt-5(\.1)?-codex-mini", _Patches(_FACTOR)),
        (r"gpt-5\.4", _Patches(_FACTOR, 2500, 2048, (10_000, 6000))),
        (r"gpt-5\.5", _Patches(_FACTOR, 2500, 2048, (10_000, 6000), auto="original")),
        (r"gpt-(5\.[6-9]|[6-9])", _Patches(_FACTOR, 2500, 2048, _NO_BUDGET, auto="original")),
        (r"gpt-5", _Tiles(70, 140)),
        (r"gpt-4o-mini", _Tiles(2833, 5667)),
        (r"o1|o3", _Tiles(75, 150)),
        (r"computer-use", _Tiles(65, 129)),
        # gpt-4o, gpt-4.1 and gpt-4.5. Of models by other makers it is an assumption.
        (r"", _Tiles(85, 170)),
    )
)


def image_tokens(model: str, size: tuple[int, int] | None, detail: str = "auto") -> int:
    """Return the input tokens of an image.

    Parameters
    ----------
    model : str
        Its name; a vendor in front of it (``openai/``) does not matter. A model without a rule of its own is taken
        to count like gpt-4o.
    size : tuple of int or None
        Width and height in pixels; None is `ASSUMED_SIZE`.
    detail : str
        ``low``, ``high``, ``original`` or ``auto``; anything else is ``auto``.

    Returns
    -------
    int
        From 1 up.
    """
    name = model.rpartition("/")[2].lower()
    rule = next(rule for pattern, rule in _RULES if pattern.match(name))
    width, height = size or ASSUMED_SIZE
    return rule.tokens(max(1, width), max(1, height), detail)


def image_size(url: str) -> tuple[int, int] | None:
    """Return width and height of the PNG, JPEG, GIF or WebP inside a ``data:`` URL, in pixels.

    Parameters
    ----------
    url : str

    Returns
    -------
    tuple of int or None
        None if it is no such URL, or its bytes do not tell.
    """
    head, comma, encoded = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    start = encoded[: _SEARCHED_BYTES // 3 * 4]
    try:
        data = b64decode(start[: len(start) // 4 * 4])
        found = next((read(data) for magic, read in _READERS if data.startswith(magic)), None)
    except (ValueError, IndexError):
        return None
    return found if found and min(found) > 0 else None


def _png(data: bytes) -> tuple[int, int]:
    return _number(data[16:20]), _number(data[20:24])


def _gif(data: bytes) -> tuple[int, int]:
    return _number(data[6:8][::-1]), _number(data[8:10][::-1])


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + _number(data[24:27][::-1]), 1 + _number(data[27:30][::-1])
    if kind == b"VP8L":
        bits = _number(data[21:25][::-1])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return _number(data[26:28][::-1]) & 0x3FFF, _number(data[28:30][::-1]) & 0x3FFF
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        # The frame's header; C4, C8 and CC are tables among them.
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(data[position + 7 : position + 9]), _number(data[position + 5 : position + 7])
        else:
            position += 2 + max(2, _number(data[position + 2 : position + 4]))
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


_READERS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int] | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
)
