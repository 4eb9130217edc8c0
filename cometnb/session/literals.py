"""Values of Python that are there to be read: literals, and names that are assigned literals. Nothing is run."""

from __future__ import annotations

import ast
from typing import Any, ClassVar

from cometnb.errors import CellError

__all__ = ["Literals"]

_CHANGES = frozenset(
    {
        "append",
        "clear",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "update",
    }
)
# A double has fewer, and Python writes no number of several times as many.
_MOST_BITS = 1024
# Values that are read, and how many characters or entries of a sum count as one.
_MOST_VALUES, _PER_VALUE = 200_000, 100
# How SDKs spell "leave this one out".
_NOT_GIVEN = frozenset({"NOT_GIVEN", "NotGiven", "not_given", "omit", "Omit"})


class Literals:
    """The literal values of a piece of code.

    Parameters
    ----------
    tree : Module
        The code, parsed.

    Attributes
    ----------
    ABSENT : object
        Stands for an argument that is written as not given.
    """

    ABSENT: ClassVar[object] = object()

    def __init__(self, tree: ast.Module) -> None:
        self._assigned: dict[str, list[ast.expr | None]] = {}
        self._changed: dict[str, int] = {}
        self._being_read: set[str] = set()
        self._n_left = _MOST_VALUES
        for node in ast.walk(tree):
            self._note(node)

    def knows(self, name: str) -> bool:
        """Tell whether a name is assigned in the code."""
        return name in self._assigned

    def value(self, node: ast.expr) -> Any:
        """Return the JSON value that an expression stands for.

        Raises
        ------
        CellError
            It is not literal; line 1 says where it stops being so.
        """
        self._spend(1, node)
        match node:
            case ast.Constant(value=int() as number) if number.bit_length() > _MOST_BITS:
                raise CellError(
                    f"Line {node.lineno}: a number has {number.bit_length():,} bits; {_MOST_BITS:,} are the most.",
                    "Write another number.",
                )
            case ast.Constant(value=value) if value is None or isinstance(value, str | int | float):
                return value
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return self._list(entries)
            case ast.Dict():
                return self._dict(node)
            case ast.JoinedStr(values=pieces) if all(isinstance(one, ast.Constant) for one in pieces):
                return "".join(str(self.value(one)) for one in pieces)
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() as number)
            ):
                return -number if isinstance(node.op, ast.USub) else number
            case ast.BinOp(op=ast.Add()):
                return self._sum(node)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _NOT_GIVEN:
                return self.ABSENT
            case ast.Name(id=name):
                return self._named(name, node)
            case ast.Call(func=ast.Name(id="dict"), args=[]):
                return self._keywords(node)
        raise _not_literal(node)

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._note_target(target, value)
            case ast.AnnAssign(target=target, value=value):
                self._note_target(target, value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                self._assigned.setdefault(name, []).append(value)
            case ast.AugAssign(target=target):
                self._note_change(target)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._note_change(target)
            case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Subscript() as target, attr=name)):
                if name in _CHANGES:
                    self._note_change(target)
            case ast.For(target=target) | ast.comprehension(target=target):
                self._note_loop(target)
            case ast.arg(arg=name):
                self._assigned.setdefault(name, []).append(None)

    def _note_target(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._assigned.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            self._note_loop(target)
        else:
            self._note_change(target)

    def _note_loop(self, target: ast.expr) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self._assigned.setdefault(node.id, []).append(None)

    def _note_change(self, target: ast.expr) -> None:
        line = target.lineno
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            self._changed.setdefault(target.id, line)

    def _named(self, name: str, node: ast.expr) -> Any:
        if name in self._changed:
            raise CellError(f"Line {self._changed[name]} changes {name} after it was written.", _NEXT)
        found = self._assigned.get(name, [])
        if len(found) != 1 or found[0] is None or name in self._being_read:
            raise _not_literal(node)
        self._being_read.add(name)
        try:
            return self.value(found[0])
        finally:
            self._being_read.discard(name)

    def _spend(self, n_values: int, node: ast.expr) -> None:
        """Count what is made of the code: names that stand for names twice over come to more than memory holds."""
        self._n_left -= n_values
        if self._n_left < 0:
            raise CellError(f"Line {node.lineno}: the values come to more than can be read.", _NEXT)

    def _list(self, entries: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for entry in entries:
            if not isinstance(entry, ast.Starred):
                value = self.value(entry)
                if value is self.ABSENT:
                    raise _not_literal(entry)
                values.append(value)
                continue
            inner = self.value(entry.value)
            if not isinstance(inner, list):
                raise _not_literal(entry)
            values += inner
        return values

    def _dict(self, node: ast.Dict) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, entry in zip(node.keys, node.values, strict=True):
            value = self.value(entry)
            name = None if key is None else self.value(key)
            if value is self.ABSENT and key is not None:
                continue
            if isinstance(name, str):
                result[name] = value
            elif key is None and isinstance(value, dict):
                result.update(value)
            else:
                raise _not_literal(key or entry)
        return result

    def _keywords(self, node: ast.Call) -> dict[str, Any]:
        return self._dict(
            ast.Dict(
                [None if one.arg is None else ast.Constant(one.arg) for one in node.keywords],
                [one.value for one in node.keywords],
            )
        )

    def _sum(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if type(left) is type(right) and isinstance(left, str | list):
            self._spend((len(left) + len(right)) // _PER_VALUE, node)
            return left + right
        raise _not_literal(node)


_NEXT = "Write the value itself there."


def _not_literal(node: ast.expr) -> CellError:
    shown = " ".join(ast.unparse(node).split())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return CellError(f"Line {node.lineno}: {shown} is not literal, and code is not run.", _NEXT)
