"""Whether any JSON can meet a schema at all: bounds that cross, choices of another type, objects without an end."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from cometnb.protocol.references import KINDS, is_json_number, referred

__all__ = ["contradiction"]

_Found = tuple[str, str] | None
# Type -> what bounds its size from below and above.
_SIZES = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def contradiction(schema: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return where and why nothing can meet a schema, or None if something may.

    Parameters
    ----------
    schema : Mapping
        A JSON Schema. What is not understood is taken to be possible.

    Returns
    -------
    tuple of (str, str) or None
        The place, such as ``$.age``, and the reason in words.

    Examples
    --------
    >>> contradiction({"type": "integer", "minimum": 5, "maximum": 1})
    ('$', 'minimum 5 is above maximum 1')
    >>> contradiction({"type": "integer", "minimum": 1, "maximum": 5})
    """
    return _impossible(schema, schema, "$", frozenset())


def _impossible(node: Any, root: Mapping[str, Any], place: str, above: frozenset[str]) -> _Found:
    if node is False:
        return place, "the schema false takes nothing"
    if not isinstance(node, Mapping):
        return None
    if "$ref" in node:
        target = str(node["$ref"])
        if target in above:
            return place, "it holds itself, without an end"
        return _impossible(referred(target, root), root, place, above | {target})
    for name in ("anyOf", "oneOf"):
        found = _none_of(node.get(name), root, place, above)
        if found is not None:
            return found
    for part in node.get("allOf") or ():
        found = _impossible(part, root, place, above)
        if found is not None:
            return found
    return _of_choices(node, place) or _of_types(node, root, place, above)


def _none_of(alternatives: Any, root: Mapping[str, Any], place: str, above: frozenset[str]) -> _Found:
    if not isinstance(alternatives, list):
        return None
    if not alternatives:
        return place, "there is no alternative"
    found = [_impossible(one, root, place, above) for one in alternatives]
    return None if None in found else found[0]


def _of_choices(node: Mapping[str, Any], place: str) -> _Found:
    choices = [node["const"]] if "const" in node else node.get("enum")
    if not isinstance(choices, list):
        return None
    if not choices:
        return place, "enum is empty"
    types = _types(node)
    if types and not any(KINDS[one](choice) for one in types for choice in choices):
        return place, f"none of {choices!r} is of type {' or '.join(types)}"
    return None


def _of_types(node: Mapping[str, Any], root: Mapping[str, Any], place: str, above: frozenset[str]) -> _Found:
    """Return why no value of any of the types is possible."""
    types = _types(node)
    if not types:
        return None
    found = [_of_type(one, node, root, place, above) for one in types]
    return None if None in found else found[0]


def _of_type(
    kind: str, node: Mapping[str, Any], root: Mapping[str, Any], place: str, above: frozenset[str]
) -> _Found:
    if kind in ("integer", "number"):
        return _of_range(node, place)
    least, most = (node.get(name) for name in _SIZES.get(kind, ("", "")))
    if _number(least, 0) > _number(most, inf):
        names = _SIZES[kind]
        return place, f"{names[0]} {least} is above {names[1]} {most}"
    if kind == "array" and _number(least, 0) >= 1:
        return _impossible(node.get("items"), root, f"{place}[0]", above)
    return _of_object(node, root, place, above) if kind == "object" else None


def _of_range(node: Mapping[str, Any], place: str) -> _Found:
    least, most = node.get("minimum"), node.get("maximum")
    if _number(least, -inf) > _number(most, inf):
        return place, f"minimum {least} is above maximum {most}"
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if max(_number(above, -inf), _number(least, -inf)) >= _number(below, inf):
        return place, f"nothing is from {least if above is None else above} up and below {below}"
    if _number(above, -inf) >= _number(most, inf):
        return place, f"nothing is above {above} and up to {most}"
    return None


def _of_object(node: Mapping[str, Any], root: Mapping[str, Any], place: str, above: frozenset[str]) -> _Found:
    properties = node.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    required = node.get("required")
    for name in required if isinstance(required, list) else ():
        if name in known:
            found = _impossible(known[name], root, f"{place}.{name}", above)
            if found is not None:
                return found
        elif node.get("additionalProperties") is False:
            return f"{place}.{name}", "it is required, and no property of the object"
    return None


def _types(node: Mapping[str, Any]) -> list[str]:
    """Return the types of a schema; none if there is one that is not known."""
    given = node.get("type")
    types = given if isinstance(given, list) else [given]
    known = [one for one in types if isinstance(one, str) and one in KINDS]
    return known if len(known) == len(types) else []


def _number(value: Any, absent: float) -> float:
    return value if is_json_number(value) else absent
