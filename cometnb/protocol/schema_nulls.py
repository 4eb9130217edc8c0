"""Nulls that stand for "absent" in an answer of strict mode, taken away again.

Strict mode wants every property; what the original schema lets be absent comes as null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.protocol.references import referred

__all__ = ["restored", "takes_null"]


def takes_null(node: Mapping[str, Any]) -> bool:
    """Tell whether a schema without references takes null."""
    if "anyOf" in node:
        return any(takes_null(one) for one in node["anyOf"])
    kinds = node.get("type")
    named = "null" in kinds if isinstance(kinds, list) else kinds == "null"
    return named or None in (node.get("enum") or ()) or ("const" in node and node["const"] is None)


def restored(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """Return `value` without the nulls of properties that `schema` lets be absent and does not let be null.

    Parameters
    ----------
    value : object
        JSON as an answer in strict mode gave it; it is not changed.
    schema : Mapping
        The schema before it was rewritten.
    root : Mapping
        Where its references point to.
    """
    variants = list(_variants(schema, root))
    if isinstance(value, list):
        items = [one.get("items") for one in variants if one.get("items")]
        fixed: list[Any] = next((one["prefixItems"] for one in variants if one.get("prefixItems")), [])
        return [
            restored(entry, fixed[n] if n < len(fixed) else {"anyOf": items}, root)
            for n, entry in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    fitting = [one for one in variants if set(value) <= set(_mapping(one.get("properties")))]
    if not fitting:
        return value
    shape = fitting[0]
    required = set(shape.get("required") or ())
    return {
        name: restored(entry, shape["properties"][name], root)
        for name, entry in value.items()
        if entry is not None or name in required or _may_be_null(shape["properties"][name], root)
    }


def _may_be_null(schema: Any, root: Mapping[str, Any]) -> bool:
    return any(takes_null(one) or one.get("nullable") is True for one in _variants(schema, root))


def _variants(
    schema: Any, root: Mapping[str, Any], seen: frozenset[str] = frozenset()
) -> Iterator[dict[str, Any]]:
    """Yield the plain schemas that a schema stands for: references followed, alternatives side by side."""
    if not isinstance(schema, Mapping):
        return
    target = schema.get("$ref")
    if isinstance(target, str):
        if target in seen:
            return
        yield from _variants(referred(target, root), root, seen | {target})
    merged: dict[str, Any] = dict(schema)
    for part in schema.get("allOf") or ():
        for one in _variants(part, root, seen):
            merged = {
                **merged,
                **one,
                "properties": {**_mapping(merged.get("properties")), **_mapping(one.get("properties"))},
            }
            merged["required"] = [*(schema.get("required") or ()), *(one.get("required") or ())]
    if merged.get("properties") or "$ref" not in schema:
        yield merged
    for one in [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]:
        yield from _variants(one, root, seen)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
