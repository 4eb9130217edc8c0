"""What a schema can be made from, brought into one form: a JSON Schema, and the ways from JSON to values and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from cometnb.errors import ParamError, SchemaMismatchError
from cometnb.protocol.schema_form import check_form
from cometnb.session.schema_frames import Column
from cometnb.session.schema_misfits import Misfit, misfit

__all__ = ["ASK_AGAIN", "Kind", "api_name", "from_json_schema", "shown"]

ASK_AGAIN = "Ask again, or let the schema allow it."
"""What to do about an answer that does not fit."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_MOST_CHARACTERS = 64

# A mapping with none of these describes nothing.
_WORDS = frozenset(["type", "properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "items"])


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """What the answer shall be.

    Attributes
    ----------
    name : str
        For the API.
    schema : Mapping
        JSON Schema of the value; any type may be at its root.
    load : callable
        From JSON, and what to call its place, to the value; raises SchemaMismatchError if it does not fit.
    dump : callable
        From the value back to JSON.
    dumped : Mapping
        JSON Schema of what `dump` returns, for columns.
    columns : tuple of Column or None
        Of frames, where they are known from elsewhere.
    """

    name: str
    schema: Mapping[str, Any]
    load: Callable[[Any, str], Any]
    dump: Callable[[Any], Any]
    dumped: Mapping[str, Any]
    columns: tuple[Column, ...] | None = None


def api_name(*given: Any) -> str:
    """Return the first of these that can be a name for the API, of letters, digits, _ and -, at most 64."""
    for one in given:
        name = _NOT_IN_NAMES.sub("_", str(one or "")).strip("_")[:_MOST_CHARACTERS]
        if name:
            return name
    return "answer"


def from_json_schema(
    given: Mapping[str, Any], name: str = "", columns: tuple[Column, ...] | None = None
) -> Kind:
    """Return the kind of a JSON Schema; its values are plain JSON.

    Parameters
    ----------
    given : Mapping
        A schema, or the API's form around one: ``{"name": …, "schema": …}``.
    name : str
        For the API, before the schema's title.
    columns : tuple of Column, optional
        Of frames, if they are known better than the schema says.

    Raises
    ------
    ParamError
        If it is no schema.
    """
    inner = given.get("json_schema", given)
    inner = inner if isinstance(inner, Mapping) else given
    if isinstance(inner.get("schema"), Mapping) and not _WORDS & (set(inner) - {"type"}):
        name, given = name or str(inner.get("name") or ""), inner["schema"]
    if not _WORDS & set(given):
        raise ParamError(
            f"The mapping {shown(given)} is no JSON Schema.",
            "Write {'type': 'object', 'properties': {'name': {'type': 'string'}}}, or one line: 'name, age int'.",
            param="schema",
        )
    check_form(given)
    # The caller may go on changing it.
    schema = deepcopy(dict(given))

    def load(value: Any, place: str) -> Any:
        found = misfit(value, schema, schema, place)
        if found is not None:
            raise _mismatch(found)
        return value

    return Kind(api_name(name, schema.get("title")), schema, load, _unchanged, schema, columns)


def shown(value: Any) -> str:
    """Return a value as an error names it, in at most 80 characters."""
    text = value.__name__ if isinstance(value, type) else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _mismatch(found: Misfit) -> SchemaMismatchError:
    fact = f"{shown(found.value)} at {found.place} does not fit the schema: it {found.reason}."
    if found.is_missing:
        fact = f"{found.place} is missing."
    return SchemaMismatchError(fact, ASK_AGAIN, place=found.place, value=found.value)
