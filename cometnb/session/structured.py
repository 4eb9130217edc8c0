"""What an answer shall be, as one object: made from a class, a JSON Schema, a DataFrame or one line of text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cometnb.errors import ParamError, SchemaMismatchError
from cometnb.protocol.references import referred
from cometnb.protocol.schema import strict
from cometnb.protocol.schema_contradictions import contradiction
from cometnb.session.answer_json import json_in
from cometnb.session.schema_frames import are_objects, columns_of, frame_of_rows, is_object
from cometnb.session.schema_kinds import Kind, from_json_schema
from cometnb.session.schema_tables import TableForm, form_of
from cometnb.session.schema_words import from_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Schema", "asking_for", "schema_of", "text_format"]


class Schema:
    """What an answer shall be. Made by `schema_of`.

    Parameters
    ----------
    spec : object
        What it was made from; pickling keeps this, and makes the rest again.
    kind : Kind
        The same in one form.

    Attributes
    ----------
    name : str
        For the API, 1 to 64 of A-Z, a-z, 0-9, _ and -.
    schema : dict
        What is sent: a JSON Schema of strict mode, with an object at its root.
    rewrites : tuple of str
        A sentence for each change that strict mode needed.
    is_rows : bool
        True if the answer is a list, or an object whose one property is a list of objects: the rows of its frame.
    has_object_rows : bool
        True if each of these rows is an object.
    columns : tuple of Column
        Of its frames, in order.

    Raises
    ------
    ParamError
        If strict mode cannot express it, or nothing can meet it; line 2 says what to write instead.
    """

    def __init__(self, spec: Any, kind: Kind) -> None:
        _check(kind.schema)
        self.spec = spec
        self.name = kind.name
        self._kind = kind
        self._wrapped_in = _wrapper(kind.schema)
        self._strict = strict(_wrapped(kind.schema, self._wrapped_in))
        self.schema = self._strict.schema
        told = _wrapping_told(self._wrapped_in)
        self.rewrites: tuple[str, ...] = (*told, *self._strict.changes)
        self._rows_in = _rows_in(kind, self._wrapped_in)
        self._dumped_in = _only_list(kind.dumped)
        self.is_rows = self._rows_in is not None
        self.has_object_rows = self.is_rows and are_objects(_item(kind.schema), kind.schema)
        row = _item(kind.dumped) if self.is_rows else kind.dumped
        self.columns = kind.columns or columns_of(row, kind.dumped)

    def parse(self, text: str) -> Any:
        """Return the value that an answer's text stands for.

        Parameters
        ----------
        text : str
            JSON; a code fence or a sentence around it is passed over.

        Returns
        -------
        object
            An instance of the pydantic class or dataclass, or whatever the type says (a list of these for
            ``list[Person]``); for a TypedDict a dict; for JSON Schemas, DataFrames and one line plain JSON, which for
            rows is a list of dict. Dates stay texts in plain JSON.

        Raises
        ------
        SchemaMismatchError
            If it is no JSON or does not fit; has the place and the value.
        """
        found = json_in(text)
        if not found.is_whole:
            raise SchemaMismatchError(
                f"The answer is no whole JSON: {found.fault or 'it ends before it is closed'}.",
                "Ask again; a service that does not hold to schemas may need to be told in the prompt.",
            )
        return self.value_of(found.value)

    def value_of(self, answer: Any) -> Any:
        """Return the value that an answer's JSON stands for, as `parse` does.

        Raises
        ------
        SchemaMismatchError
            If it does not fit.
        """
        place = "$" if self._wrapped_in is None else f"$.{self._wrapped_in}"
        try:
            return self._kind.load(self._plain(answer), place)
        except RecursionError:
            raise SchemaMismatchError(
                "The answer's JSON is nested too deeply to be read.", "Ask again."
            ) from None

    def frame(self, value: Any) -> pd.DataFrame:
        """Return a value as a DataFrame with the schema's columns and dtypes, whatever the value holds.

        Parameters
        ----------
        value : object
            What `parse` returns; for rows any list of them, also an empty one.

        Returns
        -------
        DataFrame
            A row for each of the rows, or one row for anything else; index 0 to n - 1. Columns are the properties of a
            row; those of an object inside it are joined with dots (``home.street``), and lists, unions and objects
            that may hold themselves stay values. Dtypes: integers Int64, numbers float64, true and false boolean,
            text string, dates datetime64[us], moments datetime64[us, UTC], enums category, other values object. A
            schema that was made from a DataFrame keeps its time zones and the order of its categories. Missing is
            <NA>, NaN or NaT.

        Raises
        ------
        SchemaMismatchError
            If a value has no place in its dtype (an integer of more than 64 bits).
        """
        return frame_of_rows(self.plain_rows(value), self.columns)

    def frame_of_plain(self, rows: Iterable[Any]) -> pd.DataFrame:
        """Return rows in plain JSON, which need not fit, as a frame; what does not fit is missing in it."""
        return frame_of_rows(rows, self.columns, is_tolerant=True)

    def plain_rows(self, value: Any) -> list[Any]:
        """Return a value's rows in plain JSON, as `frame_of_plain` takes them; one row for what is no list of rows."""
        return self._rows_of(self._kind.dump(value))

    def plain_row(self, row: Any) -> Any:
        """Return a row of the answer as `frame` takes it: checked, defaults filled in; as it is if it does not fit."""
        answer = row if self._rows_in is None else {self._rows_in: [row]}
        try:
            (found,) = self.plain_rows(self.value_of(answer))
        except Exception:  # noqa: BLE001  # a class's own checks may raise anything; the whole answer is judged later
            return row
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return schema_of, (self.spec,)

    def __repr__(self) -> str:
        return f"<Schema {self.name}: {', '.join(column.name for column in self.columns)}>"

    def _plain(self, answer: Any) -> Any:
        """Take away what strict mode has added: nulls for what is absent, and the object around the value."""
        name = self._wrapped_in
        if name is None:
            return self._strict.restored(answer)
        is_bare = not isinstance(answer, dict) or name not in answer
        # Some services do not hold to a schema, and some models then answer with the value alone.
        return self._strict.restored({name: answer} if is_bare else answer)[name]

    def _rows_of(self, dumped: Any) -> list[Any]:
        if self._wrapped_in == "rows":
            return list(dumped)
        if self._rows_in is not None and isinstance(dumped, dict):
            # An object that is not closed may have come with more.
            return list(dumped.get(self._dumped_in) or ())
        return [dumped]


def schema_of(spec: Any, namespace: Mapping[str, Any] | None = None) -> Schema:
    """Return what an answer shall be.

    Parameters
    ----------
    spec : object
        A pydantic class, dataclass, TypedDict or any type that pydantic knows (``list[Person]``, ``Literal["a", "b"]``,
        ``int``); a JSON Schema as a mapping; a DataFrame, whose columns and dtypes the rows shall have; text: a JSON
        Schema, or fields in one line such as ``'name, age int?, mood glad|sad'``, in brackets for rows.
    namespace : Mapping, optional
        Variables; then text may also name one: ``'Person'``, ``'list[Person]'``.

    Raises
    ------
    ParamError
        If no schema can be made of it, or strict mode cannot express it.
    """
    if isinstance(spec, str):
        spec = from_text(spec, namespace)
        spec = from_text(spec) if isinstance(spec, str) else spec
    if isinstance(spec, Schema):
        return spec
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(spec, pandas.DataFrame):
        spec = form_of(spec)
    return Schema(spec, _kind(spec))


def text_format(schema: Schema) -> dict[str, Any]:
    """Return ``text.format`` of a request: ``text={"format": text_format(schema)}``."""
    return {"type": "json_schema", "name": schema.name, "strict": True, "schema": schema.schema}


def asking_for(schema: Schema | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's parameters with the schema's format among them; without a schema as they are."""
    if schema is None:
        return dict(params)
    text = params.get("text")
    return {**params, "text": {**(text if isinstance(text, Mapping) else {}), "format": text_format(schema)}}


def _check(schema: Mapping[str, Any]) -> None:
    found = contradiction(schema)
    if found is not None:
        place, reason = found
        raise ParamError(
            f"No answer can meet the schema: at {place}, {reason}.", "Correct the schema; nothing was sent."
        )


def _kind(spec: Any) -> Kind:
    if isinstance(spec, Mapping):
        return from_json_schema(spec)
    if isinstance(spec, TableForm):
        return from_json_schema(spec.schema, "rows", spec.columns)
    from cometnb.session.schema_types import from_type

    return from_type(spec)


# The root has to be one object: anything else is put into one.


def _wrapper(schema: Mapping[str, Any]) -> str | None:
    """Return the property that a value has to be put into: ``rows`` for lists, ``value``, or None for objects."""
    root = _root(schema)
    if root.get("type") == "array" and not root.get("prefixItems"):
        return "rows"
    is_plain = root.get("type", "object") == "object" and not {"anyOf", "oneOf", "nullable"} & set(root)
    return None if is_plain and {"properties", "allOf", "type"} & set(root) else "value"


def _root(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    root, seen = schema, set()
    while "$ref" in root and root["$ref"] not in seen:
        seen.add(root["$ref"])
        found = referred(str(root["$ref"]), schema)
        root = found if isinstance(found, Mapping) else {}
    return root


def _wrapped(schema: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    if name is None:
        return schema
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    inner = {word: value for word, value in schema.items() if word not in ("$defs", "definitions", "$schema")}
    if _names_root(inner) or _names_root(definitions):
        # The root is no longer the root.
        definitions = {**_pointed(definitions), _ROOT: _pointed(inner)}
        inner = {"$ref": f"#/$defs/{_ROOT}"}
    around = {
        "type": "object",
        "properties": {name: inner},
        "required": [name],
        "additionalProperties": False,
    }
    return {**around, "$defs": definitions} if definitions else around


_ROOT = "Root"


def _is_to_root(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.startswith("#")
        and not value.startswith(("#/$defs/", "#/definitions/"))
    )


def _names_root(node: Any) -> bool:
    if isinstance(node, Mapping):
        return _is_to_root(node.get("$ref")) or any(map(_names_root, node.values()))
    return isinstance(node, list) and any(map(_names_root, node))


def _pointed(node: Any) -> Any:
    """Return a schema whose references to the root go to where the root is now."""
    if isinstance(node, list):
        return [_pointed(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: f"#/$defs/{_ROOT}{value[1:]}" if name == "$ref" and _is_to_root(value) else _pointed(value)
        for name, value in node.items()
    }


def _wrapping_told(name: str | None) -> tuple[str, ...]:
    return (
        () if name is None else (f'$: put into an object, {{"{name}": …}}, because the root has to be one',)
    )


# What a frame's rows are.


def _rows_in(kind: Kind, wrapped_in: str | None) -> str | None:
    """Return the property of the answer whose entries are the rows: of its own, or put around it; None if none is."""
    if wrapped_in is not None:
        return "rows" if wrapped_in == "rows" else None
    asked, dumped = _only_list(kind.schema), _only_list(kind.dumped)
    return asked if dumped is not None else None


def _only_list(schema: Mapping[str, Any]) -> str | None:
    """Return the name of an object's one property if it is a list of objects."""
    properties = _root(schema).get("properties") or {}
    if len(properties) != 1:
        return None
    ((name, inner),) = properties.items()
    is_list = isinstance(inner, Mapping) and inner.get("type") == "array"
    return name if is_list and is_object(inner.get("items"), schema) else None


def _item(schema: Mapping[str, Any]) -> Any:
    """Return the schema of a row: of a list's entry, or of an entry of an object's one list."""
    root = _root(schema)
    if root.get("type") != "array":
        (root,) = root["properties"].values()
    return root.get("items")
