"""A ``%%respond`` cell, written so that running it, or reading it back, is the same request."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cometnb.errors import CellError, masked
from cometnb.session.assignment import assignment, one_line_json
from cometnb.session.cell_options import OPTIONS, Option
from cometnb.session.settings import TEXT_PATHS, Settings, escaped, has_expressions
from cometnb.session.template import compiled, filled
from cometnb.session.typable import PASTED, is_seen, is_typed, survives

__all__ = ["cell_text"]

_BY_PATH = {option.path: option for option in OPTIONS if option.path}


def cell_text(settings: Settings) -> str:
    """Return the cell that asks for the same.

    What cannot be typed on its line (line ends, characters that cannot be seen) stands there as ``--set path=JSON``,
    or, in a text with ``{{expressions}}``, as one more: ``{{"…"}}`` with the character escaped. Input that is no
    prompt, or a prompt that would not survive as lines of a cell, is ``--set input=JSON``.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    str
        The line, and the prompt below it; whatever looks like a key is masked.

    Raises
    ------
    CellError
        The name of an attachment that cannot stand on a line, or an expression that is no Python.
    """
    settings = settings.normal()
    goes_on_line = _goes_on_line(settings)
    if settings.is_raw and not goes_on_line and not survives(settings.prompt):
        settings = settings.as_template()
    words = list(_words(settings))
    body = settings.prompt.strip("\n")
    if goes_on_line:
        text = settings.prompt if settings.is_raw else filled(settings.prompt, {})
        words += ["--set", shlex.quote(assignment(["input"], text))]
        body = ""
    elif not survives(body):
        body = _typable(body, is_typed)
    # A shell does not run a cell that has no line below the first.
    return masked(" ".join(["%%respond", *words]) + "\n" + (body or "\n"))


def _goes_on_line(settings: Settings) -> bool:
    """Tell whether the prompt is plain text that a cell's lines would not keep as it is."""
    prompt = settings.prompt
    if settings.images or settings.files or not prompt.strip():
        return False
    is_plain = settings.is_raw or not has_expressions(prompt)
    return is_plain and not (survives(prompt) and prompt == prompt.strip("\n"))


def _words(settings: Settings) -> Iterator[str]:
    for name, value in settings.params.items():
        if name != "extra_body":
            yield from _param(name, value, settings.is_raw)
    yield from _tools(settings.tools)
    for flag, texts in (("--schema", [_schema(settings.schema)]), ("--image", settings.images)):
        yield from _named(flag, texts)
    yield from _named("--file", settings.files)
    yield from _named("--detail", [settings.detail or ""])
    rest = settings.params.get("extra_body", {})
    if not isinstance(rest, Mapping):
        raise CellError("extra_body is no object of further fields.", "Give it as an object: {…}.")
    for name, value in rest.items():
        yield from _set([name], value)
    if settings.is_raw:
        yield "--raw"


def _param(name: str, value: Any, is_raw: bool) -> Iterator[str]:
    option = _BY_PATH.get(name)
    if name == "stream" and value is False:
        yield "--no-stream"
    elif option is None or option.param is None:
        yield from _set([name], value)
    elif option.param.fields and isinstance(value, Mapping) and value:
        for inner, entry in value.items():
            field = _BY_PATH.get(f"{name}.{inner}") if "." not in inner else None
            yield from _set([name, inner], entry) if field is None else _option(field, entry, is_raw)
    else:
        yield from _option(option, value, is_raw)


def _option(option: Option, value: Any, is_raw: bool) -> Iterator[str]:
    """Yield an option and its value, or a ``--set`` where the option would read another value."""
    names = option.path.split(".")
    if isinstance(value, bool) and option.takes == "maybe":
        yield option.flags[-1] if value else f"--no-{option.flags[-1].removeprefix('--')}"
    elif option.path not in TEXT_PATHS:
        text = _plain(option, value)
        yield from _set(names, value) if text is None else _flag(option, text)
    elif isinstance(value, Mapping) and _takes(option, "object"):
        yield from _flag(option, one_line_json(value))
    elif not isinstance(value, str):
        yield from _set(names, value)
    elif not is_raw and has_expressions(value):
        text = value if all(map(is_seen, value)) else _typable(value, is_seen)
        yield from _flag(option, text)
    elif all(map(is_seen, value)) and not _means_more(option, value):
        yield from _flag(option, value)
    else:
        yield from _set(names, value if is_raw else filled(value, {}))


def _plain(option: Option, value: Any) -> str | None:
    """Return the value of an option that takes no text; None if it would not be read as this value."""
    if isinstance(value, str) or value is None or isinstance(value, bool) or option.takes == "maybe":
        return None
    if isinstance(value, list) and _takes(option, "array"):
        return _listed(value) or one_line_json(value)
    if isinstance(value, Mapping) and _takes(option, "object"):
        return one_line_json(value)
    is_number = isinstance(value, int | float) and (_takes(option, "number") or _takes(option, "integer"))
    return one_line_json(value) if is_number else None


def _takes(option: Option, kind: str) -> bool:
    return option.param is not None and kind in option.param.kinds


def _means_more(option: Option, text: str) -> bool:
    """Tell whether the line would take a text for something else: a variable, a file, an object."""
    if option.path == "instructions":
        return text.isidentifier() or text.startswith("@")
    return _takes(option, "object") and text.startswith("{")


def _listed(entries: list[Any]) -> str:
    """Return entries with commas between them; nothing if they would be read otherwise."""
    are_words = all(isinstance(one, str) and re.fullmatch(r"[\w.:/-]+", one, re.ASCII) for one in entries)
    text = ",".join(entries) if are_words else ""
    return "" if text.isidentifier() else text


def _tools(tools: tuple[str | dict[str, Any], ...]) -> Iterator[str]:
    if tools:
        # A single name may be a variable here: it is what is meant.
        names = ",".join(one for one in tools if isinstance(one, str) and one.isidentifier())
        is_whole = names.split(",") == list(tools)
        yield from ("--tools", names if is_whole else shlex.quote(one_line_json(tools)))


def _named(flag: str, texts: tuple[str, ...] | list[str]) -> Iterator[str]:
    for text in filter(None, texts):
        if not all(map(is_seen, text)):
            raise CellError(
                f"{flag} {text!r} cannot stand on a cell's line.", f"Put it into a variable: {flag} name"
            )
        yield from _with_value(flag, flag, text)


def _schema(text: str) -> str:
    stripped = text.strip()
    try:
        return one_line_json(json.loads(stripped)) if stripped.startswith("{") else " ".join(stripped.split())
    except ValueError:
        return " ".join(stripped.split())


def _flag(option: Option, text: str) -> Iterator[str]:
    return _with_value(option.flags[0], option.flags[-1], text)


def _with_value(short: str, long: str, text: str) -> Iterator[str]:
    # What begins like an option is one, unless it is tied to the option it belongs to.
    yield from [f"{long}={shlex.quote(text)}"] if text.startswith("-") else [short, shlex.quote(text)]


def _set(names: list[str], value: Any) -> Iterator[str]:
    yield from ("--set", shlex.quote(assignment(names, value)))


def _typable(template: str, is_kept: Callable[[str], bool]) -> str:
    """Return a template that gives the same text, with every other character written as an expression."""
    return "".join(
        _typed_text(part, is_kept) if isinstance(part, str) else _typed_expression(part.text, is_kept)
        for part in compiled(template)
    )


def _typed_text(text: str, is_kept: Callable[[str], bool]) -> str:
    lost = [not is_kept(one) for one in text]
    for found in PASTED.finditer(text) if is_kept is is_typed else ():
        lost[found.start() : found.end()] = [True] * (found.end() - found.start())
    marks = "".join(
        "x" if is_lost else "{" if one in "\\{" else "." for one, is_lost in zip(text, lost, strict=True)
    )
    # A brace or backslash just before would become part of the braces.
    written, at = [], 0
    for run in re.finditer(r"(?:\{*x+)+", marks):
        written += [
            escaped(text[at : run.start()]),
            f'{{{{"{ascii(text[run.start() : run.end()])[1:-1]}"}}}}',
        ]
        at = run.end()
    return "".join([*written, escaped(text[at:])])


def _typed_expression(code: str, is_kept: Callable[[str], bool]) -> str:
    line = code if all(map(is_kept, code)) else ast.unparse(ast.parse(code, mode="eval"))
    if not all(map(is_kept, line)):
        raise CellError(
            f"The expression {{{{{code}}}}} cannot stand on one line.",
            "Put it into a variable, and name that.",
        )
    return f"{{{{{line}}}}}"
