"""What an object becomes in a prompt: the table from types to builders, and users' own entries in it."""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, TypeVar, overload

from cometnb.errors import CellError, CometError
from cometnb.protocol.response import Response
from cometnb.session import pictures, tabular
from cometnb.session.attachments import read
from cometnb.session.piece import Piece, image_of, image_type, part_of, text_of
from cometnb.session.plain import WRITTEN, as_json, has_json
from cometnb.session.sources import source_of
from cometnb.session.tracebacks import exception_text

__all__ = ["Builder", "one_line", "pieces_of", "raised", "register_content"]

Builder = Callable[[Any], Any]
_B = TypeVar("_B", bound=Builder)

_LONGEST_SHOWN = 80
_DEEPEST = 8

# Consulted only for what is loaded already: naming a class here imports nothing.
_BUILT_IN: dict[str, Builder] = {
    "pandas.DataFrame": tabular.frame,
    "pandas.Series": tabular.series,
    "pandas.Index": tabular.index,
    "polars.DataFrame": tabular.polars_frame,
    "polars.Series": lambda value: tabular.polars_frame(value.to_frame()),
    "matplotlib.figure.FigureBase": pictures.axes,
    "matplotlib.axes.Axes": pictures.axes,
    "PIL.Image.Image": pictures.pillow_image,
    "numpy.ndarray": lambda value: (
        text_of(str(value), is_listed=False) if value.ndim == 0 else pictures.array(value)
    ),
    "numpy.generic": lambda value: text_of(str(value), is_listed=False),
    "pandas.api.typing.NAType": lambda value: text_of(str(value), is_listed=False),
}
_OWN: dict[type | str, Builder] = {}


@overload
def register_content(type_or_name: type | str, builder: _B) -> _B: ...
@overload
def register_content(type_or_name: type | str) -> Callable[[_B], _B]: ...
def register_content(type_or_name: type | str, builder: Any = None) -> Any:
    """Say what objects of a type become in a prompt, and return the builder.

    It holds for subclasses too, goes before everything built in, and replaces an earlier entry.

    Parameters
    ----------
    type_or_name : type or str
        The type, or ``'module.Class'`` for one that need not be loaded yet.
    builder : callable, optional
        Takes the object; returns a text, a content part of the API (a dict such as
        ``cometnb.protocol.items.image_part`` makes), any other object that has a rendering (a DataFrame, a
        figure), or a list of these. Without it, a decorator is returned.

    Raises
    ------
    CellError
        If `type_or_name` is neither a type nor such a name, or `builder` cannot be called.

    Examples
    --------
    >>> from cometnb import register_content
    >>> class Molecule:
    ...     formula = "H2O"
    >>> @register_content(Molecule)
    ... def formula_of(molecule):
    ...     return molecule.formula
    """
    if not isinstance(type_or_name, type) and not _is_full_name(type_or_name):
        raise CellError(
            f"register_content got {one_line(repr(type_or_name))}, which is neither a type nor 'module.Class'.",
            "Write register_content(MyType, builder) or register_content('package.module.MyType', builder).",
        )
    if builder is None:
        return lambda given: register_content(type_or_name, given)
    if not callable(builder):
        raise CellError(
            f"The builder for {type_or_name} is a {type(builder).__name__}, which cannot be called.",
            "Give a function that takes the object and returns text or content parts.",
        )
    _OWN[type_or_name] = builder
    return builder


def _is_full_name(name: Any) -> bool:
    return isinstance(name, str) and "." in name and all(one.isidentifier() for one in name.split("."))


def pieces_of(value: Any, shown: str) -> list[Piece]:
    """Return the content that stands for an object.

    Asked in this order: `register_content`, ``_repr_llm_``, what is built in for pandas, numpy, matplotlib,
    PIL and polars, ``_repr_markdown_``, and Python's own kinds.

    Parameters
    ----------
    value : object
    shown : str
        How errors name it, such as ``{{df}}``.

    Raises
    ------
    CellError
        If it has no rendering, or its builder raised or returned nothing of use.
    """
    try:
        return _resolved(value, shown, _DEEPEST)
    except CometError:
        raise
    except Exception as error:
        raise raised(shown, error) from error


def _resolved(value: Any, shown: str, depth: int) -> list[Piece]:
    if not depth:
        raise CellError(
            f"{shown} is rendered as objects that are rendered as objects, {_DEEPEST} deep.",
            "Let its builder or _repr_llm_() return text or content parts.",
        )
    cls = type(value)
    builder = _found(cls, _OWN)
    if builder is not None:
        return _given(builder(value), shown, depth)
    for_model = _by_method(value, "_repr_llm_")
    if for_model is not None:
        return _given(for_model, shown, depth)
    if isinstance(value, str):
        # The characters themselves: a text with a name, as in an Enum, has another str().
        return [text_of(str.__str__(value), is_listed=False)]
    if isinstance(value, enum.Enum):
        return _resolved(value.value, shown, depth - 1)
    built_in = _found(cls, _BUILT_IN)
    if built_in is not None:
        return [built_in(value)]
    markdown = None if isinstance(value, Response) else _by_method(value, "_repr_markdown_")
    if isinstance(markdown, tuple):
        # IPython allows (text, metadata).
        markdown = markdown[0] if markdown else None
    if isinstance(markdown, str):
        return [text_of(markdown, "text/markdown")]
    return [_python(value, shown)]


def _found(cls: type, table: Mapping[Any, Builder]) -> Builder | None:
    names = [name for name in table if isinstance(name, str)]
    for base in cls.__mro__:
        if base in table:
            return table[base]
        for name in names:
            if _is_named(base, name):
                return table[name]
    return None


def _is_named(cls: type, name: str) -> bool:
    """Tell whether a class goes by this name: where it was defined, or where its package shows it."""
    if f"{cls.__module__}.{cls.__qualname__}" == name:
        return True
    module, _, last = name.rpartition(".")
    return last == cls.__name__ and getattr(sys.modules.get(module), last, None) is cls


def _by_method(value: Any, name: str) -> Any:
    method = getattr(type(value), name, None)
    return method(value) if callable(method) else None


def _given(result: Any, shown: str, depth: int) -> list[Piece]:
    """Return what a user's builder or ``_repr_llm_`` gave: text, a part, another object, or a list of these."""
    if result is None:
        raise CellError(
            f"The builder or _repr_llm_() of {shown} returned None.",
            "Let it return text, a content part or a list of them.",
        )
    pieces: list[Piece] = []
    for each in result if isinstance(result, list | tuple) else [result]:
        part = part_of(each, shown) if isinstance(each, dict) else None
        if part is not None:
            pieces.append(part)
        elif isinstance(each, str):
            pieces.append(text_of(each))
        else:
            pieces += _resolved(each, shown, depth - 1)
    return pieces


def _python(value: Any, shown: str) -> Piece:
    if isinstance(value, Response):
        return text_of(value.output_text, "text/markdown")
    if isinstance(value, PurePath):
        return read(value)
    if isinstance(value, BaseException):
        return text_of(exception_text(value))
    if isinstance(value, bytes | bytearray | memoryview) and image_type(bytes(value)):
        return image_of(bytes(value), shown)
    problem = ""
    if has_json(value):
        try:
            return text_of(as_json(value), "application/json")
        except (TypeError, ValueError, RecursionError) as error:
            problem = f": {one_line(str(error))}"
    elif isinstance(value, WRITTEN):
        return text_of(str(value), is_listed=False)
    elif isinstance(value, type) or inspect.isroutine(value):
        source = source_of(value)
        if source:
            return text_of(source, "text/x-python")
        problem = ": its source is not available"
    raise _without_text(value, shown, problem)


def _without_text(value: Any, shown: str, problem: str) -> CellError:
    expression = shown.removeprefix("{{").removesuffix("}}")
    return CellError(
        f"{shown} is a {type(value).__module__}.{type(value).__qualname__}, which has no text of its own{problem}.",
        f"Say how it should read: {{{{str({expression})}}}}, or for all of its type "
        "cometnb.register_content(type, builder).",
    )


def raised(what: str, error: Exception) -> CellError:
    """Return the error that says that `what` raised another."""
    return CellError(
        f"{what} raised {type(error).__name__}: {one_line(str(error))}.",
        "Run the expression in a cell of its own to see why.",
    )


def one_line(text: str) -> str:
    """Return text on one line, cut to 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"
