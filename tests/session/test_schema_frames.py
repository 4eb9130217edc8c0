"""Frames by a schema: which columns, which dtypes, and that neither depends on the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import SchemaMismatchError
from cometnb.session.schema_frames import columns_of, frame_of_rows, plain_frame

_ROW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "height_m": {"type": ["number", "null"]},
        "is_glad": {"type": "boolean"},
        "born": {"type": "string", "format": "date"},
        "seen_at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "mood": {"enum": ["sad", "glad", None]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "home": {"anyOf": [{"$ref": "#/$defs/Home"}, {"type": "null"}]},
        "any": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "$defs": {
        "Home": {
            "type": "object",
            "properties": {
                "street": {"type": "string"},
                "owner": {"$ref": "#"},
                "grade": {"type": "integer", "enum": [1, 2]},
            },
        }
    },
}
_DTYPES = {
    "name": "string",
    "age": "Int64",
    "height_m": "float64",
    "is_glad": "boolean",
    "born": "datetime64[us]",
    "seen_at": "datetime64[us, UTC]",
    "mood": "category",
    "tags": "object",
    "home.street": "string",
    "home.owner": "object",
    "home.grade": "category",
    "any": "object",
}
_COLUMNS = columns_of(_ROW, _ROW)
_FULL = {
    "name": "Ada",
    "age": 36,
    "height_m": 1,
    "is_glad": True,
    "born": "1815-12-10",
    "seen_at": "1852-11-27T01:00:00+01:00",
    "mood": "glad",
    "tags": ["a", "b"],
    "home": {"street": "St James's Square", "owner": {"name": "William"}, "grade": 2},
    "any": 3,
}


def _dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.mark.parametrize("rows", [[], [{}], [_FULL], [_FULL, {}, {"home": None, "mood": None}]])
def test_columns_and_dtypes_are_the_schema_s(rows: list[Any]) -> None:
    """For no rows, empty rows and full ones."""
    frame = frame_of_rows(rows, _COLUMNS)
    assert _dtypes(frame) == _DTYPES
    assert list(frame.index) == list(range(len(rows)))
    assert frame["mood"].cat.categories.tolist() == ["sad", "glad"]
    assert frame["home.grade"].cat.categories.tolist() == [1, 2]


def test_values_are_in_their_places() -> None:
    """Dates as dates, moments in UTC, lists and objects as they are."""
    (row,) = frame_of_rows([_FULL], _COLUMNS).to_dict("records")
    assert row["born"] == pd.Timestamp("1815-12-10")
    assert row["seen_at"] == pd.Timestamp("1852-11-27", tz="UTC")
    assert (row["age"], row["height_m"], row["is_glad"], row["mood"]) == (36, 1.0, True, "glad")
    assert (row["tags"], row["any"], row["home.owner"]) == (["a", "b"], 3, {"name": "William"})
    assert (row["home.street"], row["home.grade"]) == ("St James's Square", 2)


def test_what_is_absent_is_missing() -> None:
    """In every column, and never a zero, an empty text or False."""
    frame = frame_of_rows([{}], _COLUMNS)
    assert frame.isna().all(axis=None)


def test_lists_of_one_length_stay_lists() -> None:
    """They do not become a table of their own."""
    frame = frame_of_rows([{"tags": ["a", "b"]}, {"tags": ["c", "d"]}], _COLUMNS)
    assert frame["tags"].tolist() == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_dates_may_be_far_away(day: str) -> None:
    """A history lesson fits, too."""
    frame = frame_of_rows([{"born": day, "seen_at": f"{day}T00:00:00Z"}], _COLUMNS)
    assert str(frame["born"].to_numpy()[0])[:10] == day
    assert frame["seen_at"].notna().all()


@pytest.mark.parametrize(
    ("name", "value"), [("age", 2**63), ("age", 1.5), ("born", "long ago"), ("mood", "dull"), ("is_glad", 1)]
)
def test_what_does_not_fit_is_an_error_or_missing(name: str, value: Any) -> None:
    """An error names the place; a live frame goes on."""
    with pytest.raises(SchemaMismatchError, match=f"column '{name}'") as raised:
        frame_of_rows([{}, {name: value}], _COLUMNS)
    assert (raised.value.place, raised.value.value) == (f"$[1].{name}", value)
    frame = frame_of_rows([_FULL, {name: value}], _COLUMNS, is_tolerant=True)
    assert frame[name].isna().tolist() == [False, True]
    assert _dtypes(frame) == _DTYPES


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("2026-01-01"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["street", "x"]), inner),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(st.sampled_from(list(_ROW["properties"])), _ANYTHING), max_size=3))
def test_dtypes_never_depend_on_the_data(rows: list[Any]) -> None:
    """Not even on rows that break every rule."""
    frame = frame_of_rows(rows, _COLUMNS, is_tolerant=True)
    assert _dtypes(frame) == _DTYPES
    assert len(frame) == len(rows)


def test_a_schema_that_holds_itself_ends() -> None:
    """The object inside stays one value."""
    node: dict[str, Any] = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            "pair": {
                "type": "object",
                "properties": {"left": {"$ref": "#"}, "right": {"type": "string"}},
            },
        },
    }
    assert [(column.name, column.kind) for column in columns_of(node, node)] == [
        ("n", "Int64"), ("next", "object"), ("pair.left", "object"), ("pair.right", "string")
    ]  # fmt: skip


def test_names_that_meet_are_kept_apart() -> None:
    """Where a property's name has a dot and a path says the same, objects stay values."""
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    node = {"type": "object", "properties": {"a.b": {"type": "integer"}, "a": inner}}
    frame = frame_of_rows([{"a.b": 1, "a": {"b": "x"}}], columns_of(node, node))
    assert frame.to_dict("records") == [{"a.b": 1, "a": {"b": "x"}}]


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ({"type": "integer"}, "Int64"),
        ({"type": ["integer", "number"]}, "float64"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "float64"),
        ({"allOf": [{"type": "string"}, {"format": "date"}]}, "date"),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "category"),
        ({"enum": [True, False], "type": "boolean"}, "boolean"),
        ({"enum": [1, "a"]}, "object"),
        ({"type": "null"}, "object"),
        ({"type": "string", "format": "uuid"}, "string"),
    ],
)
def test_a_row_that_is_no_object_is_one_column(node: dict[str, Any], kind: str) -> None:
    """Called value."""
    (column,) = columns_of(node, node)
    assert (column.name, column.kind, column.path) == ("value", kind, ())


def test_plain_json_becomes_rows() -> None:
    """A list, an object with one list in it, an object, a value."""
    rows = [{"a": 1}, {"a": 2}]
    assert plain_frame(rows)["a"].tolist() == [1, 2]
    assert plain_frame({"rows": rows})["a"].tolist() == [1, 2]
    assert plain_frame({"a": 1, "rows": rows}).shape == (1, 2)
    assert plain_frame([1, 2])["value"].tolist() == [1, 2]
    assert plain_frame("x")["value"].tolist() == ["x"]
    assert plain_frame({"rows": []}).empty


def test_whole_numbers_may_be_written_as_floats() -> None:
    """JSON does not tell 3.0 from 3."""
    frame = frame_of_rows([{"age": 3.0, "height_m": 2}], _COLUMNS)
    assert frame["age"].tolist() == [3]
    assert frame["height_m"].dtype == np.float64
