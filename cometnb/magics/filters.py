"""Which rows a ``%comet`` line means: since when, and of which model, tag, notebook, status or backend."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from cometnb.errors import CellError, ParamError
from cometnb.ledger.selection import since_time

__all__ = ["FILTERS_USAGE", "FILTER_CHOICES", "filters_of", "since_of", "value_of"]

FILTERS_USAGE = "[--model M] [--tag T] [--notebook PATH] [--status S] [--backend B]"
"""How they stand in a subcommand's usage."""

_EXAMPLES: Mapping[str, str] = {
    "--model": "gpt-5.4",
    "--tag": "draft",
    "--notebook": "report.ipynb",
    "--status": "completed",
    "--backend": "api",
}
# Names without commas, so that several may stand in one word; a path or a tag may hold one.
_LISTED = frozenset({"--model", "--status", "--backend"})
FILTER_CHOICES: Mapping[str, tuple[str, ...]] = {
    "--status": (
        "completed", "incomplete", "failed", "cancelled", "queued", "in_progress", "interrupted", "truncated",
        "refused_by_budget", "error",
    ),
    "--backend": ("api", "simulator", "cassette"),
}  # fmt: skip
"""The values of those filters that do not take any."""


def filters_of(name: str, words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Take the filters out of the words of a line.

    Parameters
    ----------
    name : str
        The subcommand, for what an error says.
    words : list of str
        What follows it. A filter is ``--model M`` or ``--model=M``; one given twice takes rows of either, and so
        does ``--model M,N`` (also for status and backend; a tag or a path may hold a comma).

    Returns
    -------
    rest : list of str
        The other words, in order.
    kwargs : dict of str to list of str
        For `Ledger.usage`: only the filters that were given, by its names.

    Raises
    ------
    CellError
        A filter without a value, or with one that cannot be.
    """
    rest: list[str] = []
    kwargs: dict[str, list[str]] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        if flag not in _EXAMPLES:
            rest.append(word)
            continue
        if not equals and left and not left[0].startswith("--"):
            value = left.pop(0)
        kwargs.setdefault(flag.removeprefix("--"), []).extend(_values(name, flag, value))
    return rest, kwargs


def value_of(words: list[str], flag: str, hint: str) -> tuple[list[str], str | None]:
    """Take an option and its value out of the words of a line.

    Parameters
    ----------
    words : list of str
    flag : str
        The option: ``--by model`` or ``--by=model``. A value that begins with two hyphens needs the second form.
    hint : str
        What an error says next.

    Returns
    -------
    rest : list of str
        The other words, in order.
    value : str or None
        None if the option is not there.

    Raises
    ------
    CellError
        If it is there, and has no value or a blank one, or if it is there more than once.
    """
    places = [at for at, word in enumerate(words) if word.partition("=")[0] == flag]
    if not places:
        return words, None
    if len(places) > 1:
        raise CellError(f"{flag} is given {len(places)} times.", f"Leave all but one out. {hint}")
    place = places[0]
    _, equals, value = words[place].partition("=")
    after = words[place + 1 :]
    if not equals and after and not after[0].startswith("--"):
        value, *after = after
    if not value.strip():
        raise CellError(f"{flag} has no value.", hint)
    return [*words[:place], *after], value


def since_of(name: str, rest: list[str]) -> str | None:
    """Return the time in what is left of a line, or None.

    Parameters
    ----------
    name : str
        The subcommand, for what an error says.
    rest : list of str
        What is left when everything else has been taken out.

    Raises
    ------
    CellError
        An option that nobody took, more than one time, or one that cannot be read.
    """
    unknown = [word for word in rest if word.startswith("-")]
    if unknown:
        known = [flag.removeprefix("--") for flag in _EXAMPLES]
        close = difflib.get_close_matches(unknown[0].partition("=")[0].lstrip("-"), known, n=1)
        hint = (
            f"Did you mean --{close[0]}?"
            if close
            else f"%comet help {name.partition(' ')[0]} shows what it takes."
        )
        raise CellError(f"%comet {name} has no option {unknown[0]}.", hint)
    if len(rest) > 1:
        raise CellError(
            f"%comet {name} takes one time, not {' '.join(rest)!r}.",
            f'Write %comet {name} today, 7d, 2026-11-01 or "2026-11-01 09:30".',
        )
    if not rest:
        return None
    try:
        since_time(rest[0])
    except ParamError:
        raise CellError(
            f"%comet {name} {rest[0]!r} is no moment, no day and no age from 0 up.",
            f'Write %comet {name} today, 7d, 2h, 2026-11-01 or "2026-11-01 09:30".',
        ) from None
    return rest[0]


def _values(name: str, flag: str, text: str) -> list[str]:
    values = [part.strip() for part in text.split(",")] if flag in _LISTED else [text]
    values = [value for value in values if value]
    if not values:
        raise CellError(
            f"{flag} of %comet {name} has no value.",
            f"Write %comet {name} {flag} {_EXAMPLES[flag]}, for example.",
        )
    choices = FILTER_CHOICES.get(flag)
    unknown = [value for value in values if choices is not None and value not in choices]
    if choices is not None and unknown:
        raise CellError(
            f"{flag} of %comet {name} does not know {unknown[0]!r}.", f"It takes {', '.join(choices)}."
        )
    return values
