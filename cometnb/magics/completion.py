"""What Tab offers in a ``%%respond`` cell and on a ``%comet`` line; it reads names, and never asks the network."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion

from cometnb.magics.comet import SUBCOMMANDS, Subcommand
from cometnb.magics.filters import FILTER_CHOICES
from cometnb.magics.kernel import Kernel
from cometnb.magics.panel import preset_names
from cometnb.options import DEFAULT_MODEL
from cometnb.protocol.response import Response
from cometnb.session.cell_options import BY_FLAG, OPTIONS, Option
from cometnb.session.origin import cell_of
from cometnb.session.sweep_axes import SHORT_NAMES
from cometnb.session.sweep_line import SETTINGS
from cometnb.session.tools import BUILT_IN, Tool

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

__all__ = ["Offer", "completed", "offered"]

_COMET = re.compile(r"^\s*(?:[\w, ]+=\s*)?%comet\s+(.*)$")
_RESPOND = re.compile(r"^%%respond(?:\s(.*))?$")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w*)*\Z|\Z")
_MOST_FILES = 200
_TAG = re.compile(r"^%%respond\b.*?\s--tag[ =]([\w.:/-]+)")
_LATEST_CELLS = 500
# Of the ways to say a time, those that need no thought.
_TIMES = ("today", "24h", "7d", "30d")


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand where the cursor is.

    Attributes
    ----------
    typed : str
        What stands there already; every one of `words` begins with it.
    words : tuple of str
    kind : str
        For the front end's icon: ``option``, ``value``, ``model``, ``instance`` or ``path``.
    """

    typed: str
    words: tuple[str, ...]
    kind: str


def completed(kernel: Kernel, context: CompletionContext) -> SimpleMatcherResult:
    """Return what IPython asks its matchers for."""
    lines = context.full_text.split("\n")
    before = [*lines[: context.cursor_line], lines[context.cursor_line][: context.cursor_position]]
    offer = offered(kernel, before)
    if offer is None or not offer.words:
        return {"completions": []}
    return {
        "completions": [SimpleCompletion(text=word, type=offer.kind) for word in offer.words],
        "matched_fragment": offer.typed,
        # Python's own guesses at a line that is no Python would stand between ours.
        "suppress": True,
        "ordered": True,
    }


def offered(kernel: Kernel, before: list[str]) -> Offer | None:
    """Return what may stand at the cursor.

    Parameters
    ----------
    kernel : Kernel
    before : list of str
        The cell up to the cursor, line by line.

    Returns
    -------
    Offer or None
        None where there is nothing of ours: in the prompt's own text, or in a cell without a magic.
    """
    first = next((at for at, line in enumerate(before) if line.strip()), 0)
    cell = _RESPOND.match(before[first])
    if cell is not None and first == len(before) - 1:
        return _in_options(kernel, cell[1]) if cell[1] is not None else None
    if cell is not None:
        return _in_braces(kernel, "\n".join(before[first + 1 :]))
    line = _COMET.match(before[-1])
    return _in_comet(kernel, line[1]) if line is not None else None


def _in_comet(kernel: Kernel, text: str) -> Offer | None:
    *done, typed = re.split(r"\s+", text)
    if not done:
        return _starting(typed, SUBCOMMANDS, "value")
    if done[0] not in SUBCOMMANDS:
        return None
    one = SUBCOMMANDS[done[0]]
    flag, has_value, value = typed.partition("=")
    if has_value and flag in one.values:
        return _filter(kernel, one, flag, value)
    if done[-1] in one.values:
        return _filter(kernel, one, done[-1], typed)
    if "PRESET" in one.usage:
        return _preset(one, done[1:], typed)
    words: tuple[str, ...] = one.words
    if done[0] == "help":
        words = (*SUBCOMMANDS, *words)
    if "SINCE" in one.usage:
        words += _TIMES
    if "NAME" in one.places:
        words += tuple(kernel.shared.chats)
    if "MODEL" in one.usage and typed and not typed.startswith("-"):
        return _starting(typed, _models(kernel), "model")
    left = [word for word in words if not word.startswith("--") or word in one.values or word not in done]
    if "FILE" in one.places and not typed.startswith("-"):
        files = _files(typed)
        return Offer(typed, (*files, *_starting(typed, left, "option").words), "path" if files else "option")
    return _starting(typed, left, "option")


def _preset(one: Subcommand, done: list[str], typed: str) -> Offer:
    """Return what is left of the presets' names after the words that stand there already."""
    before = "".join(f"{word} " for word in done)
    names = [*one.words, *preset_names()]
    left = [name[len(before) :] for name in names if name.startswith(before)]
    return _starting(typed, left, "value")


def _filter(kernel: Kernel, one: Subcommand, flag: str, typed: str) -> Offer:
    """Return the values of a subcommand's option: those of its usage, or what this kernel knows of such rows."""
    if flag in FILTER_CHOICES:
        head, _, last = typed.rpartition(",")
        left = [word for word in FILTER_CHOICES[flag] if word not in head.split(",")]
        return _starting(last, left, "value")
    if flag == "--model":
        return _starting(typed, _models(kernel), "model")
    if flag == "--tag":
        history = kernel.shell.history_manager
        cells = history.input_hist_raw[-_LATEST_CELLS:] if history is not None else []
        # What was typed is at hand; the ledger's tags would have to be read from a database.
        tags = (tag for cell in cells for tag in _TAG.findall(cell))
        return _starting(typed, sorted(set(tags)), "value")
    if flag == "--notebook":
        return _starting(typed, filter(None, [cell_of(kernel.shell).notebook]), "path")
    if flag == "--save":
        return Offer(typed, _files(typed), "path")
    if flag == "--fault":
        from cometnb.client.simulator.orders import known_faults  # as late as the simulator itself

        return _starting(typed, (*one.values[flag], *known_faults()), "value")
    return _starting(typed, one.values[flag], "value")


def _in_options(kernel: Kernel, line: str) -> Offer | None:
    braced = _in_braces(kernel, line)
    if braced is not None:
        return braced
    *done, typed = re.split(r"\s+", line)
    flag, has_value, value = typed.partition("=")
    if _is_in_sweep(done) and not typed.startswith("-"):
        return _axis_values(kernel, flag, value) if has_value else _starting(typed, _AXES, "option")
    if has_value and flag in BY_FLAG:
        return _values(kernel, BY_FLAG[flag], value)
    before = BY_FLAG.get(done[-1]) if done else None
    if before is not None and before.takes == "value":
        return _values(kernel, before, typed)
    if before is not None and before.takes == "maybe" and typed and not typed.startswith("-"):
        return _values(kernel, before, typed)
    given = {BY_FLAG[word.partition("=")[0]].name for word in done if word.partition("=")[0] in BY_FLAG}
    left = [option for option in OPTIONS if option.is_repeatable or option.name not in given]
    long = [flag for option in left for flag in option.flags if flag.startswith("--")]
    short = [flag for option in left for flag in option.flags if not flag.startswith("--")]
    return _starting(typed, [*short, *sorted(long)] if typed in ("", "-") else sorted(long), "option")


# What an axis of a sweep may be called; a name that stands in braces in the prompt cannot be known here.
_AXES = (
    "model=",
    *(f"{name}=" for name in SHORT_NAMES),
    "prompt=",
    *sorted(
        f"{option.path}="
        for option in OPTIONS
        if option.path and option.path not in ("model", "background", "conversation", *SHORT_NAMES.values())
    ),
    *(f"{name}=" for name in SETTINGS),
)


def _is_in_sweep(done: list[str]) -> bool:
    """Tell whether the next word belongs to ``--sweep``."""
    for word in reversed(done):
        if word == "--sweep":
            return True
        if "=" not in word or word.startswith("-"):
            return False
    return False


def _axis_values(kernel: Kernel, name: str, typed: str) -> Offer | None:
    """Return the values of an axis after its last comma, or a variable that holds them all."""
    option = BY_FLAG.get(f"--{SHORT_NAMES.get(name, name).replace('_', '-')}")
    choices = () if option is None else _models(kernel) if option.path == "model" else option.choices
    if choices:
        return _listed(typed, choices, "value")
    if name in SETTINGS:
        return Offer(typed, _files(typed), "path") if name == "checkpoint" else None
    return _starting(
        typed, _variables(kernel, lambda value: isinstance(value, list | tuple | dict)), "instance"
    )


def _values(kernel: Kernel, option: Option, typed: str) -> Offer | None:
    if option.path == "model":
        return _starting(typed, _models(kernel), "model")
    if option.choices:
        return _listed(typed, option.choices, "value")
    if option.name in _TALK:
        return _listed(typed, _TALK[option.name](kernel), "instance")
    if option.name in _ATTACHED:
        named = _starting(typed, _variables(kernel, _is_attachable), "instance")
        files = _files(typed)
        return Offer(typed, (*named.words, *files), "path" if files and not named.words else "instance")
    if option.path == "instructions" and typed.startswith("@"):
        return Offer(typed, tuple(f"@{name}" for name in _files(typed[1:])), "path")
    row = option.param
    kinds = {kind for name in (row.kinds if row is not None else ()) for kind in _KINDS.get(name, ())}
    if row is None or (row.kinds[0] == "string" and option.path != "instructions"):
        return None
    return _starting(typed, _variables(kernel, lambda value: type(value) in kinds), "instance")


def _listed(typed: str, words: Iterable[str], kind: str) -> Offer:
    """Return what may follow the last comma, without what stands before it already."""
    head, _, last = typed.rpartition(",")
    offer = _starting(last, words, kind)
    taken = head.split(",")
    return Offer(offer.typed, tuple(word for word in offer.words if word not in taken), kind)


# What people name in a conversation: chats, functions, earlier answers, and types of answers.
_TALK: Mapping[str, Callable[[Kernel], Iterable[str]]] = {
    "chat": lambda kernel: kernel.shared.chats,
    "tools": lambda kernel: [*_variables(kernel, _is_tool), *BUILT_IN],
    "from": lambda kernel: _variables(kernel, lambda value: isinstance(value, Response)),
    "schema": lambda kernel: _variables(kernel, _is_schema),
}


def _is_tool(value: Any) -> bool:
    return isinstance(value, Tool | list | tuple) or inspect.isfunction(value)


def _is_schema(value: Any) -> bool:
    return isinstance(value, type | dict) or type(value).__name__ == "DataFrame"


_ATTACHED = frozenset({"image", "file"})
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "array": (list, tuple),
    "object": (dict,),
}


def _is_attachable(value: Any) -> bool:
    return not callable(value) and type(value) not in (int, float, bool, type(builtins), type(None))


def _models(kernel: Kernel) -> list[str]:
    """Return the names known without asking: listed before, set, used, or played by the simulator."""
    options = kernel.shared.options
    names = [options.model, DEFAULT_MODEL]
    names += [str(kernel.recent.response.model)] if kernel.recent.response is not None else []
    names += kernel.recent.models.get(options.base_url, [])
    if options.backend == "simulator":
        from cometnb.client.simulator.models import MODELS  # loaded only where it plays them

        names += kernel.shared.simulator.models or MODELS
    return names


def _variables(kernel: Kernel, is_fit: Callable[[Any], bool]) -> Iterator[str]:
    hidden = kernel.shell.user_ns_hidden
    return (
        name
        for name, value in sorted(kernel.shell.user_ns.items())
        if not name.startswith("_") and name not in hidden and is_fit(value)
    )


def _files(typed: str) -> tuple[str, ...]:
    """Return the paths that begin as typed; a folder ends in a slash, and hidden ones must be asked for."""
    folder, slash, start = typed.rpartition("/")
    try:
        place = Path(f"{folder}{slash}" or ".").expanduser()
        names = sorted(
            f"{folder}{slash}{one.name}{'/' if one.is_dir() else ''}"
            for one in place.iterdir()
            if one.name.startswith(start) and (start or not one.name.startswith(".")) and " " not in one.name
        )
    except (OSError, RuntimeError, ValueError):
        return ()
    return tuple(names[:_MOST_FILES])


def _in_braces(kernel: Kernel, text: str) -> Offer | None:
    """Return the notebook's names in an open ``{{``."""
    start = text.rfind("{{")
    if start < 0 or "}}" in text[start:] or text[:start].endswith("\\"):
        return None
    found = _DOTTED.search(text[start + 2 :])
    typed = found[0] if found is not None else ""
    owner, dot, part = typed.rpartition(".")
    if dot:
        known = kernel.shell.Completer.attr_matches(typed)
        # Attributes come as 'owner.name'; some versions leave the owner out.
        names = [word.removeprefix(f"{owner}.").lstrip(".") for word in known]
        return _starting(part, names, "instance")
    names = [name for name in kernel.shell.user_ns if name not in kernel.shell.user_ns_hidden]
    return _starting(
        typed, [*sorted(names), *(sorted({*dir(builtins), *keyword.kwlist}) if typed else ())], "instance"
    )


def _starting(typed: str, words: Iterable[str], kind: str) -> Offer:
    fit = (word for word in words if word.startswith(typed) and (typed or not word.startswith("_")))
    return Offer(typed, tuple(dict.fromkeys(fit)), kind)
