"""Tables of any kind into a pandas DataFrame, and results back into the same kind."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from cometnb._extras import extra
from cometnb.errors import CellError, CometWarning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Back", "pandas_of"]

Back: TypeAlias = Callable[["pd.DataFrame"], Any]
"""Turns a result into the kind of table that was given."""


def pandas_of(data: Any) -> tuple[pd.DataFrame, Back]:
    """Return a table as a DataFrame, and what turns the result into its kind.

    Parameters
    ----------
    data : object
        A pandas DataFrame or Series, a polars DataFrame or Series, a pyarrow Table, or anything that offers its data
        by Arrow (``__arrow_c_stream__``) or by the DataFrame interchange (``__dataframe__``).

    Returns
    -------
    frame : DataFrame
        A Series becomes the column of its name, ``value`` if it has none.
    back : callable
        For polars and pyarrow it makes a table of that kind, without the index; else it changes nothing.

    Raises
    ------
    CellError
        If it is no table.
    MissingExtraError
        If the way from this kind to pandas needs pyarrow, and that is not installed.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data, _unchanged
    if isinstance(data, pd.Series):
        return data.to_frame("value" if data.name is None else data.name), _unchanged
    home = type(data).__module__.partition(".")[0]
    if home == "polars":
        return _from_polars(data)
    with extra("parquet", f"A {type(data).__module__}.{type(data).__qualname__} as a DataFrame"):
        if home == "pyarrow" and callable(getattr(data, "to_pandas", None)) and hasattr(data, "schema"):
            return data.to_pandas(), _kept(_to_pyarrow)
        if hasattr(data, "__arrow_c_stream__"):
            import pyarrow as pa

            return pa.table(data).to_pandas(), _unchanged
        if hasattr(data, "__dataframe__"):
            return pd.api.interchange.from_dataframe(data), _unchanged
    raise CellError(
        f"A {type(data).__module__}.{type(data).__qualname__} is no table with columns.",
        "Make a DataFrame of it: pd.DataFrame({'text': texts}).",
    )


def _from_polars(data: Any) -> tuple[pd.DataFrame, Back]:
    import pandas as pd

    whole = data.collect() if callable(getattr(data, "collect", None)) else data
    frame = whole if hasattr(whole, "columns") else whole.to_frame(whole.name or "value")
    # By way of Python's own values: without pyarrow, and with None where something is missing.
    columns = {name: pd.Series(frame[name].to_list(), dtype=object) for name in frame.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(frame.height)), _kept(_to_polars)


def _to_polars(result: pd.DataFrame) -> Any:
    import polars as pl  # type: ignore[import-not-found,unused-ignore]  # whoever gave its table has it

    return pl.from_pandas(result)


def _to_pyarrow(result: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(result, preserve_index=False)


def _kept(back: Back) -> Back:
    """Return a way back that gives the DataFrame itself where there is none: the answers are paid for."""

    def tried(result: pd.DataFrame) -> Any:
        try:
            return back(result)
        except Exception as error:  # noqa: BLE001  # a missing package, a column that the other library does not take
            warnings.warn(
                f"The result stays a pandas DataFrame: {type(error).__name__}: {error}",
                CometWarning,
                stacklevel=2,
            )
            return result

    return tried


def _unchanged(result: pd.DataFrame) -> pd.DataFrame:
    return result
