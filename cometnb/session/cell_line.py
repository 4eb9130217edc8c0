"""The line of a ``%%respond`` cell, read into parameters of the call and wishes of the notebook."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cometnb.errors import CellError
from cometnb.session.assignment import assigned
from cometnb.session.attachments import bytes_at
from cometnb.session.cell_options import BY_FLAG, OPTIONS, Option
from cometnb.session.export import FORMS
from cometnb.session.sweep_line import assignments
from cometnb.session.template import filled

__all__ = ["Arguments", "help_text", "parsed"]

_LONGEST_HELP_FLAGS = 34
_MOST_DIGITS = 9
_SWITCH = {"true": True, "false": False}


@dataclass
class Arguments:
    """What a cell's line asks for.

    Attributes
    ----------
    params : dict
        Parameters of the call, by the API's names.
    out : str
        A name to bind the Response to; empty for none.
    tag : str
    form : str
        The code to show instead of sending: python, httpx, curl or json; empty to send.
    images, files : list of str
        What to attach, as typed.
    detail : str or None
        How closely images are looked at.
    chat : str
        The conversation to continue; empty for none.
    conversation_id : str
        With a conversation: the id of an object at the service that keeps it; empty for none.
    after : str
        What to ask after instead of the conversation's end, as typed; empty for its end.
    sweep : list of str
        The axes of a sweep, as typed: ``model=a,b``.
    repeat : int or None
        How often a sweep asks each combination.
    max_rounds : int or None
    tools : list
        What is offered, as typed or as the variable holds it.
    schema : str
        What a structured answer is asked for with, as typed; empty for none.
    frame : str
        The name the answer's DataFrame is bound to; empty for none.
    is_new : bool
        Whether the conversation begins anew.
    confirms : bool
        Whether a person is asked before a function runs.
    is_quiet, is_raw, is_dry_run : bool
    is_code : bool
        Whether the answer's code goes into a new cell.
    """

    params: dict[str, Any] = field(default_factory=dict)
    out: str = ""
    tag: str = ""
    form: str = ""
    images: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    detail: str | None = None
    chat: str = ""
    conversation_id: str = ""
    after: str = ""
    sweep: list[str] = field(default_factory=list)
    repeat: int | None = None
    max_rounds: int | None = None
    tools: list[Any] = field(default_factory=list)
    schema: str = ""
    frame: str = ""
    is_new: bool = False
    confirms: bool = False
    is_quiet: bool = False
    is_raw: bool = False
    is_dry_run: bool = False
    is_code: bool = False


def parsed(line: str, namespace: Mapping[str, Any], *, is_filled: bool = True) -> Arguments:
    """Read a cell's line.

    Parameters
    ----------
    line : str
        What follows ``%%respond``.
    namespace : Mapping
        The notebook's names, for values that are variables and for ``{{ }}``.
    is_filled : bool
        Whether ``{{ }}`` is evaluated; else it stays as typed, and a variable named for a text becomes one.

    Raises
    ------
    CellError
        An unknown option, a missing or unreadable value, an option given twice. It names the option.
    """
    given = list(_options(line))
    _check_repeated(given)
    named = {option.name for option, _ in given}
    arguments = Arguments(
        is_quiet="quiet" in named,
        is_raw="raw" in named,
        is_dry_run="dry_run" in named,
        is_code="code" in named,
        is_new="new" in named,
        confirms="confirm" in named,
        images=[text or "" for option, text in given if option.name == "image"],
        files=[text or "" for option, text in given if option.name == "file"],
    )
    for option, text in given:
        if option.path:
            value = _value(option, text, namespace, is_raw=arguments.is_raw, is_filled=is_filled)
            _put(arguments.params, option.path.split("."), value)
        elif option.name in _OWN:
            _OWN[option.name](arguments, text or "")
    arguments.tools = _tools(arguments.params.pop("tools", None))
    if arguments.chat and "conversation" in arguments.params:
        arguments.conversation_id = _object_id(arguments.params.pop("conversation"))
    if arguments.frame and not arguments.schema:
        raise CellError("--df has no schema to make columns of.", "Write --schema '[name, age int]' --df.")
    return arguments


def help_text() -> str:
    """Return the magic's help: how it is used, every option, some examples."""
    rows = []
    for option in OPTIONS:
        flags = ", ".join(option.flags) + (f" {option.metavar}" if option.metavar else "")
        if len(flags) > _LONGEST_HELP_FLAGS:
            rows.append(f"  {flags}\n  {'':{_LONGEST_HELP_FLAGS}}  {option.help}")
        else:
            rows.append(f"  {flags:{_LONGEST_HELP_FLAGS}}  {option.help}")
    return "\n".join([_INTRODUCTION, "Options", "-------", *rows, "", _EXAMPLES])


_INTRODUCTION = """Send the cell's body as a prompt and stream the answer.

    %%respond [options]
    the prompt, with {{expressions}} evaluated in the notebook

The cell's result is the Response: bound to Out[n] and _, and to --out NAME.
--instructions takes text, the name of a variable that holds it, or @FILE.
Write \\{{ for two plain braces. %comet shows the settings, %comet usage what calls used.
"""

_EXAMPLES = """Examples
--------
  %%respond -m gpt-5.4 -e low -n 400
  %%respond --text.verbosity low --out answer --tag draft
  %%respond -s @style.md --include reasoning.encrypted_content
  %%respond --image figure --image photo.png --file report.pdf
  %%respond --set prompt_cache_options='{"mode": "auto"}' --dry-run
  %%respond -n 200 --as curl
  %%respond --sweep model=gpt-5.4,gpt-5.4-mini effort=low,high --repeat 3
"""


def _options(line: str) -> Iterator[tuple[Option, str | None]]:
    """Yield each option of the line with the text of its value."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CellError(
            f"The line {line.strip()!r} cannot be read: {str(error).lower()}.", "Close the quotation mark."
        ) from None
    at = 0
    while at < len(words):
        word = words[at]
        flag, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = BY_FLAG.get(flag)
        if option is None and flag.startswith("--no-"):
            option, value, has_value = _negated(flag), "false", "="
        if option is None:
            raise _unknown(word)
        at += 1
        if option.takes == "words":
            found, n_words = assignments(words[at:], [value] if has_value else [])
            yield from ((option, one) for one in found)
            at += n_words
        elif has_value:
            if option.takes == "nothing":
                raise CellError(f"{flag} takes no value, but {value!r} was given.", f"Write {flag} alone.")
            yield option, value
        elif option.takes == "nothing":
            yield option, None
        elif at < len(words) and (option.takes == "value" or not words[at].startswith("-")):
            if words[at] in BY_FLAG:
                raise CellError(f"{flag} has no value: {words[at]} follows it.", _with_value(flag, option))
            yield option, words[at]
            at += 1
        elif option.takes == "maybe":
            yield option, "true"
        else:
            raise CellError(f"{flag} has no value.", _with_value(flag, option))


def _with_value(flag: str, option: Option) -> str:
    return (
        f"Write {flag} {option.example}, for example."
        if option.example
        else f"Write {flag} {option.metavar}."
    )


def _negated(flag: str) -> Option | None:
    option = BY_FLAG.get(f"--{flag.removeprefix('--no-')}")
    return option if option is not None and option.takes == "maybe" else None


def _unknown(word: str) -> CellError:
    if not word.startswith("-"):
        return CellError(
            f"{word!r} is not an option; the prompt belongs into the lines below.",
            "Put the prompt under the %%respond line, or quote a value with spaces.",
        )
    flag = word.split("=", maxsplit=1)[0]
    close = difflib.get_close_matches(flag, BY_FLAG, n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}?" if close else "%%respond? lists all options."
    name = flag.lstrip("-").replace("-", "_")
    return CellError(
        f"{flag} is not an option of %%respond.",
        f"{hint} To send a field it does not know: --set {name}=VALUE",
    )


def _check_repeated(given: list[tuple[Option, str | None]]) -> None:
    seen: set[str] = set()
    for option, _ in given:
        if option.name in seen and not option.is_repeatable:
            raise CellError(f"{option.flags[-1]} is given twice.", "Leave one of them out.")
        seen.add(option.name)


def _value(
    option: Option, text: str | None, namespace: Mapping[str, Any], *, is_raw: bool, is_filled: bool
) -> Any:
    row = option.param
    if row is None or text is None:
        raise RuntimeError(f"{option.flags[-1]} belongs to no parameter")
    if text.isidentifier() and option.path in _VARIABLES and text in namespace:
        return namespace[text] if is_filled or is_raw else f"{{{{{text}}}}}"
    if row.kinds == ("boolean",):
        return _switch(option, text)
    if row.kinds[0] == "string":
        text = _file_text(option, text[1:]) if option.path in _VARIABLES and text.startswith("@") else text
        # tool_choice and conversation may be objects.
        as_object = _json(text) if "object" in row.kinds and text.startswith("{") else None
        if isinstance(as_object, dict):
            return as_object
        return filled(text, namespace) if is_filled and not is_raw else text
    if text.isidentifier() and text in namespace:
        return namespace[text]
    if row.kinds[0] == "array" and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    value = _json(text)
    if value is None:
        wanted = "a number" if row.kinds[0] in ("integer", "number") else "JSON"
        raise CellError(
            f"{option.flags[-1]} {text!r} is neither {wanted} nor a variable of the notebook.",
            _with_value(option.flags[-1], option),
        )
    return value


# A bare word here may be a variable, and @name a file.
_VARIABLES = frozenset({"instructions"})


def _switch(option: Option, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise CellError(
            f"{option.flags[-1]} {text!r} is neither true nor false.",
            f"Write {option.flags[-1]} true or false.",
        )
    return _SWITCH[text.lower()]


def _file_text(option: Option, name: str) -> str:
    try:
        return bytes_at(Path(name), f"{option.flags[-1]} @{name}").decode().replace("\r\n", "\n")
    except (OSError, ValueError, RuntimeError) as error:
        # Besides what is no UTF-8: a name that no file can have, and the home folder of nobody.
        is_text = isinstance(error, UnicodeDecodeError)
        reason = (
            "it is not UTF-8 text" if is_text else getattr(error, "strerror", None) or str(error).rstrip(".")
        )
        raise CellError(
            f"{option.flags[-1]} @{name} cannot be read: {reason}.",
            f"Check the path; it is taken from {Path.cwd()}.",
        ) from error


def _name(text: str, flag: str) -> str:
    if not text.isidentifier():
        raise CellError(
            f"{flag} {text!r} is not a Python name.", f"Use letters, digits and underscores: {flag} answer"
        )
    return text


def _set(arguments: Arguments, text: str) -> None:
    names, value = assigned(text)
    _put(arguments.params.setdefault("extra_body", {}), names, value)


def _frame(text: str) -> str:
    return "df" if text in ("", "true") else _name(text, "--df")


# What the notebook's own options do that are more than a switch.
_OWN: Mapping[str, Callable[[Arguments, str], None]] = {
    "set": _set,
    "no_stream": lambda arguments, text: arguments.params.update(stream=False),
    "out": lambda arguments, text: setattr(arguments, "out", _name(text, "--out")),
    "tag": lambda arguments, text: setattr(arguments, "tag", text),
    "as": lambda arguments, text: setattr(arguments, "form", _form(text)),
    "detail": lambda arguments, text: setattr(arguments, "detail", text.strip() or None),
    "chat": lambda arguments, text: setattr(arguments, "chat", _chat(text)),
    "from": lambda arguments, text: setattr(arguments, "after", text.strip()),
    "schema": lambda arguments, text: setattr(arguments, "schema", text.strip()),
    "df": lambda arguments, text: setattr(arguments, "frame", _frame(text)),
    "sweep": lambda arguments, text: arguments.sweep.append(text),
    "repeat": lambda arguments, text: setattr(arguments, "repeat", _count(text, "--repeat")),
    "max_rounds": lambda arguments, text: setattr(arguments, "max_rounds", _count(text, "--max-rounds")),
}


def _chat(text: str) -> str:
    if not text.strip():
        raise CellError("--chat has no name.", "Write --chat plan, for example.")
    return text.strip()


def _object_id(value: Any) -> str:
    found = value.get("id") if isinstance(value, Mapping) else value
    if not isinstance(found, str) or not found.strip():
        raise CellError(f"--conversation {value!r} has no id.", "Write --conversation conv_… beside --chat.")
    return found.strip()


def _count(text: str, flag: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or not int(text):
        raise CellError(f"{flag} {text[:40]!r} is no whole number from 1.", f"Write {flag} 5, for example.")
    return int(text)


def _tools(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _form(text: str) -> str:
    if text not in FORMS:
        raise CellError(
            f"--as {text!r} is not one of: {', '.join(FORMS)}.",
            f"Write --as {next(iter(FORMS))}, for example.",
        )
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _put(target: dict[str, Any], names: list[str], value: Any) -> None:
    *parents, last = names
    for name in parents:
        inner = target.get(name)
        target[name] = target = dict(inner) if isinstance(inner, Mapping) else {}
    target[last] = value
