"""Refuses schemas that strict mode does not take, in the service's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.client.simulator.reply import Refusal

__all__ = ["check_schemas"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_TAKEN = (
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
)
_MOST_PROPERTIES, _MOST_LEVELS, _MOST_ENUM_VALUES = 5_000, 10, 1_000
_Context = tuple[str, ...]


def check_schemas(body: Mapping[str, Any]) -> None:
    """Check the schemas a request holds: of ``text.format``, and of functions in ``tools``.

    Raises
    ------
    Refusal
        400 with the place of the schema in ``param``, if a name or a schema is missing, or a schema that is
        sent with ``strict`` is not closed, not all required, no object at its root, or uses what strict mode
        has no place for.
    """
    form = (body.get("text") or {}).get("format")
    if isinstance(form, Mapping) and form.get("type") == "json_schema":
        _check_format(form)
    for index, tool in enumerate(body.get("tools") or ()):
        if isinstance(tool, Mapping) and tool.get("type") == "function":
            _check_function(tool, f"tools[{index}]")


def _check_format(form: Mapping[str, Any]) -> None:
    _check_name(form.get("name"), "text.format.name")
    schema = form.get("schema")
    if not isinstance(schema, Mapping):
        raise Refusal(
            400,
            "Missing required parameter: 'text.format.schema'.",
            "missing_required_parameter",
            "text.format.schema",
        )
    if form.get("strict") is True:
        wrong = next(_wrongs(schema), None)
        if wrong is not None:
            message = f"Invalid schema for response_format '{form['name']}': {wrong}"
            raise Refusal(400, message, "invalid_json_schema", "text.format.schema")


def _check_function(tool: Mapping[str, Any], place: str) -> None:
    _check_name(tool.get("name"), f"{place}.name")
    parameters = tool.get("parameters")
    if tool.get("strict") is True and isinstance(parameters, Mapping):
        wrong = next(_wrongs(parameters), None)
        if wrong is not None:
            message = f"Invalid schema for function '{tool['name']}': {wrong}"
            raise Refusal(400, message, "invalid_function_parameters", f"{place}.parameters")


def _check_name(name: Any, place: str) -> None:
    if name is None:
        raise Refusal(400, f"Missing required parameter: '{place}'.", "missing_required_parameter", place)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = (
            f"Invalid '{place}': string does not match pattern '^[a-zA-Z0-9_-]+$' with at most 64 characters."
        )
        raise Refusal(400, message, "invalid_value", place)


def _wrongs(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what strict mode has against a schema, the root first."""
    if schema.get("type") != "object":
        kind = schema.get("type")
        yield f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if "anyOf" in schema:
        yield "In context=(), 'anyOf' is not permitted at the root."
    n_properties = n_values = 0
    for context, level, node in _walked(schema, (), 0):
        yield from _wrongs_of_node(context, node)
        n_properties += len(_mapping(node.get("properties")))
        n_values += len(node["enum"]) if isinstance(node.get("enum"), list) else 0
        if level > _MOST_LEVELS:
            yield f"In context={context}, the schema is nested deeper than {_MOST_LEVELS} levels."
    if n_properties > _MOST_PROPERTIES:
        yield f"The schema has {n_properties} properties, more than {_MOST_PROPERTIES}."
    if n_values > _MOST_ENUM_VALUES:
        yield f"The schema has {n_values} enum values, more than {_MOST_ENUM_VALUES}."


def _wrongs_of_node(context: _Context, node: Mapping[str, Any]) -> Iterator[str]:
    for word in _NOT_TAKEN:
        if word in node:
            yield f"In context={context}, '{word}' is not permitted."
    if not any(word in node for word in ("type", "anyOf", "$ref", "enum", "const")):
        yield f"In context={context}, schema must have a 'type' key."
    if "$ref" in node and set(node) - {"$ref", "$defs", "description"}:
        beside = ", ".join(sorted(set(node) - {"$ref", "$defs", "description"}))
        yield f"In context={context}, $ref cannot have keywords {{{beside}}}."
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds:
        yield from _wrongs_of_object(context, node)
    if "array" in kinds and not isinstance(node.get("items"), Mapping):
        yield f"In context={context}, array schema missing items."


def _wrongs_of_object(context: _Context, node: Mapping[str, Any]) -> Iterator[str]:
    if node.get("additionalProperties") is not False:
        yield f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
    told = node.get("required")
    required = told if isinstance(told, list) else []
    missing = [name for name in _mapping(node.get("properties")) if name not in required]
    if missing:
        yield (
            f"In context={context}, 'required' is required to be supplied and to be an array including every "
            f"key in properties. Missing '{missing[0]}'."
        )
    extra = [name for name in required if name not in [*_mapping(node.get("properties"))]]
    if extra:
        yield f"In context={context}, 'required' has the key '{extra[0]}', which is not in properties."


def _walked(node: Any, context: _Context, level: int) -> Iterator[tuple[_Context, int, Mapping[str, Any]]]:
    if not isinstance(node, Mapping):
        return
    yield context, level, node
    for word in ("properties", "$defs", "definitions"):
        for name, inner in _mapping(node.get(word)).items():
            yield from _walked(inner, (*context, word, name), level + (word == "properties"))
    if isinstance(node.get("items"), Mapping):
        yield from _walked(node["items"], (*context, "items"), level)
    for word in ("anyOf",):
        branches = node.get(word)
        for number, inner in enumerate(branches if isinstance(branches, list) else ()):
            yield from _walked(inner, (*context, word, str(number)), level)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
