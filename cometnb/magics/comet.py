"""``%comet``: one word for settings, calls, the service and help."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.errors import CellError
from cometnb.magics.arguments import help_text
from cometnb.magics.calls import forget, return_usage, show_last, show_last_code
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.magics.service import diagnose, list_models
from cometnb.magics.settings import (
    SIMULATOR_USAGE,
    ask_for_key,
    show_config,
    show_status,
    switch_simulator,
)
from cometnb.session.export import FORMS

__all__ = ["SUBCOMMANDS", "Subcommand", "comet"]

_WORD = re.compile(r"--[a-z][\w-]*|(?<![\w-])[a-z]\w*")


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One word after ``%comet``.

    Attributes
    ----------
    help : str
        One line.
    usage : str
        What may follow it: small letters are typed as they are, capitals stand for something.
    run : callable
        ``run(kernel, words)``; what it returns is the line's result.
    """

    help: str
    usage: str
    run: Callable[[Kernel, list[str]], Any]

    @property
    def words(self) -> tuple[str, ...]:
        """What may be typed after it as it stands in `usage`."""
        return tuple(dict.fromkeys(_WORD.findall(self.usage)))


def comet(kernel: Kernel, line: str) -> Any:
    """Run a ``%comet`` line.

    Raises
    ------
    CellError
        An unknown subcommand or option.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CellError(
            f"%comet {line} cannot be read: {str(error).lower()}.", "Close the quotation mark."
        ) from None
    name, *rest = words or ["status"]
    return _subcommand(name).run(kernel, rest)


def _subcommand(name: str) -> Subcommand:
    if name not in SUBCOMMANDS:
        close = difflib.get_close_matches(name, SUBCOMMANDS, n=1)
        hint = f"Did you mean %comet {close[0]}?" if close else "%comet help lists all of them."
        raise CellError(f"%comet {name} is not a subcommand.", hint)
    return SUBCOMMANDS[name]


def _help(kernel: Kernel, words: list[str]) -> None:  # every subcommand is called alike
    if words == ["respond"]:
        say(help_text())
        return
    shown = {name: _subcommand(name) for name in words or SUBCOMMANDS}
    lines = {f"%comet {name} {one.usage}".rstrip(): one.help for name, one in shown.items()}
    if not words:
        lines = {"%comet": "Show the settings, and what this kernel has used."} | lines
        lines["%%respond?"] = "Show how to ask, with every option."
    longest = max((len(line) for line in lines if len(line) <= _LONGEST_USAGE), default=_LONGEST_USAGE)
    say(
        "\n".join(
            f"{line}\n{'':{longest}}  {text}" if len(line) > longest else f"{line:{longest}}  {text}"
            for line, text in lines.items()
        )
    )


# A longer one has its help on a line of its own.
_LONGEST_USAGE = 44

SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": Subcommand("Show the settings, and what this kernel has used.", "", show_status),
    "config": Subcommand("Show every setting, where it came from, and how to change it.", "", show_config),
    "key": Subcommand("Ask for the key without showing it; it is used in this kernel only.", "", ask_for_key),
    "simulator": Subcommand(
        "Answer from the simulator: no key, no network, no cost.", SIMULATOR_USAGE, switch_simulator
    ),
    "models": Subcommand(
        "Return the models the service lists, by parts of the name.", "[PART ...]", list_models
    ),
    "doctor": Subcommand(
        "Find out what the service can do; --spend also makes three small calls.", "[--spend]", diagnose
    ),
    "last": Subcommand("Show the last answer again; it is _ then.", "", show_last),
    "code": Subcommand("Show the last call as code.", f"[{'|'.join(FORMS)}]", show_last_code),
    "reset": Subcommand("Forget the last answer and this kernel's sum; settings stay.", "", forget),
    "usage": Subcommand(
        "Return the usage table: one row for every attempt.", "[SINCE] [--all]", return_usage
    ),
    "help": Subcommand("Show the subcommands, or one of them.", "[SUBCOMMAND|respond]", _help),
}
