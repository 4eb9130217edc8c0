"""``%comet``: one word for settings, calls, the service and help."""

from __future__ import annotations

import difflib
import re
import shlex
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.errors import CellError
from cometnb.magics.budget import BUDGET_USAGE, budget
from cometnb.magics.calls import forget, show_last, show_last_code
from cometnb.magics.cassettes import RECORD_USAGE, REPLAY_USAGE, record, replay
from cometnb.magics.chats import CHATS_USAGE, list_chats, show_tree
from cometnb.magics.kernel import Kernel
from cometnb.magics.key import KEY_USAGE, key
from cometnb.magics.line import say
from cometnb.magics.money import COST_USAGE, PLOT_USAGE, cost, plot
from cometnb.magics.panel import PANEL_USAGE, open_panel
from cometnb.magics.prices import PRICES_USAGE, show_prices
from cometnb.magics.service import diagnose, list_models
from cometnb.magics.settings import (
    SIMULATOR_USAGE,
    show_config,
    show_status,
    switch_simulator,
)
from cometnb.magics.usage import USAGE_USAGE, usage
from cometnb.session.cell_line import help_text
from cometnb.session.export import FORMS

__all__ = ["SUBCOMMANDS", "Subcommand", "comet"]

_WORD = re.compile(r"--[a-z][\w-]*|(?<![\w-])[a-z]\w*")
_VALUE = re.compile(r"(--[a-z][\w-]*) ([\w|]+)")


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
    def places(self) -> str:
        """`usage` without the values of options."""
        return _VALUE.sub(r"\1", self.usage)

    @property
    def words(self) -> tuple[str, ...]:
        """What may be typed after it as it stands in `usage`; not what belongs to an option."""
        return tuple(dict.fromkeys(_WORD.findall(self.places)))

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Each option that takes a value, and what of it may be typed as it stands in `usage`."""
        return {flag: tuple(_WORD.findall(text)) for flag, text in _VALUE.findall(self.usage)}


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
    say("\n".join(f"{_broken(line)}\n    {text}" for line, text in lines.items()))


def _broken(line: str) -> str:
    """Break a long usage between its options, before an output that is too narrow breaks it anywhere."""
    joined = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", _HELD), line)
    return _USAGE_LINES.fill(joined).replace(_HELD, " ")


_HELD = "\N{NO-BREAK SPACE}"
_USAGE_LINES = textwrap.TextWrapper(
    96, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
)

SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": Subcommand("Show the settings, and what this kernel has used.", "", show_status),
    "config": Subcommand("Show every setting, where it came from, and how to change it.", "", show_config),
    "key": Subcommand(
        "Ask for the key without showing it, for this kernel; --save keeps it for all, --forget removes it.",
        KEY_USAGE,
        key,
    ),
    "simulator": Subcommand(
        "Answer from the simulator: no key, no network, no cost.", SIMULATOR_USAGE, switch_simulator
    ),
    "record": Subcommand(
        "Record calls into a cassette; --auto adds what it lacks, --new begins it anew.", RECORD_USAGE, record
    ),
    "replay": Subcommand(
        "Answer calls from a cassette: no key, no network, no cost; --auto sends and adds what it lacks.",
        REPLAY_USAGE,
        replay,
    ),
    "models": Subcommand(
        "Return the models the service lists, by parts of the name.", "[PART ...]", list_models
    ),
    "doctor": Subcommand(
        "Find out what the service can do; --spend also makes three small calls.", "[--spend]", diagnose
    ),
    "last": Subcommand("Show the last answer again; it is _ then.", "", show_last),
    "code": Subcommand("Show the last call as code.", f"[{'|'.join((*FORMS, 'cell'))}]", show_last_code),
    "reset": Subcommand("Forget the last answer and this kernel's sum; settings stay.", "", forget),
    "usage": Subcommand(
        "Return the usage table, one row an attempt; --live shows what this kernel spends as it does.",
        USAGE_USAGE,
        usage,
    ),
    "cost": Subcommand(
        "Return what the calls cost by model, day, effort, cell, tag or notebook; print the sum.",
        COST_USAGE,
        cost,
    ),
    "plot": Subcommand(
        "Draw cost, tokens, reasoning or latency of the calls, or the timeline of the last answer.",
        PLOT_USAGE,
        plot,
    ),
    "prices": Subcommand(
        "Show what models cost now and by which source; --fetch gets CometAPI's catalog.",
        PRICES_USAGE,
        show_prices,
    ),
    "budget": Subcommand(
        "Show, set or lift what calls may cost; one that could cost more is not sent.",
        BUDGET_USAGE,
        budget,
    ),
    "chats": Subcommand("List the conversations; save, load or drop one.", CHATS_USAGE, list_chats),
    "tree": Subcommand("Draw a conversation as a tree of turns.", "[NAME]", show_tree),
    "panel": Subcommand(
        "Return a panel: every parameter as a control; of a preset, or of the last call.",
        PANEL_USAGE,
        open_panel,
    ),
    "help": Subcommand("Show the subcommands, or one of them.", "[SUBCOMMAND|respond]", _help),
}
