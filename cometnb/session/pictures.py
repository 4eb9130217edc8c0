"""Figures, images and arrays: as a PNG or JPEG where they are pictures, else as numbers."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import Any

from cometnb.session.piece import Piece, image_of, text_of

__all__ = ["LONGEST_SIDE_PX", "array", "axes", "figure", "pillow_image"]

LONGEST_SIDE_PX = 2048

_MOST_VALUES = 200
# A smaller grid of bytes is taken for numbers, a larger one for a picture.
_SMALLEST_GREY_PX = 16
_SMALLEST_COLOUR_PX = 8
_JPEG_QUALITY = 95
_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
# Channels: the colour type of the PNG format.
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def figure(value: Any) -> Piece:
    """Return a matplotlib Figure as a PNG, at its own resolution or the one that keeps it to 2048 pixels."""
    dpi = float(value.dpi)
    wanted_px = [round(inches * dpi) for inches in value.get_size_inches()]
    scale = min(1.0, LONGEST_SIDE_PX / max(1, *wanted_px))
    drawn = io.BytesIO()
    # Without the version of the library two runs give the same bytes.
    value.savefig(drawn, format="png", dpi=dpi * scale, metadata={"Software": None})
    data = drawn.getvalue()
    note = _scaled(wanted_px, struct.unpack(">II", data[16:24])) if scale < 1 else ""
    return image_of(data, "The figure", note)


def axes(value: Any) -> Piece:
    """Return the whole figure that matplotlib Axes or a SubFigure belong to, as a PNG; a Figure is its own."""
    owner = value
    while not hasattr(owner, "savefig"):
        owner = owner.figure
    return figure(owner)


def pillow_image(value: Any) -> Piece:
    """Return a PIL Image: JPEG if it was opened from one, else PNG; at most 2048 pixels a side."""
    kept, note = value, ""
    scale = LONGEST_SIDE_PX / max(1, *value.size)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in value.size]
        kept = (
            value.convert("RGBA" if "transparency" in value.info else "RGB") if value.mode == "P" else value
        )
        kept = kept.resize(size)
        note = _scaled(value.size, size)
    kind = "JPEG" if value.format == "JPEG" and kept.mode in ("L", "RGB") else "PNG"
    if kind == "PNG" and kept.mode not in _PNG_MODES:
        kept = kept.convert("RGBA" if kept.mode in ("RGBa", "PA") else "RGB")
    written = io.BytesIO()
    kept.save(written, format=kind, **({"quality": _JPEG_QUALITY} if kind == "JPEG" else {}))
    return image_of(written.getvalue(), "The image", note)


def array(value: Any) -> Piece:
    """Return a numpy array: as a PNG if it is a picture, else its values, or shape, summary and corner.

    A picture is ``(height, width)`` of uint8, or ``(height, width, 1, 3 or 4)`` of uint8 or of floats from 0 to 1.
    """
    pixels = _pixels(value)
    if pixels is None:
        return _numbers(value)
    step = math.ceil(max(pixels.shape[:2]) / LONGEST_SIDE_PX)
    small = _averaged(pixels, step) if step > 1 else pixels
    note = _scaled(pixels.shape[1::-1], small.shape[1::-1]) if step > 1 else ""
    return image_of(_png(small), "The array", note)


def _pixels(value: Any) -> Any:
    """Return ``(height, width, channels)`` of uint8; None if the array is no picture."""
    shape, is_bytes = value.shape, value.dtype == "uint8"
    if value.ndim == 2 and is_bytes and min(shape) >= _SMALLEST_GREY_PX:
        return value[:, :, None]
    if value.ndim != 3 or shape[2] not in _COLOUR_TYPES or min(shape[:2]) < _SMALLEST_COLOUR_PX:
        return None
    if is_bytes:
        return value
    # A NaN fails both comparisons.
    if value.dtype.kind == "f" and bool(((value >= 0) & (value <= 1)).all()):
        return (value * 255).round().astype("uint8")
    return None


def _averaged(pixels: Any, step: int) -> Any:
    high, wide = (min(step, side) for side in pixels.shape[:2])
    height, width, channels = pixels.shape[0] // high, pixels.shape[1] // wide, pixels.shape[2]
    blocks = pixels[: height * high, : width * wide].reshape(height, high, width, wide, channels)
    return blocks.mean(axis=(1, 3)).round().astype("uint8")


def _png(pixels: Any) -> bytes:
    height, width, channels = pixels.shape
    # Every row starts with its filter, and 0 is none.
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _numbers(value: Any) -> Piece:
    import numpy as np

    head = f"Array, shape {value.shape}, dtype {value.dtype}"
    if value.size <= _MOST_VALUES:
        return text_of(f"{head}\n{np.array2string(value, threshold=_MOST_VALUES, separator=', ')}")
    corner = np.array2string(value, threshold=0, edgeitems=3, separator=", ")
    note = f"the first and last 3 along each axis, of {value.size:,} values"
    return text_of("\n".join([head, *_summary(value), corner]), note=note)


def _summary(value: Any) -> list[str]:
    if value.dtype.kind == "b":
        return [f"true: {int(value.sum()):,} of {value.size:,}"]
    if value.dtype.kind not in "iuf":
        return []
    import numpy as np

    finite = value[np.isfinite(value)]
    left = value.size - finite.size
    others = [f"not finite (NaN or infinite): {left:,} of {value.size:,}"] if left else []
    if not finite.size:
        return others
    mean = finite.mean(dtype="float64")
    return [f"min {finite.min()}, max {finite.max()}, mean {mean:.6g}", *others]


def _scaled(before: Any, after: Any) -> str:
    return f"scaled from {before[0]} × {before[1]} to {after[0]} × {after[1]} pixels"
