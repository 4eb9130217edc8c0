"""Rows as DataFrames whose columns and dtypes come from a schema, and never from what the rows happen to hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from cometnb.errors import SchemaMismatchError
from cometnb.protocol.references import referred
from cometnb.session.schema_misfits import misfit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "are_objects", "columns_of", "frame_of_rows", "is_object", "plain_frame"]

_KINDS_OF_FORMAT = {"date": "date", "date-time": "datetime"}
_KINDS_OF_TYPE = {"integer": "Int64", "number": "float64", "boolean": "boolean", "string": "string"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a schema's frames.

    Attributes
    ----------
    name : str
        With dots for a field of an object inside the row: ``home.street``.
    path : tuple of str
        The properties that lead to the value from the row; empty if the row itself is the value.
    kind : str
        ``Int64``, ``float64``, ``boolean``, ``string``, ``date`` (datetime64[us]), ``datetime``
        (datetime64[us, tz]), ``category`` or ``object``.
    categories : tuple
        Of a category: the values, in order.
    is_ordered : bool
        Of a category.
    tz : str or None
        Of a datetime: its time zone; None is one without.
    """

    name: str
    path: tuple[str, ...]
    kind: str
    categories: tuple[Any, ...] = ()
    is_ordered: bool = False
    tz: str | None = "UTC"


def columns_of(node: Any, root: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of rows that fit a schema.

    Parameters
    ----------
    node : Mapping
        The schema of one row. An object's properties become columns, those of objects inside it too, joined with
        dots; lists, unions and objects that hold themselves stay values of dtype object. A row that is no object
        becomes the one column ``value``.
    root : Mapping
        Where the references of `node` point to.
    """
    if not is_object(node, root):
        return (_column("value", (), node, root),)
    columns = tuple(_columns((), node, root, frozenset(["#"]) if node is root else frozenset()))
    counted = Counter(column.name for column in columns)
    if len(counted) < len(columns):
        # A property's name has a dot, and says the same as a path.
        return tuple(_column(name, (name,), inner, root) for name, inner in _properties(node, root).items())
    return columns


def is_object(node: Any, root: Mapping[str, Any]) -> bool:
    """Tell whether a schema describes one kind of object, null aside."""
    shapes = _shapes(node, root)
    return len(shapes) == 1 and bool(shapes[0].get("properties"))


def are_objects(node: Any, root: Mapping[str, Any]) -> bool:
    """Tell whether all that a schema takes is objects, of one kind or several, and never null."""
    shapes = _shapes(node, root)
    kinds = {"object" if shape.get("properties") else shape.get("type") for shape in shapes}
    return kinds == {"object"} and misfit(None, node, root) is not None


def frame_of_rows(
    rows: Iterable[Any], columns: Sequence[Column], *, is_tolerant: bool = False
) -> pd.DataFrame:
    """Return rows as a frame.

    Parameters
    ----------
    rows : iterable of dict
        Plain JSON. What is absent is missing in the frame; what the columns do not name is left out.
    columns : sequence of Column
        The columns, in this order, whatever the rows hold.
    is_tolerant : bool
        True makes missing what does not fit its column, as for rows that were not checked yet.

    Returns
    -------
    DataFrame
        Shape (rows, columns), index 0 to n - 1. Dtypes: Int64, float64, boolean, string, datetime64[us],
        datetime64[us, UTC], category, object. Without rows it has the same columns and dtypes.

    Raises
    ------
    SchemaMismatchError
        If a value has no place in its column's dtype, such as an integer of more than 64 bits.
    """
    import pandas as pd

    held = list(rows)
    arrays = {}
    for column in columns:
        values = [_at(row, column.path) for row in held]
        arrays[column.name] = _array(values, column, is_tolerant=is_tolerant)
    return pd.DataFrame(arrays, index=pd.RangeIndex(len(held)))


def plain_frame(value: Any) -> pd.DataFrame:
    """Return plain JSON as a frame with the dtypes that pandas finds: for answers without a schema.

    A list of objects gives a row each, and so does an object whose one property is such a list; any other object is
    one row, and values that are no objects go into the column ``value``.
    """
    import pandas as pd

    if isinstance(value, dict) and len(value) == 1:
        (inner,) = value.values()
        value = inner if isinstance(inner, list) and all(isinstance(one, dict) for one in inner) else value
    rows = value if isinstance(value, list) else [value]
    return pd.DataFrame([row if isinstance(row, dict) else {"value": row} for row in rows])


# Schema to columns.


def _shapes(node: Any, root: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the plain schemas a schema stands for: references followed, alternatives apart, null left out."""
    if not isinstance(node, Mapping):
        return []
    if "$ref" in node:
        target = str(node["$ref"])
        if target in seen:
            return []
        return _shapes(referred(target, root), root, seen | {target})
    alternatives = [*(node.get("anyOf") or ()), *(node.get("oneOf") or ())]
    if alternatives:
        return [shape for one in alternatives for shape in _shapes(one, root, seen)]
    parts = [shape for part in node.get("allOf") or () for shape in _shapes(part, root, seen)]
    if parts:
        merged: dict[str, Any] = {}
        for part in [*parts, {name: value for name, value in node.items() if name != "allOf"}]:
            both = {**(merged.get("properties") or {}), **(part.get("properties") or {})}
            merged = {**merged, **part, **({"properties": both} if both else {})}
        return [merged]
    return [] if node.get("type") == "null" or node.get("const", "") is None else [dict(node)]


def _properties(node: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_shapes(node, root)[0]["properties"])


def _columns(
    path: tuple[str, ...], node: Any, root: Mapping[str, Any], above: frozenset[str]
) -> Iterator[Column]:
    above |= _references(node)
    for name, inner in _properties(node, root).items():
        place = (*path, name)
        if is_object(inner, root) and not above & _references(inner):
            yield from _columns(place, inner, root, above)
        else:
            yield _column(".".join(place), place, inner, root)


def _references(node: Any) -> frozenset[str]:
    """Return the references that stand for a schema, itself or as an alternative."""
    if not isinstance(node, Mapping):
        return frozenset()
    inner = [*(node.get("anyOf") or ()), *(node.get("oneOf") or ()), *(node.get("allOf") or ())]
    found = {str(node["$ref"])} if "$ref" in node else set()
    return frozenset(found).union(*map(_references, inner))


def _column(name: str, path: tuple[str, ...], node: Any, root: Mapping[str, Any]) -> Column:
    shapes = _shapes(node, root)
    named = [_choices(shape) for shape in shapes]
    if named and all(one is not None for one in named):
        choices = tuple(value for one in named for value in one or () if value is not None)
        if len(set(map(type, choices))) == 1 and type(choices[0]) in (str, int, float):
            return Column(name, path, "category", tuple(dict.fromkeys(choices)))
    kinds = {_kind(shape) for shape in shapes}
    if kinds == {"Int64", "float64"}:
        kinds = {"float64"}
    return Column(name, path, kinds.pop() if len(kinds) == 1 else "object")


def _choices(shape: Mapping[str, Any]) -> list[Any] | None:
    if "const" in shape:
        return [shape["const"]]
    return list(shape["enum"]) if "enum" in shape else None


def _kind(shape: Mapping[str, Any]) -> str:
    given = shape.get("type")
    types = [one for one in (given if isinstance(given, list) else [given]) if one != "null"]
    if sorted(map(str, types)) == ["integer", "number"]:
        types = ["number"]
    if len(types) != 1:
        return "object"
    if types[0] == "string":
        return _KINDS_OF_FORMAT.get(str(shape.get("format")), "string")
    return _KINDS_OF_TYPE.get(str(types[0]), "object")


# Values to arrays.


def _at(row: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


def _array(values: list[Any], column: Column, *, is_tolerant: bool) -> Any:
    import numpy as np
    import pandas as pd

    if column.kind == "object":
        # One by one: numpy would make a table of lists of one length.
        array = np.empty(len(values), dtype=object)
        for n, value in enumerate(values):
            array[n] = value
        # A bare array of texts would become text.
        return pd.Series(array, dtype=object)
    fitting = list(_fitting(values, column, is_tolerant=is_tolerant))
    if column.kind == "category":
        dtype = pd.CategoricalDtype(list(column.categories), ordered=column.is_ordered)
        return pd.Categorical(fitting, dtype=dtype)
    if column.kind in ("date", "datetime"):
        moments = pd.DatetimeIndex(np.array(fitting, dtype="datetime64[us]"))
        if column.kind == "date" or column.tz is None:
            return moments
        return moments.tz_localize("UTC").tz_convert(column.tz)
    if column.kind == "string":
        return pd.array(fitting, dtype=pd.StringDtype("python"))
    if column.kind == "float64":
        return np.array([np.nan if value is None else value for value in fitting], dtype=np.float64)
    return pd.array(fitting, dtype="Int64" if column.kind == "Int64" else "boolean")


def _fitting(values: list[Any], column: Column, *, is_tolerant: bool) -> Iterator[Any]:
    for n, value in enumerate(values):
        try:
            yield None if value is None else _CONVERSIONS[column.kind](value, column)
        except (ValueError, TypeError, OverflowError):
            if not is_tolerant:
                place = f"$[{n}].{column.name}"
                raise SchemaMismatchError(
                    f"{str(value)[:80]!r} in row {n} does not fit the column {column.name!r} ({column.kind}).",
                    "Take the values themselves: response.parsed.",
                    place=place,
                    value=value,
                ) from None
            yield None


def _integer(value: Any, column: Column) -> int:
    number = int(_float(value, column)) if isinstance(value, float) else value
    if isinstance(value, bool) or not isinstance(number, int) or number != value:
        raise TypeError
    if abs(number) >= 2**63:
        raise OverflowError
    return number


def _float(value: Any, column: Column) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _boolean(value: Any, column: Column) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _string(value: Any, column: Column) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _date(value: Any, column: Column) -> datetime:
    found = date.fromisoformat(value)
    return datetime(found.year, found.month, found.day)  # noqa: DTZ001  # a day has no time zone


def _moment(value: Any, column: Column) -> datetime:
    """Read a moment as UTC without its zone; one that names no zone is taken as UTC."""
    found = datetime.fromisoformat(value)
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _category(value: Any, column: Column) -> Any:
    if isinstance(value, bool) or value not in column.categories:
        raise ValueError
    return value


_CONVERSIONS: dict[str, Callable[[Any, Column], Any]] = {
    "Int64": _integer,
    "float64": _float,
    "boolean": _boolean,
    "string": _string,
    "date": _date,
    "datetime": _moment,
    "category": _category,
}
