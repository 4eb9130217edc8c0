"""JSON Schemas of every kind to try things on: none of them contradicts itself."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["ANY_SCHEMA", "STRICT_SCHEMA"]

_NAMES = st.sampled_from(["name", "age", "city", "email", "created_at", "isOpen", "x", "größe", "first name"])
_PATTERNS = st.sampled_from(
    [
        r"^\d{3}-\d{4}$",
        "^[A-Z]{2,3}$",
        "a|b",
        r"^\S+@\S+\.com$",
        "^[^0-9]+$",
        r"^(?:ab)*c\w?$",
        "^#[0-9a-f]{6}$",
    ]
)
_FORMATS = st.sampled_from(
    ["date-time", "date", "time", "duration", "email", "ipv4", "ipv6", "uuid", "hostname", "uri"]
)
_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | st.text(max_size=4)


@st.composite
def _bounded(draw: st.DrawFn, least: str, most: str, values: st.SearchStrategy[Any]) -> dict[str, Any]:
    low, high = sorted([draw(values), draw(values)])
    return draw(st.sampled_from([{}, {least: low}, {most: high}, {least: low, most: high}]))


_STRINGS = st.one_of(
    _bounded("minLength", "maxLength", st.integers(0, 30)),
    st.fixed_dictionaries({"pattern": _PATTERNS}),
    st.fixed_dictionaries({"format": _FORMATS}),
).map(lambda told: {"type": "string", **told})
_NUMBERS = st.one_of(
    _bounded("minimum", "maximum", st.floats(-1e6, 1e6, allow_nan=False)),
    st.fixed_dictionaries({"exclusiveMinimum": st.integers(-5, 5), "exclusiveMaximum": st.integers(6, 9)}),
    st.fixed_dictionaries({"multipleOf": st.sampled_from([0.5, 0.01, 7]), "minimum": st.integers(-50, 50)}),
).map(lambda told: {"type": "number", **told})
_INTEGERS = st.one_of(
    _bounded("minimum", "maximum", st.integers(-(10**12), 10**12)),
    st.fixed_dictionaries({"multipleOf": st.integers(1, 9), "maximum": st.integers(-50, 50)}),
).map(lambda told: {"type": "integer", **told})
_CHOICES = st.lists(_SCALARS, min_size=1, max_size=4).map(lambda values: {"enum": values})
_LEAVES = st.one_of(
    _STRINGS,
    _NUMBERS,
    _INTEGERS,
    _CHOICES,
    _SCALARS.map(lambda value: {"const": value}),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": "null"}),
)


@st.composite
def _object(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    named = draw(st.dictionaries(_NAMES, inner, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(named)), unique=True)) if named else []
    told: dict[str, Any] = {"type": "object", "properties": named, "required": required}
    more = draw(st.sampled_from([None, False, {"type": "integer"}]))
    return told if more is None else {**told, "additionalProperties": more}


@st.composite
def _array(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["items", "prefixItems", "contains", "unique"]))
    if kind == "prefixItems":
        return {
            "type": "array",
            "prefixItems": draw(st.lists(inner, max_size=3)),
            "items": draw(st.just(False) | inner),
        }
    if kind == "contains":
        return {"type": "array", "contains": draw(inner), "minItems": draw(st.integers(0, 3))}
    if kind == "unique":
        return {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "minItems": draw(st.integers(0, 8)),
        }
    return {
        "type": "array",
        "items": draw(inner),
        **draw(_bounded("minItems", "maxItems", st.integers(0, 5))),
    }


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        _object(inner),
        _array(inner),
        several.map(lambda told: {"anyOf": told}),
        # Branches that differ in a constant fit one at a time.
        several.map(lambda told: {"oneOf": [_tagged(one, number) for number, one in enumerate(told)]}),
        st.tuples(inner, inner).map(lambda two: {"allOf": [_boxed("a", two[0]), _boxed("b", two[1])]}),
        inner.map(lambda told: {"$defs": {"one": told}, "type": "object", "properties": {"a": told}}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "additionalProperties": inner, "minProperties": st.integers(0, 3)}
        ),
        inner.map(lambda told: {"type": "object", "patternProperties": {"^x_": told}, "minProperties": 1}),
        inner.map(lambda told: {"if": {"type": "string"}, "then": {"minLength": 2}, "else": told}),
        st.just({"not": {"type": "string"}}),
        st.just({}),
        st.just(True),
    )


def _tagged(told: Any, number: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"kind": {"const": f"kind{number}"}, "value": told},
        "required": ["kind", "value"],
    }


def _boxed(name: str, told: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: told}, "required": [name]}


ANY_SCHEMA = st.recursive(_LEAVES, _more, max_leaves=10)


@st.composite
def _closed(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    named = draw(st.dictionaries(_NAMES, inner, min_size=1, max_size=4))
    return {"type": "object", "properties": named, "required": list(named), "additionalProperties": False}


@st.composite
def _strict(draw: st.DrawFn) -> dict[str, Any]:
    node = {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}
    leaves = _LEAVES | st.sampled_from([node, {"type": "array", "items": {"$ref": "#/$defs/node"}}])
    inner = st.recursive(
        leaves,
        lambda told: st.one_of(
            _closed(told),
            told.map(lambda one: {"type": "array", "items": one}),
            st.lists(told, min_size=1, max_size=3).map(lambda ones: {"anyOf": ones}),
        ),
        max_leaves=8,
    )
    root, held = draw(_closed(inner)), draw(_closed(st.just(node) | _LEAVES))
    return {**root, "$defs": {"node": held}}


STRICT_SCHEMA = _strict()
