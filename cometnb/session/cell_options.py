"""The options of ``%%respond``: one for every parameter of the API, generated from its table, and the notebook's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cometnb.protocol.params import PARAMS, Param, find
from cometnb.session.export import FORMS

__all__ = ["BY_FLAG", "OPTIONS", "Option", "Takes"]

Takes = Literal["value", "nothing", "maybe", "words"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the cell's line.

    Attributes
    ----------
    flags : tuple of str
        Its spellings, the shortest first.
    help : str
        One line.
    path : str
        The API parameter it sets, with dots for a field inside one; empty for the notebook's own options.
    takes : str
        ``value``, ``nothing``, ``maybe`` (a value may follow, for switches), or ``words`` (one or more ``name=…``).
    metavar : str
        What stands for the value in help.
    is_repeatable : bool
        Whether it may be given more than once.
    own_choices : tuple of str
        The values of a notebook's own option that has a fixed set of them.
    """

    flags: tuple[str, ...]
    help: str
    path: str = ""
    takes: Takes = "value"
    metavar: str = ""
    is_repeatable: bool = False
    own_choices: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it is known to take; for a list, its entries."""
        if self.takes == "maybe" and self.path:
            return ("true", "false")
        return self.param.choices if self.param is not None else self.own_choices

    @property
    def example(self) -> str:
        """A value it takes, as it is typed; empty where that is a name or a text of the user's."""
        if self.choices:
            return self.choices[0]
        return (_EXAMPLES if self.path else _OWN_EXAMPLES).get(self.metavar, "")

    @property
    def name(self) -> str:
        """The longest spelling without its dashes, with underscores."""
        return self.flags[-1].lstrip("-").replace("-", "_")

    @property
    def param(self) -> Param | None:
        """The row of the parameter it sets."""
        return find(self.path) if self.path else None


# Short flags for the parameters people change most, and longer names that save a dot.
_SHORT: dict[str, tuple[str, ...]] = {
    "model": ("-m",),
    "reasoning.effort": ("-e", "--effort"),
    "temperature": ("-t",),
    "max_output_tokens": ("-n",),
    "instructions": ("-s",),
}

_OWN: tuple[Option, ...] = (
    Option(("-o", "--out"), "Bind the Response to this name, too (it is also Out[n] and _).", metavar="NAME"),
    Option(("--no-stream",), "Wait for the whole body instead of streaming.", takes="nothing"),
    Option(("--tag",), "Label the call's row in the usage table.", metavar="TEXT"),
    Option(("--quiet",), "Show nothing; the Response is bound all the same.", takes="nothing"),
    Option(("--raw",), "Leave {{ }} in the prompt as it is typed.", takes="nothing"),
    Option(
        ("--image",),
        "Attach an image: a variable, a path or a URL; may be repeated.",
        metavar="X",
        is_repeatable=True,
    ),
    Option(
        ("--file",),
        "Attach a file: a variable, a path, a URL or a file id; may be repeated.",
        metavar="X",
        is_repeatable=True,
    ),
    Option(
        ("--detail",),
        "How closely every image of the cell is looked at.",
        metavar="low|high|auto",
        own_choices=("low", "high", "auto"),
    ),
    Option(
        ("--set",),
        "Set any field of the request, also one cometnb does not know; may be repeated.",
        metavar="PATH=JSON",
        is_repeatable=True,
    ),
    Option(
        ("--dry-run",),
        "Show the request, what is attached and what it would cost; send nothing.",
        takes="nothing",
    ),
    Option(
        ("--as",),
        "Show the call as code; send nothing.",
        metavar="|".join(FORMS),
        own_choices=tuple(FORMS),
    ),
    Option(
        ("--chat",),
        "Continue the conversation of this name; running the cell again replaces its turn.",
        metavar="NAME",
    ),
    Option(("--new",), "Begin the conversation, or a sweep that was cut short, anew.", takes="nothing"),
    Option(
        ("--from",),
        "Ask after this turn or response (an id, or a variable that holds a Response), not after the last.",
        metavar="ID",
    ),
    Option(
        ("--schema",),
        "Ask for structured output: a class, a DataFrame or a dict by name, or fields such as 'name, age int'.",
        metavar="S",
    ),
    Option(
        ("--df",),
        "Bind the structured answer as a DataFrame to this name (df if none is given).",
        takes="maybe",
        metavar="[NAME]",
    ),
    Option(("--confirm",), "Ask before each function of the notebook runs.", takes="nothing"),
    Option(
        ("--max-rounds",), "Most calls of the service while functions are run (10 if not set).", metavar="N"
    ),
    Option(
        ("--sweep",),
        "Ask with every combination of values, side by side: model=a,b effort=low,high.",
        takes="words",
        metavar="NAME=A,B …",
        is_repeatable=True,
    ),
    Option(
        ("--repeat",), "Ask every combination of a sweep N times; without a sweep, the prompt.", metavar="N"
    ),
    Option(("--code",), "Put the answer's first Python code block into a new cell below.", takes="nothing"),
)

_OWN_EXAMPLES = {"N": "10", "X": "figure"}
_EXAMPLES = {"N": "10", "X": "0.5", "JSON": """'{"name": "value"}'""", "LIST": """'["name"]'"""}

# The body of the cell is the input, and --no-stream says the rest about streaming.
_NOT_OPTIONS = frozenset({"input", "stream"})


def _generated() -> Iterator[Option]:
    for row in PARAMS:
        if row.name in _NOT_OPTIONS:
            continue
        yield _option(row, row.name)
        for field in row.fields:
            yield _option(field, f"{row.name}.{field.name}")


def _option(row: Param, path: str) -> Option:
    long = f"--{path.replace('_', '-')}"
    is_switch = row.kinds == ("boolean",)
    return Option(
        flags=(*_SHORT.get(path, ()), long),
        help=f"{row.doc}{_bounds(row)}",
        path=path,
        takes="maybe" if is_switch else "value",
        metavar="[true|false]" if is_switch else _metavar(row),
    )


def _metavar(row: Param) -> str:
    if row.choices and "array" not in row.kinds:
        return "|".join(row.choices)
    by_kind = {"string": "TEXT", "integer": "N", "number": "X", "array": "LIST", "object": "JSON"}
    return by_kind[row.kinds[0]]


def _bounds(row: Param) -> str:
    if row.minimum is None:
        return ""
    unit = f" {row.unit}" if row.unit else ""
    span = (
        f"{row.minimum:g} to {row.maximum:g}"
        if row.maximum is not None
        else f"at least {row.minimum:g}{unit}"
    )
    return f" ({span})"


OPTIONS: tuple[Option, ...] = (*_generated(), *_OWN)

# Underscores are accepted for dashes: people copy parameter names.
BY_FLAG: dict[str, Option] = {
    spelling: option
    for option in OPTIONS
    for flag in option.flags
    for spelling in (flag, f"--{flag[2:].replace('-', '_')}" if flag.startswith("--") else flag)
}
