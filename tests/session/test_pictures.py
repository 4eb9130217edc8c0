"""Figures, images and arrays: which are pictures, and that a decoder reads back what was drawn."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib.axes
import matplotlib.figure
import numpy as np
import PIL.Image
import pytest

from cometnb.session.content import pieces_of
from cometnb.session.piece import Piece


def _piece(value: Any) -> Piece:
    (piece,) = pieces_of(value, "{{value}}")
    return piece


def _decoded(piece: Piece) -> PIL.Image.Image:
    head, _, data = piece.part["image_url"].partition(",")
    assert head == f"data:{piece.media_type};base64"
    raw = base64.b64decode(data, validate=True)
    assert len(raw) == piece.size_bytes
    image = PIL.Image.open(io.BytesIO(raw))
    image.load()
    return image


def _figure(**how: Any) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    figure = matplotlib.figure.Figure(**how)
    return figure, figure.subplots()


def test_a_figure_is_a_png_of_its_own_size() -> None:
    """Inches times dots per inch."""
    figure, _ = _figure(figsize=(4, 3), dpi=50)
    piece = _piece(figure)
    assert (piece.kind, piece.media_type, piece.note) == ("image", "image/png", "")
    assert _decoded(piece).size == (200, 150)


def test_axes_stand_for_their_figure() -> None:
    """Also those of a figure within the figure."""
    figure, axes = _figure(figsize=(2, 1), dpi=50)
    assert _decoded(_piece(axes)).size == (100, 50)
    within = figure.add_subfigure(figure.add_gridspec(1, 2)[0])
    inner = within.subplots()
    assert _piece(within) == _piece(inner) == _piece(figure)


def test_a_large_figure_is_drawn_at_a_lower_resolution() -> None:
    """And the note says so."""
    piece = _piece(_figure(figsize=(40, 20), dpi=100)[0])
    assert _decoded(piece).size == (2048, 1024)
    assert piece.note == "scaled from 4000 × 2000 to 2048 × 1024 pixels"


def test_a_figure_is_drawn_alike_every_time() -> None:
    """So a recorded call finds its answer again."""
    figure, axes = _figure(figsize=(2, 2))
    axes.plot([1, 3, 2])
    assert _piece(figure) == _piece(figure)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "F"]
)
def test_an_image_of_any_mode_is_a_png(mode: str) -> None:
    """Of the same size."""
    piece = _piece(PIL.Image.new(mode, (7, 5)))
    assert piece.media_type == "image/png"
    assert _decoded(piece).size == (7, 5)


def test_a_photograph_stays_a_jpeg() -> None:
    """A PNG of it would be many times as large."""
    written = io.BytesIO()
    PIL.Image.new("RGB", (9, 8), "red").save(written, format="JPEG")
    piece = _piece(PIL.Image.open(written))
    assert piece.media_type == "image/jpeg"
    assert _decoded(piece).size == (9, 8)


@pytest.mark.parametrize("mode", ["P", "RGB", "1"])
def test_a_large_image_is_scaled_and_its_original_is_not(mode: str) -> None:
    """To 2048 pixels on its longer side."""
    image = PIL.Image.new(mode, (4096, 100))
    piece = _piece(image)
    assert _decoded(piece).size == (2048, 50)
    assert piece.note == "scaled from 4096 × 100 to 2048 × 50 pixels"
    assert image.size == (4096, 100)


@pytest.mark.parametrize(
    ("shape", "mode"), [((20, 30), "L"), ((20, 30, 1), "L"), ((20, 30, 3), "RGB"), ((8, 9, 4), "RGBA")]
)
def test_an_array_of_bytes_is_the_picture_it_holds(shape: tuple[int, ...], mode: str) -> None:
    """Pixel for pixel."""
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype="uint8")
    image = _decoded(_piece(pixels))
    assert image.mode == mode
    assert np.array_equal(np.asarray(image).reshape(shape), pixels)


def test_an_array_of_fractions_is_a_picture_too() -> None:
    """From 0 for black to 1 for full."""
    pixels = np.zeros((10, 10, 3))
    pixels[0, 0] = (1.0, 0.5, 0.0)
    assert _decoded(_piece(pixels)).getpixel((0, 0)) == (255, 128, 0)


def test_an_array_seen_sideways_is_drawn_as_it_is_seen() -> None:
    """A transposed view has other strides."""
    pixels = np.arange(20 * 40, dtype="uint16").reshape(20, 40).astype("uint8").T
    assert np.array_equal(np.asarray(_decoded(_piece(pixels))), pixels)


def test_a_large_array_is_averaged() -> None:
    """By whole pixels, and the note says so."""
    piece = _piece(np.full((3000, 1000), 200, dtype="uint8"))
    image = _decoded(piece)
    assert image.size == (500, 1500)
    assert image.getextrema() == (200, 200)
    assert piece.note == "scaled from 1000 × 3000 to 500 × 1500 pixels"


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype="uint8").reshape(2, 3),
        np.linspace(0, 2, 300).reshape(10, 10, 3),
        np.full((10, 10, 3), np.nan),
        np.zeros((10, 10, 5), dtype="uint8"),
        np.zeros((30, 30)),
        np.zeros((3, 100, 100), dtype="uint8"),
        np.array(["a", None], dtype=object),
        np.array([]),
        np.zeros(3, dtype=[("a", int), ("b", float)]),
        np.zeros((30, 30), dtype=complex),
        np.zeros((30, 30), dtype="datetime64[s]"),
    ],
)
def test_other_arrays_are_numbers(value: Any) -> None:
    """With their shape and dtype."""
    piece = _piece(value)
    assert piece.kind == "text"
    assert piece.text.startswith(f"Array, shape {value.shape}, dtype {value.dtype}")


def test_a_small_array_is_shown_whole() -> None:
    """Every value of it."""
    assert _piece(np.array([[1, 2], [3, 4]])).text == "Array, shape (2, 2), dtype int64\n[[1, 2],\n [3, 4]]"


def test_a_large_array_is_summed_up() -> None:
    """What is not finite is counted apart, and the corners are shown."""
    values = np.arange(10_000, dtype=float)
    values[1] = np.nan
    values[2] = np.inf
    piece = _piece(values.reshape(100, 100))
    assert "min 0.0, max 9999.0, mean 5000.5" in piece.text
    assert "not finite (NaN or infinite): 2 of 10,000" in piece.text
    assert "..." in piece.text
    assert len(piece.text) < 800
    assert "10,000 values" in piece.note


def test_a_mask_is_counted() -> None:
    """True and false have no mean that anybody asks for."""
    assert "true: 150 of 300" in _piece(np.arange(300) % 2 == 0).text
