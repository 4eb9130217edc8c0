"""What the model is told of a Python function: its name, what it does, and a strict schema of its arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from cometnb.errors import ConfigError, ParamError
from cometnb.protocol.schema import Strict, strict

__all__ = ["Arguments", "described", "tool_name"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNNAMED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Arguments:
    """How a function is called with what the model sends.

    Parameters
    ----------
    function : callable
        Its parameters have type hints; defaults make them optional.
    name : str
        For errors.
    documented : Mapping of str to str
        What each parameter means.
    is_strict : bool
        Whether the schema is to be one of strict mode.

    Attributes
    ----------
    schema : dict
        JSON Schema of an object with one property per parameter.
    changes : tuple of str
        What strict mode changed in it.

    Raises
    ------
    ParamError
        A parameter has no type, or one that strict mode cannot express; line 2 says what to write.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, documented: Mapping[str, str], *, is_strict: bool
    ) -> None:
        self._parameters = _parameters(function, name)
        self._model = _model(self._parameters, name, documented)
        given = self._model.model_json_schema(by_alias=True)
        given.pop("title", None)
        for node in given.get("properties", {}).values():
            node.pop("title", None)
        self._strict: Strict | None = _strict(given, name) if is_strict else None
        self.schema: dict[str, Any] = self._strict.schema if self._strict is not None else given
        self.changes: tuple[str, ...] = self._strict.changes if self._strict is not None else ()

    def bound(self, sent: Any) -> tuple[list[Any], dict[str, Any]]:
        """Return positional and named arguments, in the types of the hints.

        Raises
        ------
        ValueError
            If they do not fit; says which and why.
        """
        from pydantic import ValidationError

        try:
            filled = self._model.model_validate(self._strict.restored(sent) if self._strict else sent)
        except ValidationError as error:
            raise ValueError(_wrong(error)) from None
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for place, parameter in enumerate(self._parameters):
            if f"p{place}" not in filled.model_fields_set:
                continue
            value = getattr(filled, f"p{place}")
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        return positional, named


def described(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what a function's docstring says: of itself, and of each parameter."""
    from docstring_parser import parse

    found = parse(inspect.getdoc(function) or "")
    summary = "\n\n".join(filter(None, (found.short_description, found.long_description)))
    return summary, {one.arg_name: one.description or "" for one in found.params}


def tool_name(function: Callable[..., Any], name: str | None) -> str:
    """Return the name a function is offered under.

    Raises
    ------
    ConfigError
        If the API does not take it.
    """
    found = name or str(getattr(function, "__name__", type(function).__name__))
    if not _NAME.fullmatch(found):
        raise ConfigError(
            f"{found!r} cannot be a tool's name: 1 to 64 letters, digits, _ and - can.",
            'Name it: @cometnb.tool(name="lookup").',
        )
    return found


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(
            f"The parameters of {name} cannot be read: {error}.", "Give it type hints that can be evaluated."
        ) from None
    for parameter in signature.parameters.values():
        if parameter.kind in _UNNAMED:
            raise ParamError(
                f"{name} takes {parameter}, which a model cannot be told.",
                "Name every parameter of the function.",
                param="tools",
            )
        if parameter.annotation is inspect.Parameter.empty:
            raise ParamError(
                f"The parameter {parameter.name!r} of {name} has no type.",
                f"Write {parameter.name}: str, for example.",
                param="tools",
            )
    return list(signature.parameters.values())


def _model(parameters: list[inspect.Parameter], name: str, documented: Mapping[str, str]) -> Any:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    fields: dict[str, Any] = {}
    for place, parameter in enumerate(parameters):
        is_required = parameter.default is inspect.Parameter.empty
        # A name of its own: some names of parameters are methods of pydantic's models.
        fields[f"p{place}"] = (
            parameter.annotation,
            Field(
                default=... if is_required else parameter.default,
                alias=parameter.name,
                description=documented.get(parameter.name) or None,
            ),
        )
    try:
        model = create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)
        model.model_json_schema()
    except (PydanticUserError, TypeError) as error:
        raise ParamError(
            f"The types of {name} have no JSON form: {str(error).splitlines()[0]}",
            "Use text, numbers, lists, dataclasses or pydantic classes.",
            param="tools",
        ) from None
    return model


def _strict(schema: Mapping[str, Any], name: str) -> Strict:
    try:
        return strict(schema)
    except ParamError as error:
        step = f"{error.next_step} Or offer it without: @cometnb.tool(strict=False)."
        raise ParamError(f"{name}: {error.fact}", step, param="tools") from None


def _wrong(error: Any) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'arguments'}: {one['msg']}" for one in error.errors()
    )
