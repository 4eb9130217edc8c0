"""Tables in a prompt: what is shown of them, what is left out, and that nothing breaks on odd ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.session.content import pieces_of
from cometnb.session.piece import Piece


def _piece(value: Any) -> Piece:
    (piece,) = pieces_of(value, "{{value}}")
    return piece


def _rows(text: str) -> list[list[str]]:
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]


def _count(n_columns: int) -> str:
    return "1 column" if n_columns == 1 else f"{n_columns} columns"


def test_a_small_frame_is_shown_whole() -> None:
    """Shape, dtypes, and every cell under its column."""
    frame = pd.DataFrame({"n": [1, 2], "x": [0.1, 2.5]}, index=pd.Index(["a", "b"], name="key"))
    assert _piece(frame).text == (
        "DataFrame, 2 rows × 2 columns\n"
        "dtypes: n int64, x float64\n"
        "\n"
        "| key | n | x |\n"
        "| --- | --- | --- |\n"
        "| a | 1 | 0.1 |\n"
        "| b | 2 | 2.5 |"
    )
    assert _piece(frame).note == ""


def test_of_a_long_frame_the_first_and_last_ten_rows_are_shown() -> None:
    """It says how many are left out, in the text and in the note."""
    piece = _piece(pd.DataFrame({"n": range(1000)}))
    rows = _rows(piece.text)[2:]
    assert [row[0] for row in rows] == [
        *map(str, range(10)), "… 980 more rows", *map(str, range(990, 1000))
    ]  # fmt: skip
    assert piece.note == "980 of 1,000 rows left out"


def test_of_a_wide_frame_the_first_and_last_twenty_columns_are_shown() -> None:
    """With a gap between them."""
    piece = _piece(pd.DataFrame([range(100)], columns=[f"c{n}" for n in range(100)]))
    head, _, row = _rows(piece.text)
    assert head[1:] == [*(f"c{n}" for n in range(20)), "…", *(f"c{n}" for n in range(80, 100))]
    assert row[1:] == [*map(str, range(20)), "…", *map(str, range(80, 100))]
    assert piece.note == "60 of 100 columns left out"


def test_twenty_rows_are_not_cut() -> None:
    """The bound itself is allowed; one more is not."""
    assert _piece(pd.DataFrame({"n": range(20)})).note == ""
    assert _piece(pd.DataFrame({"n": range(21)})).note == "1 of 21 rows left out"


def test_missing_values_are_seen_and_counted() -> None:
    """Each as pandas writes it, and none as an empty cell."""
    frame = pd.DataFrame(
        {
            "f": [math.nan, 1.0],
            "i": pd.array([None, 1], dtype="Int64"),
            "t": pd.Series([pd.NaT, pd.Timestamp("2026-03-01")]),
            "o": pd.Series([None, "x"], dtype=object),
        }
    )
    text = _piece(frame).text
    assert "missing values: f 1, i 1, t 1, o 1" in text
    assert _rows(text)[2] == ["0", "NaN", "<NA>", "NaT", "None"]


def test_a_cell_cannot_break_the_table() -> None:
    """Bars are escaped, ends of lines are <br>, and a long text is cut and says so."""
    text = _piece(pd.DataFrame({"a|b": ["x|y\nz", "w" * 300]})).text
    assert "| 0 | x\\|y<br>z |" in text
    assert "w" * 200 + "… [100 characters left out]" in text
    assert "w" * 201 not in text


def test_levels_and_repeated_names_are_shown() -> None:
    """Several levels of labels, and two columns of one name."""
    frame = pd.DataFrame(
        [[1, 2]], columns=["a", "a"], index=pd.MultiIndex.from_tuples([("x", 1)], names=["p", "q"])
    )
    head, _, row = _rows(_piece(frame).text)
    assert head == ["p / q", "a", "a"]
    assert row == ["('x', 1)", "1", "2"]


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2])])
def test_an_empty_frame_says_its_shape(frame: pd.DataFrame) -> None:
    """No rows, no columns, or neither."""
    assert _piece(frame).text.startswith(f"DataFrame, {len(frame)} rows × {_count(len(frame.columns))}")


def test_a_series_shows_its_name_length_dtype_and_labels() -> None:
    """And is cut as a frame is."""
    piece = _piece(pd.Series([1.5, None] * 50, name="weight", index=pd.RangeIndex(100, name="k")))
    assert piece.text.startswith(
        "Series weight, 100 values, dtype float64\nmissing values: 50\n\n| k | weight |"
    )
    assert "| 1 | NaN |" in piece.text
    assert piece.note == "80 of 100 rows left out"


def test_an_index_shows_its_labels() -> None:
    """At most sixty."""
    assert (
        _piece(pd.Index(["a", "b"], name="k")).text
        == f"Index k, 2 labels, dtype {pd.Index(['a']).dtype}\na, b"
    )
    piece = _piece(pd.RangeIndex(100))
    assert "28, 29, … 40 more labels …, 70, 71" in piece.text
    assert piece.note == "40 of 100 labels left out"


_COLUMNS = st.sampled_from(
    [
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.text(),
        st.booleans(),
        st.none() | st.text(),
        st.dates(),
        st.lists(st.integers(), max_size=3),
    ]
)


@given(st.data(), st.lists(st.text(max_size=8), max_size=6, unique=True), st.integers(0, 30))
def test_any_frame_gives_a_text_with_all_its_columns(
    data: st.DataObject, names: list[str], n_rows: int
) -> None:
    """Whatever the columns are called and hold."""
    columns = {
        name: pd.Series(
            data.draw(st.lists(data.draw(_COLUMNS), min_size=n_rows, max_size=n_rows)), dtype=object
        )
        for name in names
    }
    frame = pd.DataFrame(columns).infer_objects() if columns else pd.DataFrame(index=range(n_rows))
    text = _piece(frame).text
    assert f" × {_count(len(names))}" in text.splitlines()[0]
    for name in names:
        assert (
            name.replace("|", "\\|").replace("\r\n", "\n").replace("\n", "<br>").replace("\r", "<br>") in text
        )


@given(st.integers(0, 200))
def test_what_is_shown_and_what_is_left_out_add_up(n_rows: int) -> None:
    """For a frame of any length."""
    rows = _rows(_piece(pd.DataFrame({"n": np.arange(n_rows)})).text)[2:]
    shown = [int(row[1]) for row in rows if not row[0].startswith("…")]
    gaps = [int(row[0].split()[1]) for row in rows if row[0].startswith("…")]
    assert shown == sorted(set(shown))
    assert len(shown) + sum(gaps) == n_rows


def test_a_polars_frame_is_shown_alike() -> None:
    """It has no index."""
    polars = pytest.importorskip("polars", reason="polars is not installed")
    piece = _piece(polars.DataFrame({"n": range(25), "t": [None, *["x|y"] * 24]}))
    assert piece.text.startswith(
        "DataFrame (polars), 25 rows × 2 columns\ndtypes: n Int64, t String\nmissing values: t 1\n\n| n | t |"
    )
    assert "| 1 | x\\|y |" in piece.text
    assert piece.note == "5 of 25 rows left out"
    assert "| n |" in _piece(polars.Series("n", [1])).text
