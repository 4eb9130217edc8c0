"""Makes one schema of two that both have to hold, as far as that can be said in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cometnb.client.simulator.schema_check import same_json

__all__ = ["merged"]


def merged(left: Any, right: Any) -> Any:
    """Return a schema that takes what both take.

    Parameters
    ----------
    left, right : Mapping or bool

    Returns
    -------
    dict or bool
        Where the two say things that one schema cannot, the left one goes first: what is made from it has to
        be checked against the originals.
    """
    if left is False or right is False:
        return False
    if not isinstance(left, Mapping):
        return right
    result = dict(left)
    if isinstance(right, Mapping) and "if" in left and "if" in right:
        condition = {word: right[word] for word in _CONDITION if word in right}
        right = {word: told for word, told in right.items() if word not in _CONDITION}
        result["allOf"] = [*(result.get("allOf") or ()), condition]
    for word, told in right.items() if isinstance(right, Mapping) else ():
        if word not in result or same_json(result[word], told):
            result[word] = told
        elif word in _RULES:
            result[word] = _RULES[word](result[word], told)
        elif word in _ALONGSIDE:
            result["allOf"] = [*(result.get("allOf") or ()), {word: told}]
    return result


def _kinds(left: Any, right: Any) -> Any:
    first, second = (one if isinstance(one, list) else [one] for one in (left, right))
    both = [kind for kind in first if kind in second]
    if "integer" not in both and {"integer", "number"} <= {*first, *second}:
        both.append("integer")
    return both


def _properties(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **left,
        **{name: _both(left[name], told) if name in left else told for name, told in right.items()},
    }


def _both(left: Any, right: Any) -> Any:
    return merged(left, right)


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _kinds,
    "properties": _properties,
    "patternProperties": _properties,
    "required": lambda left, right: list(dict.fromkeys([*left, *right])),
    "enum": lambda left, right: [one for one in left if any(same_json(one, other) for other in right)],
    "items": _both,
    "additionalProperties": _both,
    "propertyNames": _both,
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "minProperties": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
    "maxProperties": min,
    "allOf": lambda left, right: [*left, *right],
}
# Two of these are kept as two: each is looked at in its turn.
_ALONGSIDE = frozenset({"$ref", "anyOf", "oneOf", "contains", "not"})
_CONDITION = ("if", "then", "else")
