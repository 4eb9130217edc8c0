"""Python types as what an answer shall be: pydantic classes, dataclasses, TypedDicts, and all that pydantic takes."""

from __future__ import annotations

import functools
import json
import operator
import sys
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, Required, Union, get_args, get_origin

from cometnb.errors import ParamError, SchemaMismatchError
from cometnb.session.schema_kinds import ASK_AGAIN, Kind, api_name, shown

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

__all__ = ["from_type"]

_STEP = "Give a pydantic class, a dataclass, a TypedDict, a JSON Schema, a DataFrame or one line: 'name, age int'."


def from_type(given: Any) -> Kind:
    """Return the kind of a Python type.

    Parameters
    ----------
    given : type
        Anything that pydantic's TypeAdapter takes, or a TypeAdapter itself.

    Raises
    ------
    ParamError
        If pydantic makes no JSON Schema of it.
    """
    adapter = _adapter(given)
    schema = _json_schema(adapter, given, "validation")
    try:
        dumped = _json_schema(adapter, given, "serialization")
    except ParamError:
        dumped = schema

    def load(value: Any, place: str) -> Any:
        from pydantic import ValidationError

        try:
            # As JSON, so that classes that are strict with Python values take dates, enums and tuples.
            return adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            raise _mismatch(error, place) from None

    def dump(value: Any) -> Any:
        return adapter.dump_python(value, mode="json", by_alias=True, warnings=False)

    return Kind(_name(given, schema), schema, load, dump, dumped)


def _adapter(given: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    if isinstance(given, TypeAdapter):
        return given
    try:
        return TypeAdapter(_rebuilt(given, {}))
    except Exception as error:  # noqa: BLE001  # besides pydantic's own: whatever an object's attributes raise
        raise ParamError(
            f"{shown(given)} is no schema: {_first_line(error)}", _STEP, param="schema"
        ) from None


def _json_schema(
    adapter: TypeAdapter[Any], given: Any, mode: typing.Literal["validation", "serialization"]
) -> dict[str, Any]:
    from pydantic.errors import PydanticUserError
    from pydantic.json_schema import GenerateJsonSchema

    class WithoutMadeUpTitles(GenerateJsonSchema):
        """Leaves out titles that only repeat a property's name: each would be paid for as input."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    try:
        return adapter.json_schema(mode=mode, by_alias=True, schema_generator=WithoutMadeUpTitles)
    except PydanticUserError as error:
        raise ParamError(
            f"{shown(given)} has no JSON Schema: {_first_line(error)}", _STEP, param="schema"
        ) from None


def _mismatch(error: ValidationError, root: str) -> SchemaMismatchError:
    first, *others = error.errors(include_url=False, include_context=False)
    place = root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    more = f" ({len(others)} more such {'place' if len(others) == 1 else 'places'})" if others else ""
    reason = first["msg"][:1].lower() + first["msg"][1:]
    is_missing = first["type"] == "missing"
    value = None if is_missing else first["input"]
    fact = (
        f"{place} is missing"
        if is_missing
        else f"{shown(value)} at {place} does not fit the schema: {reason}"
    )
    return SchemaMismatchError(f"{fact}{more}.", ASK_AGAIN, place=place, value=value)


def _name(given: Any, schema: dict[str, Any]) -> str:
    if isinstance(given, type) and not get_args(given):
        return api_name(given.__name__, schema.get("title"))
    named = [getattr(one, "__name__", "") for one in get_args(given) if one is not type(None)]
    return api_name("_".join([*filter(None, named), "rows" if "items" in schema else ""]))


# TypedDicts of Python 3.11, which pydantic does not take.


def _rebuilt(given: Any, known: dict[Any, Any]) -> Any:
    """Return a type with every `typing.TypedDict` in it made one of `typing_extensions`, which pydantic reads."""
    if sys.version_info >= (3, 12):
        return given
    if typing.is_typeddict(given) and type(given).__module__ == "typing":
        return known[given] if given in known else _typed_dict(given, known)
    origin, arguments = get_origin(given), get_args(given)
    if origin is None or not arguments or origin is typing.Literal:
        return given
    if origin is Annotated:
        return Annotated[(_rebuilt(arguments[0], known), *arguments[1:])]
    inner = tuple(_rebuilt(one, known) if one is not ... else one for one in arguments)
    if inner == arguments:
        return given
    if origin in (Union, types.UnionType):
        return functools.reduce(operator.or_, inner)
    return origin[inner]


def _typed_dict(given: Any, known: dict[Any, Any]) -> Any:
    from typing_extensions import TypedDict

    empty: dict[str, Any] = {}
    # Known before its fields are looked at: one of them may be the class itself.
    made: Any = TypedDict(given.__name__, empty)  # type: ignore[misc]  # made at run time
    known[given] = made
    made.__doc__, made.__module__ = given.__doc__, given.__module__
    required = set(given.__required_keys__)
    hints = {}
    for name, hint in typing.get_type_hints(given, include_extras=True).items():
        marked = get_origin(hint)
        # With annotations kept as text, the class itself does not know these.
        if marked in (Required, NotRequired):
            required = required | {name} if marked is Required else required - {name}
        hints[name] = _rebuilt(get_args(hint)[0] if marked in (Required, NotRequired) else hint, known)
    made.__annotations__ = hints
    made.__required_keys__ = frozenset(required)
    made.__optional_keys__ = frozenset(hints) - required
    return made


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") + "."
