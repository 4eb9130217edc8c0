"""``{{expression}}`` in a prompt: evaluated in the notebook, and nothing else in the text is touched."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from types import CodeType
from typing import Any

from cometnb.errors import CellError
from cometnb.protocol.response import Response

__all__ = ["as_text", "filled"]

_LONGEST_SHOWN = 80


def filled(template: str, namespace: Mapping[str, Any]) -> str:
    r"""Return the prompt with every ``{{expression}}`` replaced by its value as text.

    Single braces, ``$x``, LaTeX and JSON stay as typed. A backslash keeps a pair of braces: ``\{{`` stands for
    ``{{``.

    Parameters
    ----------
    template : str
        The cell's body.
    namespace : Mapping
        The notebook's names.

    Raises
    ------
    CellError
        No end, no Python, an unknown name, an error in the expression, or a value that has no text. It names the
        expression; nothing has been sent.
    """
    pieces: list[str] = []
    at = 0
    while (start := template.find("{{", at)) >= 0:
        if start and template[start - 1] == "\\":
            pieces += [template[at : start - 1], "{{"]
            at = start + 2
            continue
        code, end = _expression(template, start)
        expression = template[start + 2 : end - 2].strip()
        pieces += [template[at:start], as_text(_value(code, expression, namespace), expression)]
        at = end
    return "".join([*pieces, template[at:]])


def as_text(value: Any, expression: str) -> str:
    """Return a value as the text that stands for it in a prompt.

    Text is itself; numbers are as Python writes them; a Response is its text; an object with ``_repr_llm_`` or
    ``_repr_markdown_`` is what that returns; lists and dicts of plain values are JSON.

    Raises
    ------
    CellError
        If the value is nothing of this.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Response):
        return value.output_text
    for method in ("_repr_llm_", "_repr_markdown_"):
        text = _by_method(value, method, expression)
        if text is not None:
            return text
    if isinstance(value, int | float) or (hasattr(value, "item") and getattr(value, "ndim", None) == 0):
        return str(value)
    if isinstance(value, list | tuple | dict):
        try:
            return json.dumps(value, ensure_ascii=False, indent=2)
        except (TypeError, ValueError, RecursionError):
            pass
    raise CellError(
        f"{{{{{_short(expression)}}}}} is a {type(value).__module__}.{type(value).__name__}, which has no text of its own.",
        f"Say how it should read: {{{{str({_short(expression)})}}}}, or give the object a method _repr_llm_().",
    )


def _by_method(value: Any, method: str, expression: str) -> str | None:
    found = getattr(type(value), method, None)
    try:
        text = found(value) if callable(found) else None
    except Exception as error:
        raise _raised(f"{{{{{_short(expression)}}}}}.{method}()", error) from error
    return text if isinstance(text, str) else None


def _expression(template: str, start: int) -> tuple[CodeType, int]:
    """Return the compiled expression that opens at `start`, and where its closing braces end.

    A dict or a text inside it may hold ``}}`` too, so the first end at which it is Python counts.
    """
    end = first_end = template.find("}}", start + 2)
    problem = ""
    while end >= 0:
        # "{{ {1: {2: 3}} }}": of a longer run of braces the last two may be the closing ones.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return compile(template[start + 2 : end].strip(), "{{…}}", "eval"), end + 2
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # The parser says the latter two of what is nested too deep.
            problem = problem or str(error).split(" ({{")[0] or "it is nested too deep"
        if template.find("\n\n", start, end) >= 0:
            break
        end = template.find("}}", end + 1)
    if first_end < 0:
        raise CellError(
            f"{{{{{_short(template[start + 2 :])} has no closing }}}}.",
            "Close it, write \\{{ for two plain braces, or use --raw.",
        )
    raise CellError(
        f"{{{{{_short(template[start + 2 : first_end].strip())}}}}} is not a Python expression: {problem}.",
        "Mend it, write \\{{ for two plain braces, or use --raw.",
    )


def _value(code: CodeType, expression: str, namespace: Mapping[str, Any]) -> Any:
    try:
        return eval(code, dict(namespace))  # noqa: S307  # the user's own code in the user's own kernel
    except NameError as error:
        raise CellError(
            f"{{{{{_short(expression)}}}}}: {error}.",
            "Run the cell that defines it, write \\{{ for two plain braces, or use --raw.",
        ) from error
    except Exception as error:
        raise _raised(f"{{{{{_short(expression)}}}}}", error) from error


def _raised(what: str, error: Exception) -> CellError:
    return CellError(
        f"{what} raised {type(error).__name__}: {_short(str(error))}.",
        "Run the expression in a cell of its own to see why.",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"
