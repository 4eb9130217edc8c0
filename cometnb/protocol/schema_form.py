"""Whether a JSON Schema has the form of one: what each of its words must be, before anything is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.errors import ParamError
from cometnb.protocol.depth import MOST_LEVELS, is_too_deep
from cometnb.protocol.references import is_json_number

__all__ = ["check_form"]

_STEP = "Correct the schema; nothing was sent."


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are(value: Any, fit: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(fit, value))


def _are_named_schemas(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value)) and all(map(_is_schema, value.values()))


_SCHEMA = ("a schema", _is_schema)
_SCHEMAS = ("a list of schemas", lambda value: _are(value, _is_schema))
_NAMED_SCHEMAS = ("an object of schemas", _are_named_schemas)
_NUMBER = ("a number", is_json_number)
_TEXT = ("text", _is_text)
_FORMS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "$defs": _NAMED_SCHEMAS,
    "$ref": _TEXT,
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "definitions": _NAMED_SCHEMAS,
    "enum": ("a list", lambda value: isinstance(value, list | tuple)),
    "exclusiveMaximum": ("a number", lambda value: is_json_number(value) or isinstance(value, bool)),
    "exclusiveMinimum": ("a number", lambda value: is_json_number(value) or isinstance(value, bool)),
    "format": _TEXT,
    "items": ("a schema, or several", lambda value: _is_schema(value) or _are(value, _is_schema)),
    "maxItems": _NUMBER,
    "maxLength": _NUMBER,
    "maxProperties": _NUMBER,
    "maximum": _NUMBER,
    "minItems": _NUMBER,
    "minLength": _NUMBER,
    "minProperties": _NUMBER,
    "minimum": _NUMBER,
    "multipleOf": _NUMBER,
    "oneOf": _SCHEMAS,
    "pattern": _TEXT,
    "prefixItems": _SCHEMAS,
    "properties": _NAMED_SCHEMAS,
    "required": ("a list of names", lambda value: _are(value, _is_text)),
    "type": ("a type, or a list of types", lambda value: _is_text(value) or _are(value, _is_text)),
}
_ONE = ("items",)
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "properties")


def check_form(schema: Mapping[str, Any]) -> None:
    """Refuse what has not the form of a JSON Schema; words that are not known here may be anything.

    Raises
    ------
    ParamError
        A word of the wrong form, named with its place, or more than `MOST_LEVELS` levels.
    """
    if is_too_deep(schema):
        raise ParamError(
            f"The schema has more than {MOST_LEVELS} levels.", "Ask for less at once.", param="schema"
        )
    try:
        json.dumps(schema, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise ParamError(
            "The schema holds half of a character, which cannot be sent.", _STEP, param="schema"
        ) from None
    for place, node in _nodes(schema, "$"):
        for word, value in node.items():
            wanted, is_fit = _FORMS.get(word, ("", None))
            if is_fit is not None and not is_fit(value):
                raise ParamError(
                    f"The schema at {place} has {word} {_shown(value)}, which is not {wanted}.",
                    _STEP,
                    param="schema",
                )


def _nodes(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every schema inside a schema with its place; what has the wrong form is not entered."""
    if not isinstance(node, Mapping):
        return
    yield place, node
    for word in _ONE:
        yield from _nodes(node.get(word), f"{place}[]")
    for word in _SEVERAL:
        for n, inner in enumerate(node[word] if isinstance(node.get(word), list | tuple) else ()):
            yield from _nodes(inner, f"{place}.{word}[{n}]")
    for word in _NAMED:
        named = node.get(word)
        for name, inner in named.items() if isinstance(named, Mapping) else ():
            yield from _nodes(inner, f"{place}.{name}" if word == "properties" else f"{place}.{word}.{name}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
