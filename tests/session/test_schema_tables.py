"""DataFrames as schemas: what each dtype becomes, and that rows come back in the same dtypes."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cometnb.errors import ParamError
from cometnb.session.structured import schema_of


def _row(frame: pd.DataFrame) -> dict[str, Any]:
    properties: dict[str, Any] = schema_of(frame).schema["properties"]["rows"]["items"]["properties"]
    return properties


@pytest.mark.parametrize(
    ("values", "node", "dtype"),
    [
        (pd.Series([1, 2]), {"type": "integer"}, "Int64"),
        (pd.Series([1, 2], dtype="uint8"), {"type": "integer"}, "Int64"),
        (pd.Series([1.5]), {"type": "number"}, "float64"),
        (pd.Series([True]), {"type": "boolean"}, "boolean"),
        (pd.Series(["a"]), {"type": "string"}, "string"),
        (pd.Series(["a"], dtype=object), {"type": "string"}, "string"),
        (pd.Series(["a"], dtype="string"), {"type": "string"}, "string"),
        (pd.Series([], dtype=object), {"type": "string"}, "string"),
        (pd.Series([True], dtype=object), {"type": "boolean"}, "boolean"),
        (pd.Series(["b"], dtype=pd.CategoricalDtype(["c", "b"])), {"enum": ["c", "b"]}, "category"),
        (pd.Series([2], dtype=pd.CategoricalDtype([2, 1])), {"enum": [2, 1]}, "category"),
        (pd.Series([True], dtype="category"), {"type": "boolean"}, "boolean"),
        (
            pd.Series(pd.to_datetime(["2026-01-01"])),
            {"type": "string", "format": "date-time"},
            "datetime64[us]",
        ),
        (
            pd.Series(pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin")),
            {"type": "string", "format": "date-time"},
            "datetime64[us, Europe/Berlin]",
        ),
        (
            pd.Series([pd.Timestamp("2026-01-01").date()], dtype=object),
            {"type": "string", "format": "date"},
            "datetime64[us]",
        ),
    ],
)
def test_a_dtype_becomes_a_type(values: pd.Series[Any], node: dict[str, Any], dtype: str) -> None:
    """And comes back as the dtype for it that can hold missing values."""
    frame = pd.DataFrame({"x": values})
    assert _row(frame) == {"x": node}
    assert str(schema_of(frame).frame([])["x"].dtype) == dtype


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1], dtype="Int64"),
        pd.Series([True], dtype="boolean"),
        pd.Series([1.0, np.nan]),
        pd.Series(["a", None]),
        pd.Series([pd.NaT, pd.Timestamp("2026-01-01")]),
        pd.Series(["a", None], dtype="category"),
    ],
)
def test_what_may_be_missing_may_be_null(values: pd.Series[Any]) -> None:
    """Because the dtype is made for it, or because a value is."""
    assert _row(pd.DataFrame({"x": values}))["x"]["anyOf"][-1] == {"type": "null"}


def test_rows_come_back_as_a_frame_like_the_one_given() -> None:
    """Order of categories, time zones and names included; no row of the template is sent."""
    like = pd.DataFrame(
        {
            "name": ["secret"],
            "size": pd.Categorical(["S"], categories=["S", "M"], ordered=True),
            "at": pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin"),
        }
    )
    schema = schema_of(like)
    assert "secret" not in json.dumps(schema.schema)
    assert b"secret" not in pickle.dumps(schema)
    rows = [{"name": "a", "size": "M", "at": "2026-07-01T10:00:00Z"}]
    assert schema.parse(json.dumps({"rows": rows})) == rows
    frame = schema.frame(rows)
    assert list(frame.columns) == list(like.columns)
    assert (frame["size"] > "S").tolist() == [True]
    assert str(frame["at"][0]) == "2026-07-01 12:00:00+02:00"


def test_a_moment_without_a_zone_stays_without_one() -> None:
    """As in the frame it was made from."""
    schema = schema_of(pd.DataFrame({"at": pd.to_datetime(["2026-01-01"])}))
    frame = schema.frame([{"at": "2026-07-01T10:00:00Z"}, {"at": "2026-07-01T12:00:00+02:00"}])
    assert frame["at"].tolist() == [pd.Timestamp("2026-07-01T10:00:00")] * 2


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame([[1, 2]]), "not different texts"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "not different texts"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "not different texts"),
        (pd.DataFrame({"a": [[1]]}), "column 'a' holds lists or mappings"),
        (pd.DataFrame({"a": pd.to_timedelta([1])}), "column 'a' holds dtype timedelta64"),
        (pd.DataFrame({"a": [1j]}), "column 'a' holds dtype complex128"),
        (pd.DataFrame({"a": pd.cut([1, 2], 2)}), "column 'a' holds categories of dtype interval"),
    ],
)
def test_what_has_no_json_form_is_refused(frame: pd.DataFrame, words: str) -> None:
    """The column is named, and what to do."""
    with pytest.raises(ParamError, match=words) as raised:
        schema_of(frame)
    assert raised.value.next_step
