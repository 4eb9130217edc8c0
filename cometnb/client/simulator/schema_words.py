"""Reads what a schema says of a place: which types it takes, and what holds for a property."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.client.simulator.schema_check import matches
from cometnb.client.simulator.schema_merge import merged

__all__ = ["KINDS", "is_null", "kinds_of", "likely_kinds", "of_property"]

# The smallest first.
KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_KINDS_BY_WORD = {
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "minProperties",
    ),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema names."""
    told = schema.get("type")
    kinds = told if isinstance(told, list) else [told]
    return [kind for kind in kinds if kind in KINDS]


def likely_kinds(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a value may have, those that the schema's other words speak of first."""
    told = kinds_of(schema)
    if told:
        return told
    if "type" in schema:
        return []
    likely = [kind for kind, words in _KINDS_BY_WORD.items() if any(word in schema for word in words)]
    return list(dict.fromkeys([*likely, "string", "integer", "boolean", "null", "object", "array", "number"]))


def is_null(schema: Any) -> bool:
    """Tell whether a schema takes nothing but null."""
    return isinstance(schema, Mapping) and (schema.get("type") == "null" or schema.get("const", 0) is None)


def of_property(schema: Mapping[str, Any], name: str) -> Any:
    """Return what holds for a property: what is said of its name, of names like it, or of all others."""
    named = schema.get("properties") or {}
    like = (schema.get("patternProperties") or {}).items()
    fitting = [told for pattern, told in like if matches(name, pattern)]
    if name not in named and not fitting:
        return schema.get("additionalProperties", True)
    inner = named.get(name, True)
    for told in fitting:
        inner = merged(inner, told)
    return inner
