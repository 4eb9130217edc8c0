"""Tables of other libraries come in, and results go back as what came."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pytest

from cometnb.errors import CellError, CometWarning, MissingExtraError
from cometnb.session.batch.tables import pandas_of


def test_a_dataframe_is_taken_as_it_is() -> None:
    """No copy, no change."""
    frame = pd.DataFrame({"a": [1]})
    found, back = pandas_of(frame)
    assert found is frame
    assert back(frame) is frame


@pytest.mark.parametrize(("name", "column"), [("text", "text"), (None, "value")])
def test_a_series_is_a_column(name: str | None, column: str) -> None:
    """Of its name, or `value`."""
    found, _ = pandas_of(pd.Series(["x"], name=name, index=[5]))
    assert list(found.columns) == [column]
    assert list(found.index) == [5]


def test_polars_gets_polars_back() -> None:
    """With None where something is missing, also among whole numbers."""
    pl = pytest.importorskip("polars")
    found, back = pandas_of(pl.DataFrame({"a": [1, None], "b": ["x", None]}))
    assert found["a"].tolist() == [1, None]
    result = back(pd.DataFrame({"n": pd.array([1, None], "Int64"), "t": pd.array(["x", None], "string")}))
    assert result.to_dict(as_series=False) == {"n": [1, None], "t": ["x", None]}
    series, _ = pandas_of(pl.Series("words", ["x"]))
    assert list(series.columns) == ["words"]
    assert pandas_of(pl.LazyFrame({"a": [1]}))[0]["a"].tolist() == [1]


def test_a_result_without_a_way_back_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was paid for: a package that is missing at the end costs a warning."""
    pl = pytest.importorskip("polars")
    _, back = pandas_of(pl.DataFrame({"a": [1]}))
    result = pd.DataFrame({"n": [1]})
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.warns(CometWarning, match="stays a pandas DataFrame"):
        assert back(result) is result


def test_arrow_gets_arrow_back() -> None:
    """Without an index, which a table has not."""
    pa = pytest.importorskip("pyarrow")
    found, back = pandas_of(pa.table({"a": [1, 2]}))
    assert found["a"].tolist() == [1, 2]
    assert back(pd.DataFrame({"n": [1]}, index=[9])).to_pydict() == {"n": [1]}


class _Arrow:
    """A table that offers its data by Arrow and nothing else."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def test_any_table_comes_by_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what is missing where pyarrow is."""
    pa = pytest.importorskip("pyarrow")
    offered = _Arrow(pa.table({"a": [1, 2]}))
    assert pandas_of(offered)[0]["a"].tolist() == [1, 2]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        pandas_of(offered)


@pytest.mark.parametrize("data", [["a"], {"a": [1]}, "text", None, 5])
def test_what_is_no_table_says_how_to_make_one(data: Any) -> None:
    """Lists and dicts have no columns of one length, or none at all."""
    with pytest.raises(CellError, match="no table with columns"):
        pandas_of(data)
