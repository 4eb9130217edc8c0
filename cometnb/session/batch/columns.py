"""The columns of a frame as a prompt's expressions see them: by their names, in front of the notebook's own."""

from __future__ import annotations

import ast
import builtins
import difflib
import itertools
import keyword
import math
import re
import symtable
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from numbers import Rational, Real
from typing import Any

from cometnb.errors import CellError
from cometnb.session.content import one_line
from cometnb.session.template import Expression, compiled

__all__ = ["Columns", "Row", "is_missing"]

_ROW = "row"
_MOST_NAMED = 12


class Row(dict[Hashable, Any]):
    """One row: its values by column, also as attributes (``row.title``). What is missing is None.

    Attributes
    ----------
    label : object
        Of the frame's index.
    """

    label: Any = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the row has no column {name!r}") from None


class Columns:
    """What names a prompt may use: the frame's columns, the names of its index, and the notebook's variables.

    Parameters
    ----------
    names : sequence
        Of the columns.
    levels : sequence
        Names of the index, None for a level without one. They stand behind the columns.
    namespace : Mapping
        The notebook's names; a column goes before a variable of its name.

    Raises
    ------
    CellError
        If two columns have one name, or are written alike (0 and "0"): nobody could say which is meant.
    """

    def __init__(
        self, names: Sequence[Hashable], levels: Sequence[Hashable], namespace: Mapping[str, Any]
    ) -> None:
        _check_different(names)
        self.names, self.levels = tuple(names), tuple(levels)
        self._known = dict.fromkeys([*names, *(level for level in levels if level is not None)])
        self._namespace = dict(namespace)
        # Names that are no Python, such as "Review text", class or 0, are found as they stand between the braces.
        odd = [name for name in self._known if not _is_name(name)]
        taken = {*map(str, self._known), *self._namespace}
        # A column may have any name, that of a stand-in included.
        free = (f"_comet_column_{at}" for at in itertools.count() if f"_comet_column_{at}" not in taken)
        self._odd = {str(name): (next(free), name) for name in odd}
        words = "|".join(re.escape(word) for word in sorted(self._odd, key=len, reverse=True))
        self._odd_words = re.compile(rf"(?<!\\){{{{\s*({words})\s*}}}}") if self._odd else None

    def column(self, name: Hashable, what: str) -> Hashable:
        """Return a column that is named as such.

        Raises
        ------
        CellError
            If there is none of this name; names the nearest.
        """
        if name not in self._known:
            raise self._unknown(f"{what}: there is no column {one_line(repr(name))}.", str(name))
        return name

    def parts(self, template: str) -> list[str | Expression]:
        """Return a template's text and expressions, every name in them looked up.

        Raises
        ------
        CellError
            No Python, or a name that is neither a column nor a variable; names the nearest columns.
        """
        text = template
        if self._odd_words is not None:
            text = self._odd_words.sub(lambda found: f"{{{{{self._odd[found[1]][0]}}}}}", template)
        try:
            parts = list(compiled(text))
        except CellError as error:
            step = error.next_step.replace(", or use --raw", "").replace(", write \\{{", ", or write \\{{")
            raise CellError(error.fact, step) from None
        originals = {alias: word for word, (alias, _) in self._odd.items()}
        found = [
            replace(part, text=originals.get(part.text, part.text)) if isinstance(part, Expression) else part
            for part in parts
        ]
        for part, seen in zip(parts, found, strict=True):
            if isinstance(part, Expression) and isinstance(seen, Expression):
                self._check(part.text, seen.shown)
        return found

    def row(self, values: Iterable[Any], label: Any) -> Row:
        """Return a row from its values in the order of the columns."""
        row = Row(
            (name, None if is_missing(value) else value)
            for name, value in zip(self.names, values, strict=True)
        )
        row.label = label
        return row

    def namespace(self, row: Row) -> dict[str, Any]:
        """Return all names that an expression of this row may use. It is the same dict each time, filled anew."""
        space = self._namespace
        space[_ROW] = row
        if any(level is not None for level in self.levels):
            labels = row.label if len(self.levels) > 1 else (row.label,)
            space.update(self._named(zip(self.levels, labels, strict=True)))
        space.update(self._named(row.items()))
        return space

    def _named(self, values: Iterable[tuple[Hashable, Any]]) -> Iterator[tuple[str, Any]]:
        for name, value in values:
            if name is None:
                continue
            if _is_name(name):
                yield str(name), value
            else:
                yield self._odd[str(name)][0], value

    def _check(self, text: str, shown: str) -> None:
        tree = ast.parse(text, mode="eval")
        for column in _asked_of_row(tree):
            if _ROW not in self._known and column not in self.names:
                raise self._unknown(f"{shown}: there is no column {one_line(repr(column))}.", str(column))
        aliases = {alias for alias, _ in self._odd.values()}
        for name in sorted(_free_names(text)):
            if name in self._known or name in aliases or name == _ROW:
                continue
            if name not in self._namespace and not hasattr(builtins, name):
                raise self._unknown(
                    f"{shown}: there is no column {name!r}, and no variable of that name.", name
                )

    def _unknown(self, fact: str, name: str) -> CellError:
        words = {str(known): known for known in self._known}
        folded = {word.casefold(): word for word in words}
        near = [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)]
        if near:
            return CellError(fact, f"Did you mean {' or '.join(near)}?")
        listed = ", ".join([*words][:_MOST_NAMED])
        more = len(words) - _MOST_NAMED
        return CellError(
            fact, f"The columns are: {listed or 'none'}{f' and {more:,} more' if more > 0 else ''}."
        )


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for "there is none": None, NaN of any kind of number, NaT or <NA>."""
    if value is None:
        return True
    kind = type(value).__name__
    if kind in ("NAType", "NaTType"):
        return True
    # numpy counts its spans of time among the whole numbers.
    if kind in ("datetime64", "timedelta64"):
        return str(value) == "NaT"
    if isinstance(value, Decimal):
        return value.is_nan()
    # Whole numbers and fractions are always there, also those too large for a float.
    return isinstance(value, Real) and not isinstance(value, Rational) and math.isnan(value)


def _check_different(names: Iterable[Hashable]) -> None:
    """Refuse columns between which a prompt cannot choose."""
    seen: dict[str, Hashable] = {}
    for name in names:
        if str(name) in seen:
            word, other = (one_line(repr(one)) for one in (name, seen[str(name)]))
            alike = (
                f"Two columns are called {word}."
                if word == other
                else f"The columns {other} and {word} are written alike."
            )
            raise CellError(alike, "Keep one of each: df.loc[:, ~df.columns.map(str).duplicated()].")
        seen[str(name)] = name


def _is_name(name: Hashable) -> bool:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        return False
    # Python reads a name in its normal form, in which the column would not be found; two have a meaning of their own.
    return name not in ("__debug__", "__builtins__") and unicodedata.is_normalized("NFKC", name)


def _free_names(text: str) -> set[str]:
    """Return the names that an expression takes from outside; those it makes itself are not among them."""

    def of(table: symtable.SymbolTable) -> Iterator[str]:
        is_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_global() or (is_top and symbol.is_referenced() and not symbol.is_assigned()):
                yield symbol.get_name()
        for inner in table.get_children():
            yield from of(inner)

    top = symtable.symtable(text, "{{…}}", "eval")
    made = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    return set(of(top)) - made


def _asked_of_row(tree: ast.AST) -> Iterator[Hashable]:
    """Yield the columns that an expression takes from ``row`` by a name that stands there."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        if node.value.id != _ROW:
            continue
        if isinstance(node, ast.Attribute):
            if node.attr != "label" and not hasattr(dict, node.attr):
                yield node.attr
        elif isinstance(node.slice, ast.Constant):
            yield node.slice.value
