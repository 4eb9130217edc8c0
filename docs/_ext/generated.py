"""The parts of these pages that the code writes: options, subcommands, settings, parameters, errors, public names.

A page says where with ``<!-- generated: NAME ARGUMENT -->``. Nothing is written by hand twice, so nothing can differ.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import docstring_parser
import public
from sphinx.util import logging

from cometnb import errors, options
from cometnb.client.simulator.faults import FAULTS
from cometnb.magics.comet import SUBCOMMANDS
from cometnb.magics.extension import CometMagics
from cometnb.protocol.params import PARAMS, Param
from cometnb.session.cell_options import OPTIONS, Option

__all__ = ["GUIDE", "MARK", "PARTS", "setup"]

MARK = re.compile(r"<!-- generated: (?P<name>[a-z]+) ?(?P<argument>\w*) -->")

_logger = logging.getLogger(__name__)

# The order in which the notebooks are read; one that is not named here stands before the last.
GUIDE = (
    "quickstart",
    "streaming",
    "objects",
    "conversations",
    "tools",
    "structured",
    "panel",
    "cost",
    "effort",
    "sweeps",
    "batch",
    "offline",
    "tour",
)


def setup(app: Any) -> dict[str, bool]:
    """Fill the marks of every page that is read."""
    app.connect("source-read", _fill)
    app.connect("env-updated", _check_errors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill(app: Any, docname: str, source: list[str]) -> None:
    if app.env.doc2path(docname).suffix != ".md":
        return
    folder = Path(app.srcdir)
    source[0] = MARK.sub(lambda mark: PARTS[mark["name"]](mark["argument"], folder), source[0])


def _check_errors(app: Any, env: Any) -> None:
    """Warn of an error class that no page tells what to do about."""
    pages = "".join(path.read_text("utf-8") for path in sorted(Path(app.srcdir).rglob("*.md")))
    told = {mark["argument"] for mark in MARK.finditer(pages) if mark["name"] == "error"}
    for name in sorted(set(_error_names()) - told):
        _logger.warning("%s is described on no page; docs/errors.md is the one", name)


def _guide(argument: str, folder: Path) -> str:
    known = {path.stem for path in (folder / "guide").glob("*.ipynb")}
    first = [name for name in GUIDE[:-1] if name in known]
    rest = sorted(known - set(GUIDE))
    return _toctree([*first, *rest, *(known & {GUIDE[-1]})], depth=1)


def _api(argument: str, folder: Path) -> str:
    return _toctree([f"api/{group.slug}" for group in public.GROUPS if any(public.named(group))], depth=1)


def _toctree(pages: list[str], depth: int) -> str:
    return "\n".join(["```{toctree}", f":maxdepth: {depth}", "", *pages, "```"])


# What a cell and a line take.


def _cell(argument: str, folder: Path) -> str:
    wanted = [option for option in OPTIONS if bool(option.path) == (argument == "parameters")]
    return _table(("option", "meaning"), ((_flags(option), _prose(option.help)) for option in wanted))


def _flags(option: Option) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    flags = [f"{flag}{value}" if flag == option.flags[-1] else flag for flag in option.flags]
    return "<br>".join(_code(flag) for flag in flags)


def _line(argument: str, folder: Path) -> str:
    lines = {f"%comet {name} {one.usage}".rstrip(): one.help for name, one in SUBCOMMANDS.items()}
    return _list((_code(line), [_prose(help_)]) for line, help_ in lines.items())


def _parameters(argument: str, folder: Path) -> str:
    return _list(_parameter_rows(PARAMS, ""))


def _parameter_rows(params: tuple[Param, ...], inside: str) -> Iterator[tuple[str, list[str]]]:
    for param in params:
        path = f"{inside}{param.name}"
        default = "" if param.default is None else f"default {_code(str(param.default).lower())}"
        is_required = "required" if param.required else ""
        term = [_code(path), " or ".join(param.kinds), _values(param), default, is_required]
        notes = [_prose(param.doc)]
        notes += [f"Not together with {_code(other)}." for other in param.excludes]
        notes += [f"Deprecated; use {_prose(param.deprecated)}."] if param.deprecated else []
        known = f"Known values: {', '.join(map(_code, param.choices))}" if param.choices else ""
        notes += [known + ("." if param.closed else ", or a newer one.")] if known else []
        yield " · ".join(part for part in term if part), [" ".join(notes)]
        yield from _parameter_rows(param.fields, f"{path}.")


def _values(param: Param) -> str:
    if param.minimum is not None and param.maximum is not None:
        return f"{param.minimum:g} to {param.maximum:g}"
    if param.minimum is not None:
        return f"at least {param.minimum:g} {param.unit}".rstrip()
    return f"up to {param.max_length} characters" if param.max_length else ""


def _settings(argument: str, folder: Path) -> str:
    described = docstring_parser.parse(options.Options.__doc__ or "")
    meaning = {param.arg_name: param.description or "" for param in described.params}
    traits = CometMagics.class_traits(config=True)
    rows = []
    for name, variables in options._VARIABLES.items():
        said = _prose(traits[name].help) if name in traits else "What the service knows you by."
        change = _code(f"%config CometMagics.{name} = …" if name in traits else "%comet key")
        default = options._DEFAULTS[name]
        known = f". Default: {_code(default)}" if default else ""
        told = [said, f"Value: {_rst(meaning[name])}", f"In a notebook: {change}{known}"]
        rows.append((" or ".join(map(_code, variables)), told))
    only = [
        trait
        for trait in traits
        if trait not in options._VARIABLES and trait in CometMagics.class_own_traits()
    ]
    rows += [(_code(f"%config CometMagics.{name} = …"), [_prose(traits[name].help)]) for name in only]
    return _list(rows)


def _faults(argument: str, folder: Path) -> str:
    rows = (
        (_code(f"%comet simulator --fault {name}"), _prose(fault.message.format(model="…")))
        for name, fault in FAULTS.items()
    )
    return _table(("line", "what every answer then is"), rows)


# Errors and the Python interface.


def _error_names() -> list[str]:
    return [name for name in errors.__all__ if inspect.isclass(getattr(errors, name))]


def _error(argument: str, folder: Path) -> str:
    """An error's class, ancestry and docstring, as autodoc shows them."""
    return _rest([f".. autoexception:: cometnb.errors.{argument}", "   :show-inheritance:", ""])


def _names(argument: str, folder: Path) -> str:
    rows = [(f"{{py:obj}}`{name.path}`", _rst(name.summary)) for name in public.top_names()]
    return _table(("name", "what it is"), rows)


def _documented(argument: str, folder: Path) -> str:
    (group,) = (group for group in public.GROUPS if group.slug == argument)
    top, also = public.named(group)
    lines: list[str] = []
    for name in [*top, *also]:
        lines += [f".. auto{name.kind}:: {name.path}"]
        if name.kind == "class":
            lines += ["   :members:", *_inherited(name.value)]
        lines += [""]
    return f"# {group.title}\n\n{group.about}\n\n{_rest(lines)}"


def _inherited(kind: type) -> list[str]:
    """Show what comes from a base of cometnb's that has no page of its own, up to the first base of others."""
    if any(base.__name__.startswith("_") for base in kind.__bases__):
        return ["   :inherited-members:"]
    if kind.__bases__[0].__module__.startswith("cometnb.panel."):
        return ["   :inherited-members: HasTraits"]
    return []


def _rest(lines: list[str]) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```"])


# Text.


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in (" | ".join(head), " | ".join(["---"] * len(head)), *lines))


def _list(rows: Iterable[tuple[str, list[str]]]) -> str:
    """A definition list: of each row the term, and what is said of it in paragraphs."""
    return "\n\n".join("\n\n  ".join([f"{term}\n: {said[0]}", *said[1:]]) for term, said in rows)


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


_TYPED = re.compile(r"((?<!\S)(?:--[a-z][\w-]*|%{1,2}\w+|\{\{ \}\})(?=[\s,;.:]|$))")
_QUOTED = re.compile(r"(``.+?``|`[^`]+`)")


def _prose(text: str) -> str:
    """Plain text of a help line, where braces and stars mean themselves; what is typed becomes code."""
    return _with_code(_TYPED, text)


def _rst(text: str) -> str:
    """Text of a docstring, with its code; names that it links are code here."""
    return _with_code(_QUOTED, text)


def _with_code(code: re.Pattern[str], text: str) -> str:
    pieces = code.split(re.sub(r"\s+", " ", text.strip()))
    return "".join(_code(piece.strip("`")) if at % 2 else _escaped(piece) for at, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>$])", r"\\\1", text)


PARTS: dict[str, Callable[[str, Path], str]] = {
    "api": _api,
    "cell": _cell,
    "documented": _documented,
    "error": _error,
    "faults": _faults,
    "guide": _guide,
    "line": _line,
    "names": _names,
    "parameters": _parameters,
    "settings": _settings,
}
