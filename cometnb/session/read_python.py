"""Python that makes one call, read for the parameters it passes: literals only, and nothing is run."""

from __future__ import annotations

import ast
import json
import math
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cometnb.errors import CellError
from cometnb.protocol.depth import MOST_LEVELS, is_too_deep
from cometnb.protocol.items import input_items
from cometnb.session.json_body import json_body
from cometnb.session.literals import Literals
from cometnb.session.settings import Settings

__all__ = ["Call", "is_python", "python_call"]

# What these calls take that is no part of the request: how the call is marked, and how far functions may go.
_LEFT_OUT = frozenset({"labels", "max_rounds", "max_concurrency", "tag"})
_OURS = _LEFT_OUT | {"chat"}
_SDK = frozenset({"extra_headers", "extra_query", "timeout"})
_POSTS = frozenset({"post", "request", "stream", "build_request"})
# Places with lines for a notebook; the whole code is read anew for each.
_MOST_PASSED_OVER = 50
_FOUND = "Paste client.respond(…), client.responses.create(…), httpx.post(…, json=…), a curl command, JSON or a cell."


@dataclass(frozen=True, slots=True)
class Call:
    """What one call passes.

    Attributes
    ----------
    params : dict
        By the API's names, with ``extra_body``.
    is_body : bool
        True if this is what is sent; else a client checks and settles it, and None means "not set".
    tools : tuple of str or dict
        With functions by name, where one is among them.
    schema : str
        As it is written.
    left_out : tuple of str
        Arguments of cometnb's own that settings cannot say, as they are written (``tag=``).
    """

    params: dict[str, Any]
    is_body: bool
    tools: tuple[str | dict[str, Any], ...] = ()
    schema: str = ""
    left_out: tuple[str, ...] = ()

    def with_names(self, settings: Settings) -> Settings:
        """Return settings with the tools and the schema that the call names."""
        if self.schema:
            settings = replace(settings, schema=self.schema)
        return replace(settings, tools=self.tools) if self.tools else settings


def python_call(text: str) -> Call:
    """Return what the one call in a text passes.

    Parameters
    ----------
    text : str
        Statements around the call are looked at only for the names it uses: each must be assigned once, and not
        changed afterwards. A dict alone is a body.

    Raises
    ------
    CellError
        It is no Python, has no such call or several, or a value that is not literal; line 1 says where.
    """
    try:
        return _one_call(_parsed(textwrap.dedent(text)))
    except SyntaxError as error:
        raise CellError(
            f"The text is no cell, curl command or JSON, and as Python line {error.lineno or 1} cannot be read:"
            f" {error.msg}.",
            _FOUND,
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise CellError("The text is nested too deep, or no Python.", _FOUND) from None


def is_python(text: str) -> bool:
    """Tell whether a text can be read as Python."""
    try:
        _parsed(textwrap.dedent(text))
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return False
    return True


def _parsed(text: str) -> ast.Module:
    """Parse code, passing over the lines that only a notebook understands: ``%pip install …``, ``!ls``."""
    lines = text.split("\n")
    for n_left in reversed(range(_MOST_PASSED_OVER)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return ast.parse("\n".join(lines))
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not n_left or not _is_for_notebook(lines, at):
                raise
        # Those right below are no Python, either: here a statement would begin.
        while _is_for_notebook(lines, at):
            indent = len(lines[at]) - len(lines[at].lstrip())
            lines[at] = f"{lines[at][:indent]}pass"
            at += 1
    raise AssertionError("the last round returns or raises")


def _is_for_notebook(lines: list[str], at: int) -> bool:
    return 0 <= at < len(lines) and lines[at].lstrip().startswith(("%", "!"))


def _one_call(tree: ast.Module) -> Call:
    literals = Literals(tree)
    calls = [
        (node, names) for node in ast.walk(tree) if isinstance(node, ast.Call) and (names := _asked(node))
    ]
    if not calls:
        return Call(_only_dict(tree, literals), is_body=True)
    if len(calls) > 1:
        lines = ", ".join(str(line) for line in sorted(node.lineno for node, _ in calls))
        raise CellError(f"There are {len(calls)} calls in this code, in lines {lines}.", "Leave one of them.")
    node, names = calls[0]
    if names[-2:] == ["completions", "create"]:
        raise CellError(
            f"Line {node.lineno} calls {'.'.join(names)}, which is another API.",
            "Paste a call of the Responses API: client.responses.create(…).",
        )
    if _is_http(node, names):
        return Call(_posted(node, literals), is_body=True)
    return _of_sdk(node, names, literals) if "responses" in names else _of_ours(node, names, literals)


def _asked(node: ast.Call) -> list[str]:
    """Return the names of the called function, such as client, responses, create; nothing if it is no request."""
    names: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        names.insert(0, function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        names.insert(0, function.id)
    last = names[-1] if names else ""
    is_sdk = last in ("create", "parse", "stream") and names[-2:-1] in (["responses"], ["completions"])
    is_ours = last in ("respond", "stream")
    return names if is_sdk or is_ours or _is_http(node, names) else []


def _is_http(node: ast.Call, names: list[str]) -> bool:
    given = {keyword.arg for keyword in node.keywords}
    return bool(names) and names[-1] in _POSTS and bool(given & {"json", "data", "content"})


def _only_dict(tree: ast.Module, literals: Literals) -> dict[str, Any]:
    if len(tree.body) == 1 and isinstance(only := tree.body[0], ast.Expr | ast.Assign):
        value = only.value
        if isinstance(value, ast.Dict):
            return _finite(literals.value(value), value)
    raise CellError("There is no call in this text that sends a request.", _FOUND)


def _posted(node: ast.Call, literals: Literals) -> dict[str, Any]:
    for keyword in node.keywords:
        if keyword.arg in ("json", "data", "content"):
            value = literals.value(_dumped(keyword.value))
            if isinstance(value, str):
                value = _decoded(value, keyword.value)
            if not isinstance(value, dict):
                raise CellError(
                    f"Line {keyword.value.lineno}: {keyword.arg}= is no dict.", "Pass the body there."
                )
            return _finite(value, keyword.value)
    raise AssertionError("it was found by such an argument")


def _dumped(node: ast.expr) -> ast.expr:
    """Return what is made JSON of, where that is what stands there."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr != "dumps":
            break
        node = node.args[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
        return _dumped(node.func.value)
    return node


def _decoded(text: str, node: ast.expr) -> Any:
    try:
        return json_body(text)
    except ValueError as error:
        raise CellError(f"Line {node.lineno}: the body is no JSON: {error}.", "Mend it there.") from None


def _of_sdk(node: ast.Call, names: list[str], literals: Literals) -> Call:
    given = dict(_keywords(node, literals, passed_over=_SDK | {"text_format"}))
    if names[-1] == "stream":
        given.setdefault("stream", True)
    schema = next((ast.unparse(one.value) for one in node.keywords if one.arg == "text_format"), "")
    return Call(_finite(given, node), is_body=True, schema=schema)


def _of_ours(node: ast.Call, names: list[str], literals: Literals) -> Call:
    named = {one.arg: one.value for one in node.keywords if one.arg in ("tools", "schema")}
    _check_alone(node)
    given = dict(_keywords(node, literals, passed_over=_OURS | set(named)))
    if len(node.args) > 1:
        raise CellError(f"Line {node.lineno}: {names[-1]} takes one input.", "Name the other arguments.")
    if node.args:
        given |= {
            name: one for name, one in [("input", literals.value(node.args[0]))] if one is not Literals.ABSENT
        }
    if isinstance(given.get("input"), list | dict):
        given["input"] = input_items(given["input"])
    if names[-1] == "stream":
        given = {"stream": True, **given}
    tools = _named_tools(named["tools"], literals) if "tools" in named else []
    left_out = tuple(
        f"{one.arg}=" for one in node.keywords if one.arg in _LEFT_OUT and not _is_none(one.value)
    )
    schema = _schema(named.get("schema"), literals)
    if not all(isinstance(one, dict) for one in tools):
        return Call(_finite(given, node), False, tuple(tools), schema, left_out)
    given |= {"tools": tools} if "tools" in named else {}
    return Call(_finite(given, node), is_body=False, schema=schema, left_out=left_out)


def _check_alone(node: ast.Call) -> None:
    for keyword in node.keywords:
        if keyword.arg == "chat" and not _is_none(keyword.value):
            raise CellError(
                f"Line {keyword.value.lineno}: chat= sends a conversation, which settings cannot say.",
                "Leave it out: the prompt is then asked alone.",
            )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _keywords(
    node: ast.Call, literals: Literals, *, passed_over: frozenset[str]
) -> Iterator[tuple[str, Any]]:
    for keyword in node.keywords:
        if keyword.arg in passed_over:
            continue
        value = literals.value(keyword.value)
        if value is Literals.ABSENT:
            continue
        if keyword.arg is not None:
            yield keyword.arg, value
        elif isinstance(value, dict):
            yield from value.items()
        else:
            raise CellError(
                f"Line {keyword.value.lineno}: ** has no dict after it.", "Write the arguments out."
            )


def _named_tools(node: ast.expr, literals: Literals) -> list[Any]:
    """Return tools with functions by name; what they are is looked up when the call is made."""
    entries = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    if len(entries) == 1 and entries[0] is node:
        value = literals.value(node)
        return list(value) if isinstance(value, list) else []
    found = [
        one.id if isinstance(one, ast.Name) and not literals.knows(one.id) else literals.value(one)
        for one in entries
    ]
    return [one for one in found if one is not Literals.ABSENT]


def _schema(node: ast.expr | None, literals: Literals) -> str:
    if node is None or _is_none(node):
        return ""
    if isinstance(node, ast.Name) and not literals.knows(node.id):
        return node.id
    try:
        value = literals.value(node)
    except CellError:
        return ast.unparse(node)
    if value is Literals.ABSENT:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _finite(value: dict[str, Any], node: ast.AST) -> dict[str, Any]:
    if is_too_deep(value):
        raise CellError(
            f"Line {getattr(node, 'lineno', 1)}: the values have more than {MOST_LEVELS} levels.",
            "No request needs as many.",
        )

    def walk(one: Any) -> Iterator[Any]:
        if isinstance(one, Mapping):
            for inner in one.values():
                yield from walk(inner)
        elif isinstance(one, list):
            for inner in one:
                yield from walk(inner)
        else:
            yield one

    if any(isinstance(one, float) and not math.isfinite(one) for one in walk(value)):
        line = getattr(node, "lineno", 1)
        raise CellError(
            f"Line {line}: a number is not finite, and JSON has no such.", "Write another number."
        )
    return value
