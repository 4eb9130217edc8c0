"""``%comet``: one word for settings, the simulator, the usage table and help."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cometnb.defaults import Shared
from cometnb.errors import CellError
from cometnb.magics.arguments import help_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUBCOMMANDS", "Subcommand", "comet"]

# What one looks at first; `--all` gives the rest.
_USAGE_COLUMNS = [
    "created_at",
    "backend",
    "model",
    "effort",
    "tag",
    "status",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
    "duration_s",
]


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One word after ``%comet``.

    Attributes
    ----------
    help : str
        One line.
    usage : str
        What may follow it.
    run : callable
        ``run(shared, words)``; what it returns is the line's result.
    """

    help: str
    usage: str
    run: Callable[[Shared, list[str]], Any]


def comet(shared: Shared, line: str) -> Any:
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
    if not words:
        return _status(shared, [])
    name, *rest = words
    if name not in SUBCOMMANDS:
        close = difflib.get_close_matches(name, SUBCOMMANDS, n=1)
        hint = f"Did you mean %comet {close[0]}?" if close else "%comet help lists all of them."
        raise CellError(f"%comet {name} is not a subcommand.", hint)
    return SUBCOMMANDS[name].run(shared, rest)


def _status(shared: Shared, words: list[str]) -> None:
    _no_more("status", words)
    options = shared.options
    tally = shared.tally
    rows = {
        "backend": _backend(shared),
        "base URL": f"{options.base_url} ({options.sources['base_url']})",
        "key": _key(shared),
        "model": f"{options.model} ({options.sources['model']})",
        "this kernel": _spent(shared),
        "ledger": f"{shared.ledger.location}, {shared.ledger.n_waiting} rows waiting",
        "live view": options.live,
    }
    if tally.n_unreported:
        rows["unreported"] = f"{tally.n_unreported} of {tally.n_attempts} attempts came without usage"
    _print("\n".join(f"{name:12} {value}" for name, value in rows.items()))


def _backend(shared: Shared) -> str:
    options = shared.options
    if options.backend != "simulator":
        return f"{options.backend} ({options.sources['backend']})"
    pace = shared.simulator.tokens_per_s
    return (
        f"simulator, {f'{pace:g} tokens/s' if pace else 'as fast as it can'} ({options.sources['backend']})"
    )


def _key(shared: Shared) -> str:
    options = shared.options
    if options.api_key:
        return f"set (from {options.sources['api_key']})"
    return (
        "none needed" if options.backend == "simulator" else "missing: set COMETAPI_KEY, or %comet simulator"
    )


def _spent(shared: Shared) -> str:
    tally = shared.tally
    if not tally.n_attempts:
        return "no calls yet"
    usage = tally.usage
    into, out, thought = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
    if into is None or out is None:
        return f"{tally.n_attempts} attempts, usage not reported"
    reasoning = f" ({thought:,} reasoning)" if thought else ""
    calls = "attempt" if tally.n_attempts == 1 else "attempts"
    return f"{tally.n_attempts} {calls}, {into:,} tokens in, {out:,} tokens out{reasoning}, no price known"


def _simulator(shared: Shared, words: list[str]) -> None:
    wanted = _settings(words)
    if wanted.pop("off", False):
        shared.configure(backend="api")
        _print("Calls go to the API again.")
        return
    for name, value in wanted.items():
        setattr(shared.simulator, name, value)
    shared.configure(backend="simulator")
    _print("Calls go to the simulator: no key, no network, no cost. %comet simulator off goes back.")


_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--tokens-per-s": ("tokens_per_s", lambda text: float(text) or None),
    "--seed": ("seed", int),
    "--fault": ("fault", lambda text: None if text == "none" else text),
}


def _settings(words: list[str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if word in ("on", "off"):
            wanted["off"] = word == "off"
            continue
        flag, _, value = word.partition("=")
        if flag not in _SETTINGS:
            raise CellError(
                f"%comet simulator does not know {word!r}.",
                f"Usage: %comet simulator {SUBCOMMANDS['simulator'].usage}",
            )
        value = value or (left.pop(0) if left else "")
        name, convert = _SETTINGS[flag]
        try:
            wanted[name] = convert(value)
        except ValueError:
            raise CellError(f"{flag} {value!r} is not a number.", f"Write {flag} 100, for example.") from None
    return wanted


def _usage(shared: Shared, words: list[str]) -> pd.DataFrame:
    is_all = "--all" in words
    rest = [word for word in words if word != "--all"]
    if len(rest) > 1:
        raise CellError(
            f"%comet usage takes one time, not {' '.join(rest)!r}.", "Write %comet usage today, or 7d."
        )
    frame = shared.ledger.usage(rest[0] if rest else None)
    return frame if is_all else frame[_USAGE_COLUMNS].assign(created_at=frame["created_at"].dt.floor("s"))


def _help(shared: Shared, words: list[str]) -> None:
    if words == ["respond"]:
        _print(help_text())
        return
    names = words or list(SUBCOMMANDS)
    for name in names:
        if name not in SUBCOMMANDS:
            raise CellError(f"%comet {name} is not a subcommand.", "%comet help lists all of them.")
    lines = [f"%comet {name} {SUBCOMMANDS[name].usage}".rstrip() for name in names]
    width = max(len(line) for line in lines)
    rows = [f"{line:{width}}  {SUBCOMMANDS[name].help}" for line, name in zip(lines, names, strict=True)]
    if not words:
        rows = [f"{'%comet':{width}}  Show the settings, and what this kernel has used.", *rows]
        rows.append(f"{'%%respond?':{width}}  Show how to ask, with every option.")
    _print("\n".join(rows))


def _no_more(name: str, words: list[str]) -> None:
    if words:
        raise CellError(
            f"%comet {name} takes nothing after it, not {' '.join(words)!r}.", "%comet help shows more."
        )


def _print(text: str) -> None:
    print(text)  # noqa: T201  # a line magic's answer is text in the cell's output


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": Subcommand("Show the settings, and what this kernel has used.", "", _status),
    "simulator": Subcommand(
        "Answer from the simulator: no key, no network, no cost.",
        "[on|off] [--tokens-per-s N] [--seed N] [--fault NAME|none]",
        _simulator,
    ),
    "usage": Subcommand("Return the usage table: one row for every attempt.", "[SINCE] [--all]", _usage),
    "help": Subcommand("Show the subcommands, or one of them.", "[SUBCOMMAND|respond]", _help),
}
