"""Small real PNG pictures, made from a number."""

from __future__ import annotations

import base64
import struct
import zlib

__all__ = ["png_base64"]

_MOST_PIXELS = 2048


def png_base64(start: int, width: int = 256, height: int = 256) -> str:
    """Return a PNG with a few bands of colour, in base64.

    Parameters
    ----------
    start : int
        Chooses the colours.
    width, height : int
        In pixels, at most 2,048.
    """
    width, height = (max(1, min(_MOST_PIXELS, side)) for side in (width, height))
    palette = b"".join(
        bytes(((start * 29 + n * 31) % 256, (start * 53 + n * 17) % 256, (90 + start * 7 + n * 23) % 256))
        for n in range(8)
    )
    row = b"\0" + bytes((x * 8 // width) % 8 for x in range(width))
    turned = b"\0" + bytes((x * 8 // width + 3) % 8 for x in range(width))
    rows = b"".join(turned if y * 4 // height % 2 else row for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)
    return base64.b64encode(data).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
