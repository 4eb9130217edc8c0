"""Makes up a JSON value for any JSON Schema: one that fits, looks right, and comes out the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from cometnb.client.simulator.plausible import Wanted
from cometnb.client.simulator.schema_check import SchemaCheck, same_json
from cometnb.client.simulator.schema_leaves import numbers, texts
from cometnb.client.simulator.schema_merge import merged
from cometnb.client.simulator.schema_strings import spelled
from cometnb.client.simulator.schema_words import KINDS, is_null, kinds_of, likely_kinds, of_property

__all__ = ["NoValue", "Offers", "sampled"]

_TURNS, _SMALL_FROM_TURN = 12, 6
_MOST_NODES, _NODES_A_ROW = 20_000, 200
# How often one reference may be followed on the way down before only the smallest value will do, and at all.
_REPEATS, _MOST_REPEATS = 1, 12
# Anything may stand where a schema's words are looked for; what then breaks is the schema's fault.
_NO_SCHEMA = (
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
    ZeroDivisionError,
)


class NoValue(Exception):  # noqa: N818  # an answer, not an error of this program
    """No value could be found that fits."""


class Offers(Protocol):
    """Values that the prompt holds, each to be used once."""

    def candidates(self, name: str, kind: str, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what might be the value of a property of that name, the likeliest first."""

    def take(self, value: Any) -> None:
        """Use a value up."""


class _Place(NamedTuple):
    """Where in the value something is wanted: the name and record, the references followed, and whether to be brief."""

    wanted: Wanted
    followed: tuple[str, ...] = ()
    is_small: bool = False

    def inner(self, name: str) -> _Place:
        within = self.wanted.name or self.wanted.within
        return self._replace(wanted=self.wanted._replace(name=name, within=within))

    def element(self, number: int) -> _Place:
        wanted = self.wanted
        return self._replace(wanted=wanted._replace(record=wanted.record + number, row=wanted.row + number))


def sampled(
    schema: Any, start: int = 0, *, offers: Callable[[], Offers] | None = None, n_rows: int | None = None
) -> Any:
    """Return a value that fits a schema.

    Parameters
    ----------
    schema : Mapping or bool
    start : int
        Chooses names, numbers and branches.
    offers : callable, optional
        Makes the values that are tried first.
    n_rows : int, optional
        Length of the outermost list of objects, where the schema allows it.

    Raises
    ------
    NoValue
        If none was found: the schema contradicts itself, asks for something rare, or is no JSON Schema.
    """
    try:
        return _first_fitting(schema, start, offers, n_rows)
    except _NO_SCHEMA as error:
        raise NoValue(f"it is no JSON Schema ({error})") from None


def _first_fitting(schema: Any, start: int, offers: Callable[[], Offers] | None, n_rows: int | None) -> Any:
    check = SchemaCheck(schema)
    for turn in range(_TURNS):
        sampler = _Sampler(check, offers() if offers else None, n_rows)
        place = _Place(Wanted("", start + turn, 0), is_small=turn >= _SMALL_FROM_TURN)
        try:
            value = sampler.value(schema, place)
        except NoValue:
            continue
        if check.fits(value, schema):
            return value
    raise NoValue("no value was found that fits it")


class _Sampler:
    """One attempt at one schema."""

    def __init__(self, check: SchemaCheck, offers: Offers | None, n_rows: int | None) -> None:
        self._check = check
        self._offers = offers
        self._n_rows = n_rows
        self._n_left = _MOST_NODES + _NODES_A_ROW * (n_rows or 0)

    def value(self, schema: Any, place: _Place) -> Any:
        """Return a value for a part of the schema; it fits that part unless the part is at odds with itself."""
        self._n_left -= 1
        if schema is False or self._n_left < 0:
            raise NoValue
        told: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
        for word, make in _CHOICES.items():
            if word in told:
                rest = {name: inner for name, inner in told.items() if name != word}
                return make(self, told, rest, place)
        return self._plain(told, place)

    def reference(self, schema: Mapping[str, Any], rest: dict[str, Any], place: _Place) -> Any:
        reference = str(schema["$ref"])
        n_before = place.followed.count(reference)
        if n_before > _MOST_REPEATS:
            raise NoValue
        # The boss of a person is somebody else.
        wanted = place.wanted._replace(record=place.wanted.record + 3 * n_before)
        is_small = place.is_small or n_before >= _REPEATS
        place = _Place(wanted, (*place.followed, reference), is_small)
        return self.value(merged(rest, self._check.target(reference)), place)

    def branch(self, schema: Mapping[str, Any], rest: dict[str, Any], place: _Place) -> Any:
        word = "anyOf" if "anyOf" in schema else "oneOf"
        branches = self._ordered(list(schema[word]), place)
        for small in dict.fromkeys((place.is_small, True)):
            for branch in branches:
                try:
                    value = self.value(merged(rest, branch), place._replace(is_small=small))
                except NoValue:
                    continue
                if self._check.fits(value, schema):
                    return value
        raise NoValue

    def condition(self, schema: Mapping[str, Any], rest: dict[str, Any], place: _Place) -> Any:
        plain = {name: inner for name, inner in rest.items() if name not in ("then", "else")}
        yes = merged(merged(plain, schema["if"]), schema.get("then", True))
        for way in (yes, merged(plain, schema.get("else", True))):
            try:
                value = self.value(way, place)
            except NoValue:
                continue
            if self._check.fits(value, schema):
                return value
        raise NoValue

    def together(self, schema: Mapping[str, Any], rest: dict[str, Any], place: _Place) -> Any:
        whole: Any = rest
        for part in schema["allOf"]:
            whole = merged(whole, part)
        return self.value(whole, place)

    def _ordered(self, branches: list[Any], place: _Place) -> list[Any]:
        if place.is_small:
            return sorted(branches, key=lambda branch: self._height(branch, place.followed))
        full = [one for one in branches if not is_null(one)]
        start = place.wanted.record % len(full) if full else 0
        empty = [one for one in branches if is_null(one)]
        ordered = [*full[start:], *full[:start]]
        # A record here and there lacks what it may lack, and the first one lacks nothing.
        return [*empty, *ordered] if place.wanted.row % 4 == 3 else [*ordered, *empty]

    def _height(self, schema: Any, followed: tuple[str, ...]) -> int:
        """Return how deep the smallest value is at least, roughly; a large number where it may never end."""
        if not isinstance(schema, Mapping):
            return 0
        if "$ref" in schema:
            reference = str(schema["$ref"])
            if reference in followed:
                return 1000
            return self._height(self._check.target(reference), (*followed, reference))
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                return min(self._height(one, followed) for one in schema[word])
        inner = [self._height(one, followed) for one in schema.get("allOf") or ()]
        if "enum" not in schema and "const" not in schema and "null" not in kinds_of(schema):
            named = schema.get("properties") or {}
            needed = [named.get(name, True) for name in schema.get("required") or ()]
            needed += [schema.get("items", True)] if schema.get("minItems") else []
            inner += [1 + self._height(one, followed) for one in needed]
        return max(inner, default=0)

    def _plain(self, schema: Mapping[str, Any], place: _Place) -> Any:
        for value in self._candidates(schema, place):
            if self._check.fits(value, schema):
                if self._offers is not None and not isinstance(value, list | dict):
                    self._offers.take(value)
                return value
        raise NoValue

    def _candidates(self, schema: Mapping[str, Any], place: _Place) -> Iterator[Any]:
        if "const" in schema:
            yield schema["const"]
            return
        if "enum" in schema:
            yield from self._offered(schema, place, "enum")
            yield from _rotated(list(schema["enum"]), place.wanted.record)
            return
        kinds = kinds_of(schema) or likely_kinds(schema)
        if place.is_small:
            kinds = sorted(kinds, key=KINDS.index)
        elif "null" in kinds and place.wanted.row % 4 != 3:
            kinds = [*(kind for kind in kinds if kind != "null"), "null"]
        for kind in kinds:
            yield from self._offered(schema, place, kind)
            try:
                yield from _MAKERS[kind](self, schema, place)
            except NoValue:
                continue

    def _offered(self, schema: Mapping[str, Any], place: _Place, kind: str) -> Iterator[Any]:
        if self._offers is not None:
            yield from self._offers.candidates(place.wanted.name, kind, schema)

    def object(self, schema: Mapping[str, Any], place: _Place) -> Iterator[dict[str, Any]]:
        named, required = schema.get("properties") or {}, list(schema.get("required") or ())
        most = schema.get("maxProperties", len(named) + len(required))
        result: dict[str, Any] = {}
        for name in dict.fromkeys([*named, *required]):
            n_to_come = sum(one not in result for one in required)
            if name not in required and (place.is_small or len(result) + n_to_come >= most):
                continue
            try:
                result[name] = self.value(of_property(schema, name), place.inner(name))
            except NoValue:
                if name in required:
                    raise
        for name, needs in (schema.get("dependentRequired") or {}).items():
            for other in needs if name in result else ():
                if other not in result:
                    result[other] = self.value(of_property(schema, other), place.inner(other))
        extra = schema.get("additionalProperties")
        is_open = not named and isinstance(extra, Mapping) and not place.is_small
        self._fill(result, max(schema.get("minProperties", 0), 2 if is_open else 0), schema, place)
        yield result

    def _fill(self, result: dict[str, Any], least: int, schema: Mapping[str, Any], place: _Place) -> None:
        """Add properties that are not named in the schema until there are enough."""
        names = _further_names(schema, place, self.value)
        while len(result) < least:
            name = next(names, None)
            if name is None:
                return
            if name not in result:
                result[name] = self.value(of_property(schema, name), place.inner(name))

    def array(self, schema: Mapping[str, Any], place: _Place) -> Iterator[list[Any]]:
        items = schema.get("items", True)
        prefix = schema.get("prefixItems") or (items if isinstance(items, list) else [])
        items = schema.get("additionalItems", True) if isinstance(items, list) else items
        least = schema.get("minItems", 0)
        contains, n_contains = schema.get("contains"), schema.get("minContains", 1)
        wanted = max(least, 0 if place.is_small else self._length(items, prefix, place))
        wanted = min(
            max(wanted, n_contains if contains is not None else 0), schema.get("maxItems", wanted + 99)
        )
        result: list[Any] = []
        for number in range(wanted):
            inner = prefix[number] if number < len(prefix) else items
            if contains is not None and number < n_contains:
                inner = merged(inner, contains)
            try:
                result.append(
                    self._element(inner, number, place, result if schema.get("uniqueItems") else ())
                )
            except NoValue:
                break
        yield result

    def _length(self, items: Any, prefix: list[Any], place: _Place) -> int:
        if prefix:
            return len(prefix)
        told = (
            self._check.target(str(items["$ref"]))
            if isinstance(items, Mapping) and "$ref" in items
            else items
        )
        is_rows = isinstance(told, Mapping) and likely_kinds(told)[:1] == ["object"]
        if is_rows and self._n_rows is not None:
            n_rows, self._n_rows = self._n_rows, None
            return n_rows
        return (3 if is_rows else 2) + (place.wanted.record + len(place.wanted.name)) % 3

    def _element(self, schema: Any, number: int, place: _Place, others: Any) -> Any:
        for step in range(24 if others else 1):
            value = self.value(schema, place.element(number + step))
            if not any(same_json(value, other) for other in others):
                return value
        raise NoValue

    def text(self, schema: Mapping[str, Any], place: _Place) -> Iterator[str]:
        return texts(schema, place.wanted)

    def number(self, schema: Mapping[str, Any], place: _Place) -> Iterator[float]:
        return numbers(schema, place.wanted, whole=False)

    def integer(self, schema: Mapping[str, Any], place: _Place) -> Iterator[float]:
        return numbers(schema, place.wanted, whole=True)

    def boolean(self, schema: Mapping[str, Any], place: _Place) -> Iterator[bool]:
        first = place.wanted.record % 2 == 0
        yield from (first, not first)

    def null(self, schema: Mapping[str, Any], place: _Place) -> Iterator[None]:
        yield None


def _rotated(values: list[Any], start: int) -> list[Any]:
    start %= max(1, len(values))
    return values[start:] + values[:start]


def _further_names(
    schema: Mapping[str, Any], place: _Place, make: Callable[[Any, _Place], Any]
) -> Iterator[str]:
    """Yield names that an object might have beside those it lists."""
    if schema.get("propertyNames") is not None:
        for number in range(40):
            yield str(make(merged({"type": "string"}, schema["propertyNames"]), place.element(number)))
    for pattern in schema.get("patternProperties") or {}:
        for turn in range(12):
            yield from spelled(pattern, 0, 40, turn)
    yield from (f"key{number}" for number in range(1, 1000))


_Choice = Callable[[_Sampler, Mapping[str, Any], dict[str, Any], _Place], Any]
_CHOICES: dict[str, _Choice] = {
    "$ref": _Sampler.reference,
    "anyOf": _Sampler.branch,
    "oneOf": _Sampler.branch,
    "if": _Sampler.condition,
    "allOf": _Sampler.together,
}
_MAKERS: dict[str, Callable[[_Sampler, Mapping[str, Any], _Place], Iterator[Any]]] = {
    "object": _Sampler.object,
    "array": _Sampler.array,
    "string": _Sampler.text,
    "integer": _Sampler.integer,
    "number": _Sampler.number,
    "boolean": _Sampler.boolean,
    "null": _Sampler.null,
}
