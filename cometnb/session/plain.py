"""Python's own values as JSON: lists, dicts, sets, dataclasses, pydantic models and what they hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import json
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any

__all__ = ["WRITTEN", "as_json", "has_json"]

# Their `str` is how they are written everywhere.
WRITTEN: tuple[type, ...] = (
    int,
    float,
    complex,
    type(None),
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
)


def has_json(value: Any) -> bool:
    """Tell whether `as_json` takes a value of this kind."""
    return isinstance(value, list | tuple | Mapping | AbstractSet) or _fields(value) is not None


def as_json(value: Any) -> str:
    """Return a value as indented JSON.

    Sets are sorted lists; dataclasses and pydantic models are objects of their fields; dates, paths and
    decimals are strings; numpy scalars and arrays are numbers and lists.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If it holds something else, holds itself, or is nested too deep.
    """
    return json.dumps(_outer(value), ensure_ascii=False, indent=2, default=_inner)


def _outer(value: Any) -> Any:
    # json.dumps would write a tuple with named fields without its names.
    return value if isinstance(value, list | dict) or type(value) is tuple else _inner(value)


def _inner(value: Any) -> Any:
    """Return what stands for a value json.dumps does not know."""
    fields = _fields(value)
    if fields is not None:
        return fields
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet):
        return _sorted(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (PurePath, *WRITTEN)):
        return str(value)
    if callable(getattr(type(value), "tolist", None)) and hasattr(value, "dtype"):
        return value.tolist()
    raise TypeError(f"it holds a {type(value).__module__}.{type(value).__qualname__}")


def _fields(value: Any) -> dict[str, Any] | None:
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    if hasattr(type(value), "model_fields") and callable(getattr(value, "model_dump", None)):
        return dict(value.model_dump())
    return None


def _sorted(values: AbstractSet[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)
