"""Names as a plot can write them: with a font that has their letters, and a box for a letter that no font has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

__all__ = ["drawable", "families"]

# Fonts of the common systems for what matplotlib's own lacks: Japanese, Chinese and Korean.
_MORE = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Noto Sans KR",
    "Noto Sans SC",
    "Hiragino Sans",
    "Yu Gothic",
    "PingFang SC",
    "Microsoft YaHei",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)
_BOX = "□"


def families() -> list[str]:
    """Return the font families to write names in: those that are set, and what is installed besides."""
    installed = {font.name for font in fontManager.ttflist}
    return [*mpl.rcParams["font.family"], *(name for name in _MORE if name in installed)]


def drawable(text: str) -> str:
    """Return `text` with a box for each letter that no font of `families` has."""
    if text.isascii() and text.isprintable():
        return text
    fonts = _fonts()
    return "".join(letter if _is_there(letter, fonts) else _BOX for letter in text)


def _fonts() -> tuple[str, ...]:
    installed = {font.name for font in fontManager.ttflist}
    named = list(_spelled_out(families()))
    return tuple(findfont(FontProperties(family=name)) for name in named if name in installed)


def _spelled_out(names: Iterable[str]) -> Iterable[str]:
    """Yield the families, and for a kind of font such as sans-serif those that are set for it."""
    settings: Mapping[str, Any] = mpl.rcParams  # type: ignore[assignment]  # its keys are spelled out one by one
    for name in names:
        yield from settings.get(f"font.{name}", [name])


@cache
def _is_there(letter: str, fonts: tuple[str, ...]) -> bool:
    return any(get_font(font).get_char_index(ord(letter)) for font in fonts)
