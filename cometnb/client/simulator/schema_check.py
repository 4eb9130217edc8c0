"""Tells whether a JSON value fits a JSON Schema, so that what is made up can be checked before it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.protocol.references import KINDS, is_json_number, referred

__all__ = ["SchemaCheck", "matches", "same_json"]

_Rule = Callable[["SchemaCheck", Any, Any, Mapping[str, Any]], bool]


class SchemaCheck:
    """Checks values against the parts of one schema.

    Parameters
    ----------
    root : Mapping or bool
        The whole schema, in which its ``$ref`` point. Keywords follow draft 2020-12, with the spellings of
        draft 7 that are still seen; ``format`` is a remark and ``unevaluated…`` are not looked at.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._targets: dict[str, Any] = {}

    def fits(self, value: Any, schema: Any) -> bool:
        """Tell whether a value fits a schema of this root."""
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            return True
        return all(_RULES[word](self, value, told, schema) for word, told in schema.items() if word in _RULES)

    def target(self, reference: str) -> Any:
        """Return what a ``$ref`` points to; a schema that takes anything where it leads outside."""
        if reference not in self._targets:
            self._targets[reference] = self._found(reference)
        return self._targets[reference]

    def _found(self, reference: str) -> Any:
        place, _, pointer = reference.partition("#")
        if pointer and not pointer.startswith("/"):
            return next((one for one in _nodes(self._root) if one.get("$anchor") == pointer), True)
        found = next((one for one in _nodes(self._root) if place and one.get("$id") == place), None)
        if found is None:
            found = self._root
            if place and (not isinstance(found, Mapping) or found.get("$id") != place):
                return True
        target = referred(pointer, found)
        return True if target is None else target


def same_json(left: Any, right: Any) -> bool:
    """Tell whether two values are the same JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_json(left[name], right[name]) for name in left)
    return bool(left == right)


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for inner in node.values():
            yield from _nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _nodes(inner)


def _type(check: SchemaCheck, value: Any, told: Any, schema: Mapping[str, Any]) -> bool:
    kinds = told if isinstance(told, list) else [told]
    return any(kind in KINDS and KINDS[kind](value) for kind in kinds)


def _enum(check: SchemaCheck, value: Any, told: Any, schema: Mapping[str, Any]) -> bool:
    return any(same_json(value, one) for one in told)


def _of_numbers(test: Callable[[Any, Any], bool]) -> _Rule:
    return lambda check, value, told, schema: (
        not is_json_number(value) or not is_json_number(told) or test(value, told)
    )


def _is_multiple(value: Any, factor: Any) -> bool:
    if not factor:
        return True
    if isinstance(factor, float):
        return bool((value / factor).is_integer())
    return bool(value % factor == 0)


def _of_text(test: Callable[[str, Any], bool]) -> _Rule:
    return lambda check, value, told, schema: not isinstance(value, str) or test(value, told)


def matches(text: str, pattern: str) -> bool:
    """Tell whether a pattern is found in a text; one that Python cannot read holds nothing back."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _of_list(test: Callable[[SchemaCheck, list[Any], Any, Mapping[str, Any]], bool]) -> _Rule:
    return lambda check, value, told, schema: not isinstance(value, list) or test(check, value, told, schema)


def _items(check: SchemaCheck, value: list[Any], told: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(told, list):
        return all(check.fits(one, inner) for one, inner in zip(value, told, strict=False))
    rest = value[len(schema.get("prefixItems") or ()) :]
    return all(check.fits(one, told) for one in rest)


def _prefix(check: SchemaCheck, value: list[Any], told: Any, schema: Mapping[str, Any]) -> bool:
    return all(check.fits(one, inner) for one, inner in zip(value, told, strict=False))


def _contains(check: SchemaCheck, value: list[Any], told: Any, schema: Mapping[str, Any]) -> bool:
    n_found = sum(check.fits(one, told) for one in value)
    return bool(schema.get("minContains", 1) <= n_found <= schema.get("maxContains", n_found))


def _unique(check: SchemaCheck, value: list[Any], told: Any, schema: Mapping[str, Any]) -> bool:
    if told is not True:
        return True
    return not any(same_json(one, other) for n, one in enumerate(value) for other in value[:n])


def _of_object(test: Callable[[SchemaCheck, Mapping[str, Any], Any, Mapping[str, Any]], bool]) -> _Rule:
    return lambda check, value, told, schema: (
        not isinstance(value, Mapping) or test(check, value, told, schema)
    )


def _properties(check: SchemaCheck, value: Mapping[str, Any], told: Any, schema: Mapping[str, Any]) -> bool:
    return all(check.fits(value[name], inner) for name, inner in told.items() if name in value)


def _patterns(check: SchemaCheck, value: Mapping[str, Any], told: Any, schema: Mapping[str, Any]) -> bool:
    return all(
        check.fits(one, inner)
        for pattern, inner in told.items()
        for name, one in value.items()
        if matches(name, pattern)
    )


def _additional(check: SchemaCheck, value: Mapping[str, Any], told: Any, schema: Mapping[str, Any]) -> bool:
    named, patterns = schema.get("properties") or {}, schema.get("patternProperties") or {}
    return all(
        check.fits(one, told)
        for name, one in value.items()
        if name not in named and not any(matches(name, pattern) for pattern in patterns)
    )


def _dependent(check: SchemaCheck, value: Mapping[str, Any], told: Any, schema: Mapping[str, Any]) -> bool:
    for name, needs in told.items():
        if name not in value:
            continue
        if isinstance(needs, list):
            if any(other not in value for other in needs):
                return False
        elif not check.fits(value, needs):
            return False
    return True


def _if(check: SchemaCheck, value: Any, told: Any, schema: Mapping[str, Any]) -> bool:
    return check.fits(value, schema.get("then" if check.fits(value, told) else "else", True))


_RULES: dict[str, _Rule] = {
    "$ref": lambda check, value, told, schema: check.fits(value, check.target(told)),
    "type": _type,
    "enum": _enum,
    "const": lambda check, value, told, schema: same_json(value, told),
    "minimum": _of_numbers(lambda value, told: value >= told),
    "maximum": _of_numbers(lambda value, told: value <= told),
    "exclusiveMinimum": _of_numbers(lambda value, told: value > told),
    "exclusiveMaximum": _of_numbers(lambda value, told: value < told),
    "multipleOf": _of_numbers(_is_multiple),
    "minLength": _of_text(lambda value, told: len(value) >= told),
    "maxLength": _of_text(lambda value, told: len(value) <= told),
    "pattern": _of_text(matches),
    "items": _of_list(_items),
    "prefixItems": _of_list(_prefix),
    "minItems": _of_list(lambda check, value, told, schema: len(value) >= told),
    "maxItems": _of_list(lambda check, value, told, schema: len(value) <= told),
    "uniqueItems": _of_list(_unique),
    "contains": _of_list(_contains),
    "properties": _of_object(_properties),
    "patternProperties": _of_object(_patterns),
    "additionalProperties": _of_object(_additional),
    "propertyNames": _of_object(
        lambda check, value, told, schema: all(check.fits(one, told) for one in value)
    ),
    "required": _of_object(lambda check, value, told, schema: all(name in value for name in told)),
    "minProperties": _of_object(lambda check, value, told, schema: len(value) >= told),
    "maxProperties": _of_object(lambda check, value, told, schema: len(value) <= told),
    "dependentRequired": _of_object(_dependent),
    "dependentSchemas": _of_object(_dependent),
    "dependencies": _of_object(_dependent),
    "allOf": lambda check, value, told, schema: all(check.fits(value, one) for one in told),
    "anyOf": lambda check, value, told, schema: any(check.fits(value, one) for one in told),
    "oneOf": lambda check, value, told, schema: sum(check.fits(value, one) for one in told) == 1,
    "not": lambda check, value, told, schema: not check.fits(value, told),
    "if": _if,
}
