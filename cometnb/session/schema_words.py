"""A schema that is given as text: a variable's name, a type such as ``list[Person]``, JSON, or fields in one line."""

from __future__ import annotations

import ast
import builtins
import difflib
import json
import operator
import warnings
from collections.abc import Mapping
from typing import Any

from cometnb.errors import ParamError
from cometnb.protocol.one_line import one_line

__all__ = ["from_text"]

_BUILT_IN = ("bool", "dict", "float", "int", "list", "set", "str", "tuple")


def from_text(text: str, namespace: Mapping[str, Any] | None = None) -> Any:
    """Return what a text stands for: an object that a schema can be made from.

    Parameters
    ----------
    text : str
        JSON in braces, fields in one line, or, with a namespace, the name of a variable or a type written with such
        names: ``Person``, ``models.Person``, ``list[Person]``, ``A | B``.
    namespace : Mapping, optional
        The notebook's variables. With it a single word is a variable, never a field.

    Raises
    ------
    ParamError
        If there is no such variable, or it can be read in none of these ways.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return _from_json(stripped)
    expression = None if namespace is None else _expression(stripped)
    if namespace is None or expression is None:
        return _fields(stripped)
    try:
        return _value(expression, namespace)
    except NameError as error:
        if isinstance(expression, ast.BinOp):
            return _fields(stripped)
        raise _unknown(str(error.args[0]), namespace) from None
    except Exception as error:  # noqa: BLE001  # an attribute of the user's may raise anything
        raise ParamError(
            f"The schema {stripped[:60]!r} cannot be read: {error!r:.80}.",
            "Check the names in it.",
            param="schema",
        ) from None


def _fields(text: str) -> dict[str, Any]:
    """Return the schema of fields in one line; for rows that of the list itself, which is what is wanted."""
    schema = one_line(text)
    return dict(schema["properties"]["rows"]) if text.startswith("[") else schema


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParamError(
            f"The schema {text[:60]!r} begins like JSON and is none: {error}.",
            "Put a JSON Schema into a variable and give its name, or write one line: 'name, age int'.",
            param="schema",
        ) from None


def _expression(text: str) -> ast.expr | None:
    """Return the expression in a text that is a type or a name, None for anything else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            found = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The parser says the latter two of what is nested too deep.
        return None
    return found if isinstance(found, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp) else None


def _value(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """Look up what a type is made of; nothing is called."""
    if isinstance(node, ast.Name):
        if node.id in namespace:
            return namespace[node.id]
        if node.id in _BUILT_IN:
            return getattr(builtins, node.id)
        raise NameError(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, namespace), node.attr)
    if isinstance(node, ast.Subscript):
        return _value(node.value, namespace)[_value(node.slice, namespace)]
    if isinstance(node, ast.Tuple):
        return tuple(_value(one, namespace) for one in node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return operator.or_(_value(node.left, namespace), _value(node.right, namespace))
    if isinstance(node, ast.Constant):
        return node.value
    raise TypeError(f"{ast.unparse(node)} is no name and no type")


def _unknown(name: str, namespace: Mapping[str, Any]) -> ParamError:
    close = difflib.get_close_matches(name, [key for key in namespace if not key.startswith("_")], n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    return ParamError(
        f"There is no variable {name!r} to take the schema from.",
        f"{meant}A single field is written with its type: '{name} str'.",
        param="schema",
    )
