"""A schema in one line, as people would write it in a cell: ``name, age int, bio: one line``."""

from __future__ import annotations

import re
from typing import Any

from cometnb.errors import ParamError

__all__ = ["one_line"]

_NAME = re.compile(r"[^\W\d]\w*")
_LIST = re.compile(r"list(?:\[(?P<inner>.*)\])?", re.IGNORECASE)
_TYPES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "string": {"type": "string"},
    "text": {"type": "string"},
    "int": {"type": "integer"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
# Each may stand inside the one before it.
_MOST_BRACKETS = 200
_STEP = "Write fields such as: name, age int, mood glad|sad, tags list[str], born date?, bio: one line"
_ROWS_STEP = "A list of rows stands in brackets: [name, age int]"


def one_line(text: str) -> dict[str, Any]:
    r"""Read a schema that is written in one line.

    Parameters
    ----------
    text : str
        Fields with commas between them. A field is a name, then perhaps a type, then perhaps ``: what it means``.
        Types are str (as without one), int, float, bool, date, datetime, ``list[…]`` of one of these, and
        ``a|b|c`` for one of a few words. A ``?`` after the type lets the field be absent. A comma in a meaning
        is written ``\,``. Within ``[ ]`` the whole is a list of such rows.

    Returns
    -------
    dict
        A JSON Schema of an object; for rows, of an object with one list called ``rows``.

    Raises
    ------
    ParamError
        If a field cannot be read; names it.

    Examples
    --------
    >>> one_line("name, age int?")["properties"]
    {'name': {'type': 'string'}, 'age': {'type': 'integer'}}
    >>> one_line("[name]")["properties"]["rows"]["items"]["required"]
    ['name']
    """
    if text.count("[") > _MOST_BRACKETS:
        raise ParamError(
            f"The schema has more than {_MOST_BRACKETS} brackets.",
            "Give a class or a JSON Schema.",
            param="schema",
        )
    inner = text.strip()
    if inner.startswith("[") and not inner.endswith("]"):
        raise ParamError(f"{text!r} opens a bracket and does not end with ].", _ROWS_STEP, param="schema")
    if inner.startswith("["):
        rows = {"type": "array", "items": one_line(inner[1:-1])}
        return {"type": "object", "properties": {"rows": rows}, "required": ["rows"]}
    properties: dict[str, Any] = {}
    required = []
    for field in _fields(inner):
        name, schema, is_required = _field(field)
        if name in properties:
            raise ParamError(f"The schema names {name!r} twice.", _STEP, param="schema")
        properties[name] = schema
        required += [name] if is_required else []
    if not properties:
        raise ParamError("The schema names no field.", _STEP, param="schema")
    return {"type": "object", "properties": properties, "required": required}


def _fields(text: str) -> list[str]:
    """Split at commas that stand in no brackets and behind no backslash."""
    fields, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth and text[place - 1 : place] != "\\":
            fields.append(text[start:place])
            start = place + 1
    fields.append(text[start:])
    return [field.strip() for field in fields if field.strip()]


def _field(text: str) -> tuple[str, dict[str, Any], bool]:
    head, colon, meaning = text.partition(":")
    name, _, kind = head.strip().partition(" ")
    kind = kind.strip()
    if not kind and name.endswith("?"):
        name, kind = name[:-1], "?"
    if not _NAME.fullmatch(name):
        raise ParamError(f"{text!r} does not begin with a name.", _STEP, param="schema")
    is_required = not kind.endswith("?")
    schema = _type(kind.removesuffix("?").strip(), text)
    meaning = meaning.replace("\\,", ",").strip()
    if colon and meaning:
        schema = {**schema, "description": meaning}
    return name, schema, is_required


def _type(kind: str, field: str) -> dict[str, Any]:
    if not kind:
        return {"type": "string"}
    if kind.lower() in _TYPES:
        return dict(_TYPES[kind.lower()])
    if found := _LIST.fullmatch(kind):
        return {"type": "array", "items": _type((found["inner"] or "").strip(), field)}
    words = [word.strip().strip("\"'") for word in kind.split("|")]
    if len(words) > 1 and all(words):
        return {"type": "string", "enum": list(dict.fromkeys(words))}
    raise ParamError(f"{kind!r} in {field!r} is no type.", _STEP, param="schema")
