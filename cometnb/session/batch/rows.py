"""From the rows of a frame to the requests they ask: the prompt filled in, images and options taken from columns."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cometnb.errors import CellError, CometWarning, ParamError
from cometnb.protocol.params import PARAMS
from cometnb.protocol.request import prepare
from cometnb.session.batch.columns import Columns, Row, is_missing
from cometnb.session.content import one_line, pieces_of
from cometnb.session.piece import Kind, Piece, text_of
from cometnb.session.prompt import assembled, attachment
from cometnb.session.template import Expression

__all__ = ["Asking", "RowRequests"]

# What the prompt is made of, and how an answer is waited for, is not the caller's to say again.
_OWN = {
    "input": "The prompt is the second argument of respond_frame.",
    "stream": "Leave it out: the rows' answers are waited for whole.",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What every row is asked.

    Attributes
    ----------
    prompt : str
        With ``{{column}}`` and ``{{expression over columns}}``.
    params : dict
        The API's parameters that all rows share, with the model; ``instructions`` may hold expressions, too.
    images, files : tuple of column names
        Each cell a path, URL, id, bytes, or an object such as a figure; a list of these attaches each.
    detail : str or None
        How closely images are looked at.
    row_options : dict
        Path of a parameter, with dots, to the column that holds each row's own value.
    missing : str or None
        Stands in the prompt where a value is missing; None makes that an error of the row.
    """

    prompt: str
    params: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Hashable, ...] = ()
    files: tuple[Hashable, ...] = ()
    detail: str | None = None
    row_options: Mapping[str, Hashable] = field(default_factory=dict)
    missing: str | None = None


class RowRequests:
    """Makes each row's request. Whatever is wrong for all rows is said when it is made, before anything is paid.

    Parameters
    ----------
    asking : Asking
    columns : Columns

    Raises
    ------
    CometError
        A column that is not there, an expression that is no Python, a parameter that cannot be sent.
    """

    def __init__(self, asking: Asking, columns: Columns) -> None:
        self._asking, self._columns = asking, columns
        prompt: Any = asking.prompt
        if not isinstance(prompt, str) or not prompt.strip():
            raise CellError(
                f"The prompt is {one_line(repr(prompt))}, which asks nothing.",
                'Write one with a column: respond_frame(df, "Classify: {{review}}").',
            )
        row_options: Any = asking.row_options
        if not isinstance(row_options, Mapping):
            raise ParamError(
                f"row_options={one_line(repr(row_options))} does not say which column is which parameter.",
                'Give a dict: row_options={"model": "column"}.',
                param="row_options",
            )
        for name, step in _OWN.items():
            if name in asking.params or name in asking.row_options:
                raise ParamError(f"{name} cannot be given for a frame.", step, param=name)
        self._body = columns.parts(asking.prompt)
        self._instructions = self._templated(asking.params.get("instructions"))
        self._attached: list[tuple[Kind, Hashable]] = []
        for kind, named in (("image", asking.images), ("file", asking.files)):
            self._attached += [(kind, columns.column(name, f"{kind}s")) for name in named]  # type: ignore[misc]
        for path, column in asking.row_options.items():
            columns.column(column, f"row_options[{path!r}]")
            _check_path(path)
        if self.is_same_for_all:
            raise CellError(
                "The prompt names no column: every row would ask the same.",
                "Put a column's name into double braces: {{review}}.",
            )
        shared = {name: value for name, value in asking.params.items() if name != "instructions"}
        # What is settled for all rows is told here, once.
        prepare({**shared, "input": "?"})

    @property
    def is_same_for_all(self) -> bool:
        """True if no row differs from another: the prompt names no column at all."""
        parts = [*self._body, *(self._instructions or ())]
        is_varied = any(isinstance(part, Expression) for part in parts)
        return not (is_varied or self._attached or self._asking.row_options)

    def of(self, row: Row) -> dict[str, Any]:
        """Return the body that this row sends, checked.

        Raises
        ------
        CometError
            An error in one of its expressions, a missing value, an image that cannot be read, a parameter that
            cannot be sent.
        """
        namespace = self._columns.namespace(row)
        params = dict(self._asking.params)
        if self._instructions is not None:
            pieces = [piece for _, piece in self._filled(self._instructions, namespace)]
            if any(piece.kind != "text" for piece in pieces):
                raise CellError(
                    "The instructions hold an image or a file.", "Put it into the prompt instead."
                )
            params["instructions"] = "".join(piece.text for piece in pieces)
        for path, column in self._asking.row_options.items():
            value = row.get(column)
            if value is not None:
                _set(params, path, _plain(value))
        attached = [
            (str(column), piece)
            for kind, column in self._attached
            for piece in self._pieces(kind, column, row.get(column))
        ]
        prompt = assembled(self._filled(self._body, namespace), attached, self._asking.detail).input
        if isinstance(prompt, str):
            prompt = prompt.strip("\n")
            if not prompt.strip():
                raise CellError(
                    "The prompt of this row is empty.", "Drop such rows, or write more around the value."
                )
        return _prepared({**params, "input": prompt})

    def _templated(self, text: Any) -> list[str | Expression] | None:
        return self._columns.parts(text) if isinstance(text, str) and "{{" in text else None

    def _filled(
        self, parts: Iterable[str | Expression], namespace: Mapping[str, Any]
    ) -> Iterator[tuple[str, Piece]]:
        for part in parts:
            if isinstance(part, str):
                yield "", text_of(part, is_listed=False)
                continue
            value = part.value(namespace)
            if is_missing(value):
                yield "", text_of(self._stand_in(part.shown), is_listed=False)
                continue
            for piece in pieces_of(value, part.shown):
                yield part.text, piece

    def _pieces(self, kind: Kind, column: Hashable, value: Any) -> list[Piece]:
        if is_missing(value):
            self._stand_in(f"The {kind} in {column!r}")
            return []
        values: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
        shown = f"the {kind} in {column!r}"
        return [piece for one in values for piece in attachment(one, kind, str(column), shown)]

    def _stand_in(self, shown: str) -> str:
        if self._asking.missing is None:
            raise CellError(
                f"{shown} is missing in this row.", 'Leave such rows out (df.dropna), or give missing="".'
            )
        return self._asking.missing


def _prepared(params: Mapping[str, Any]) -> dict[str, Any]:
    with warnings.catch_warnings():
        # Of a thousand rows it would be told a thousand times.
        warnings.simplefilter("ignore", CometWarning)
        return prepare(params).body


def _check_path(path: str) -> None:
    """Refuse the path of a parameter that looks mistyped; others pass, as everywhere."""
    known = [row.name for row in PARAMS]
    root = path.partition(".")[0]
    near = [] if root in known else difflib.get_close_matches(root, known, n=1, cutoff=0.75)
    if near:
        raise ParamError(
            f"row_options names the parameter {root!r}, which there is not.",
            f"Did you mean {near[0]}?",
            param=root,
        )


def _set(params: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path, into copies of the dicts on the way."""
    *outer, last = path.split(".")
    place = params
    for name in outer:
        inner = place.get(name)
        place[name] = dict(inner) if isinstance(inner, Mapping) else {}
        place = place[name]
    place[last] = value


def _plain(value: Any) -> Any:
    """Return a scalar of numpy as Python's own, which JSON knows."""
    is_scalar = getattr(value, "shape", None) == () and hasattr(value, "dtype")
    return value.item() if is_scalar else value
