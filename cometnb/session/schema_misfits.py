"""Where a value does not fit a JSON Schema: the first place, what stands there, and why.

It knows the keywords that an answer can be asked to keep to (`cometnb.protocol.schema` refuses the rest), and is there
so that an answer of a service that does not hold to the schema is noticed, not so that schemas can be tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from cometnb.protocol.references import KINDS, referred

__all__ = ["Misfit", "misfit"]


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong in one place.

    Attributes
    ----------
    place : str
        ``$.rows[2].age``; ``$`` is the whole value.
    value : object
        What stands there.
    reason : str
        What should be there, as the rest of a sentence: ``should be of type integer``.
    is_missing : bool
        True if nothing stands there; then `value` is None.
    """

    place: str
    value: Any
    reason: str
    is_missing: bool = False


def misfit(value: Any, schema: Any, root: Mapping[str, Any], place: str = "$") -> Misfit | None:
    """Return the first misfit of a JSON value, or None if it fits.

    Parameters
    ----------
    value : object
        JSON.
    schema : Mapping
        What it should be. Of several alternatives one has to fit, with ``oneOf`` too.
    root : Mapping
        Where the references of `schema` point to.
    place : str
        What to call the place of `value`.
    """
    if not isinstance(schema, Mapping) or (value is None and schema.get("nullable") is True):
        return None
    return next(_misfits(value, schema, root, place), None)


def _misfits(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[Misfit]:
    wholes = [*(schema.get("allOf") or ())]
    if "$ref" in schema:
        wholes.append(referred(str(schema["$ref"]), root) or {})
    for whole in wholes:
        if found := misfit(value, whole, root, place):
            yield found
    for word in ("anyOf", "oneOf"):
        if word in schema and (found := _of_none(value, schema[word], root, place)):
            yield found
    for word, does_fit, reason in _CHECKS:
        if word in schema and not does_fit(value, schema[word]):
            yield Misfit(place, value, reason.format(_shown(schema[word])))
    if isinstance(value, list):
        yield from _in_list(value, schema, root, place)
    elif isinstance(value, dict):
        yield from _in_object(value, schema, root, place)


def _of_none(value: Any, schemas: list[Any], root: Mapping[str, Any], place: str) -> Misfit | None:
    found = [misfit(value, one, root, place) for one in schemas]
    wrong = [one for one in found if one is not None]
    if len(wrong) < len(found) or not found:
        return None
    # An alternative that goes wrong only further in is the one that was meant.
    deeper = [one for one in wrong if one.place != place]
    if deeper:
        return max(deeper, key=lambda one: len(one.place))
    return wrong[0] if len(wrong) == 1 else Misfit(place, value, " or ".join(one.reason for one in wrong))


def _in_list(
    value: list[Any], schema: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[Misfit]:
    fixed = schema.get("prefixItems") or []
    for n, entry in enumerate(value):
        one = fixed[n] if n < len(fixed) else schema.get("items")
        if one is False:
            yield Misfit(f"{place}[{n}]", entry, "is one too many")
        elif found := misfit(entry, one, root, f"{place}[{n}]"):
            yield found


def _in_object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], place: str
) -> Iterator[Misfit]:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            yield Misfit(f"{place}.{name}", None, "should be there", is_missing=True)
    others = schema.get("additionalProperties")
    for name, entry in value.items():
        if name not in properties and others is False:
            yield Misfit(f"{place}.{name}", entry, "is no property of the schema")
        elif found := misfit(entry, properties.get(name, others), root, f"{place}.{name}"):
            yield found


def _is_kind(value: Any, kinds: Any) -> bool:
    return any(KINDS.get(kind, _anything)(value) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _anything(value: Any) -> bool:
    return True


def _same(left: Any, right: Any) -> bool:
    return bool(_key(left) == _key(right))


def _key(value: Any) -> Any:
    """Return what two values share that are the same in JSON: true is not 1, and 1.0 is."""
    if isinstance(value, list):
        return tuple(map(_key, value))
    if isinstance(value, dict):
        return frozenset((name, _key(entry)) for name, entry in value.items())
    return (bool, value) if isinstance(value, bool) else value


def _of_kind(kind: type | Any, check: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a check that lets pass what is of another kind, as each keyword of JSON Schema does."""

    def does_fit(value: Any, bound: Any) -> bool:
        return not isinstance(value, kind) or isinstance(value, bool) or check(value, bound)

    return does_fit


def _has_pattern(value: str, pattern: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        # Written for another kind of regular expression.
        return True


def _has_format(value: str, name: str) -> bool:
    """Check the two formats that a frame makes dates of."""
    read: dict[str, Callable[[str], object]] = {
        "date": date.fromisoformat,
        "date-time": datetime.fromisoformat,
    }
    try:
        read.get(name, str)(value)
    except ValueError:
        return False
    return True


def _is_multiple(value: float, step: float) -> bool:
    try:
        return Fraction(str(value)) % Fraction(str(step)) == 0
    except (ValueError, ZeroDivisionError):
        return False


def _are_unique(value: list[Any], wanted: Any) -> bool:
    return not wanted or len(set(map(_key, value))) == len(value)


_CHECKS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("type", _is_kind, "should be of type {}"),
    ("enum", lambda value, those: any(_same(value, one) for one in those), "should be one of {}"),
    ("const", _same, "should be {}"),
    ("minLength", _of_kind(str, lambda value, n: len(value) >= n), "should have {} or more characters"),
    ("maxLength", _of_kind(str, lambda value, n: len(value) <= n), "should have at most {} characters"),
    ("pattern", _of_kind(str, _has_pattern), "should match {}"),
    ("format", _of_kind(str, _has_format), "should be a {}"),
    ("minimum", _of_kind((int, float), lambda value, bound: value >= bound), "should be {} or more"),
    ("maximum", _of_kind((int, float), lambda value, bound: value <= bound), "should be at most {}"),
    (
        "exclusiveMinimum",
        _of_kind((int, float), lambda value, bound: value > bound),
        "should be more than {}",
    ),
    (
        "exclusiveMaximum",
        _of_kind((int, float), lambda value, bound: value < bound),
        "should be less than {}",
    ),
    ("multipleOf", _of_kind((int, float), _is_multiple), "should be a multiple of {}"),
    ("minItems", _of_kind(list, lambda value, n: len(value) >= n), "should have {} or more entries"),
    ("maxItems", _of_kind(list, lambda value, n: len(value) <= n), "should have at most {} entries"),
    ("uniqueItems", _of_kind(list, _are_unique), "should have no entry twice"),
)


def _shown(bound: Any) -> str:
    if isinstance(bound, list):
        return ", ".join(str(one) for one in bound[:10]) + (", …" if len(bound) > 10 else "")
    return str(bound)
