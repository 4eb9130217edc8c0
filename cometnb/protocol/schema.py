"""JSON Schemas as the API's strict mode takes them: rewritten without changing what they mean, with a word for each change.

Strict mode takes a part of JSON Schema: every object closed and every property required, no merging keywords, an object
at the root (OpenAI, "Structured outputs", supported schemas, as of 2026-02). What may be absent becomes what may be
null, and `Strict.restored` takes those nulls away again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from cometnb.errors import ParamError
from cometnb.protocol.references import referred
from cometnb.protocol.schema_form import check_form
from cometnb.protocol.schema_nulls import restored, takes_null

__all__ = ["Strict", "strict"]

_MAX_PROPERTIES, _MAX_DEPTH, _MAX_ENUM_VALUES, _MAX_NAMED_CHARACTERS = 5_000, 10, 1_000, 120_000

# What strict mode holds the answer to, beside type, enum, const, anyOf, $ref and the shape of objects and arrays.
_KEPT = frozenset(
    [
        "type",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
        "description",
        "title",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "pattern",
        "format",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    ]
)
_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"])
# These say nothing about which values are right.
_REMARKS = frozenset(
    [
        "$schema",
        "$id",
        "$comment",
        "$anchor",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "discriminator",
    ]
)
# Without these the schema would take what it was made to refuse, and no description makes up for that.
_NOT_POSSIBLE = ("not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties")
_TYPES_OF = {
    "object": ("properties", "additionalProperties"),
    "array": ("items", "prefixItems"),
}


@dataclass(frozen=True, slots=True)
class Strict:
    """A schema in strict mode's form.

    Attributes
    ----------
    schema : dict
        What is sent.
    changes : tuple of str
        A sentence for each rewrite, with the place in the schema.
    original : Mapping
        What it was made from.
    """

    schema: dict[str, Any]
    changes: tuple[str, ...]
    original: Mapping[str, Any]

    def restored(self, value: Any) -> Any:
        """Return an answer without the nulls that stand for "absent": what the original schema accepts."""
        return restored(value, self.original, self.original)


def strict(schema: Mapping[str, Any]) -> Strict:
    """Rewrite a JSON Schema for strict mode.

    Parameters
    ----------
    schema : Mapping
        Its root describes an object.

    Raises
    ------
    ParamError
        If strict mode has no way to say it; names the place and what to write instead.
    """
    check_form(schema)
    rewriting = _Rewriting(schema)
    result = rewriting.run()
    _check_size(result)
    return Strict(result, tuple(dict.fromkeys(rewriting.changes)), schema)


class _Rewriting:
    """One schema on its way into strict form."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.changes: list[str] = []
        self._root = root
        # References written out around the place that is looked at, and at it.
        self._around: frozenset[str] = frozenset()
        self._here: set[str] = set()

    def run(self) -> dict[str, Any]:
        root = self._resolved(dict(self._root), "$") if "$ref" in self._root else self._root
        result = self._node(root, "$")
        if result.get("type") != "object":
            raise _impossible(
                "$", "is no object, and the root has to be one", 'Put it into a property: {"rows": …}.'
            )
        definitions = self._definitions()
        if definitions:
            result["$defs"] = {
                name: self._node(node, f"$.$defs.{name}") for name, node in definitions.items()
            }
        return result

    def _definitions(self) -> dict[str, Any]:
        found = {**_mapping(self._root.get("definitions")), **_mapping(self._root.get("$defs"))}
        if "definitions" in self._root:
            self.changes.append("$: definitions are called $defs")
        return found

    def _node(self, given: Any, path: str) -> dict[str, Any]:
        above = self._around, self._here
        self._around, self._here = self._around | self._here, set()
        try:
            return self._rewritten(given, path)
        finally:
            self._around, self._here = above

    def _rewritten(self, given: Any, path: str) -> dict[str, Any]:
        if given is True or given == {}:
            raise _impossible(path, "takes any value", 'Name its type, such as {"type": "string"}.')
        if not isinstance(given, Mapping):
            raise _impossible(
                path, f"is {given!r} and no schema", 'Write a schema, such as {"type": "string"}.'
            )
        node = {name: value for name, value in given.items() if name not in ("$defs", "definitions")}
        for word in _NOT_POSSIBLE:
            if node.get(word):
                raise _impossible(
                    path, f"uses {word}", "Write the cases out with anyOf, or check them after the answer."
                )
        if "$ref" in node:
            return self._reference(node, path)
        node = self._merged(node, path)
        if "oneOf" in node:
            node["anyOf"] = [*node.get("anyOf", []), *node.pop("oneOf")]
            self.changes.append(f"{path}: oneOf is written as anyOf")
        node = self._typed(node, path)
        if "anyOf" in node:
            node["anyOf"] = [self._node(one, f"{path}.anyOf[{n}]") for n, one in enumerate(node["anyOf"])]
        if _is(node, "object"):
            self._object(node, path)
        if _is(node, "array"):
            self._array(node, path)
        return self._without_unknown(node, path)

    def _reference(self, node: dict[str, Any], path: str) -> dict[str, Any]:
        target = str(node["$ref"]).replace("#/definitions/", "#/$defs/")
        self._find(str(node["$ref"]), path)
        if set(node) == {"$ref"} and (target == "#" or target.startswith("#/$defs/")):
            return {"$ref": target}
        beside = {name: value for name, value in node.items() if name != "$ref"}
        if set(beside) <= {"description", "title", "default"} and target.startswith("#/$defs/"):
            # Strict mode takes nothing beside a reference; a remark may stand around it.
            self.changes.append(f"{path}: the remark beside $ref is put around it")
            around: dict[str, Any] = {"anyOf": [{"$ref": target}]}
            return self._without_unknown(around | beside, path)
        return self._node(self._resolved(node, path), path)

    def _find(self, target: str, path: str) -> Mapping[str, Any]:
        found = referred(target, self._root)
        if not isinstance(found, Mapping) or not target.startswith("#"):
            step = "Put the definition into $defs."
            raise _impossible(path, f"points to {target}, which is not in the schema", step)
        return found

    def _resolved(self, node: dict[str, Any], path: str) -> dict[str, Any]:
        target = str(node["$ref"])
        if target in self._around:
            raise _impossible(
                path,
                f"holds itself: {target} cannot be written out in itself",
                "Write the reference alone where it holds itself, without allOf and other words beside it.",
            )
        self._here.add(target)
        found = self._find(target, path)
        self.changes.append(f"{path}: {target} is written out here")
        return {**found, **{name: value for name, value in node.items() if name != "$ref"}}

    def _merged(self, node: dict[str, Any], path: str) -> dict[str, Any]:
        parts = node.pop("allOf", None)
        if not parts:
            return node
        for part in parts:
            if not isinstance(part, Mapping):
                raise _impossible(path, f"has {part!r} in allOf", "Leave it out, or write a schema.")
            whole = self._resolved(dict(part), path) if "$ref" in part else self._merged(dict(part), path)
            for name, value in whole.items():
                node[name] = _joined(node[name], value, name, path) if name in node else deepcopy(value)
        self.changes.append(f"{path}: allOf is merged into one")
        return node

    def _typed(self, node: dict[str, Any], path: str) -> dict[str, Any]:
        """Name the type where other words say it."""
        if node.get("nullable") is True:
            node.pop("nullable")
            node = _nullable(node)
            self.changes.append(f"{path}: nullable is written as a type")
        if any(word in node for word in ("type", "enum", "const", "anyOf")):
            return node
        for kind, words in _TYPES_OF.items():
            if any(word in node for word in words):
                self.changes.append(f"{path}: its type, {kind}, is named")
                return {"type": kind, **node}
        raise _impossible(path, "takes any value", 'Name its type, such as {"type": "string"}.')

    def _object(self, node: dict[str, Any], path: str) -> None:
        extra = node.get("additionalProperties")
        if extra not in (None, False) or "properties" not in node:
            raise _impossible(
                path,
                "is an object with properties that are not named",
                'Name them, or take a list of pairs: [{"key": …, "value": …}].',
            )
        required = set(node.get("required") or ())
        properties = {}
        for name, given in node["properties"].items():
            place = f"{path}.{name}"
            inner = self._node(given, place)
            if name not in required and not takes_null(inner):
                inner = _nullable(inner)
                self.changes.append(f"{place}: may be absent, so it may be null")
            properties[name] = inner
        if extra is None:
            self.changes.append(f"{path}: closed (additionalProperties is false)")
        node.update(properties=properties, required=list(properties), additionalProperties=False)

    def _array(self, node: dict[str, Any], path: str) -> None:
        fixed = node.pop("prefixItems", None)
        if fixed:
            kinds = [self._node(one, f"{path}[{n}]") for n, one in enumerate(fixed)]
            different = list({json.dumps(kind, sort_keys=True): kind for kind in kinds}.values())
            node["items"] = different[0] if len(different) == 1 else {"anyOf": different}
            node.update(minItems=len(fixed), maxItems=len(fixed))
            self.changes.append(f"{path}: a tuple is written as a list of {len(fixed)}")
            return
        if "items" not in node:
            raise _impossible(
                path, "is a list of anything", 'Name what is in it: "items": {"type": "string"}.'
            )
        node["items"] = self._node(node["items"], f"{path}[]")

    def _without_unknown(self, node: dict[str, Any], path: str) -> dict[str, Any]:
        """Move what strict mode does not hold the answer to into the description, where the model reads it."""
        told = []
        for name in [name for name in node if name not in _KEPT or _is_open_format(name, node)]:
            value = node.pop(name)
            if name in _REMARKS or (name == "default" and value is None):
                continue
            told.append(f"{name}: {json.dumps(value, ensure_ascii=False, default=str)}")
            self.changes.append(f"{path}: {name} is moved into the description")
        if told:
            node["description"] = " ".join([*filter(None, [node.get("description")]), f"({', '.join(told)})"])
        return node


def _is_open_format(name: str, node: Mapping[str, Any]) -> bool:
    return name == "format" and node[name] not in _FORMATS


def _joined(left: Any, right: Any, name: str, path: str) -> Any:
    """Merge what two parts of an allOf say about the same keyword."""
    if left == right or name in ("description", "title"):
        return left
    if name == "properties":
        both = [key for key in left if key in right and left[key] != right[key]]
        if both:
            raise _impossible(path, f"describes {both[0]!r} twice in allOf", "Write one description of it.")
        return {**left, **right}
    if name == "required":
        return list(dict.fromkeys([*left, *right]))
    if name == "additionalProperties":
        return False
    bound: dict[str, Callable[[Any, Any], Any]] = {
        "minimum": max,
        "minItems": max,
        "maximum": min,
        "maxItems": min,
    }
    if name in bound:
        return bound[name](left, right)
    raise _impossible(path, f"says {name} twice in allOf", "Merge the parts by hand.")


def _is(node: Mapping[str, Any], kind: str) -> bool:
    given = node.get("type")
    return kind in given if isinstance(given, list) else given == kind


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    plain = node.get("type")
    if (
        isinstance(plain, str)
        and plain not in ("object", "array")
        and "enum" not in node
        and "const" not in node
    ):
        return {**node, "type": [plain, "null"]}
    if "anyOf" in node:
        return {**node, "anyOf": [*node["anyOf"], {"type": "null"}]}
    described = {"description": node.pop("description")} if "description" in node else {}
    return {"anyOf": [node, {"type": "null"}], **described}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _check_size(schema: Mapping[str, Any]) -> None:
    """Hold the schema to the limits of strict mode."""
    names, n_values = [], 0
    deepest = 0
    for node, depth in _walked(schema, 0):
        names += [*_mapping(node.get("properties")), *_mapping(node.get("$defs"))]
        n_values += len(node.get("enum") or ())
        names += [value for value in node.get("enum") or () if isinstance(value, str)]
        deepest = max(deepest, depth)
    n_properties = sum(len(_mapping(node.get("properties"))) for node, _ in _walked(schema, 0))
    for what, size, most in (
        ("properties", n_properties, _MAX_PROPERTIES),
        ("levels of objects", deepest, _MAX_DEPTH),
        ("enum values", n_values, _MAX_ENUM_VALUES),
        ("characters of names and values", sum(map(len, names)), _MAX_NAMED_CHARACTERS),
    ):
        if size > most:
            raise ParamError(
                f"The schema has {size:,} {what}; strict mode takes at most {most:,}.",
                "Ask for less at once, or in several calls.",
                param="text.format",
            )


def _walked(node: Any, depth: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    if not isinstance(node, Mapping):
        return
    depth += _is(node, "object")
    yield node, depth
    inner = [*_mapping(node.get("properties")).values(), *_mapping(node.get("$defs")).values()]
    inner += [node.get("items"), *(node.get("anyOf") or ())]
    for one in inner:
        yield from _walked(one, depth)


def _impossible(path: str, what: str, step: str) -> ParamError:
    return ParamError(
        f"The schema at {path} {what}; strict mode cannot express it.", step, param="text.format"
    )
