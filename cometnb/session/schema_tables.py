"""A DataFrame as what the rows of an answer shall be: its columns, their dtypes and their categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cometnb.errors import ParamError
from cometnb.session.schema_frames import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableForm", "form_of"]

_TYPES: dict[str, dict[str, Any]] = {
    "Int64": {"type": "integer"},
    "float64": {"type": "number"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}

# What pandas finds in a column of dtype object.
_OBJECTS = {
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "datetime64": "datetime",
    "empty": "string",
    "floating": "float64",
    "integer": "Int64",
    "string": "string",
}


# These are chosen because values may be missing.
_MASKED = frozenset(
    ["boolean", "Float32", "Float64", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
)


@dataclass(frozen=True, slots=True)
class TableForm:
    """What rows like those of a frame are, without a row of it.

    Attributes
    ----------
    schema : dict
        JSON Schema of the list of rows.
    columns : tuple of Column
        Of frames made of them, with time zones and the order of categories.
    """

    schema: dict[str, Any]
    columns: tuple[Column, ...]


def form_of(frame: pd.DataFrame) -> TableForm:
    """Return the form of a frame; the index is left out.

    Parameters
    ----------
    frame : DataFrame
        Integer, float, boolean, datetime64, category, string and object columns with names that are text; it may be
        empty. A column may be null where its dtype is made for that (Int64, Float64, boolean) or values are missing.

    Raises
    ------
    ParamError
        If a column's name or dtype has no place in a JSON Schema; names it.
    """
    names: list[Any] = list(frame.columns)
    if not names:
        raise ParamError(
            "The DataFrame has no columns.", "Give it the columns that the answer shall have.", param="schema"
        )
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong or len(set(names)) < len(names):
        raise ParamError(
            f"The DataFrame's columns {names!r:.80} are not different texts.",
            "Name them: df.columns = ['name', 'age'].",
            param="schema",
        )
    columns, properties = [], {}
    for name in names:
        column = _column(name, frame[name])
        is_category = column.kind == "category"
        node = {"enum": list(column.categories)} if is_category else dict(_TYPES[column.kind])
        if _may_be_missing(frame[name]):
            node = {"anyOf": [node, {"type": "null"}]}
        columns.append(column)
        properties[name] = node
    row = {
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }
    return TableForm({"type": "array", "items": row}, tuple(columns))


def _column(name: str, values: pd.Series[Any]) -> Column:
    import pandas as pd

    dtype = values.dtype
    path = (name,)
    if isinstance(dtype, pd.CategoricalDtype):
        categories = tuple(dtype.categories.tolist())
        if categories and not all(isinstance(one, str | int | float) for one in categories):
            raise _no_json(name, f"categories of dtype {dtype.categories.dtype}")
        if categories and all(isinstance(one, bool) for one in categories):
            return Column(name, path, "boolean")
        kind = "category" if categories else "string"
        return Column(name, path, kind, categories, is_ordered=bool(dtype.ordered))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return Column(name, path, "datetime", tz=str(dtype.tz))
    is_ = pd.api.types
    if is_.is_datetime64_dtype(dtype):
        return Column(name, path, "datetime", tz=None)
    if is_.is_bool_dtype(dtype):
        return Column(name, path, "boolean")
    if is_.is_integer_dtype(dtype):
        return Column(name, path, "Int64")
    if is_.is_float_dtype(dtype):
        return Column(name, path, "float64")
    if is_.is_object_dtype(dtype):
        return _found(name, values)
    if isinstance(dtype, pd.StringDtype) or is_.is_string_dtype(dtype):
        return Column(name, path, "string")
    raise _no_json(name, f"dtype {dtype}")


def _found(name: str, values: pd.Series[Any]) -> Column:
    """Return the column for a dtype that says nothing: the values tell, and text takes what has no other form."""
    import pandas as pd

    if any(isinstance(value, list | tuple | set | dict) for value in values):
        raise _no_json(name, "lists or mappings")
    kind = _OBJECTS.get(pd.api.types.infer_dtype(values, skipna=True), "string")
    return Column(name, (name,), kind, tz=None)


def _may_be_missing(values: pd.Series[Any]) -> bool:
    return str(values.dtype) in _MASKED or bool(values.isna().any())


def _no_json(name: str, what: str) -> ParamError:
    return ParamError(
        f"The column {name!r} holds {what}, which no JSON Schema says.",
        f"Make it text, df[{name!r}].astype(str), or describe the rows by a class.",
        param="schema",
    )
